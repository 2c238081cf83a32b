"""Which verbs lead a task to a wanted state: data for `deft set-state`, which has no rows of its own."""

from __future__ import annotations

from dataclasses import dataclass

from deft.model.tasks import State


@dataclass(frozen=True, slots=True)
class Way:
    """The verbs, one after the other, that lead a task for which the guard holds to the state."""

    guard: str
    verbs: tuple[str, ...]


DISCARDS = "reset"
"""The verb that throws progress away: a way with it is taken only where that was said."""

_IDLE = "not started and retryable"

WAYS: dict[State, tuple[Way, ...]] = {
    State.DEFINED: (
        Way("state == 'waiting'", ("disarm",)),
        Way("ended and not retired and not armed", ("reset",)),
        Way("ended and not retired and armed", ("reset", "disarm")),
    ),
    State.WAITING: (
        Way("state == 'defined' and complete and not armed", ("start",)),
        Way(_IDLE, ("retry",)),
        Way("ended and not retired", ("reset",)),
    ),
    State.RUNNING: (
        Way("state == 'waiting' or state == 'defined' and complete", ("force",)),
        Way("started and retryable", ("retry",)),
        Way(_IDLE, ("retry", "force")),
    ),
    State.FINISHED: (Way("state in ('running', 'exhausted') and not abort", ("finish",)),),
    State.ABORTED: (Way("not ended", ("abort",)),),
}

_ANY = "complete or not complete"
_BY_WORK = "comes of a task's work alone"
# What to say of a task where no way begins; the first guard that holds. The last holds for all.
NEAR: dict[State, tuple[tuple[str, str], ...]] = {
    State.DEFINED: ((_ANY, "`deft abort` ends it, then `deft reset --discard` begins anew"),),
    State.WAITING: (
        ("state == 'running'", "`deft hold` stops it for a while; `deft abort`, then `deft reset --discard`, "
         "begins anew"),
        ("state == 'exhausted'", "`deft retry` lets it run again"),
        ("not complete", "it has no command yet; `deft set` gives it one"),
        (_ANY, "it is armed, and waits as soon as the sweep has looked at it"),
    ),
    State.RUNNING: (
        ("state == 'done'", "`deft augment` brings it more input, `deft recover` makes lost data again, "
         "`deft reset --discard` begins anew"),
        ("not complete", "it has no command yet; `deft set` gives it one"),
        (_ANY, "its data are retired; `deft clone` makes a Meta-Task that does it anew"),
    ),
    State.DONE: (
        ("state in ('defined', 'waiting')", f"this {_BY_WORK}; `deft start --force` lets it begin"),
        ("state == 'running'", f"this {_BY_WORK}; `deft finish` lets it end with what it has"),
        (_ANY, f"this {_BY_WORK}; `deft retry` runs what failed again"),
    ),
    State.FINISHED: (
        ("state in ('defined', 'waiting')", "it has not started; `deft abort` ends it"),
        (_ANY, "it has ended, or is about to; `deft retry` lets it run again"),
    ),
    State.ABORTED: ((_ANY, "it has ended already; `deft obsolete` retires its data"),),
    State.FAILED: ((_ANY, f"this {_BY_WORK}; `deft abort` stops a task"),),
    State.EXHAUSTED: ((_ANY, f"this {_BY_WORK}; `deft hold` stops a task for a while"),),
    State.BROKEN: ((_ANY, f"this {_BY_WORK}; `deft abort` stops a task"),),
}  # fmt: skip
