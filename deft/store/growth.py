"""Rows for tasks and edges that join a stored Meta-Task, and what follows for those that are there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows
from deft.model import joining
from deft.model.graph import Ends, MetaTask
from deft.model.judging import Standing
from deft.model.tasks import Edge, Membership, NodeKind, State, Task
from deft.store import graphs
from deft.store.tables import deft_count, deft_dataset, deft_edge, deft_node


def add(
    conn: Connection,
    metatask_id: int,
    stored: MetaTask,
    whole: MetaTask,
    new: tuple[Sequence[Task], Sequence[Edge]],
    now: datetime,
) -> dict[str, int]:
    """Insert what the whole has and `stored` has not, its tasks defined and not armed; `new` are its pieces.

    What follows is put right: synthetic inputs and implied outputs that are no more, the depths of all.
    Returns the ids of all nodes by name. Raises BadInput where a dataset's name cannot be made.
    """
    nodes, edges = new
    numbered = list(enumerate(nodes, _next(conn, deft_node, metatask_id)))
    node_ids = graphs.insert_nodes(conn, whole, metatask_id, numbered, now)
    _drop(conn, metatask_id, joining.gone_data(stored, whole))
    came = joining.new_data(stored, whole)
    ids = graphs.insert_datasets(conn, whole, metatask_id, came, node_ids)
    known = _known(conn, metatask_id) | dict(zip(map(joining.made_by, came), ids, strict=True))
    of_edge: dict[Ends, int] = {
        (edge.source, edge.target, edge.id): known[edge.source, edge.type] for edge in edges
    }
    placed = list(enumerate(edges, _next(conn, deft_edge, metatask_id)))
    graphs.insert_edges(conn, metatask_id, placed, node_ids, of_edge)
    _deepen(conn, metatask_id, whole)
    _count(conn, metatask_id, sum(node.kind is NodeKind.TASK for node in nodes))
    return node_ids


def standings(conn: Connection, metatask_id: int) -> dict[str, Standing]:
    """Where each node stands, by name."""
    d, n = deft_dataset.c, deft_node.c
    gone = sa.exists().where(d.producer_id == n.id, d.membership == Membership.RETIRED.value)
    retired = sa.case((gone, 1), else_=0).label("retired")  # Oracle has no boolean among columns
    query = sa.select(n.name, n.state, n.started, n.order_seq, retired)
    return {
        row.name: Standing(State(row.state), bool(row.started), row.order_seq > 0, bool(row.retired))
        for row in conn.execute(query.where(n.metatask_id == metatask_id))
    }


def _drop(conn: Connection, metatask_id: int, gone: Collection[tuple[str, str]]) -> None:
    """Forget data of tasks that have not begun: numbers of one that now has input, an implied output."""
    if not gone:
        return
    d, e = deft_dataset.c, deft_edge.c
    known = {**_known(conn, metatask_id), **_numbers(conn, metatask_id)}
    for part in batches(sorted(known[key] for key in gone if key in known)):
        conn.execute(sa.delete(deft_edge).where(e.dataset_id.in_(part), e.source_id.is_(None)))
        conn.execute(sa.delete(deft_dataset).where(d.id.in_(part)))


def _numbers(conn: Connection, metatask_id: int) -> dict[tuple[str, str], int]:
    """The synthetic inputs by the name of the task they go to."""
    d, e, n = deft_dataset.c, deft_edge.c, deft_node.c
    query = (
        sa.select(n.name, d.type, d.id)
        .select_from(deft_edge.join(deft_dataset, d.id == e.dataset_id).join(deft_node, n.id == e.target_id))
        .where(d.metatask_id == metatask_id, e.source_id.is_(None))
    )
    return {(row.name, row.type): row.id for row in conn.execute(query)}


def _deepen(conn: Connection, metatask_id: int, whole: MetaTask) -> None:
    """An edge between nodes that are there may move what comes after it."""
    n, depths = deft_node.c, whole.depths()
    rows = conn.execute(sa.select(n.id, n.name, n.depth).where(n.metatask_id == metatask_id)).all()
    moved = [{"b_id": row.id, "b_depth": depths[row.name]} for row in rows if depths[row.name] != row.depth]
    if moved:
        change = sa.update(deft_node).where(n.id == sa.bindparam("b_id"))
        conn.execute(change.values(depth=sa.bindparam("b_depth")), moved)


def _known(conn: Connection, metatask_id: int) -> dict[tuple[str, str], int]:
    """The datasets of a Meta-Task by the name of the node they come from and their type."""
    d, e, n = deft_dataset.c, deft_edge.c, deft_node.c
    made = sa.select(n.name, d.type, d.id).join(deft_node, n.id == d.producer_id)
    external = (
        sa.select(n.name, d.type, d.id)
        .select_from(deft_edge.join(deft_dataset, d.id == e.dataset_id).join(deft_node, n.id == e.source_id))
        .where(d.producer_id.is_(None))
    )
    return {
        (row.name, row.type): row.id
        for query in (made, external)
        for row in conn.execute(query.where(d.metatask_id == metatask_id))
    }


def _next(conn: Connection, table: sa.Table, metatask_id: int) -> int:
    last = sa.select(sa.func.max(table.c.position)).where(table.c.metatask_id == metatask_id)
    found = conn.execute(last).scalar()
    return 0 if found is None else int(found) + 1


def _count(conn: Connection, metatask_id: int, tasks: int) -> None:
    c = deft_count.c
    here = (c.metatask_id == metatask_id, c.state == State.DEFINED.value)
    more = sa.update(deft_count).where(*here).values(tasks=c.tasks + tasks)
    if conn.execute(more).rowcount == 0:
        row = {"metatask_id": metatask_id, "state": State.DEFINED.value, "tasks": tasks}
        insert_rows(conn, deft_count, [row])
