"""The tables: sql/<dialect>/schema.sql is what the code declares, and makes what the code needs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from deft.base.database import open_engine, writing
from deft.base.errors import Refused
from deft.data import folder
from deft.store import ddl, migrations, schema
from tests.support.repository import ROOT


@pytest.mark.parametrize("dialect", ddl.DIALECTS)
def test_schema_sql_is_what_the_code_declares(dialect: str) -> None:
    shipped = (folder("sql") / dialect / "schema.sql").read_text(encoding="utf-8")
    assert shipped == ddl.render(dialect), f"run: deft db ddl {dialect} > sql/{dialect}/schema.sql"


def test_the_revision_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(folder("sql") / "migrations"))
    assert scripts.get_current_head() == schema.REVISION


def shape(engine: Engine) -> dict[str, Any]:
    """Tables, columns, keys and indices as the database itself tells them."""
    found = sa.inspect(engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            sorted(str(index["column_names"]) for index in found.get_indexes(table)),
            sorted(str(key["constrained_columns"]) for key in found.get_foreign_keys(table)),
            sorted(str(key["column_names"]) for key in found.get_unique_constraints(table)),
            found.get_pk_constraint(table)["constrained_columns"],
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_init_makes_the_tables_that_the_code_declares(database_url: str, engine: Engine) -> None:
    expected = shape(engine)
    with writing(engine) as conn:
        for table in reversed(ddl.all_tables().sorted_tables):
            table.drop(conn)
    assert schema.create(engine)
    assert shape(engine) == expected
    assert not schema.create(engine)


def test_upgrade_of_an_empty_database_makes_the_tables(database_url: str) -> None:
    engine = open_engine(database_url)
    assert migrations.upgrade(engine) == (None, schema.REVISION)
    assert migrations.upgrade(engine) == (schema.REVISION, schema.REVISION)
    engine.dispose()


def test_an_upgraded_database_is_like_a_new_one(database_url: str, database_kind: str) -> None:
    engine = open_engine(database_url)
    first = (ROOT / "tests" / "data" / "schema" / f"0001-{database_kind}.sql").read_text(encoding="utf-8")
    with writing(engine) as conn:
        for statement in schema.statements_in(first):
            conn.exec_driver_sql(statement)
    assert migrations.upgrade(engine) == ("0001", schema.REVISION)
    upgraded = shape(engine)
    with writing(engine) as conn:
        for table in reversed(ddl.all_tables().sorted_tables):
            table.drop(conn)
        conn.exec_driver_sql("DROP TABLE alembic_version")
    schema.create(engine)
    assert upgraded == shape(engine)
    engine.dispose()


@pytest.mark.parametrize(("found", "says"), [("0000", "older"), ("9999", "newer")])
def test_a_database_of_another_revision_is_refused(database_url: str, found: str, says: str) -> None:
    engine = open_engine(database_url)
    schema.create(engine)
    with writing(engine) as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{found}'")
    with pytest.raises(Refused, match=says):
        schema.check(engine)
    engine.dispose()


def test_a_database_without_tables_is_told_to_be_initialised(database_url: str) -> None:
    engine = open_engine(database_url)
    with pytest.raises(Refused, match="deft init"):
        schema.check(engine)
    engine.dispose()
