"""How large the database and the work folder are: by table, by Meta-Task, and what archiving would free.

Rows are counted; the bytes of one Meta-Task are its share of each table's, by what it has most of there.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import disk, space, urls
from deft.base.database import AnyRow, reading
from deft.model.tasks import ENDED
from deft.store import ddl
from deft.store.session import Session
from deft.store.tables import deft_count, deft_history, deft_metatask, deft_node
from deft.wire.tables import wire_task

SHOWN = 20
FOLDERS = ("data", "jobs", "submit", "log")
_OWN = ("deft_", "wire_")


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table with its indices; `bytes` is None where the database does not tell."""

    table: str
    rows: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class MetaTaskSize:
    """A Meta-Task; `bytes` are its share, `ended`: `deft db archive` takes it."""

    metatask: str
    ended: bool
    tasks: int
    jobs: int
    changes: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FolderSize:
    """A folder of the work folder."""

    path: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """All of it, largest first. `free`: bytes that the database does not use; `archivable`: of ended ones."""

    database: str
    bytes: int
    free: int | None
    tables: tuple[TableSize, ...]
    metatasks: tuple[MetaTaskSize, ...]
    more: int
    archivable: int
    archivable_metatasks: int
    folders: tuple[FolderSize, ...]


def sizes(session: Session, actor: Actor, *, limit: int = SHOWN, files: bool = True) -> Sizes:
    """Measure; without `files` the work folder is not walked. Raises NotAllowed, Unreachable."""
    roles.require(actor, "read")
    with session.reading() as conn, reading(session.annex_engine) as annex:
        tables = _tables(conn, annex)
        whole, free = space.whole(conn)
        metatasks = _metatasks(conn, tables)
    ended = [one for one in metatasks if one.ended]
    workdir = session.settings.workdir
    used = [(workdir / name, disk.usage(workdir / name)) for name in FOLDERS] if files else []
    return Sizes(
        database=urls.shown(session.engine.url),
        bytes=whole,
        free=free,
        tables=tuple(tables),
        metatasks=tuple(metatasks[:limit]),
        more=max(0, len(metatasks) - limit),
        archivable=sum(one.bytes for one in ended),
        archivable_metatasks=len(ended),
        folders=tuple(FolderSize(str(path), one.files, one.bytes) for path, one in used),
    )


# --- the database ------------------------------------------------------------------------------------------


def _tables(conn: Connection, annex: Connection) -> list[TableSize]:
    known, found = space.by_table(conn), []
    for name, table in ddl.all_tables().tables.items():
        if name != "alembic_version":
            side = conn if name.startswith(_OWN) else annex
            rows = side.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            found.append(TableSize(name, rows, known.get(name)))
    return sorted(found, key=lambda one: (-(one.bytes or 0), -one.rows, one.table))


# --- Meta-Tasks --------------------------------------------------------------------------------------------


def _metatasks(conn: Connection, tables: list[TableSize]) -> list[MetaTaskSize]:
    m, found = deft_metatask.c, []
    tasks, jobs, changes = _by_state(conn), _jobs(conn), _changes(conn)
    numbers = (sum(sum(one.values()) for one in tasks.values()), sum(jobs.values()), sum(changes.values()))
    price = _prices(tables, *numbers)
    for row in conn.execute(sa.select(m.id, m.project, m.name)):
        states = tasks.get(row.id, {})
        counts = (sum(states.values()), jobs.get(row.id, 0), changes.get(row.id, 0))
        size = round(sum(count * each for count, each in zip(counts, price, strict=True)))
        name, ended = f"{row.project}/{row.name}", bool(states) and ENDED.issuperset(states)
        found.append(MetaTaskSize(name, ended, *counts, size))
    return sorted(found, key=lambda one: (-one.bytes, one.metatask))


def _prices(tables: list[TableSize], tasks: int, jobs: int, changes: int) -> tuple[float, float, float]:
    """Bytes of a task, of a job and of a change, each with all that comes with it."""
    history = sum(one.bytes or 0 for one in tables if one.table == deft_history.name)
    executor = sum(one.bytes or 0 for one in tables if not one.table.startswith(_OWN))
    graph = sum(one.bytes or 0 for one in tables) - history - executor
    return graph / max(1, tasks), executor / max(1, jobs), history / max(1, changes)


def _by_state(conn: Connection) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for row in conn.execute(sa.select(deft_count).where(deft_count.c.tasks > 0)):
        found.setdefault(row.metatask_id, {})[row.state] = row.tasks
    return found


def _jobs(conn: Connection) -> dict[int, int]:
    of = deft_node.c.metatask_id
    query = sa.select(of, sa.func.sum(wire_task.c.jobs)).join_from(
        wire_task, deft_node, deft_node.c.id == wire_task.c.task_id
    )
    return _numbers(conn, query.group_by(of))


def _changes(conn: Connection) -> dict[int, int]:
    of = deft_history.c.metatask_id
    return _numbers(conn, sa.select(of, sa.func.count()).group_by(of))


def _numbers(conn: Connection, query: sa.Select[tuple[int, int]]) -> dict[int, int]:
    rows: list[AnyRow] = list(conn.execute(query).all())
    return {row[0]: int(row[1]) for row in rows}
