"""Statements on datasets, their units, and the edges by which units are fed to tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows
from deft.jedi.jobs import Fed
from deft.jedi.tables import jedi_dataset, jedi_input, jedi_job_unit, jedi_unit

AVAILABLE, LOST = "available", "lost"


@dataclass
class Dataset:
    """One row of jedi_dataset while a transaction changes it (see books.py)."""

    id: int
    name: str | None = None
    type: str | None = None
    format: str | None = None
    task_id: int | None = None
    synthetic: int = 0
    order_seq: int = 0
    version: int = 0
    available: int = 0
    lost: int = 0
    expected: int = 0
    events: int = 0
    bytes: int = 0
    reason: str | None = None


@dataclass
class Edge:
    """One row of jedi_input while a transaction changes it."""

    edge_id: int
    task_id: int
    dataset_id: int
    role: str = "primary"
    reduce: int = 0
    closed: int = 0
    unfed: int = 0
    missing: int = 0

    @property
    def primary(self) -> bool:
        """Whether its units are split over the jobs, and counted."""
        return self.role != "secondary"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a listing compares it."""

    id: int
    key: str
    state: str
    bytes: int
    events: int
    content: str | None


def load_datasets(conn: Connection, ids: Sequence[int]) -> list[Dataset]:
    """The datasets of those ids that are known."""
    found: list[Dataset] = []
    for part in batches(ids):
        rows = conn.execute(sa.select(jedi_dataset).where(jedi_dataset.c.id.in_(part)))
        found.extend(Dataset(**row._mapping) for row in rows)
    return found


def edges(conn: Connection, column: sa.Column[int], value: int) -> list[Edge]:
    """The edges with that value of jedi_input.task_id or .dataset_id, in a fixed order."""
    query = sa.select(jedi_input).where(column == value).order_by(jedi_input.c.edge_id)
    return [Edge(**row._mapping) for row in conn.execute(query)]


def feed_all(conn: Connection, edge: Edge, state: Fed) -> int:
    """A row for every available unit of an edge that has none; how many they were."""
    return _feed(conn, edge, state, *_unfed(edge))


def feed_units(conn: Connection, edge: Edge, unit_ids: Sequence[int], state: Fed) -> None:
    """A row for each of these units, which have none on this edge."""
    for part in batches(unit_ids):
        _feed(conn, edge, state, jedi_unit.c.id.in_(part))


def _feed(conn: Connection, edge: Edge, state: Fed, *which: sa.ColumnElement[bool]) -> int:
    columns = ["edge_id", "unit_id", "position", "task_id", "state", "attempts"]
    units = sa.select(
        sa.literal(edge.edge_id, sa.BigInteger),
        jedi_unit.c.id,
        jedi_unit.c.position,
        sa.literal(edge.task_id, sa.BigInteger),
        sa.literal(state.value, sa.String(32)),
        sa.literal(0, sa.Integer),
    ).where(*which)
    statement = sa.insert(jedi_job_unit).from_select(columns, units)
    return conn.execute(statement, execution_options={"preserve_rowcount": True}).rowcount


def _unfed(edge: Edge) -> tuple[sa.ColumnElement[bool], ...]:
    row = sa.select(jedi_job_unit.c.unit_id).where(
        jedi_job_unit.c.edge_id == edge.edge_id, jedi_job_unit.c.unit_id == jedi_unit.c.id
    )
    return (
        jedi_unit.c.dataset_id == edge.dataset_id,
        jedi_unit.c.state == AVAILABLE,
        ~sa.exists(row.correlate(jedi_unit)),
    )


def count_unfed(conn: Connection, edge: Edge) -> int:
    """Available units without a row."""
    query = sa.select(sa.func.count()).select_from(jedi_unit).where(*_unfed(edge))
    return int(conn.execute(query).scalar_one())


def count_missing(conn: Connection, edge: Edge) -> int:
    """Lost units without an ok row."""
    row = sa.select(jedi_job_unit.c.unit_id).where(
        jedi_job_unit.c.edge_id == edge.edge_id,
        jedi_job_unit.c.unit_id == jedi_unit.c.id,
        jedi_job_unit.c.state == Fed.OK,
    )
    query = sa.select(sa.func.count()).select_from(jedi_unit)
    query = query.where(jedi_unit.c.dataset_id == edge.dataset_id, jedi_unit.c.state == LOST)
    return int(conn.execute(query.where(~sa.exists(row.correlate(jedi_unit)))).scalar_one())


def units_of(conn: Connection, dataset_id: int) -> dict[str, Unit]:
    """All units of a dataset, by key."""
    return {unit.key: unit for unit in _units(conn, jedi_unit.c.dataset_id == dataset_id)}


def find_units(conn: Connection, dataset_id: int, keys: Sequence[str]) -> dict[str, Unit]:
    """The units of a dataset that have one of these keys."""
    found: dict[str, Unit] = {}
    for part in batches(keys):
        where = (jedi_unit.c.dataset_id == dataset_id, jedi_unit.c.key.in_(part))
        found.update((unit.key, unit) for unit in _units(conn, *where))
    return found


def _units(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Unit]:
    u = jedi_unit.c
    query = sa.select(u.id, u.key, u.state, u.bytes, u.events, u.content).where(*where)
    return [Unit(*row) for row in conn.execute(query)]


def insert_units(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New units."""
    insert_rows(conn, jedi_unit, rows)


def update_units(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Change units: rows of an `id` and new values, all of the same columns."""
    if rows:
        names = [name for name in rows[0] if name != "id"]
        values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in names}
        statement = sa.update(jedi_unit).where(jedi_unit.c.id == sa.bindparam("b_id")).values(values)
        conn.execute(statement, [{f"b_{k}": v for k, v in row.items()} for row in rows])


def delete_units(conn: Connection, dataset_id: int) -> None:
    """Forget all units of a dataset, and that they were fed."""
    units = sa.select(jedi_unit.c.id).where(jedi_unit.c.dataset_id == dataset_id)
    conn.execute(sa.delete(jedi_job_unit).where(jedi_job_unit.c.unit_id.in_(units)))
    conn.execute(sa.delete(jedi_unit).where(jedi_unit.c.dataset_id == dataset_id))
