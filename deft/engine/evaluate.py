"""One evaluation: fire automatic transitions of a set of tasks, and of what they touch, to a fixed point.

Rows that touch no neighbour fire for all tasks at once; the others in topological order, so that a producer
moves before its consumers look at it. A task is looked at again only where a firing may have changed what
its guards read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.engine.perform import Cause, Done, perform
from deft.model.net import AUTOMATIC, Row
from deft.store import guards, locks

_SYSTEM = Cause()
# Transitions that change nothing a neighbour's guard reads.
_LOCAL = frozenset({"ready"})
_AT_MOST = 20  # firings of one task in one evaluation

Enabled = tuple[Row, AnyRow]


def evaluate(conn: Connection, node_ids: Iterable[int], now: datetime) -> list[Done]:
    """Fire until nothing is enabled; returns what fired, in order. Part of the caller's transaction."""
    dirty = set(node_ids)
    enabled: dict[int, Enabled] = {}
    fired: list[Done] = []
    times: Counter[int] = Counter()
    while dirty:
        ids = sorted(dirty)
        locks.lock_of(conn, ids)
        for one in dirty & enabled.keys():
            del enabled[one]
        enabled.update((task.id, (row, task)) for row, task in guards.first_enabled(conn, ids, AUTOMATIC))
        if not enabled:
            break
        chosen = _first(enabled.values())
        for _, task in chosen:
            del enabled[task.id]
        step = perform(conn, chosen, _SYSTEM, now)
        fired += step.done
        times.update(one.node_id for one in step.done)
        _must_end(times, step.done)
        # An order about an external dataset is seen by everyone who reads it.
        everyone = enabled.keys() if any(row.list_inputs for row, _ in chosen) else set()
        dirty = {*step.touched, *everyone}
    return fired


def _must_end(times: Counter[int], done: Iterable[Done]) -> None:
    """The proof says that rows never undo one another for ever; a database must not spin if it is wrong."""
    for one in done:
        if times[one.node_id] > _AT_MOST:
            raise RuntimeError(f"task {one.node_id} goes round: {one.cause}, {one.old} -> {one.new}")


def _first(enabled: Collection[Enabled]) -> list[Enabled]:
    """All local firings if there are any, else the topmost of each Meta-Task."""
    local = [one for one in enabled if one[0].name in _LOCAL]
    if local:
        return local
    top: dict[int, int] = {}
    for _, task in enabled:
        top[task.metatask_id] = min(task.depth, top.get(task.metatask_id, task.depth))
    return [one for one in enabled if one[1].depth == top[one[1].metatask_id]]
