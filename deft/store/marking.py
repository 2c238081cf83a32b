"""Change the tokens of tasks in the database, at most once each: every statement that moves the net.

A task changes by compare-and-set on its state and its order number; a set of tasks that fire the same row
changes in one statement. Callers bring the transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.base.errors import Stale
from deft.base.idlists import listed
from deft.base.journal import Journal
from deft.model.net import Row
from deft.model.tasks import Membership, State
from deft.store import reasons
from deft.store.tables import deft_control, deft_count, deft_dataset, deft_dirty, deft_edge, deft_node
from deft.wire.tables import wire_dataset


class Fired(NamedTuple):
    """A task as it was when a row of the net was found enabled for it: made by the thousand, so a tuple."""

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
        said = row.reason if row.reason and row.reason not in reasons.ASKED else None
        values |= {"state": row.state.value, "changed": now, "reason": said}
    if row.start:
        values["started"] = 1
    if row.forget:
        values |= {"started": 0, "done_revision": 0}
    statement = _change(tuple(values), orders=orders, done=row.done)
    bound = {f"b_{name}": value for name, value in values.items()}
    bound |= {"ids": [one.node_id for one in fired], "old": fired[0].state}
    changed = conn.execute(statement, bound).rowcount
    if changed != len(fired):
        raise Stale(f"{len(fired) - changed} tasks are no longer {fired[0].state}; nothing was changed")
    if row.state is not None and row.state.value != fired[0].state:
        _count(conn, fired, row.state.value)


@cache
def _change(names: tuple[str, ...], *, orders: bool, done: bool) -> sa.Update:
    """Set these columns of the tasks in `ids` that are in the state `old`."""
    values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in names}
    if orders:
        values["order_seq"] = deft_node.c.order_seq + 1
    if done:
        values["done_revision"] = _revision_of_inputs()
    if not values:  # a row whose effect is on other tables: the task must still be as it was found
        values["state"] = deft_node.c.state
    # Nobody else moves the order number but under the same transaction's locks.
    same = (listed(deft_node.c.id), deft_node.c.state == sa.bindparam("old"))
    return sa.update(deft_node).where(*same).values(values)


def _revision_of_inputs() -> sa.ColumnElement[int]:
    inputs = deft_edge.join(deft_dataset, deft_dataset.c.id == deft_edge.c.dataset_id)
    newest = sa.select(sa.func.max(deft_dataset.c.revision)).select_from(inputs)
    found = newest.where(deft_edge.c.target_id == deft_node.c.id).correlate(deft_node).scalar_subquery()
    return sa.func.coalesce(found, 1)


_COUNT = (
    sa.update(deft_count)
    .where(
        deft_count.c.metatask_id == sa.bindparam("b_metatask"), deft_count.c.state == sa.bindparam("b_state")
    )
    .values(tasks=deft_count.c.tasks + sa.bindparam("b_tasks"))
)


def _count(conn: Connection, fired: Sequence[Fired], new: str) -> None:
    moved = Counter([one.metatask_id for one in fired])
    less = [{"b_metatask": m, "b_state": fired[0].state, "b_tasks": -tasks} for m, tasks in moved.items()]
    more = [{"b_metatask": m, "b_state": new, "b_tasks": tasks} for m, tasks in moved.items()]
    if conn.execute(_COUNT, less + more).rowcount != 2 * len(moved):
        _enter_counts(conn, moved, new)


def _enter_counts(conn: Connection, moved: Counter[int], new: str) -> None:
    """Rows of counters for those Meta-Tasks that had no task in that state ever."""
    c = deft_count.c
    known = conn.execute(
        sa.select(c.metatask_id).where(c.state == new, listed(c.metatask_id)), {"ids": moved}
    )
    missing = moved.keys() - set(known.scalars())
    rows = [{"metatask_id": m, "state": new, "tasks": moved[m]} for m in sorted(missing)]
    insert_rows(conn, deft_count, rows)


_EXPLAIN = (
    sa.update(deft_node).where(deft_node.c.id == sa.bindparam("b_id")).values(reason=sa.bindparam("b_why"))
)


def explain(conn: Connection, reasons: Mapping[int, str | None]) -> None:
    """Say on the node why it is in its state."""
    rows = [{"b_id": node_id, "b_why": reason} for node_id, reason in reasons.items() if reason]
    if rows:
        conn.execute(_EXPLAIN, rows)


def note_order(conn: Connection, node_id: int) -> int:
    """Count one more order about a task that changes nothing of it; returns its number."""
    which = deft_node.c.id == node_id
    conn.execute(sa.update(deft_node).where(which).values(order_seq=deft_node.c.order_seq + 1))
    return int(conn.execute(sa.select(deft_node.c.order_seq).where(which)).scalar_one())


def set_outputs(conn: Connection, node_ids: Sequence[int], membership: Membership) -> None:
    """Open, close or declare every output of tasks; opening a closed one again makes a new revision."""
    conn.execute(_set_outputs(membership.value), {"ids": node_ids})


@cache
def _set_outputs(membership: str) -> sa.Update:
    revision = deft_dataset.c.revision
    again = sa.case((deft_dataset.c.membership == Membership.CLOSED.value, revision + 1), else_=revision)
    values: dict[str, Any] = {"membership": membership}
    if membership == Membership.OPEN:
        values["revision"] = again
    theirs = (listed(deft_dataset.c.producer_id), deft_dataset.c.membership != Membership.RETIRED.value)
    return sa.update(deft_dataset).where(*theirs).values(values)


def list_external(conn: Connection, dataset_ids: Sequence[int] | None) -> list[int]:
    """External datasets whose first listing JEDI has reported become open or closed; returns them.

    `dataset_ids`: only these, or all where it is None.
    """
    which = _listed_first(only_some=dataset_ids is not None)
    found = list(conn.execute(which, {"ids": dataset_ids} if dataset_ids is not None else {}).scalars())
    if found:
        now_known = sa.case((_D.open == 1, Membership.OPEN.value), else_=Membership.CLOSED.value)
        conn.execute(
            sa.update(deft_dataset).where(listed(_D.id)).values(membership=now_known), {"ids": found}
        )
    return found


_D = deft_dataset.c


@cache
def _listed_first(*, only_some: bool) -> sa.Select[int]:
    seen = sa.exists().where(wire_dataset.c.dataset_id == _D.id, wire_dataset.c.version > 0)
    waiting = (_D.producer_id.is_(None), _D.membership == Membership.DECLARED.value, seen)
    return sa.select(_D.id).where(*waiting, *([listed(_D.id)] if only_some else []))


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


_FORGET = sa.delete(deft_control).where(
    listed(deft_control.c.node_id), deft_control.c.kind.in_(sa.bindparam("kinds", expanding=True))
)


def forget_controls(conn: Connection, node_ids: Sequence[int], kinds: Sequence[str]) -> None:
    """Controls of tasks are no longer in force."""
    conn.execute(_FORGET, {"ids": node_ids, "kinds": kinds})


# --- the dirty journal -------------------------------------------------------------------------------------


def mark_dirty(conn: Connection, node_ids: Iterable[int]) -> None:
    """Note tasks for the next sweep."""
    insert_rows(conn, deft_dirty, [{"node_id": node_id} for node_id in node_ids])


def take_dirty(conn: Connection, at_most: int) -> tuple[set[int], int]:
    """Take up to so many rows of the journal: the tasks to look at, and how many rows."""
    rows = _DIRTY.take(conn, at_most)
    return {row.node_id for row in rows}, len(rows)


_DIRTY = Journal(deft_dirty)
_FOR_GOOD = (State.ABORTED.value, State.BROKEN.value)


def groups_alive(conn: Connection, together: int) -> Iterator[list[int]]:
    """All Meta-Tasks with tasks that may move by themselves, in groups of about so many of these tasks."""
    c = deft_count.c
    query = sa.select(c.metatask_id, sa.func.sum(c.tasks)).where(c.state.not_in(_FOR_GOOD), c.tasks > 0)
    group: list[int] = []
    tasks = 0
    for metatask_id, alive in conn.execute(query.group_by(c.metatask_id).order_by(c.metatask_id)).all():
        group.append(metatask_id)
        tasks += alive
        if tasks >= together:
            yield group
            group, tasks = [], 0
    if group:
        yield group


def live_tasks(conn: Connection, metatask_ids: Sequence[int]) -> set[int]:
    """The tasks of Meta-Tasks that are not in a state they could only leave by hand."""
    n = deft_node.c
    query = sa.select(n.id).where(listed(n.metatask_id), n.kind == "task", n.state.not_in(_FOR_GOOD))
    return set(conn.execute(query, {"ids": metatask_ids}).scalars())


# --- neighbours --------------------------------------------------------------------------------------------

# Each may come several times: to sort that out is cheaper here than in the database.
_CONSUMERS = sa.select(deft_edge.c.target_id).where(listed(deft_edge.c.source_id))
_CONSUMERS_OF_DATASETS = (
    sa.select(deft_node.c.id, deft_node.c.metatask_id, deft_node.c.depth)
    .join(deft_edge, deft_edge.c.target_id == deft_node.c.id)
    .where(listed(deft_edge.c.dataset_id))
)
_PRODUCERS = sa.select(_D.producer_id).where(listed(_D.id), _D.producer_id.is_not(None))


class Place(NamedTuple):
    """Where a task stands in the graph."""

    node_id: int
    metatask_id: int
    depth: int


def consumers_of_tasks(conn: Connection, node_ids: Sequence[int]) -> set[int]:
    """The tasks that consume an output of `node_ids`."""
    return set(conn.execute(_CONSUMERS, {"ids": node_ids}).scalars().all())


def consumers_of_datasets(conn: Connection, dataset_ids: Sequence[int]) -> set[Place]:
    """The tasks that consume datasets."""
    rows = conn.execute(_CONSUMERS_OF_DATASETS, {"ids": dataset_ids})
    return set(map(Place._make, rows.all()))


def touched_by_datasets(conn: Connection, dataset_ids: Sequence[int]) -> set[int]:
    """The producers and consumers of datasets."""
    consumers = (place.node_id for place in consumers_of_datasets(conn, dataset_ids))
    return {*producers_of(conn, dataset_ids), *consumers}


def producers_of(conn: Connection, dataset_ids: Sequence[int]) -> set[int]:
    """The tasks that make datasets."""
    return set(conn.execute(_PRODUCERS, {"ids": dataset_ids}).scalars().all())
