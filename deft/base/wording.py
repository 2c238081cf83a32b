"""Pieces of SQL that each database words in its own way.

A statement made of them is one tree for all databases; the words are chosen when it is compiled.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator

_ESCAPE = "!"


# --- globs -------------------------------------------------------------------------------------------------


class _Pattern(TypeDecorator[str]):
    """A glob of `*` and `?` as one bound value, in the signs of the dialect."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """GLOB on SQLite, whose LIKE has no regard for case; LIKE elsewhere."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return value.replace("[", "[[]")
        for sign in (_ESCAPE, "%", "_"):
            value = value.replace(sign, _ESCAPE + sign)
        return value.replace("*", "%").replace("?", "_")


class _Globbed(FunctionElement[Any]):
    """Of no type: as a Boolean SQLite would get `… = 1`, and use no index."""

    inherit_cache = True


def globbed(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Whether the column matches a glob of `*` and `?`, with regard to case."""
    return _Globbed(column, sa.literal(pattern, _Pattern()))


@compiles(_Globbed)
def _like(element: _Globbed, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(one, **kw) for one in element.clauses)
    return f"({column} LIKE {pattern} ESCAPE '{_ESCAPE}')"


@compiles(_Globbed, "sqlite")
def _glob(element: _Globbed, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = (compiler.process(one, **kw) for one in element.clauses)
    return f"({column} GLOB {pattern})"


# --- texts -------------------------------------------------------------------------------------------------


class _Same(FunctionElement[Any]):
    """Of no type, likewise."""

    inherit_cache = True


def same(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether a column is that text. For Oracle a long text cannot be compared, and an empty one is NULL."""
    if not text:
        return sa.func.length(column) == 0
    return _Same(column, sa.literal(text)) if isinstance(column.type, sa.Text) else column == text


@compiles(_Same)
def _equal(element: _Same, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = (compiler.process(one, **kw) for one in element.clauses)
    return f"({column} = {text})"


@compiles(_Same, "oracle")
def _compared(element: _Same, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = (compiler.process(one, **kw) for one in element.clauses)
    return f"(dbms_lob.compare({column}, to_clob({text})) = 0)"


class _Largest(FunctionElement[Any]):
    inherit_cache = True


def largest(*columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """The largest of values that are not null."""
    return _Largest(*columns)


@compiles(_Largest)
def _greatest(element: _Largest, compiler: SQLCompiler, **kw: Any) -> str:
    return f"greatest{compiler.process(element.clause_expr, **kw)}"


@compiles(_Largest, "sqlite")
def _max(element: _Largest, compiler: SQLCompiler, **kw: Any) -> str:
    return f"max{compiler.process(element.clause_expr, **kw)}"


# --- values inside JSON ------------------------------------------------------------------------------------


class _Key(TypeDecorator[str]):
    """A key of a JSON object: by itself on PostgreSQL, as a path elsewhere."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if dialect.name == "postgresql" else f'$."{value}"'


class _InJson(FunctionElement[str]):
    type = sa.String()
    inherit_cache = True


def in_json(settings: ColumnElement[Any], key: str) -> ColumnElement[str]:
    """What stands under a key of a JSON object, as text; null where nothing does."""
    # Oracle takes the path as a constant only: SQLAlchemy quotes it into the statement.
    return _InJson(settings, sa.literal(key, _Key(), literal_execute=True))


@compiles(_InJson)
def _json_value(element: _InJson, compiler: SQLCompiler, **kw: Any) -> str:
    settings, path = (compiler.process(one, **kw) for one in element.clauses)
    return f"json_value({settings}, {path})"


@compiles(_InJson, "sqlite")
def _json_extract(element: _InJson, compiler: SQLCompiler, **kw: Any) -> str:
    settings, path = (compiler.process(one, **kw) for one in element.clauses)
    other = f"CAST(json_extract({settings}, {path}) AS TEXT)"
    words = "WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"  # its own are 1 and 0
    return f"CASE json_type({settings}, {path}) {words} ELSE {other} END"


@compiles(_InJson, "postgresql")
def _json_arrow(element: _InJson, compiler: SQLCompiler, **kw: Any) -> str:
    settings, key = (compiler.process(one, **kw) for one in element.clauses)
    return f"(CAST({settings} AS JSON) ->> {key})"
