"""The life of a job, as a table: which event leads from which state to which.

The counters of a task follow from it: a job that is under way counts as running.
"""

from __future__ import annotations

from typing import NamedTuple

from deft.base.errors import Refused
from deft.jedi.jobs import JobState


class Row(NamedTuple):
    """One transition."""

    event: str
    takes: JobState
    gives: JobState


_S = JobState
NET: tuple[Row, ...] = (
    Row("intend", _S.PLANNED, _S.SUBMITTING),  # the intent is committed with its token
    Row("queue", _S.SUBMITTING, _S.QUEUED),  # the back-end has it
    Row("start", _S.SUBMITTING, _S.RUNNING),
    Row("start", _S.QUEUED, _S.RUNNING),
    *(
        Row(event, before, after)
        for before in (_S.SUBMITTING, _S.QUEUED, _S.RUNNING)  # an end may be the first that we hear
        for event, after in (
            ("succeed", _S.OK),
            ("again", _S.PLANNED),
            ("fail", _S.FAILED),
            ("kill", _S.KILLED),
            ("lose", _S.LOST),
            ("cancel", _S.CANCELLED),
        )
    ),
    Row("cancel", _S.PLANNED, _S.CANCELLED),
    Row("fail", _S.PLANNED, _S.FAILED),  # its command cannot be filled
    *(Row("retry", before, _S.PLANNED) for before in (_S.FAILED, _S.KILLED, _S.LOST, _S.CANCELLED)),
    Row("renew", _S.OK, _S.PLANNED),  # the job of a reduce task over a larger set, or of data that were lost
    Row("keep", _S.PLANNED, _S.OK),  # it was to be made again, and is not: what it made is still there
)

UNDER_WAY = frozenset({_S.SUBMITTING, _S.QUEUED, _S.RUNNING})
UNSUCCESSFUL = frozenset({_S.FAILED, _S.KILLED, _S.LOST})

_NEXT = {(row.takes, row.event): row.gives for row in NET}


def move(state: JobState, event: str) -> JobState:
    """The state after an event. Raises Refused where the table has no such row."""
    try:
        return _NEXT[state, event]
    except KeyError:
        known = sorted({row.event for row in NET if row.takes == state})
        may = ", ".join(known) or "nothing"
        raise Refused(f"a job that is {state} does not {event}; it may {may}") from None
