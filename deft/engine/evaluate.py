"""One evaluation: fire automatic transitions of a set of tasks, and of what they touch, to a fixed point.

Rows that touch no neighbour fire for all tasks at once; the others in topological order, so that a producer
moves before its consumers look at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.engine.perform import Cause, Done, perform
from deft.model.net import AUTOMATIC, Row
from deft.store import guards, locks

_SYSTEM = Cause()
# Transitions that change nothing a neighbour's guard reads.
_LOCAL = frozenset({"ready"})


def evaluate(conn: Connection, node_ids: Iterable[int], now: datetime) -> list[Done]:
    """Fire until nothing is enabled; returns what fired, in order. Part of the caller's transaction."""
    dirty = set(node_ids)
    fired: list[Done] = []
    while dirty:
        ids = sorted(dirty)
        locks.lock_of(conn, ids)
        enabled = guards.first_enabled(conn, ids, AUTOMATIC)
        if not enabled:
            break
        step = perform(conn, _first(enabled), _SYSTEM, now)
        fired += step.done
        dirty = {task.id for _, task in enabled} | step.touched
    return fired


def _first(enabled: list[tuple[Row, AnyRow]]) -> list[tuple[Row, AnyRow]]:
    """All local firings if there are any, else the topmost of each Meta-Task."""
    local = [one for one in enabled if one[0].name in _LOCAL]
    if local:
        return local
    top: dict[int, int] = {}
    for _, task in enabled:
        top[task.metatask_id] = min(task.depth, top.get(task.metatask_id, task.depth))
    return [one for one in enabled if one[1].depth == top[one[1].metatask_id]]
