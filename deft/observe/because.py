"""Why each change of a history came: which token made the row fire, and whose command brought that token.

Nothing of it is stored: the net says what a row asks for, and the history itself who brought it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.model import words
from deft.model.tasks import ENDED, State
from deft.store import history
from deft.store.history import SYSTEM, Past
from deft.store.tables import deft_dataset, deft_edge, deft_node

# Rows that fire by what operators ordered before, and the rows of those orders.
_ORDERED = {
    "ready": ("arm", "force-defined", "retry-unarmed"),
    "end-abort": ("abort",),
    "end-abort-done": ("abort",),
    "finalize-finished": ("finish", "finish-exhausted", "finish-hard", "finish-hard-exhausted"),
}
_FORCES = ("force", "force-defined")
# Rows that fire by what producers did, and the states of these that do it.
_BY_PRODUCERS: Mapping[str, frozenset[State]] = {
    "start": ENDED,
    "no-input": ENDED,
    "no-input-allowed": ENDED,
    "propagate": frozenset({State.ABORTED}),
}
_GROWS = frozenset({"refeed", "reopen", "reopen-unstarted", "reopen-ask"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as people read it; `because`: what made it happen, `reason` what was said of it then."""

    at: datetime
    task: str | None
    actor: str
    cause: str
    old: str | None
    new: str | None
    reason: str | None
    because: str


def explained(conn: Connection, metatask_id: int, pasts: Sequence[Past], *, whole: bool) -> list[Change]:
    """Changes with what made them happen. `whole`: they are those of all tasks."""
    fed = {one.task for one in pasts if one.task and (one.cause in _BY_PRODUCERS or one.cause in _GROWS)}
    producers = _producers(conn, metatask_id, sorted(fed))
    others = [] if whole else _of_producers(conn, metatask_id, producers)
    return list(_told(pasts, _by_time(pasts, others), producers))


def _producers(conn: Connection, metatask_id: int, tasks: Sequence[str]) -> dict[str, list[str]]:
    """The producers of the inputs of tasks, by name."""
    target, producer = deft_node.alias(), deft_node.alias()
    source = (
        deft_edge.join(target, target.c.id == deft_edge.c.target_id)
        .join(deft_dataset, deft_dataset.c.id == deft_edge.c.dataset_id)
        .join(producer, producer.c.id == deft_dataset.c.producer_id)
    )
    query = sa.select(target.c.name, producer.c.name.label("producer")).select_from(source)
    found: dict[str, list[str]] = {}
    for part in batches(tasks):
        these = (target.c.metatask_id == metatask_id, target.c.name.in_(part))
        for task, made_by in conn.execute(query.where(*these).distinct()):
            found.setdefault(task, []).append(made_by)
    return found


def _of_producers(conn: Connection, metatask_id: int, producers: Mapping[str, Sequence[str]]) -> list[Past]:
    names = sorted({name for some in producers.values() for name in some})
    n = deft_node.c
    ids: list[int] = []
    for part in batches(names):
        ids += conn.execute(sa.select(n.id).where(n.metatask_id == metatask_id, n.name.in_(part))).scalars()
    return history.of(conn, metatask_id, ids) if ids else []


def _by_time(pasts: Sequence[Past], others: Sequence[Past]) -> list[Past]:
    """All that is known, in the order in which it happened."""
    return sorted((*others, *pasts), key=lambda one: one.at) if others else list(pasts)


def _told(
    pasts: Sequence[Past], known: Sequence[Past], producers: Mapping[str, Sequence[str]]
) -> Iterator[Change]:
    asked = set(map(id, pasts))
    memory = _Memory(producers)
    for one in known:
        if id(one) in asked:
            yield Change(one.at, one.task, one.actor, one.cause, one.old, one.new, one.reason,
                         memory.because(one))  # fmt: skip
        memory.note(one)


class _Memory:
    """What happened so far: the last state that each task came to, and the last command of each kind."""

    def __init__(self, producers: Mapping[str, Sequence[str]]) -> None:
        self._producers = producers
        self._last: dict[str, tuple[int, str]] = {}
        self._commands: dict[tuple[str | None, str], Past] = {}
        self._count = 0

    def note(self, one: Past) -> None:
        """Remember a change."""
        self._count += 1
        if one.task and one.new and one.new != one.old:
            self._last[one.task] = (self._count, one.new)
        if one.actor != SYSTEM:
            self._commands[one.task, one.cause] = one
        if one.cause == "start":  # what was forced is used up
            for force in _FORCES:
                self._commands.pop((one.task, force), None)

    def because(self, one: Past) -> str:
        """What made a change happen."""
        told = words.of(one.cause).because
        if one.actor != SYSTEM:
            return told
        command = self._command(one)
        if command is not None:
            return f"{told}; {words.of(command.cause).because} by {command.actor}"
        return f"{told}{self._brought(one)}"

    def _command(self, one: Past) -> Past | None:
        kinds = _FORCES if one.cause == "start" else _ORDERED.get(one.cause, ())
        found = [self._commands[one.task, kind] for kind in kinds if (one.task, kind) in self._commands]
        if one.cause in _GROWS and not self._producers.get(one.task or ""):
            found += [self._commands[key] for key in [(None, "augment")] if key in self._commands]
        return max(found, key=lambda command: command.at, default=None)

    def _brought(self, one: Past) -> str:
        """The producer that was the last to bring what was wanting."""
        wanted = _BY_PRODUCERS.get(one.cause)
        if wanted is None or one.task is None:
            return ""
        ends = [
            (self._last[name], name)
            for name in self._producers.get(one.task, ())
            if name in self._last and self._last[name][1] in wanted
        ]
        if not ends:
            return ""
        (_, state), name = max(ends)
        return f": {name} is {state}"
