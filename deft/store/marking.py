"""Change the tokens of tasks in the database, at most once each: every statement that moves the net.

A task changes by compare-and-set on its state and its order number; a set of tasks that fire the same row
changes in one statement. Callers bring the transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows
from deft.base.errors import Stale
from deft.model.net import Row
from deft.model.tasks import Membership, State
from deft.store.tables import deft_control, deft_count, deft_dataset, deft_dirty, deft_edge, deft_node
from deft.wire.tables import wire_dataset


@dataclass(frozen=True, slots=True)
class Fired:
    """A task as it was when a row of the net was found enabled for it."""

    node_id: int
    metatask_id: int
    state: str
    order_seq: int
    started: bool


def change(conn: Connection, row: Row, fired: Sequence[Fired], *, orders: bool, now: datetime) -> None:
    """Put the node's part of a row's effect into force for tasks that share one old state.

    `orders`: an order goes with it, so the order number moves too. Raises Stale where any of them is no
    longer as it was found; the caller's transaction then rolls back whole.
    """
    values: dict[str, Any] = dict.fromkeys(row.put, 1) | dict.fromkeys(row.drop, 0)
    if row.state is not None:
        values |= {"state": row.state.value, "changed": now, "reason": None}
    if row.start:
        values["started"] = 1
    if orders:
        values["order_seq"] = deft_node.c.order_seq + 1
    if row.forget:
        values |= {"started": 0, "done_revision": 0}
    if row.done:
        values["done_revision"] = _revision_of_inputs()
    changed = 0
    for part in batches(fired):
        found = deft_node.c.id.in_([one.node_id for one in part])
        same = deft_node.c.state == part[0].state
        # Nobody else moves the order number but under the same transaction's locks.
        changed += conn.execute(sa.update(deft_node).where(found, same).values(values)).rowcount
    if changed != len(fired):
        raise Stale(f"{len(fired) - changed} tasks are no longer {fired[0].state}; nothing was changed")
    if row.state is not None and row.state.value != fired[0].state:
        _count(conn, fired, row.state)


def _revision_of_inputs() -> sa.ColumnElement[int]:
    inputs = deft_edge.join(deft_dataset, deft_dataset.c.id == deft_edge.c.dataset_id)
    newest = sa.select(sa.func.max(deft_dataset.c.revision)).select_from(inputs)
    found = newest.where(deft_edge.c.target_id == deft_node.c.id).correlate(deft_node).scalar_subquery()
    return sa.func.coalesce(found, 1)


def _count(conn: Connection, fired: Sequence[Fired], new: State) -> None:
    moved = Counter((one.metatask_id, one.state) for one in fired)
    for (metatask_id, old), tasks in moved.items():
        add_to_count(conn, metatask_id, old, -tasks)
        add_to_count(conn, metatask_id, new.value, tasks)


def add_to_count(conn: Connection, metatask_id: int, state: str, tasks: int) -> None:
    """Move one counter of a Meta-Task's tasks by state."""
    here = (deft_count.c.metatask_id == metatask_id, deft_count.c.state == state)
    moved = sa.update(deft_count).where(*here).values(tasks=deft_count.c.tasks + tasks)
    if conn.execute(moved).rowcount == 0:
        insert_rows(conn, deft_count, [{"metatask_id": metatask_id, "state": state, "tasks": tasks}])


def explain(conn: Connection, reasons: dict[int, str | None]) -> None:
    """Say on the node why it is in its state."""
    told = (
        sa.update(deft_node)
        .where(deft_node.c.id == sa.bindparam("b_id"))
        .values(reason=sa.bindparam("b_why"))
    )
    rows = [{"b_id": node_id, "b_why": reason} for node_id, reason in reasons.items() if reason]
    if rows:
        conn.execute(told, rows)


def set_outputs(conn: Connection, node_ids: Sequence[int], membership: Membership) -> None:
    """Open, close or declare every output of tasks; opening a closed one again makes a new revision."""
    revision = deft_dataset.c.revision
    again = sa.case((deft_dataset.c.membership == Membership.CLOSED.value, revision + 1), else_=revision)
    values: dict[str, Any] = {"membership": membership.value}
    if membership is Membership.OPEN:
        values["revision"] = again
    for part in batches(node_ids):
        theirs = (deft_dataset.c.producer_id.in_(part), deft_dataset.c.membership != Membership.RETIRED.value)
        conn.execute(sa.update(deft_dataset).where(*theirs).values(values))


def list_external(conn: Connection, dataset_ids: Sequence[int] | None) -> list[int]:
    """External datasets whose first listing JEDI has reported become open or closed; returns them.

    `dataset_ids`: only these, or all where it is None.
    """
    d = deft_dataset.c
    seen = sa.exists().where(wire_dataset.c.dataset_id == d.id, wire_dataset.c.version > 0)
    waiting = [d.producer_id.is_(None), d.membership == Membership.DECLARED.value, seen]
    found: list[int] = []
    for part in [None] if dataset_ids is None else batches(dataset_ids):
        which = waiting if part is None else [*waiting, d.id.in_(part)]
        found += conn.execute(sa.select(d.id).where(*which)).scalars()
    for ids in batches(found):
        now_known = sa.case((d.open == 1, Membership.OPEN.value), else_=Membership.CLOSED.value)
        conn.execute(sa.update(deft_dataset).where(d.id.in_(ids)).values(membership=now_known))
    return found


# --- controls: who set a flag, when and why ----------------------------------------------------------------


def note_controls(
    conn: Connection, tasks: Iterable[Fired], kinds: Sequence[str], *, actor: str, reason: str | None,
    mode: str | None, now: datetime,
) -> None:  # fmt: skip
    """Remember who set controls on tasks."""
    insert_rows(
        conn,
        deft_control,
        [
            {"metatask_id": one.metatask_id, "node_id": one.node_id, "kind": kind, "actor": actor,
             "reason": reason, "mode": mode if kind == "hold" else None, "created": now}
            for one in tasks for kind in kinds
        ],
    )  # fmt: skip


def forget_controls(conn: Connection, node_ids: Sequence[int], kinds: Sequence[str]) -> None:
    """Controls of tasks are no longer in force."""
    for part in batches(node_ids):
        gone = (deft_control.c.node_id.in_(part), deft_control.c.kind.in_(kinds))
        conn.execute(sa.delete(deft_control).where(*gone))


# --- the dirty journal -------------------------------------------------------------------------------------


def mark_dirty(conn: Connection, node_ids: Iterable[int]) -> None:
    """Note tasks for the next sweep."""
    insert_rows(conn, deft_dirty, [{"node_id": node_id} for node_id in node_ids])


def take_dirty(conn: Connection, limit: int = 10_000) -> set[int]:
    """Take up to `limit` rows of the journal; exactly the rows read are deleted."""
    rows = conn.execute(sa.select(deft_dirty).order_by(deft_dirty.c.id).limit(limit)).all()
    for part in batches([row.id for row in rows]):
        conn.execute(sa.delete(deft_dirty).where(deft_dirty.c.id.in_(part)))
    return {row.node_id for row in rows}


def live_tasks(conn: Connection) -> set[int]:
    """Every task that is not in a state it could only leave by hand: what a full sweep looks at."""
    held_for_good = (State.ABORTED.value, State.BROKEN.value)
    query = sa.select(deft_node.c.id).where(
        deft_node.c.kind == "task", deft_node.c.state.not_in(held_for_good)
    )
    return set(conn.execute(query).scalars())


# --- neighbours --------------------------------------------------------------------------------------------


def consumers_of_tasks(conn: Connection, node_ids: Sequence[int]) -> set[int]:
    """The tasks that consume an output of `node_ids`."""
    return _targets(conn, deft_edge.c.source_id, node_ids)


def touched_by_datasets(conn: Connection, dataset_ids: Sequence[int]) -> set[int]:
    """The producers and consumers of datasets."""
    found = _targets(conn, deft_edge.c.dataset_id, dataset_ids)
    for part in batches(dataset_ids):
        producers = sa.select(deft_dataset.c.producer_id).where(deft_dataset.c.id.in_(part))
        found.update(one for one in conn.execute(producers).scalars() if one is not None)
    return found


def _targets(conn: Connection, column: sa.Column[int], ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for part in batches(ids):
        found.update(conn.execute(sa.select(deft_edge.c.target_id).where(column.in_(part))).scalars())
    return found
