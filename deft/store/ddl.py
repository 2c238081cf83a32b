"""Render the tables of all rooms as SQL that a database administrator can read.

The tables of the annex are found by the entry points `deft.tables`, so that DEFT never imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable, SetColumnComment, SetTableComment

from deft.store.schema import REVISION

DIALECTS = ("sqlite", "postgresql", "oracle")


def all_tables() -> sa.MetaData:
    """The tables of every room, on one MetaData."""
    found: sa.MetaData | None = None
    for point in sorted(entry_points(group="deft.tables"), key=lambda one: one.name):
        found = point.load()
    assert found is not None, "deft is not installed: its entry points are missing"
    return found


def render(dialect: str) -> str:
    """schema.sql of a dialect, ready to be run as it is."""
    made = registry.load(dialect)()
    head = (
        f"-- The tables of DEFT for {dialect}, revision {REVISION}. Rendered by `deft db ddl`; do not edit."
    )
    return "\n\n".join([head, *_statements(made), _version(dialect)]) + "\n"


def _statements(dialect: sa.Dialect) -> Iterator[str]:
    for table in all_tables().sorted_tables:
        if table.name == "alembic_version":
            continue
        yield _text(CreateTable(table), dialect)
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield _text(CreateIndex(index), dialect)
        if dialect.supports_comments:
            if table.comment:
                yield _text(SetTableComment(table), dialect)
            yield from (_text(SetColumnComment(c), dialect) for c in table.columns if c.comment)


def _text(element: CreateTable | CreateIndex | CreateColumn | SetTableComment | SetColumnComment,
          dialect: sa.Dialect) -> str:  # fmt: skip
    lines = str(element.compile(dialect=dialect)).strip().splitlines()
    return "\n".join(line.rstrip().replace("\t", "    ") for line in lines) + ";"


def _version(dialect: str) -> str:
    text = "VARCHAR2(32 CHAR)" if dialect == "oracle" else "VARCHAR(32)"
    return (
        f"CREATE TABLE alembic_version (\n    version_num {text} NOT NULL,\n"
        "    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n);\n\n"
        f"INSERT INTO alembic_version (version_num) VALUES ('{REVISION}');"
    )
