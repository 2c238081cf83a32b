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
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.types import TypeDecorator, TypeEngine

from deft.base import urls
from deft.base.errors import BadUrl, Contended, DeftError, NotAllowed, Refused, Unreachable

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


def row_id(comment: str = "Given by the database") -> sa.Column[int]:
    """The column of an id that the database gives; on SQLite that is the row's own."""
    return sa.Column("id", Id, sa.Identity(), primary_key=True, autoincrement=True, comment=comment)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; kept without zone where the dialect, or Oracle's driver, has none."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Oracle's own type of that name has no fractions of a second."""
        kept = sa.TIMESTAMP() if dialect.name == "oracle" else self.impl_instance
        return dialect.type_descriptor(kept)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def open_engine(url: str, *, must_exist: bool = False) -> Engine:
    """Make the Engine of a database URL.

    Raises BadUrl for a URL that is none or a driver that is missing, Unreachable for an SQLite file that
    `must_exist` and does not. No connection is made here.
    """
    parsed = urls.parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, must_exist=must_exist)
        if parsed.get_backend_name() not in DIALECTS:
            raise BadUrl(
                f"DEFT keeps no tables in {parsed.get_backend_name()}; it knows {', '.join(DIALECTS)}"
            )
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=2)
    except ModuleNotFoundError as fault:
        raise BadUrl(
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
    with plain_errors(engine), engine.connect() as connection:
        configured = connection.execution_options(deft_write=True, deft_durable=durable)
        with configured.begin():
            yield configured


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: all queries in it see the same state on SQLite."""
    with plain_errors(engine), engine.connect() as connection:
        configured = connection.execution_options(deft_write=False, deft_durable=False)
        with configured.begin():
            yield configured


@contextmanager
def plain_errors(engine: Engine) -> Iterator[None]:
    """Say what the database refuses in plain words; a fault of a statement of ours stays what it is."""
    try:
        yield
    except DBAPIError as fault:
        if is_refusal(fault):
            raise unreachable(engine, fault) from fault
        raise


def is_refusal(fault: DBAPIError) -> bool:
    """Whether the database refuses, and no statement of ours is wrong."""
    # A bare DatabaseError is a file that is no database; without a statement nobody was let in.
    if isinstance(fault, OperationalError | InterfaceError) or type(fault) is DatabaseError:
        return True
    return fault.statement is None or _code(fault) in _SAID


def _code(fault: DBAPIError) -> str:
    """What a fault is called: by its SQLSTATE on PostgreSQL, by the first word of what it says on Oracle."""
    return getattr(fault.orig, "sqlstate", None) or str(fault.orig).strip().partition(":")[0]


_ADVICE = {
    "no such table": "`deft init`, or `deft db upgrade`, makes what is missing",
    "unable to open database file": "is its folder there, and may you write in it?",
    "readonly database": "may you write this file, and in its folder?",
    "file is not a database": "move that file away, or name another work folder",
    "disk is full": "make room, then give the same command again: what was committed is safe",
    "No space left on device": "make room, then give the same command again: what was committed is safe",
    "password authentication failed": "is the user right, and the password, or [database] password_file?",
    "in a read-only transaction": "this server takes no writes: is it a standby of another?",
    "disk image is malformed": "the file is damaged: take a copy, and go on from a backup",
}
# Codes of PostgreSQL and Oracle that are no faults of our statements.
_DENIED = ("42501", "ORA-01031")
_UNDEFINED = ("42P01", "42703", "ORA-00942", "ORA-00904")
_SAID = (*_DENIED, "25006", *_UNDEFINED)
# Deadlock, and no serial order.
_CONTENDED = ("40P01", "40001", "ORA-00060", "ORA-08177")


def unreachable(engine: Engine, fault: DBAPIError) -> DeftError:
    """Say a driver's fault in plain words, without the password."""
    where = urls.shown(engine.url)
    reason, code = str(fault.orig).strip(), _code(fault)
    if code in _CONTENDED:
        return Contended(f"the database {where} gave way to another transaction: {reason}")
    if code in _DENIED:
        return NotAllowed(f"the database {where} does not let its user do that: {reason.splitlines()[0]}")
    # No use in trying again.
    if "no such column" in reason or "has no column" in reason or code in _UNDEFINED:
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
