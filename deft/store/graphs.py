"""Meta-Task <-> rows: the graph as node and edge adjacency tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
from deft.base.errors import BadInput, Refused
from deft.base.records import to_text
from deft.model import named
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Dataset, Edge, Foreign, Membership, NodeKind, StartWhen, State, Task
from deft.store import numbering
from deft.store.tables import deft_count, deft_dataset, deft_edge, deft_metatask, deft_node

DEFAULT_GOAL = 1.0


def name_key(project: str, name: str) -> str:
    """What makes a Meta-Task unique: its name without regard to case."""
    return f"{project}/{name}".lower()


# --- writing -----------------------------------------------------------------------------------------------


def save(conn: Connection, metatask: MetaTask, *, owner: str, now: datetime) -> int:
    """Insert a valid Meta-Task; its tasks are defined, none is armed. Returns its id.

    Raises Refused where the name is taken, BadInput where a dataset's name cannot be made.
    """
    key = name_key(metatask.project, metatask.name)
    known = conn.execute(sa.select(deft_metatask.c.id).where(deft_metatask.c.name_key == key)).scalar()
    if known is not None:
        raise Refused(f"there is a Meta-Task {metatask.full_name} already; give another name with --name NEW")
    metatask_id = _insert_metatask(conn, metatask, key, owner, now)
    node_ids = insert_nodes(conn, metatask, metatask_id, list(enumerate(metatask.nodes)), now)
    _insert_datasets_and_edges(conn, metatask, metatask_id, node_ids)
    tasks = sum(1 for _ in metatask.tasks)
    insert_rows(
        conn, deft_count, [{"metatask_id": metatask_id, "state": State.DEFINED.value, "tasks": tasks}]
    )
    return metatask_id


def _insert_metatask(conn: Connection, metatask: MetaTask, key: str, owner: str, now: datetime) -> int:
    row = {
        "project": metatask.project,
        "name": metatask.name,
        "name_key": key,
        "owner": owner,
        "settings": to_text(metatask.settings),
        "foreign_parts": foreign_text(metatask.foreign),
        "origin": metatask.origin or None,
        "folder": metatask.folder or None,
        "written": metatask.written or None,
        "created": now,
    }
    made = conn.execute(sa.insert(deft_metatask).values(row)).inserted_primary_key
    assert made is not None
    return int(made[0])


def insert_nodes(
    conn: Connection, metatask: MetaTask, metatask_id: int, nodes: Sequence[tuple[int, Task]], now: datetime
) -> dict[str, int]:
    """Insert nodes of a Meta-Task with their positions in it; returns the ids of all its nodes by name."""
    depths = metatask.depths()
    goal = goal_of(metatask)
    rows = [
        {
            "metatask_id": metatask_id,
            "name": node.name,
            "kind": node.kind.value,
            "position": position,
            "depth": depths[node.name],
            "document_id": node.id or None,
            "foreign_parts": foreign_text(node.foreign),
            "changed": now,
            **columns_of(node, goal),
        }
        for position, node in nodes
    ]
    numbering.insert(conn, rows)
    query = sa.select(deft_node.c.name, deft_node.c.id).where(deft_node.c.metatask_id == metatask_id)
    return {row.name: row.id for row in conn.execute(query)}


def goal_of(metatask: MetaTask) -> float:
    """The goal of tasks that say nothing else."""
    return float(metatask.settings.get("goal", DEFAULT_GOAL))


def columns_of(node: Task, goal: float) -> dict[str, Any]:
    """What a node's settings come to in its row."""
    return {
        "settings": to_text(dict(node.settings)),
        "complete": int(bool(node.command)),
        "arms": int(node.armed),
        "allow_empty": int(bool(node.settings.get("allow_empty", False))),
        "goal": float(node.settings.get("goal", goal)),
    }


def _insert_datasets_and_edges(
    conn: Connection, metatask: MetaTask, metatask_id: int, node_ids: Mapping[str, int]
) -> None:
    datasets = metatask.datasets()
    ids = insert_datasets(conn, metatask, metatask_id, datasets, node_ids)
    of_edge = {
        (edge.source, edge.target, edge.id): dataset_id
        for dataset_id, dataset in zip(ids, datasets, strict=True)
        for edge in dataset.edges
    }
    insert_edges(conn, metatask_id, list(enumerate(metatask.edges)), node_ids, of_edge)


def insert_datasets(
    conn: Connection,
    metatask: MetaTask,
    metatask_id: int,
    datasets: Sequence[Dataset],
    node_ids: Mapping[str, int],
) -> list[int]:
    """Insert datasets of a Meta-Task, and the implicit edges of synthetic ones; returns their ids.

    Raises BadInput where a name cannot be made.
    """
    names = _dataset_names(metatask, datasets, node_ids)
    rows = [
        _dataset_row(dataset, name, metatask_id, node_ids)
        for name, dataset in zip(names, datasets, strict=True)
    ]
    insert_rows(conn, deft_dataset, rows)
    query = sa.select(deft_dataset.c.name, deft_dataset.c.id).where(deft_dataset.c.metatask_id == metatask_id)
    known = {row.name: row.id for row in conn.execute(query)}
    implicit = [
        _implicit_row(metatask_id, node_ids[dataset.consumer], known[name])
        for name, dataset in zip(names, datasets, strict=True)
        if dataset.synthetic
    ]
    insert_rows(conn, deft_edge, implicit)
    return [known[name] for name in names]


def insert_edges(
    conn: Connection,
    metatask_id: int,
    edges: Sequence[tuple[int, Edge]],
    node_ids: Mapping[str, int],
    dataset_ids: Mapping[tuple[str, str, str], int],
) -> None:
    """Insert edges with their positions; `dataset_ids` by source, target and id of the edge."""
    rows = [
        _edge_row(edge, position, metatask_id, node_ids, dataset_ids[edge.source, edge.target, edge.id])
        for position, edge in edges
    ]
    insert_rows(conn, deft_edge, rows)


def _dataset_names(metatask: MetaTask, datasets: Sequence[Dataset], node_ids: Mapping[str, int]) -> list[str]:
    names, found = named.names(metatask, node_ids, datasets)
    if found:
        raise BadInput(f"the datasets of {metatask.full_name} cannot be named:", found)
    return names


def _dataset_row(
    dataset: Dataset, name: str, metatask_id: int, node_ids: Mapping[str, int]
) -> dict[str, Any]:
    membership = Membership.CLOSED if dataset.synthetic else Membership.DECLARED
    return {
        "metatask_id": metatask_id,
        "producer_id": node_ids[dataset.producer] if dataset.producer else None,
        "name": name,
        "type": dataset.type,
        "format": dataset.format or None,
        "membership": membership.value,
        "synthetic": dataset.synthetic,
        "open": int(dataset.open),
        "sources": to_text(dataset.sources) if dataset.sources else None,
    }


def _edge_row(
    edge: Edge, position: int, metatask_id: int, node_ids: Mapping[str, int], dataset_id: int
) -> dict[str, Any]:
    return {
        "metatask_id": metatask_id,
        "source_id": node_ids[edge.source],
        "target_id": node_ids[edge.target],
        "dataset_id": dataset_id,
        "position": position,
        "document_id": edge.id or None,
        "foreign_parts": foreign_text(edge.foreign),
        **policies_of(edge),
    }


def policies_of(edge: Edge) -> dict[str, Any]:
    """What an edge's settings come to in its row."""
    start = StartWhen.parse(edge.text("start_when", "complete"))
    return {
        "settings": to_text(dict(edge.settings)),
        "role": edge.text("role", "primary"),
        "start_kind": start.kind,
        "start_amount": start.amount,
        "on_growth": edge.text("on_growth", "process"),
        "on_loss": edge.text("on_loss", "wait"),
        "on_abort": edge.text("on_abort", "propagate"),
        "reduce": int(bool(edge.settings.get("reduce", False))),
    }


def _implicit_row(metatask_id: int, node_id: int, dataset_id: int) -> dict[str, Any]:
    edge = Edge("", "")
    row = _edge_row(edge, -1, metatask_id, {"": node_id}, dataset_id)
    return {**row, "source_id": None}


def foreign_text(foreign: Foreign) -> str | None:
    """What is only kept, as its column has it."""
    return to_text(foreign.fragments) if foreign.fragments else None


# --- reading -----------------------------------------------------------------------------------------------


def load(conn: Connection, metatask_id: int) -> MetaTask:
    """The Meta-Task as it was imported: the whole graph, with all settings and foreign pieces."""
    row = conn.execute(sa.select(deft_metatask).where(deft_metatask.c.id == metatask_id)).one()
    made = MetaTask(
        row.name,
        project=row.project,
        settings=json.loads(row.settings),
        foreign=_foreign(row.foreign_parts),
        origin=row.origin or "",
        folder=row.folder or "",
        written=row.written or "",
    )
    names: dict[int, str] = {}
    nodes = sa.select(deft_node).where(deft_node.c.metatask_id == metatask_id).order_by(deft_node.c.position)
    for node in conn.execute(nodes):
        names[node.id] = node.name
        settings: dict[str, Value] = json.loads(node.settings)
        parts = _foreign(node.foreign_parts)
        made.add(Task(node.name, NodeKind(node.kind), settings, node.document_id or "", foreign=parts))
    edges = sa.select(deft_edge).where(
        deft_edge.c.metatask_id == metatask_id, deft_edge.c.source_id.is_not(None)
    )
    for edge in conn.execute(edges.order_by(deft_edge.c.position)):
        made.join(
            Edge(
                names[edge.source_id],
                names[edge.target_id],
                json.loads(edge.settings),
                edge.document_id or "",
                foreign=_foreign(edge.foreign_parts),
            )
        )
    return made


def dataset_names(conn: Connection, metatask_id: int) -> dict[tuple[str, str], str]:
    """The names of the datasets that its tasks make, by the task's name and the type, in its order."""
    d = deft_dataset.c
    columns = (deft_node.c.name, d.type, d.name.label("dataset"))
    query = sa.select(*columns).join(deft_node, deft_node.c.id == d.producer_id)
    found = query.where(d.metatask_id == metatask_id).order_by(deft_node.c.position, d.id)
    return {(row.name, row.type): row.dataset for row in conn.execute(found)}


def _foreign(text: str | None) -> Foreign:
    return Foreign(tuple((key, part) for key, part in json.loads(text))) if text else Foreign()
