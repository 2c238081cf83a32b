"""Render the tables of all rooms as SQL that a database administrator can read.

The tables of the annex are found by the entry points `deft.tables`, so that DEFT never imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Connection
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


# Who works on a side's tables: a role, which an administrator grants to the users of that side.
SIDES = {"deft": "deft_side", "jedi": "jedi_side"}
_OWN = "SELECT, INSERT, UPDATE, DELETE"


def grants(dialect: str) -> str:
    """grants.sql of a dialect, ready to be run as it is by the owner of the tables."""
    lines = [
        f"-- What each side may do on the tables of DEFT for {dialect}, revision {REVISION}.",
        "-- Rendered by `deft db ddl --grants`; do not edit. Run it as the owner of the tables, after every",
        f"-- upgrade. Once, before: {' '.join(f'CREATE ROLE {role};' for role in SIDES.values())}",
        "-- After it, each user gets the role of its side: GRANT deft_side TO somebody;",
        "",
    ]
    for table in sorted(all_tables().tables.values(), key=lambda one: one.name):
        lines += (f"GRANT {may} ON {table.name} TO {SIDES[side]};" for side, may in _grants(table).items())
    lines += (f"GRANT SELECT ON alembic_version TO {role};" for role in SIDES.values())
    return "\n".join(lines) + "\n"


def _grants(table: sa.Table) -> dict[str, str]:
    """What each side may do: all on its own tables, what a table of the wire says, nothing on the other's."""
    owner = table.name.partition("_")[0]
    return {owner: _OWN} if owner in SIDES else {side: table.info[side] for side in SIDES}


def _statements(dialect: sa.Dialect) -> Iterator[str]:
    for table in all_tables().sorted_tables:
        if table.name == "alembic_version":
            continue
        yield _text(CreateTable(table), dialect)
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            yield _text(CreateIndex(index), dialect)
        if dialect.supports_comments:
            yield from (_text(said, dialect) for said in _comments(table))


def explain(conn: Connection) -> None:
    """Say in the database itself what its tables and columns are, where it keeps that."""
    if conn.dialect.supports_comments:
        for table in all_tables().sorted_tables:
            for said in _comments(table):
                conn.execute(said)


def _comments(table: sa.Table) -> Iterator[SetTableComment | SetColumnComment]:
    if table.comment:
        yield SetTableComment(table)
    yield from (SetColumnComment(column) for column in table.columns if column.comment)


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
