"""A missing part skips its tests with a loud list at the end, and fails them in a full run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import needs

SUITE = """
from tests.support.needs import need
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_real(n):
    need("a moon", False, "Bring it: wait for the night.")
"""


def _run_suite(folder: Path, full: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    (folder / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (folder / "test_moon.py").write_text(SUITE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"--rootdir={folder}",
        "-c",
        os.devnull,
        str(folder),
        *arguments,
    ]
    environment = {**os.environ, "DEFT_TEST_FULL": full, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_a_missing_part_is_listed_at_the_end(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = _run_suite(tmp_path, "", *arguments)
    assert "THIS RUN IS NOT COMPLETE" in ran.stdout
    assert "2 tests did NOT run, a moon. Bring it: wait for the night." in ran.stdout
    assert ran.returncode == 0


def test_a_missing_part_fails_a_full_run(tmp_path: Path) -> None:
    ran = _run_suite(tmp_path, "1")
    assert "a moon is missing" in ran.stdout
    assert ran.returncode == 1


def test_a_part_that_is_there_changes_nothing() -> None:
    needs.need("the sun", True, "")


def test_other_reasons_to_skip_are_not_listed() -> None:
    assert needs.summary(["Skipped: not on this system"]) == []
