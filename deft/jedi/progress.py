"""How far running jobs are by their own word: what a payload wrote to $DEFT_PROGRESS.

The file's last whole line counts: `done total`, `37 %` or `0.37`. Anything else is no word at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from deft.jedi.jobs import Flight, JobState

FILE = "progress"
YOUNG_S = 1.0  # younger jobs are not asked: most end before anybody could look
_TAIL = 512


def of_job(folder: Path) -> float | None:
    """The part of a job that is done, 0 to 1, or None where it says nothing."""
    try:
        with open(folder / FILE, "rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((part for part in map(read, reversed(lines)) if part is not None), None)


def read(line: str) -> float | None:
    """What one line says."""
    words = line.replace("/", " ").split()
    try:
        if len(words) == 2 and words[1] != "%":
            done, total = float(words[0]), float(words[1])
            part = done / total if total > 0 else -1.0
        else:
            text = "".join(words)
            part = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return part if 0.0 <= part <= 1.0 else None


def of_tasks(flights: Iterable[Flight], now: datetime) -> dict[int, float]:
    """Units that are done inside running jobs, by task: the part of each job times its units."""
    found: defaultdict[int, float] = defaultdict(float)
    for flight in flights:
        if flight.state is JobState.RUNNING and flight.started is not None:
            old = (now - flight.started).total_seconds() >= YOUNG_S
            part = of_job(flight.folder) if old else None
            if part:
                found[flight.task_id] += round(part * flight.units, 3)
    return dict(found)
