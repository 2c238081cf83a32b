"""Ids by the thousand in one bound value: a statement that is the same however many there are.

`x IN (?, ?, …)` is another text for every length, which each layer down to the database must read anew, and
has a limit of length. Here one value carries the whole list: JSON text on SQLite and Oracle, an array on
PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class _Clob(UserDefinedType[str]):
    """A text that Oracle's driver hands over as a CLOB; as a string it may have 32,767 bytes."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "CLOB"

    def get_dbapi_type(self, dbapi: Any) -> Any:
        return dbapi.CLOB


class IdList(TypeDecorator[Iterable[int]]):
    """A list of ids as one bound value."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What carries it in this dialect."""
        if dialect.name == "oracle":
            return _Clob()
        listed: TypeEngine[Any] = sa.ARRAY(sa.BigInteger) if dialect.name == "postgresql" else sa.Text()
        return dialect.type_descriptor(listed)

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> Any:
        """The list as the driver takes it."""
        ids = value if isinstance(value, list) else list(value or ())
        return ids if dialect.name == "postgresql" else json.dumps(ids)


class _Listed(FunctionElement[Any]):
    """`column in the list`. Of no type: as a Boolean SQLite would get `… = 1`, and use no index."""

    inherit_cache = True


def listed(column: ColumnElement[Any], name: str = "ids") -> ColumnElement[bool]:
    """Whether a column's value is in the list that is bound as `name` when the statement is executed."""
    return _Listed(column, sa.bindparam(name, type_=IdList()))


def among(column: ColumnElement[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """Whether a column's value is one of these: part of a statement that is made for one question."""
    return _Listed(column, sa.literal(ids, IdList()))


def execute_text(conn: Connection, statement: sa.Select[Any], ids: Iterable[int]) -> sa.CursorResult[Any]:
    """Execute a very long statement over `ids` by its text; to look up its tree is to hash all of it.

    The values of its rows are those of the driver, so it is for numbers and words.
    """
    if conn.dialect.name == "oracle":  # whose driver must be told the type of what is bound
        return conn.execute(statement, {"ids": ids})
    text, bind, times = _text(statement, conn.dialect)
    bound = bind(ids)
    return conn.exec_driver_sql(text, (bound,) * times if times else {"ids": bound})


@lru_cache(maxsize=64)
def _text(statement: sa.Select[Any], dialect: Dialect) -> tuple[str, Callable[[Iterable[int]], Any], int]:
    """The text, what makes a bound value of ids, and how often it stands there by position."""
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    assert set(compiled.binds) == {"ids"}, "only the ids are bound"
    bind = IdList().dialect_impl(dialect).bind_processor(dialect)
    return str(compiled), bind or list, len(compiled.positiontup or ())


@compiles(_Listed)
def _json(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"


@compiles(_Listed, "postgresql")
def _array(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"{column} IN (SELECT unnest({ids}))"


@compiles(_Listed, "oracle")
def _json_table(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = (compiler.process(one, **kw) for one in element.clauses)
    return f"{column} IN (SELECT id FROM JSON_TABLE({ids}, '$[*]' COLUMNS (id NUMBER PATH '$')))"
