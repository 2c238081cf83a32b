"""What the measurements share: run a command, take its CPU with all its descendants, print a plain table.

CPU seconds are those of the process and of every descendant, also of one that outlives its parent: this
process adopts such orphans and waits for them. CPU moves little when the machine is busy, wall time a lot.
Figures are medians of several runs; ratios are taken within one run of a script, so that both sides met the
same machine. Work folders are removed at the end of a script, not between its runs: a file system is slow at
making files just after it removed many.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import ctypes
import functools
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEFT = [sys.executable, "-m", "deft"]
COUNTED = 3
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Used:
    """What one run of a command took; `peak_mb` is that of its largest process, and no less than ours."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: Sequence[str], *, folder: Path | None = None) -> Used:
    """Run a command to its end, and to that of all it started. Raises CalledProcessError where it fails."""
    _adopt_orphans()
    before, began = _cpu_of_children(), time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall, peak = time.monotonic() - began, usage.ru_maxrss
        child.returncode = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(ChildProcessError):
            while True:
                peak = max(peak, os.wait3(0)[2].ru_maxrss)
        if child.returncode:
            said.seek(0)
            sys.stderr.write(said.read().decode("utf-8", "replace")[-2000:])
            raise subprocess.CalledProcessError(child.returncode, list(command))
    return Used(_cpu_of_children() - before, wall, peak / 1024)


@functools.cache
def _adopt_orphans() -> None:
    """Descendants whose parent ends become our children."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def medians(act: Callable[[], Used], runs: int) -> Used:
    """The median of each figure over several runs."""
    found = [act() for _ in range(runs)]
    return Used(
        statistics.median(one.cpu_s for one in found),
        statistics.median(one.wall_s for one in found),
        statistics.median(one.peak_mb for one in found),
    )


@contextmanager
def peaks(roles: dict[str, str]) -> Iterator[dict[str, float]]:
    """Peak memory in MB of our descendants while this lasts, by the role whose word their command has."""
    found: dict[str, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            for pid in _descendants(os.getpid()):
                _note_peak(Path("/proc", str(pid)), roles, found)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def _descendants(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text(encoding="ascii").split()):
                yield child
                yield from _descendants(child)


def _note_peak(process: Path, roles: dict[str, str], found: dict[str, float]) -> None:
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        role = next((role for role, word in roles.items() if word in words), None)
        if role is not None:
            _, _, rest = (process / "status").read_text(encoding="utf-8").partition("VmHWM:")
            found[role] = max(found.get(role, 0.0), int((rest.split() or ["0"])[0]) / 1024)


@functools.cache
def _root() -> Path:
    root = Path(tempfile.mkdtemp(prefix="deft-bench-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return root


def scratch() -> Path:
    """A new folder; gone when the script ends."""
    return Path(tempfile.mkdtemp(dir=_root()))


def deft_run(document: Path, workdir: Path) -> Used:
    """`deft run` of a document."""
    return run([*DEFT, "run", str(document), "--quiet", "--workdir", str(workdir)])


def deft_runs(document: Path, runs: int) -> Used:
    """The same several times, each in a new work folder."""
    return medians(lambda: deft_run(document, scratch() / "w"), runs)


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
