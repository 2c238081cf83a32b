"""What a Meta-Task holds in the tables of a room: said by the room, counted, streamed and deleted for it.

Housekeeping takes a Meta-Task out of a database. It knows no table of another room: each room hands over its
`Holdings` by the entry point `deft.holdings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from deft.base.config import Settings
from deft.base.database import batches

# Ids bound to one statement; a task of a million jobs is streamed all the same.
TOGETHER = 5000
# Rows that are in memory at once.
FETCHED = 1000
DELETED = 20_000


@dataclass(frozen=True, slots=True)
class Ids:
    """A Meta-Task, its tasks and datasets: all that rooms know each other's rows by.

    `names`: what the datasets that it makes are called, or were before they were discarded.
    """

    metatask: int
    project: str
    name: str
    tasks: Sequence[int]
    datasets: Sequence[int]
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that belong to a Meta-Task.

    `where` takes one list of ids (`idlists.listed`), those of the Meta-Task, its tasks or its datasets.
    `archived` is False for what says nothing, such as a journal; `deleted` for what outlives the Meta-Task.
    """

    table: sa.Table
    by: Literal["metatask", "tasks", "datasets"]
    where: ColumnElement[bool]
    archived: bool = True
    deleted: bool = True


@dataclass(frozen=True, slots=True)
class Holdings:
    """All parts of a room, each after those that it refers to; `others` hold nothing of Meta-Tasks.

    `folders`: where a Meta-Task's files lie on disk, whether they are there or not; `named`: the one of them
    that a later Meta-Task of the same name would use. `users`: datasets of other Meta-Tasks that have files
    in those folders.
    """

    room: str
    parts: tuple[Part, ...]
    others: tuple[sa.Table, ...] = ()
    folders: Callable[[Settings, Ids], list[Path]] | None = None
    named: Callable[[Settings, Ids], Path] | None = None
    users: Callable[[Connection, Settings, Ids], list[str]] | None = None

    @property
    def tables(self) -> set[str]:
        """The names of the tables it speaks for."""
        return {part.table.name for part in self.parts} | {table.name for table in self.others}


def of_all_rooms() -> list[Holdings]:
    """The holdings of every room that is installed; no room's rows refer to those of another."""
    found = {point.name: point for point in entry_points(group="deft.holdings")}
    return [found[name].load() for name in sorted(found)]


def count(conn: Connection, part: Part, ids: Ids) -> int:
    """How many rows it has."""
    query = sa.select(sa.func.count()).select_from(part.table).where(part.where)
    return sum(conn.execute(query, {"ids": some}).scalar_one() for some in _ids(part, ids))


def rows(conn: Connection, part: Part, ids: Ids) -> Iterator[dict[str, Any]]:
    """Its rows with all columns, a few in memory at a time, in no order that is promised."""
    names = [column.name for column in part.table.columns]
    query = sa.select(part.table).where(part.where).execution_options(yield_per=FETCHED)
    for some in _ids(part, ids):
        for row in conn.execute(query, {"ids": some}):
            yield dict(zip(names, row, strict=True))


def delete(conn: Connection, part: Part, ids: Ids) -> int:
    """Delete its rows. Returns how many there were."""
    sqlite = conn.dialect.name == "sqlite"
    statement = _some(part) if sqlite else sa.delete(part.table).where(part.where)
    total = 0
    for some in _ids(part, ids):
        while deleted := conn.execute(statement, {"ids": some}).rowcount:
            total += deleted
            if not sqlite or deleted < DELETED:
                break
    return total


def _some(part: Part) -> sa.Delete:
    """Delete some of the rows: SQLite keeps all that one statement changes in memory until it ends."""
    row: sa.ColumnElement[int] = sa.literal_column(f"{part.table.name}.rowid")
    chosen = sa.select(row).select_from(part.table).where(part.where).limit(DELETED).correlate(None)
    return sa.delete(part.table).where(row.in_(chosen))


def _ids(part: Part, ids: Ids) -> Iterator[Sequence[int]]:
    if part.by == "metatask":
        yield [ids.metatask]
    else:
        yield from batches(ids.tasks if part.by == "tasks" else ids.datasets, TOGETHER)
