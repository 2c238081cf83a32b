"""Statements on datasets, their units, and the edges by which units are fed to tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, insert_rows, update_rows
from deft.base.idlists import listed
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
    if not ids:
        return []
    return [Dataset(**row._mapping) for row in conn.execute(_DATASETS, {"ids": ids}).all()]


_DATASETS = sa.select(jedi_dataset).where(listed(jedi_dataset.c.id))


def edges(conn: Connection, column: sa.Column[int], values: Sequence[int]) -> list[Edge]:
    """The edges with those values of jedi_input.task_id or .dataset_id, in a fixed order."""
    return [Edge(**row._mapping) for row in conn.execute(_edges(column), {"ids": values}).all()]


@cache
def _edges(column: sa.Column[int]) -> sa.Select[Any]:
    return sa.select(jedi_input).where(listed(column)).order_by(jedi_input.c.edge_id)


def feed_all(conn: Connection, edge_ids: Sequence[int], state: Fed) -> None:
    """A row for every available unit that has none, on each of these edges."""
    conn.execute(_feed_all(), {"ids": edge_ids, "fed_as": state.value})


def feed_units(conn: Connection, edge_id: int, unit_ids: Sequence[int], state: Fed) -> None:
    """A row for each of these units, which have none on this edge."""
    conn.execute(_feed_units(), {"ids": unit_ids, "edge_id": edge_id, "fed_as": state.value})


@cache
def _feed_all() -> sa.Insert:
    source = jedi_input.join(jedi_unit, jedi_unit.c.dataset_id == jedi_input.c.dataset_id)
    return _feed(source, listed(jedi_input.c.edge_id), *_UNFED)


@cache
def _feed_units() -> sa.Insert:
    source = jedi_input.join(jedi_unit, listed(jedi_unit.c.id))
    return _feed(source, jedi_input.c.edge_id == sa.bindparam("edge_id"))


def _feed(source: sa.FromClause, *which: sa.ColumnElement[bool]) -> sa.Insert:
    columns = ["edge_id", "unit_id", "position", "task_id", "state", "attempts"]
    units = sa.select(
        jedi_input.c.edge_id,
        jedi_unit.c.id,
        jedi_unit.c.position,
        jedi_input.c.task_id,
        sa.bindparam("fed_as", type_=sa.String(32)),
        sa.literal(0, sa.Integer),
    )
    return sa.insert(jedi_job_unit).from_select(columns, units.select_from(source).where(*which))


_ROW = sa.select(jedi_job_unit.c.unit_id).where(
    jedi_job_unit.c.edge_id == jedi_input.c.edge_id, jedi_job_unit.c.unit_id == jedi_unit.c.id
)
# Of the units of edges: available, and without a row.
_UNFED = (jedi_unit.c.state == AVAILABLE, ~sa.exists(_ROW.correlate(jedi_input, jedi_unit)))


def count_unfed(conn: Connection, edge_ids: Sequence[int]) -> dict[int, int]:
    """How many available units without a row each of these edges has."""
    found = dict.fromkeys(edge_ids, 0)
    found.update((edge_id, number) for edge_id, number in conn.execute(_COUNT_UNFED, {"ids": edge_ids}).all())
    return found


_COUNT_UNFED = (
    sa.select(jedi_input.c.edge_id, sa.func.count())
    .select_from(jedi_input.join(jedi_unit, jedi_unit.c.dataset_id == jedi_input.c.dataset_id))
    .where(listed(jedi_input.c.edge_id), *_UNFED)
    .group_by(jedi_input.c.edge_id)
)


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
    update_rows(conn, jedi_unit, "id", rows)


def delete_units(conn: Connection, dataset_id: int) -> None:
    """Forget all units of a dataset, and that they were fed."""
    units = sa.select(jedi_unit.c.id).where(jedi_unit.c.dataset_id == dataset_id)
    conn.execute(sa.delete(jedi_job_unit).where(jedi_job_unit.c.unit_id.in_(units)))
    conn.execute(sa.delete(jedi_unit).where(jedi_unit.c.dataset_id == dataset_id))
