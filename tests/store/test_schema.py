"""The tables: sql/<dialect>/schema.sql is what the code declares, and makes what the code needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from deft.base.database import open_engine, writing
from deft.base.errors import Refused
from deft.data import folder
from deft.store import ddl, migrations, schema
from deft.wire.tables import wire_dataset, wire_task
from tests.support.build import World, metatask, session_on
from tests.support.shape import shape


@pytest.mark.parametrize("dialect", ddl.DIALECTS)
def test_schema_sql_is_what_the_code_declares(dialect: str) -> None:
    shipped = (folder("sql") / dialect / "schema.sql").read_text(encoding="utf-8")
    assert shipped == ddl.render(dialect), f"run: deft db ddl {dialect} > sql/{dialect}/schema.sql"


def test_the_revision_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(folder("sql") / "migrations"))
    assert scripts.get_current_head() == schema.REVISION


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


# --- what the tables themselves hold and say ----------------------------------------------------------------


@pytest.mark.parametrize("table", ddl.all_tables().sorted_tables, ids=lambda one: one.name)
def test_a_table_and_each_of_its_columns_say_what_they_are(table: sa.Table) -> None:
    assert table.comment
    assert [column.name for column in table.columns if not column.comment] == []


@pytest.mark.parametrize("table", ddl.all_tables().sorted_tables, ids=lambda one: one.name)
def test_a_reference_is_found_by_an_index_of_its_own(table: sa.Table) -> None:
    """Else whoever deletes a row reads a whole table to see whether anything refers to it."""
    keys = [constraint for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)]
    found: list[sa.Index | sa.UniqueConstraint | sa.PrimaryKeyConstraint] = [*table.indexes, *keys]
    found.append(table.primary_key)
    first = {next(iter(one.columns)).name for one in found}
    assert {key.parent.name for key in table.foreign_keys} <= first


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_the_database_can_be_asked_what_a_column_is(engine: Engine) -> None:
    columns = {column["name"]: column for column in sa.inspect(engine).get_columns("deft_node")}
    assert columns["arms"]["comment"] == "1: `start META` arms it"


WRONG = (
    ("deft_node", {"state": "dancing"}),
    ("deft_node", {"kind": "planet"}),
    ("deft_node", {"armed": 2}),
    ("deft_node", {"goal": 1.5}),
    ("deft_node", {"order_seq": -1}),
    ("deft_node", {"metatask_id": 99}),
    ("deft_dataset", {"membership": "ajar"}),
    ("deft_dataset", {"producer_id": 99}),
    ("deft_dataset", {"revision": 0}),
    ("deft_dataset", {"open": 1, "producer_id": 1}),
    ("deft_edge", {"role": "tertiary"}),
    ("deft_edge", {"source_id": 2, "target_id": 2}),
    ("deft_count", {"tasks": -1}),
    ("deft_count", {"state": "dancing"}),
    ("deft_history", {"new": "dancing"}),
    ("wire_order", {"kind": "dance"}),
    ("wire_order", {"task_id": None}),
    ("wire_order", {"pending": 0}),
    ("wire_order", {"seq": 7}),
    ("wire_task", {"ok": -1}),
    ("wire_task", {"idle": 2}),
    ("wire_dataset", {"available": -1}),
)


@pytest.mark.parametrize(("name", "values"), WRONG, ids=[f"{name} {values}" for name, values in WRONG])
def test_a_row_that_cannot_be_is_refused(
    engine: Engine, tmp_path: Path, name: str, values: dict[str, object]
) -> None:
    World.of(session_on(engine, tmp_path), metatask(a="", b="a")).sweep()
    table = ddl.all_tables().tables[name]
    with writing(engine) as conn:
        conn.execute(sa.insert(wire_task).values(task_id=1))
        conn.execute(sa.insert(wire_dataset).values(dataset_id=1))
        key = next(iter(table.primary_key.columns))
        which = key == conn.execute(sa.select(sa.func.min(key))).scalar_one()
    with pytest.raises(IntegrityError), writing(engine) as conn:
        assert conn.execute(sa.update(table).where(which).values(values)).rowcount
