"""The mailbox: every statement on the wire_ tables. Callers bring the connection and the transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows, update_rows
from deft.base.idlists import listed
from deft.base.journal import Journal
from deft.base.records import flat, to_text
from deft.wire.orders import Order, OrderKind
from deft.wire.reports import DatasetReport, TaskReport
from deft.wire.tables import wire_answer, wire_changed, wire_dataset, wire_input, wire_order, wire_task

# --- DEFT's side -------------------------------------------------------------------------------------------


def post(conn: Connection, orders: Sequence[Order], now: datetime) -> None:
    """Append orders; part of the transaction that changes the state they follow from."""
    insert_rows(
        conn,
        wire_order,
        [
            {
                "task_id": order.task_id,
                "dataset_id": order.dataset_id,
                "seq": order.seq,
                "kind": order.kind.value,
                "idempotency_key": order.key,
                "body": to_text(order.body),
                "created": now,
            }
            for order in orders
        ],
    )


class Changed(NamedTuple):
    """What reports were about, and how many rows of the journal told so."""

    tasks: set[int]
    datasets: set[int]
    rows: int


def take_changed(conn: Connection, at_most: int) -> Changed:
    """Take up to so many rows of the journal of reports."""
    rows = _CHANGED.take(conn, at_most)
    tasks = {row.task_id for row in rows if row.task_id is not None}
    return Changed(tasks, {row.dataset_id for row in rows if row.dataset_id is not None}, len(rows))


_CHANGED = Journal(wire_changed)


def answer_of(conn: Connection, order_id: int) -> dict[str, Any] | None:
    """JEDI's answer to an order, or None where there is none yet."""
    body = conn.execute(sa.select(wire_answer.c.body).where(wire_answer.c.order_id == order_id)).scalar()
    return None if body is None else dict(json.loads(body))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: whether JEDI applied it, and its answer where it gave one."""

    applied: bool
    answer: dict[str, Any] | None


def outcomes(conn: Connection, keys: Sequence[str]) -> dict[str, Outcome]:
    """What came of orders, by their keys."""
    o, found = wire_order.c, dict[str, Outcome]()
    source = wire_order.outerjoin(wire_answer, wire_answer.c.order_id == o.id)
    columns = (o.idempotency_key, o.pending, wire_answer.c.body)
    for part in batches(keys):
        query = sa.select(*columns).select_from(source).where(o.idempotency_key.in_(part))
        for key, pending, body in conn.execute(query):
            found[key] = Outcome(not pending, None if body is None else json.loads(body))
    return found


def last_orders(conn: Connection, dataset_ids: Sequence[int]) -> dict[int, datetime]:
    """When the last order about each of these datasets was given; none where JEDI has not applied it yet."""
    o, found = wire_order.c, dict[int, datetime]()
    for part in batches(dataset_ids):
        newest = (sa.func.max(o.created).label("newest"), sa.func.max(o.pending).label("waits"))
        query = sa.select(o.dataset_id, *newest).where(o.dataset_id.in_(part)).group_by(o.dataset_id)
        found |= {row.dataset_id: row.newest for row in conn.execute(query) if not row.waits}
    return found


# --- JEDI's side -------------------------------------------------------------------------------------------


def pending(conn: Connection, limit: int = 1000) -> list[Order]:
    """Orders not applied yet, oldest first."""
    return [
        Order(
            kind=OrderKind(row.kind),
            seq=row.seq,
            key=row.idempotency_key,
            body=json.loads(row.body),
            task_id=row.task_id,
            dataset_id=row.dataset_id,
            id=row.id,
            created=row.created,
        )
        for row in conn.execute(_PENDING, {"at_most": limit}).all()
    ]


_PENDING = (
    sa.select(*(c for c in wire_order.c if c.name not in ("pending", "applied")))
    .where(wire_order.c.pending == 1)
    .order_by(wire_order.c.id)
    .limit(sa.bindparam("at_most"))
)
_APPLIED = (
    sa.update(wire_order).where(listed(wire_order.c.id)).values(pending=0, applied=sa.bindparam("b_applied"))
)


def acknowledge(conn: Connection, order_ids: Sequence[int], now: datetime) -> None:
    """Mark orders as applied; part of the transaction that applies them."""
    if order_ids:
        conn.execute(_APPLIED, {"ids": order_ids, "b_applied": now})


def answer(conn: Connection, order_id: int, body: dict[str, Any], now: datetime) -> None:
    """Answer an order."""
    insert_rows(conn, wire_answer, [{"order_id": order_id, "body": to_text(body), "created": now}])


def report_tasks(conn: Connection, reports: Sequence[TaskReport], now: datetime) -> None:
    """Overwrite the reports of tasks and of their inputs, and note them in the journal."""
    rows = []
    for report in reports:
        row = flat(report)
        del row["inputs"]
        rows.append({**row, "idle": int(report.idle), "rejected": int(report.rejected), "updated": now})
    _overwrite(conn, wire_task, "task_id", rows)
    _overwrite(conn, wire_input, "edge_id", [flat(i) for report in reports for i in report.inputs])
    insert_rows(conn, wire_changed, [{"task_id": r.task_id, "dataset_id": None} for r in reports])


def report_datasets(conn: Connection, reports: Sequence[DatasetReport]) -> None:
    """Overwrite the reports of datasets, and note them in the journal."""
    _overwrite(conn, wire_dataset, "dataset_id", [flat(report) for report in reports])
    insert_rows(conn, wire_changed, [{"task_id": None, "dataset_id": r.dataset_id} for r in reports])


def _overwrite(conn: Connection, table: sa.Table, key: str, rows: list[dict[str, Any]]) -> None:
    """Update rows that exist, insert the others: plain SQL that every dialect knows."""
    if not rows:
        return
    known = set(conn.execute(_existing(table, key), {"ids": [row[key] for row in rows]}).scalars())
    insert_rows(conn, table, [row for row in rows if row[key] not in known])
    update_rows(conn, table, key, [row for row in rows if row[key] in known])


@cache
def _existing(table: sa.Table, key: str) -> sa.Select[int]:
    return sa.select(table.c[key]).where(listed(table.c[key]))
