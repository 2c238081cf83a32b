"""What every test may use, and the loud list of what this machine could not run."""

from __future__ import annotations

import os
from collections.abc import Generator

import hypothesis
import pytest

from tests.support import needs

pytest_plugins = ("tests.support.databases",)

# The same examples in every run: a red run is red again. DEFT_TEST_RANDOM=1 looks where nobody has looked.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("default" if os.environ.get("DEFT_TEST_RANDOM") else "repeatable")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say last of all, right above pytest's closing line, what did not run and how to bring it."""
    yield
    skipped = terminalreporter.getreports("skipped")
    reasons = [report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)]
    lines = needs.summary(reasons)
    if lines:
        terminalreporter.section("THIS RUN IS NOT COMPLETE", sep="!", red=True, bold=True)
        for line in lines:
            terminalreporter.line(line, red=True)
        terminalreporter.line(
            "As root, `make test` brings all of it; DEFT_TEST_FULL=1 makes a missing part fail."
        )
