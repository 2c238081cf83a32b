"""Change the definition of stored tasks: settings, what guards read of them, data that no edge carries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches
from deft.base.errors import Refused
from deft.base.records import to_text
from deft.model.graph import MetaTask
from deft.model.tasks import Dataset, Edge, Task
from deft.store import graphs
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire.tables import wire_dataset


@dataclass(frozen=True, slots=True)
class Edited:
    """One task with its new settings."""

    node_id: int
    task: Task
    started: bool


def write(conn: Connection, metatask_id: int, made: MetaTask, edited: Sequence[Edited]) -> None:
    """Write new settings of tasks, and what follows from them; `made` is the Meta-Task with these tasks.

    Raises Refused where a started task would get other outputs, or fewer numbers than it was fed.
    """
    goal = graphs.goal_of(made)
    columns = [graphs.columns_of(one.task, goal) for one in edited]
    values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in columns[0]}
    statement = sa.update(deft_node).where(deft_node.c.id == sa.bindparam("b_id")).values(values)
    rows = [
        {"b_id": one.node_id, **{f"b_{name}": value for name, value in row.items()}}
        for one, row in zip(edited, columns, strict=True)
    ]
    conn.execute(statement, rows)
    names = {one.task.name: one for one in edited}
    _outputs(conn, metatask_id, made, names)
    _numbers(conn, made, names)


def _outputs(conn: Connection, metatask_id: int, made: MetaTask, edited: Mapping[str, Edited]) -> None:
    """Outputs that no edge carries follow from the command: some go, others come."""
    stored = _stored_outputs(conn, [one.node_id for one in edited.values()])
    wanted = [one for one in made.datasets() if one.producer in edited]
    new, gone = [], set(stored)
    for dataset in wanted:
        key = (edited[dataset.producer or ""].node_id, dataset.type)
        gone.discard(key)
        if key not in stored:
            new.append(dataset)
    touched = {node_id for node_id, _ in gone} | {edited[one.producer or ""].node_id for one in new}
    begun = [one.task.name for one in edited.values() if one.started and one.node_id in touched]
    if begun:
        raise Refused(
            f"{begun[0]} was started, and this command makes other outputs; "
            "`deft reset --discard` lets it begin anew, then set the command"
        )
    for part in batches([stored[key] for key in sorted(gone)]):
        conn.execute(sa.delete(deft_dataset).where(deft_dataset.c.id.in_(part)))
    graphs.insert_datasets(
        conn, made, metatask_id, new, {one.task.name: one.node_id for one in edited.values()}
    )


def _stored_outputs(conn: Connection, node_ids: Collection[int]) -> dict[tuple[int, str], int]:
    d = deft_dataset.c
    found: dict[tuple[int, str], int] = {}
    for part in batches(sorted(node_ids)):
        query = sa.select(d.id, d.producer_id, d.type).where(d.producer_id.in_(part))
        found |= {(row.producer_id, row.type): row.id for row in conn.execute(query)}
    return found


def _numbers(conn: Connection, made: MetaTask, edited: Mapping[str, Edited]) -> None:
    """The synthetic input of a generator has as many numbers as `split.jobs` says."""
    wanted = {one.consumer: one for one in made.datasets() if one.synthetic and one.consumer in edited}
    for name, dataset in wanted.items():
        _number(conn, name, edited[name].node_id, dataset)


def _number(conn: Connection, name: str, node_id: int, dataset: Dataset) -> None:
    d, w = deft_dataset.c, wire_dataset.c
    source = deft_edge.join(deft_dataset, d.id == deft_edge.c.dataset_id).outerjoin(
        wire_dataset, w.dataset_id == d.id
    )
    query = sa.select(d.id, sa.func.coalesce(w.available, 0).label("fed")).select_from(source)
    found = conn.execute(query.where(deft_edge.c.target_id == node_id, deft_edge.c.source_id.is_(None))).one()
    if dataset.synthetic < found.fed:
        raise Refused(
            f"{name} was given {found.fed} numbers already, and split.jobs can only grow; "
            "`deft finish` skips the rest"
        )
    conn.execute(sa.update(deft_dataset).where(d.id == found.id).values(synthetic=dataset.synthetic))


# --- edges -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A stored edge: its row, the task that it leads to, and its id in the document."""

    id: int
    target_id: int
    document_id: str


def edges_into(conn: Connection, node_ids: Sequence[int], producer: str) -> list[Known]:
    """The edges by which tasks take data of the node of that name."""
    e, found = deft_edge.c, list[Known]()
    for part in batches(node_ids):
        source = deft_edge.join(deft_node, deft_node.c.id == e.source_id)
        query = sa.select(e.id, e.target_id, e.document_id).select_from(source)
        rows = conn.execute(query.where(e.target_id.in_(part), deft_node.c.name == producer).order_by(e.id))
        found += [Known(row.id, row.target_id, row.document_id or "") for row in rows]
    return found


def write_edge(conn: Connection, edge_id: int, edge: Edge) -> None:
    """Write the settings of an edge and the policies that guards read."""
    conn.execute(sa.update(deft_edge).where(deft_edge.c.id == edge_id).values(graphs.policies_of(edge)))


def write_edges(conn: Connection, metatask_id: int, edges: Sequence[Edge]) -> None:
    """Write the settings of stored edges of a Meta-Task, known by their ends and their ids."""
    if not edges:
        return
    e, source, target = deft_edge.c, deft_node.alias("s"), deft_node.alias("t")
    joined = deft_edge.join(source, source.c.id == e.source_id).join(target, target.c.id == e.target_id)
    columns = (e.id, source.c.name.label("source"), target.c.name.label("target"), e.document_id)
    query = sa.select(*columns).select_from(joined).where(e.metatask_id == metatask_id)
    ids = {(row.source, row.target, row.document_id): row.id for row in conn.execute(query)}
    for edge in edges:
        write_edge(conn, ids[edge.source, edge.target, edge.id], edge)


# --- for the eye -------------------------------------------------------------------------------------------


def write_looks(conn: Connection, metatask_id: int, made: MetaTask, names: Sequence[str]) -> None:
    """Write what is only kept of a Meta-Task and of these nodes: labels, positions, colours."""
    m, n = deft_metatask.c, deft_node.c
    own = sa.update(deft_metatask).where(m.id == metatask_id)
    conn.execute(own.values(foreign_parts=graphs.foreign_text(made.foreign)))
    one = sa.update(deft_node).where(n.metatask_id == metatask_id, n.name == sa.bindparam("b_name"))
    rows = [{"b_name": name, "b_parts": graphs.foreign_text(made.task(name).foreign)} for name in names]
    if rows:
        conn.execute(one.values(foreign_parts=sa.bindparam("b_parts")), rows)


def write_graph(conn: Connection, metatask_id: int, made: MetaTask) -> None:
    """Write the settings of the graph itself."""
    own = sa.update(deft_metatask).where(deft_metatask.c.id == metatask_id)
    conn.execute(own.values(settings=to_text(made.settings)))
