"""Who changed what, when, why: one row for every change, never changed again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows
from deft.base.idlists import listed
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


_H, _N = deft_history.c, deft_node.c
_BOUND = {
    name: sa.bindparam(f"b_{name}", type_=_H[name].type)
    for name in ("at", "actor", "cause", "old", "new", "reason")
}


def _of_tasks(reason: sa.ColumnElement[str | None]) -> sa.Insert:
    said = {**_BOUND, "reason": reason}
    changed = sa.select(_N.metatask_id, _N.id, *said.values()).where(listed(_N.id)).order_by(_N.id)
    return sa.insert(deft_history).from_select(["metatask_id", "node_id", *said], changed)


_FOR_ONE_REASON = _of_tasks(_BOUND["reason"])
_FOR_THEIR_OWN = _of_tasks(_N.reason)


def record_tasks(
    conn: Connection, node_ids: Sequence[int], *, cause: str, old: str, new: str, reason: str | None,
    own_words: bool, actor: str, now: datetime,
) -> None:  # fmt: skip
    """The same change of many tasks in one statement; `own_words`: the reason not given is the task's."""
    values = {"at": now, "actor": actor, "cause": cause, "old": old, "new": new, "reason": reason}
    bound = {f"b_{name}": value for name, value in values.items()}
    statement = _FOR_THEIR_OWN if own_words and reason is None else _FOR_ONE_REASON
    conn.execute(statement, {**bound, "ids": node_ids})


def of(
    conn: Connection, metatask_id: int, node_ids: Sequence[int] | None = None, limit: int = 1000
) -> list[Past]:
    """The last `limit` changes of a Meta-Task, or of some of its tasks, oldest first."""
    h = deft_history.c
    source = deft_history.outerjoin(deft_node, deft_node.c.id == h.node_id)
    columns = (h.at, deft_node.c.name.label("task"), h.actor, h.cause, h.old, h.new, h.reason)
    query = sa.select(*columns).select_from(source).where(h.metatask_id == metatask_id)
    query = query.order_by(h.id.desc()).limit(limit)
    if node_ids is None:
        return [Past(**row._mapping) for row in reversed(conn.execute(query).all())]
    parts = (query.where(h.node_id.in_(part)).add_columns(h.id) for part in batches(node_ids))
    rows = sorted((row for part in parts for row in conn.execute(part)), key=lambda row: row.id)
    return [Past(*row[:-1]) for row in rows[-limit:]]
