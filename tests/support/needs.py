"""What a test needs of the machine: skip without it, say so loudly at the end, and fail where all must run.

A test calls `need` with what it found. On a developer's machine a missing part skips the test; with
`DEFT_TEST_FULL=1` it fails, so that a green full run has used every real part.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import pytest

# Skip reasons begin with it: they reach the process that prints the summary, whichever ran the test.
MISSING = "missing: "


def is_full(environ: Mapping[str, str] = os.environ) -> bool:
    """True where every real part must be there."""
    return environ.get("DEFT_TEST_FULL", "") not in ("", "0")


def need(name: str, present: object, how: str) -> None:
    """Go on where `name` is `present`; else skip, or fail in a full run, and say `how` to bring it."""
    if present:
        return
    if is_full():
        pytest.fail(f"{name} is missing and DEFT_TEST_FULL=1 wants everything. {how}", pytrace=False)
    pytest.skip(f"{MISSING}{name}. {how}")


def summary(reasons: Iterable[str]) -> list[str]:
    """The lines that tell what did not run, each missing part once with the number of its tests."""
    counts: dict[str, int] = {}
    for reason in reasons:
        _, found, part = reason.partition(MISSING)
        if found:
            counts[part] = counts.get(part, 0) + 1
    return [f"{count} test{'s' if count > 1 else ''} did NOT run, {part}" for part, count in counts.items()]
