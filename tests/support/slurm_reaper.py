"""End a throwaway Slurm: whatever runs for the cluster of a folder, and the folder with its cgroups.

Standard library only: the watchdog of a cluster runs this file by its path, with the folder, and waits until
its standard input ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "freezer", "cpuacct")
STOP_S = 5.0


def lives(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def processes(folder: Path) -> Iterator[int]:
    """Whatever runs for the cluster of a folder: daemons, steps, jobs and what jobs left behind."""
    conf, inside = os.fsencode(f"SLURM_CONF={folder}/slurm.conf"), os.fsencode(f"{folder}/")
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                environ = (entry / "environ").read_bytes().split(b"\0")
                if conf in environ or inside in (entry / "cmdline").read_bytes():
                    yield int(entry.name)


def steps_above(pid: int) -> Iterator[int]:
    """The slurmstepd that a process of a job belongs to."""
    while pid > 1:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        if name.endswith("(slurmstepd"):
            yield pid
        pid = int(rest.split()[1])


def reap(folder: Path) -> None:
    """Kill what runs for the cluster of a folder, until nothing does; remove the folder and its cgroups."""
    end = time.monotonic() + STOP_S
    while time.monotonic() < end and (left := list(processes(folder))):
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    _remove_cgroups(f"slurm_t{folder.name.rpartition('-')[2]}n*")
    shutil.rmtree(folder, ignore_errors=True)


def _remove_cgroups(pattern: str) -> None:
    for controller in CONTROLLERS:
        for top in (CGROUPS / controller).glob(pattern):
            inner = sorted((p for p in top.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts))
            for group in (*inner, top):
                with contextlib.suppress(OSError):
                    group.rmdir()


if __name__ == "__main__":
    sys.stdin.buffer.read()
    reap(Path(sys.argv[1]))
