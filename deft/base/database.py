"""URL -> Engine: the one seam to the database, and the facts in which the dialects differ.

A write transaction on SQLite begins IMMEDIATE, so that two processes queue instead of failing half way;
`durable=True` makes its commit reach the disk before it returns (transactions that write an intent or
apply an order). PostgreSQL and Oracle commit durably by themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.types import TypeDecorator

from deft.base.errors import BadInput, Contended, DeftError, Refused, Unreachable

SQLITE_BUSY_S = 60
DIALECTS = ("sqlite", "postgresql", "oracle")
# Below every dialect's limit of bound values and list items (Oracle: 1,000 items in a list).
BATCH = 500

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column declared INTEGER PRIMARY KEY.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Flag = sa.SmallInteger  # 0 or 1: Oracle has no boolean column before release 23
Name = sa.String(255)
Word = sa.String(32)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; kept without zone where the dialect has none."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def open_engine(url: str, *, must_exist: bool = False) -> Engine:
    """Make the Engine of a database URL.

    Raises BadInput for a URL that is none or a driver that is missing, Unreachable for an SQLite file that
    `must_exist` and does not. No connection is made here.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, must_exist=must_exist)
        if parsed.get_backend_name() not in DIALECTS:
            raise BadInput(
                f"DEFT keeps no tables in {parsed.get_backend_name()}; it knows {', '.join(DIALECTS)}"
            )
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=2)
    except (ArgumentError, NoSuchModuleError) as fault:
        raise BadInput(
            f"not a database URL: {fault}; write it as postgresql+psycopg://USER@HOST/DATABASE, "
            "in [database] url of deft.toml or in $DEFT_DATABASE__URL"
        ) from None
    except ModuleNotFoundError as fault:
        raise BadInput(
            f"the driver {fault.name!r} of this database URL is not installed; "
            "pip install 'deft[postgresql]' or 'deft[oracle]' brings it"
        ) from None


def _open_sqlite(url: sa.URL, *, must_exist: bool) -> Engine:
    path = url.database
    if must_exist and path and path != ":memory:" and not Path(path).is_file():
        raise Unreachable(f"there is no database at {path}; `deft init` or `deft run` makes one")
    engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_S, "check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-32000",  # in KiB; the default of 2,000 is less than a sweep touches
)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own BEGIN is deferred and comes late; ours is sent by _begin_sqlite.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("deft_write"):
        level = "FULL" if options.get("deft_durable") else "NORMAL"
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")


@contextmanager
def writing(engine: Engine, *, durable: bool = False) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any exception.

    Raises Unreachable where the database does not answer.
    """
    with _plain_errors(engine), engine.connect() as connection:
        configured = connection.execution_options(deft_write=True, deft_durable=durable)
        with configured.begin():
            yield configured


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: all queries in it see the same state on SQLite."""
    with _plain_errors(engine), engine.connect() as connection:
        configured = connection.execution_options(deft_write=False, deft_durable=False)
        with configured.begin():
            yield configured


@contextmanager
def _plain_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as fault:
        # A bare DatabaseError is a file that is no database; the other kinds are faults of a statement.
        if isinstance(fault, OperationalError | InterfaceError) or type(fault) is DatabaseError:
            raise unreachable(engine, fault) from fault
        raise


_ADVICE = {
    "no such table": "`deft init`, or `deft db upgrade`, makes what is missing",
    "unable to open database file": "is its folder there, and may you write in it?",
    "readonly database": "may you write this file, and in its folder?",
    "file is not a database": "move that file away, or name another work folder",
    "disk is full": "make room, then give the same command again: what was committed is safe",
}


# Deadlock and no serial order: SQLSTATE of PostgreSQL, and the words of Oracle.
_CONTENDED = {"40001", "40P01"}
_CONTENDED_ORACLE = ("ORA-00060", "ORA-08177")


def unreachable(engine: Engine, fault: DBAPIError) -> DeftError:
    """Say a driver's fault in plain words, without the password."""
    where = engine.url.render_as_string(hide_password=True)
    reason = str(fault.orig).strip()
    if getattr(fault.orig, "sqlstate", None) in _CONTENDED or reason.startswith(_CONTENDED_ORACLE):
        return Contended(f"the database {where} gave way to another transaction: {reason}")
    if "no such column" in reason or "has no column" in reason:  # no use in trying again
        return Refused(f"the tables in {where} are not those of this program: {reason}; see `deft db check`")
    advice = next((f"; {advice}" for words, advice in _ADVICE.items() if words in reason), "")
    return Unreachable(f"the database {where} does not answer: {reason}{advice}")


T = TypeVar("T")
AnyRow: TypeAlias = "sa.Row[*tuple[Any, ...]]"


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces that fit every dialect's limits."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def update_rows(conn: Connection, table: sa.Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change many rows found by `key`; every row names the same columns, and nothing is done for none."""
    if rows:
        statement = _update(table, key, tuple(rows[0]))
        conn.execute(statement, [{f"b_{name}": value for name, value in row.items()} for row in rows])


@cache
def _update(table: sa.Table, key: str, names: tuple[str, ...]) -> sa.Update:
    """The statement that does it: made once, since to make it costs more than to execute it."""
    values: dict[str, Any] = {name: sa.bindparam(f"b_{name}") for name in names if name != key}
    return sa.update(table).where(table.c[key] == sa.bindparam(f"b_{key}")).values(values)


def insert_rows(conn: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows in one round trip; nothing for none."""
    if rows:
        conn.execute(sa.insert(table), list(rows))
