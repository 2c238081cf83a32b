"""A Meta-Task, or a task and what it waits for, as a marking in memory: what explain and simulate look at.

The tokens come from the columns that guards are compiled to (`store.guards`), so both see the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.base.idlists import listed
from deft.model.firing import POLICIES as _POLICIES
from deft.model.firing import (
    DataMark,
    DataSeen,
    EdgePart,
    EdgeSeen,
    Marking,
    Ordered,
    Structure,
    TaskMark,
    TaskPart,
    TaskSeen,
)  # fmt: skip
from deft.model.simulation import Pending
from deft.store import lineage
from deft.store.guards import (
    DATASET,
    DATASET_REPORT,
    EDGE,
    INPUT_REPORT,
    NODE,
    REPORT,
    TASKS,
    TOKENS,
)  # fmt: skip
from deft.store.tables import deft_dataset, deft_metatask, deft_node
from deft.wire.orders import OrderKind
from deft.wire.tables import wire_order


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What is said of a task beside its tokens: DEFT's reason for its state, and JEDI's.

    `arms`: to start the Meta-Task arms it.
    """

    id: int
    arms: bool
    reason: str | None
    report: str | None


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is said of a dataset beside its tokens; `entry`: the node an external one comes from.

    `listing`: what JEDI found wrong when it listed it.
    """

    id: int
    name: str
    type: str
    synthetic: int
    sources: tuple[str, ...]
    listing: str | None
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Tasks in topological order with all their tokens, and what people call them.

    `whole`: the tasks that are here with all inputs and outputs; of the others only the own tokens.
    """

    metatask_id: int
    structure: Structure
    marking: Marking
    tasks: tuple[TaskFacts, ...]
    data: tuple[DataFacts, ...]
    whole: tuple[int, ...]

    def position(self, name: str) -> int | None:
        """Where a task of that name stands."""
        return next((n for n, task in enumerate(self.structure.tasks) if task.name == name), None)


def load(conn: Connection, metatask_id: int) -> Snapshot:
    """A whole Meta-Task."""
    nodes = conn.execute(_NODES.where(NODE.c.metatask_id == metatask_id)).all()
    edges = conn.execute(_EDGES.where(EDGE.c.metatask_id == metatask_id)).all()
    data = conn.execute(_DATA.where(DATASET.c.metatask_id == metatask_id)).all()
    return _made(conn, metatask_id, nodes, edges, data, {row.id for row in nodes})


def load_above(conn: Connection, metatask_id: int, node_ids: Sequence[int]) -> Snapshot:
    """Some tasks, and the tasks above them up to such as are done: all that they may wait for."""
    whole = lineage.reached(conn, node_ids, "up to done") | set(node_ids)
    bound = {"ids": sorted(whole)}
    edges = {
        row.id: row
        for where in (listed(EDGE.c.target_id), EDGE.c.dataset_id.in_(_MADE))
        for row in conn.execute(_EDGES.where(where), bound)
    }
    datasets = {row.dataset_id for row in edges.values()} | set(conn.execute(_MADE, bound).scalars())
    data = conn.execute(_DATA.where(listed(DATASET.c.id)), {"ids": sorted(datasets)}).all()
    near = {row.target_id for row in edges.values()} | {row.producer_id for row in data} - {None}
    nodes = conn.execute(_NODES.where(listed(NODE.c.id)), {"ids": sorted(whole | near)}).all()
    return _made(conn, metatask_id, nodes, list(edges.values()), data, whole)


# --- statements --------------------------------------------------------------------------------------------


def _columns(scope: str, names: Iterable[str]) -> list[sa.ColumnElement[Any]]:
    return [TOKENS[scope][name].label(name) for name in names]


_FIXED = ("complete", "allow_empty", "goal")
_NODES = (
    sa.select(
        NODE.c.id,
        NODE.c.name,
        *_columns("task", _FIXED),
        *_columns("task", TaskMark._fields),
        *_columns("task", TaskSeen._fields),
        NODE.c.reason,
        REPORT.c.reason.label("report"),
        NODE.c.arms,
    )
    .select_from(TASKS)
    .where(NODE.c.kind == "task")
    .order_by(NODE.c.depth, NODE.c.position)
)
_EDGES = (
    sa.select(
        EDGE.c.id,
        EDGE.c.dataset_id,
        EDGE.c.target_id,
        EDGE.c.source_id,
        *_columns("inputs", _POLICIES),
        *_columns("inputs", EdgeSeen._fields),
    )
    .select_from(EDGE.outerjoin(INPUT_REPORT, INPUT_REPORT.c.edge_id == EDGE.c.id))
    .order_by(EDGE.c.position, EDGE.c.id)
)
_DATA = (
    sa.select(
        DATASET.c.id,
        DATASET.c.producer_id,
        *_columns("inputs", DataMark._fields),
        *_columns("inputs", DataSeen._fields),
        DATASET.c.name,
        DATASET.c.type,
        DATASET.c.synthetic,
        DATASET.c.open,
        DATASET.c.sources,
        DATASET_REPORT.c.reason.label("listing"),
    )
    .select_from(DATASET.outerjoin(DATASET_REPORT, DATASET_REPORT.c.dataset_id == DATASET.c.id))
    .order_by(DATASET.c.id)
)
_MADE = sa.select(deft_dataset.c.id).where(listed(deft_dataset.c.producer_id))


# --- rows to values ----------------------------------------------------------------------------------------


def _made(
    conn: Connection, metatask_id: int, nodes: Sequence[AnyRow], edges: Sequence[AnyRow],
    data: Sequence[AnyRow], whole: set[int],
) -> Snapshot:  # fmt: skip
    tasks = {row.id: number for number, row in enumerate(nodes)}
    datasets = {row.id: number for number, row in enumerate(data)}
    edges = [row for row in edges if row.target_id in tasks]  # not those to an exit, which holds no tokens
    hold = sa.select(deft_metatask.c.hold).where(deft_metatask.c.id == metatask_id)
    marks, seen = len(TaskMark._fields), len(TaskSeen._fields)
    marking = Marking(
        conn.execute(hold).scalar_one(),
        tuple(TaskMark(*row[5 : 5 + marks]) for row in nodes),
        tuple(TaskSeen(*row[5 + marks : 5 + marks + seen]) for row in nodes),
        tuple(DataMark(*row[2:4]) for row in data),
        tuple(DataSeen(*row[4:9]) for row in data),
        tuple(EdgeSeen(*row[-3:]) for row in edges),
    )
    return Snapshot(
        metatask_id,
        _structure(nodes, edges, data, tasks, datasets),
        marking,
        tuple(TaskFacts(row.id, bool(row.arms), row.reason, row.report) for row in nodes),
        _data_facts(conn, edges, data),
        tuple(number for node_id, number in tasks.items() if node_id in whole),
    )


def _task_facts(row: AnyRow) -> TaskFacts:
    return TaskFacts(row.id, bool(row.arms), row.reason, row.report)


def _structure(
    nodes: Sequence[AnyRow], edges: Sequence[AnyRow], data: Sequence[AnyRow], tasks: Mapping[int, int],
    datasets: Mapping[int, int],
) -> Structure:  # fmt: skip
    shared: dict[tuple[Any, ...], dict[str, str | int]] = {}
    parts = []
    for row in edges:
        given = tuple(row[4 : 4 + len(_POLICIES)])
        policies = shared.setdefault(given, dict(zip(_POLICIES, given, strict=True)))
        parts.append(EdgePart(datasets[row.dataset_id], tasks[row.target_id], policies))
    outside = {
        number: bool(row.open)
        for number, row in enumerate(data)
        if row.producer_id is None and not row.synthetic
    }
    producers = [-1 if row.producer_id is None else tasks[row.producer_id] for row in data]
    return Structure([TaskPart(*row[1:5]) for row in nodes], producers, parts, outside)


def _data_facts(conn: Connection, edges: Sequence[AnyRow], data: Sequence[AnyRow]) -> tuple[DataFacts, ...]:
    outside = {row.id for row in data if row.producer_id is None and not row.synthetic}
    sources = {row.dataset_id: row.source_id for row in edges if row.dataset_id in outside}
    query = sa.select(deft_node.c.id, deft_node.c.name).where(listed(deft_node.c.id))
    names = {row.id: row.name for row in conn.execute(query, {"ids": sources.values()})} if sources else {}
    return tuple(
        DataFacts(
            row.id, row.name, row.type, row.synthetic, tuple(json.loads(row.sources or "[]")), row.listing,
            names.get(sources.get(row.id), ""),
        )
        for row in data
    )  # fmt: skip


# --- orders on their way -----------------------------------------------------------------------------------

_O = wire_order.c
_PENDING = sa.select(
    _O.kind, _O.task_id, _O.dataset_id, sa.case((_O.kind == OrderKind.GROW.value, _O.body)).label("body")
).where(_O.pending == 1)


def pending(conn: Connection, loaded: Snapshot) -> list[Pending]:
    """The orders about a Meta-Task that JEDI has not applied yet, oldest first."""
    tasks = {facts.id: number for number, facts in enumerate(loaded.tasks)}
    datasets = {facts.id: number for number, facts in enumerate(loaded.data)}
    found = []
    for row in conn.execute(_PENDING.order_by(_O.id)):
        order = Ordered(OrderKind(row.kind), tasks.get(row.task_id, -1), datasets.get(row.dataset_id, -1))
        if order.task >= 0 or order.dataset >= 0:
            units = len(json.loads(row.body).get("units", ())) if row.body else 0
            found.append(Pending(order, units))
    return found
