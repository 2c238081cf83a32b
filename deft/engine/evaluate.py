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
from deft.store.marking import Place

_SYSTEM = Cause()
# Transitions that change nothing a neighbour's guard reads.
_LOCAL = frozenset({"ready"})
_AT_MOST = 20  # firings of one task in one evaluation

Enabled = tuple[Row, AnyRow]


def evaluate(
    conn: Connection, node_ids: Iterable[int], now: datetime, *, consumers: Iterable[Place] = ()
) -> list[Done]:
    """Fire until nothing is enabled; returns what fired, in order. Part of the caller's transaction.

    `consumers` of these tasks are to be looked at, too, but to do so before their producers have moved would
    be to look twice.
    """
    dirty, enabled = set(node_ids), dict[int, Enabled]()
    later = {place.node_id: place for place in consumers if place.node_id not in dirty}
    fired: list[Done] = []
    times: Counter[int] = Counter()
    while dirty or later:
        ids = sorted(dirty)
        locks.lock_of(conn, ids)
        for one in dirty & enabled.keys():
            del enabled[one]
        enabled.update((task.id, (row, task)) for row, task in guards.first_enabled(conn, ids, AUTOMATIC))
        chosen = _first(enabled.values(), later.values())
        for _, task in chosen:
            del enabled[task.id]
        step = perform(conn, chosen, _SYSTEM, now)
        fired += step.done
        times.update([one.node_id for one in step.done])
        _must_end(times, step.done)
        dirty = {*step.touched, *later}
        later = {}
        if any(row.list_inputs for row, _ in chosen):
            dirty |= enabled.keys()  # an order about an external dataset is seen by everyone who reads it
    return fired


def _first(enabled: Collection[Enabled], later: Collection[Place]) -> list[Enabled]:
    """All local firings if there are any, else the topmost of each Meta-Task.

    A Meta-Task waits for those of its tasks that are to be looked at later and stand higher.
    """
    local = [one for one in enabled if one[0].name in _LOCAL]
    if local:
        return local
    top: dict[int, int] = {}
    for _, (_, metatask_id, depth, *_) in enabled:
        top[metatask_id] = min(depth, top.get(metatask_id, depth))
    for _, metatask_id, depth in later:
        if depth < top.get(metatask_id, 0):
            top[metatask_id] = depth
    return [one for one in enabled if one[1][2] == top[one[1][1]]]


def _must_end(times: Counter[int], done: Iterable[Done]) -> None:
    """The proof says that rows never undo one another for ever; a database must not spin if it is wrong."""
    for one in done:
        if times[one.node_id] > _AT_MOST:
            raise RuntimeError(f"task {one.node_id} goes round: {one.cause}, {one.old} -> {one.new}")
