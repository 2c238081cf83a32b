"""Who changed what, when, why: one row for every change, never changed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.base.records import flat
from deft.store.tables import deft_history, deft_node

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a task, or of a Meta-Task where `node_id` is None."""

    metatask_id: int
    node_id: int | None
    cause: str
    old: str | None = None
    new: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """One line of a history, as people read it."""

    at: datetime
    task: str | None
    actor: str
    cause: str
    old: str | None
    new: str | None
    reason: str | None


def record(conn: Connection, changes: Sequence[Change], actor: str, now: datetime) -> None:
    """Append changes; part of the transaction that makes them."""
    insert_rows(conn, deft_history, [{**flat(change), "actor": actor, "at": now} for change in changes])


def of(
    conn: Connection, metatask_id: int, node_ids: Sequence[int] | None = None, limit: int = 1000
) -> list[Past]:
    """The last `limit` changes of a Meta-Task, or of some of its tasks, oldest first."""
    h = deft_history.c
    source = deft_history.outerjoin(deft_node, deft_node.c.id == h.node_id)
    columns = (h.at, deft_node.c.name.label("task"), h.actor, h.cause, h.old, h.new, h.reason)
    query = sa.select(*columns).select_from(source).where(h.metatask_id == metatask_id)
    if node_ids is not None:
        query = query.where(h.node_id.in_(node_ids))
    rows = conn.execute(query.order_by(h.id.desc()).limit(limit)).all()
    return [Past(**row._mapping) for row in reversed(rows)]
