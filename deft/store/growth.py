"""Rows for tasks and edges that join a stored Meta-Task; those that are there stay as they are."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.model import joining
from deft.model.graph import Ends, MetaTask
from deft.model.joining import Joined
from deft.model.tasks import NodeKind, State
from deft.store import graphs
from deft.store.tables import deft_count, deft_dataset, deft_edge, deft_node


def add(
    conn: Connection, metatask_id: int, stored: MetaTask, joined: Joined, now: datetime
) -> dict[str, int]:
    """Insert what is new, its tasks defined and not armed; returns the ids of all nodes by name.

    Raises BadInput where a dataset's name cannot be made.
    """
    nodes = list(enumerate(joined.nodes, _next(conn, deft_node, metatask_id)))
    node_ids = graphs.insert_nodes(conn, joined.whole, metatask_id, nodes, now)
    new = joining.new_data(stored, joined.whole)
    ids = graphs.insert_datasets(conn, joined.whole, metatask_id, new, node_ids)
    known = _known(conn, metatask_id) | dict(zip(map(joining.made_by, new), ids, strict=True))
    of_edge: dict[Ends, int] = {
        (edge.source, edge.target, edge.id): known[edge.source, edge.type] for edge in joined.edges
    }
    edges = list(enumerate(joined.edges, _next(conn, deft_edge, metatask_id)))
    graphs.insert_edges(conn, metatask_id, edges, node_ids, of_edge)
    _count(conn, metatask_id, sum(node.kind is NodeKind.TASK for node in joined.nodes))
    return node_ids


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
