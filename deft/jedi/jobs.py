"""The words of the executor: states of jobs, attempts and fed units, and what an attempt ended with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any


class JobState(StrEnum):
    """The life of a job; see net.py. An attempt takes the states from submitting on."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    KILLED = "killed"
    LOST = "lost"
    CANCELLED = "cancelled"


class Fed(StrEnum):
    """What became of a unit that was fed to a task.

    `used` is a unit of a secondary input; `parked` one whose job is to run again, and waits for lost input.
    """

    READY = "ready"
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    USED = "used"
    PARKED = "parked"


class Remake(IntEnum):
    """Whether a job makes something again: no; what was lost; yet to come, as its input changed under way."""

    NO = 0
    LOST = 1
    STALE = 2


class Ending(StrEnum):
    """How an attempt ended: the wrapper's word, or ours for what it cannot say itself."""

    OK = "ok"
    EXIT = "exit"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    NO_OUTPUT = "no-output"
    NO_SPACE = "no-space"
    WRAPPER = "wrapper"  # a fault on our side, before the payload began
    LOST = "lost"  # it ran and nothing is known of its end
    REVOKED = "revoked"  # it never ran: taken back before anybody claimed it
    CANCELLED = "cancelled"
    MEMORY = "memory"  # more than it had asked for
    NODE = "node"  # its node failed
    PREEMPTED = "preempted"
    LAUNCH = "launch"  # the batch system could not even begin it
    REFUSED = "refused"  # the batch system will never take it as it is


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of the end of an attempt. `outputs`: by dataset id, (path, bytes).

    `outside`: who cancelled it was neither we nor the end of a machine.
    """

    ending: Ending
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    max_rss_mb: float | None = None
    leftovers: int | None = None
    outputs: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    outside: bool = False
    had_mb: int | None = None  # memory that it was given, where the batch system chose that


def read_result(text: Mapping[str, Any]) -> Result:
    """The content of attempt.json, or of the wrapper's event."""
    outputs = {int(k): (str(v["path"]), int(v["bytes"])) for k, v in text.get("outputs", {}).items()}
    return Result(
        ending=Ending(text["class"]),
        message=str(text.get("message", "")),
        exit_code=text.get("exit_code"),
        signal=text.get("signal") or None,
        host=text.get("host"),
        pid=text.get("pid"),
        started=_time(text.get("started")),
        ended=_time(text.get("ended")),
        wall_s=text.get("wall_s"),
        cpu_s=text.get("cpu_s"),
        max_rss_mb=text.get("max_rss_mb"),
        leftovers=text.get("leftovers"),
        outputs=outputs,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job asks of a batch system; 0 and empty: whatever its default is."""

    nodes: int = 0
    tasks: int = 0
    tasks_per_node: int = 0
    cores: int = 0
    memory_mb: int = 0
    walltime_s: float = 0
    gpus: int = 0
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    extra: str = ""


NOTHING = Needs()


@dataclass(slots=True)
class Flight:
    """An attempt on its way, as the loop remembers it; the database has the same.

    Not frozen: `state` follows the events, `cancelled` notes that we asked for its end, `stale` that its
    input has another content since it began.
    """

    attempt_id: int
    attempt: int
    job_id: int
    number: int
    task_id: int
    folder: Path
    token: str
    units: int
    charged: int
    losses: int
    state: JobState = JobState.SUBMITTING
    written: JobState = JobState.SUBMITTING
    host: str | None = None
    pid: int | None = None
    started: datetime | None = None
    cancelled: bool = False
    stale: bool = False
    needs: Needs = NOTHING
    array: Array | None = None
    index: int = 0


@dataclass(slots=True)
class Array:
    """Attempts that go to a batch system together; the database has the same.

    Not frozen: `job_id` is what the batch system calls it, once that is known.
    """

    id: int
    cluster: str
    token: str
    needs: Needs
    size: int
    job_id: str | None = None
    accepted: datetime | None = None
    flights: dict[int, Flight] = field(default_factory=dict)


def job_key(number: int) -> str:
    """How a job's outputs are named."""
    return f"{number:06d}"
