"""The state of a Meta-Task in one word, derived from its tasks; the first that holds."""

from __future__ import annotations

from collections.abc import Mapping

from deft.model.tasks import ACTIVE, State

MOVING = frozenset({"running", "waiting"})
"""The words that mean: it goes on by itself."""


def word(counts: Mapping[str, int], *, held: bool, armed: bool, expecting: bool) -> str:
    """The word for a Meta-Task whose tasks are in these states.

    `held`: the whole Meta-Task is on hold. `armed`: at least one task is. `expecting`: a task that is not
    held waits for an external dataset that is not listed yet, or still open. Between two evaluations no
    automatic transition is enabled, so with no task running a waiting one can only move when such a dataset
    does.
    """
    states = {State(state) for state, tasks in counts.items() if tasks}
    if held and states & ACTIVE:
        return "held"
    if State.RUNNING in states:
        return "running"
    if expecting:
        return "waiting"
    if not armed and states <= {State.DEFINED}:
        return "draft"
    for name, allowed in (
        ("done", {State.DONE}),
        ("finished", {State.DONE, State.FINISHED}),
        ("aborted", {State.ABORTED}),
    ):
        if states <= allowed:
            return name
    return "exhausted" if State.EXHAUSTED in states else "blocked"
