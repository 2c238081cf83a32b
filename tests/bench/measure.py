"""What the measurements share: run a command, take its CPU with all its descendants, print a plain table.

CPU seconds are those of the process and of every descendant that was waited for, by wait4; they move little
when the machine is busy, wall seconds a lot. Figures are medians of several runs; ratios are taken within one
run of a script, so that both sides met the same machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEFT = [sys.executable, "-m", "deft"]
COUNTED = 3


@dataclass(frozen=True, slots=True)
class Used:
    """What one run of a command took; `peak_mb` is that of its largest process."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: Sequence[str], *, folder: Path | None = None) -> Used:
    """Run a command to its end. Raises CalledProcessError where it fails."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            sys.stderr.write(said.read().decode("utf-8", "replace")[-2000:])
            raise subprocess.CalledProcessError(child.returncode, list(command))
    return Used(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024)


def medians(act: Callable[[], Used], runs: int) -> Used:
    """The median of each figure over several runs."""
    found = [act() for _ in range(runs)]
    return Used(
        statistics.median(one.cpu_s for one in found),
        statistics.median(one.wall_s for one in found),
        statistics.median(one.peak_mb for one in found),
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one measurement, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="deft-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def deft_run(document: Path, runs: int) -> Used:
    """`deft run` of a document, each time in a new work folder."""

    def once() -> Used:
        with scratch() as folder:
            return run([*DEFT, "run", str(document), "--quiet", "--workdir", str(folder / "w")])

    return medians(once, runs)


def options(text: str | None) -> argparse.Namespace:
    """`--runs N` and `--quick`, and a first line that says on what this is measured."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--runs", type=int, default=COUNTED, help="counted runs of each")
    parser.add_argument("--quick", action="store_true", help="once, and smaller where it can be")
    given = parser.parse_args()
    given.runs = 1 if given.quick else given.runs
    cores = len(os.sched_getaffinity(0))
    python, load = platform.python_version(), os.getloadavg()[0]
    print(f"{platform.machine()}, {cores} cores, Python {python}, load {load:.1f}")
    return given


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Aligned columns, numbers short."""
    texts = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[n]) for line in [list(headings), *texts]) for n in range(len(headings))]
    for line in [list(headings), *texts]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
