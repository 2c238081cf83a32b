"""Old databases are carried forward with all that is in them, and go on where they were.

tests/data/schema holds the tables of revision 0001, and rows that programs of revisions 0001 and 0003 left:
Meta-Tasks that are done, blocked, held and waiting, with their jobs, orders and reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from deft.base.clock import SystemClock
from deft.base.database import open_engine, reading, writing
from deft.base.errors import Refused
from deft.data import folder
from deft.engine.sweep import SweepRequest, sweep
from deft.jedi import service
from deft.observe import status
from deft.store import ddl, migrations, schema
from deft.store.tables import deft_node
from tests.support.build import OPERATOR, session_on
from tests.support.repository import ROOT
from tests.support.shape import shape

# Of earlier revisions on Oracle there is nothing to carry forward: their tables took no rows there.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)

DATA = ROOT / "tests" / "data" / "schema"
REVISIONS = [
    one.revision for one in ScriptDirectory(str(folder("sql") / "migrations")).walk_revisions("base", "heads")
]
EARLIER = sorted(set(REVISIONS) - {schema.REVISION})
WITH_ROWS = ("0001", "0003")


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    made = open_engine(database_url)
    yield made
    made.dispose()


def at_revision(engine: Engine, revision: str) -> None:
    """A database as that revision had it: the first tables, and every step up to there."""
    first = (DATA / f"0001-{engine.dialect.name}.sql").read_text(encoding="utf-8")
    with writing(engine) as conn:
        for statement in schema.statements_in(first):
            conn.exec_driver_sql(statement)
    migrations.upgrade(engine, revision)


def rows_of(revision: str) -> list[tuple[str, dict[str, Any]]]:
    """The rows of the newest program that is not newer than the revision."""
    newest = max(one for one in WITH_ROWS if one <= revision)
    lines = (DATA / f"{newest}-rows.jsonl").read_text(encoding="utf-8").splitlines()
    return [(table, row) for table, row in map(json.loads, lines)]


def fill(conn: Connection, rows: list[tuple[str, dict[str, Any]]]) -> None:
    """Put rows into the tables as they are, those that others refer to first."""
    found = sa.MetaData()
    found.reflect(conn)
    for table in found.sorted_tables:
        for name, row in rows:
            if name == table.name:
                conn.execute(sa.insert(table).values(_typed(table, row)))
        if conn.dialect.name == "postgresql" and table.name in _numbered(found):
            conn.exec_driver_sql(
                f"SELECT setval('{table.name}_id_seq', greatest((SELECT max(id) FROM {table.name}), 1))"
            )


def _numbered(found: sa.MetaData) -> set[str]:
    own = ("jedi_dataset", "jedi_unit", "jedi_task", "jedi_job", "jedi_attempt", "jedi_submission")
    return {table.name for table in found.tables.values() if "id" in table.c} - set(own)


def _typed(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.columns if isinstance(column.type, sa.DateTime)}
    return {
        name: datetime.fromisoformat(value).replace(tzinfo=UTC) if name in times else value
        for name, value in row.items()
    }


def kept(conn: Connection, rows: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The same columns of the rows of the same keys, as the database has them now."""
    tables = ddl.all_tables().tables
    found = []
    for name, row in rows:
        table = tables[name]
        key = [column == row[column.name] for column in table.primary_key.columns]
        now = conn.execute(sa.select(*(table.c[one] for one in row)).where(*key)).one()._mapping
        found.append((name, {one: _plain(value) for one, value in now.items()}))
    return found


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


@pytest.mark.parametrize("revision", EARLIER)
def test_an_old_database_keeps_every_row_and_goes_on(empty: Engine, revision: str, tmp_path: Path) -> None:
    rows = rows_of(revision)
    at_revision(empty, revision)
    with writing(empty) as conn:
        fill(conn, rows)
    assert migrations.upgrade(empty) == (revision, schema.REVISION)
    with reading(empty) as conn:
        assert kept(conn, rows) == rows
    session = session_on(empty, tmp_path)
    before = {line.metatask: line.state for line in status.list_metatasks(session, OPERATOR)}
    assert before["default/hello"] == "done"
    assert before["default/outside"] == "held"
    sweep(session, SweepRequest(OPERATOR, full=True))
    after = {line.metatask: line.state for line in status.list_metatasks(session, OPERATOR)}
    assert after == before | {"default/waits": "running"}
    service.work_until_idle(session.settings, empty, SystemClock())
    sweep(session, SweepRequest(OPERATOR))
    states = {line.task: line.state for line in status.status(session, OPERATOR, "waits").tasks}
    assert states["greet"] == "done"


def test_new_rows_get_new_ids_after_an_upgrade(empty: Engine) -> None:
    rows = rows_of("0001")
    at_revision(empty, "0001")
    with writing(empty) as conn:
        fill(conn, rows)
        conn.exec_driver_sql("INSERT INTO wire_changed (task_id) VALUES (1)")
        conn.exec_driver_sql("DELETE FROM wire_changed")
    migrations.upgrade(empty)
    largest = max(row["id"] for name, row in rows if name == "deft_node")
    node = next(row for name, row in rows if name == "deft_node")
    with writing(empty) as conn:
        another = {**node, "name": "another", "changed": datetime.now(UTC)}
        del another["id"]
        made = conn.execute(sa.insert(deft_node).values(another)).inserted_primary_key
        assert made is not None
        assert made[0] == largest + 1


def test_an_upgraded_database_is_like_a_new_one(empty: Engine) -> None:
    at_revision(empty, "0001")
    assert migrations.upgrade(empty) == ("0001", schema.REVISION)
    upgraded = shape(empty)
    with writing(empty) as conn:
        for table in reversed(ddl.all_tables().sorted_tables):
            table.drop(conn)
        conn.exec_driver_sql("DROP TABLE alembic_version")
    schema.create(empty)
    new = shape(empty)
    assert upgraded.keys() == new.keys()
    for table, parts in new.items():
        assert upgraded[table] == parts, table


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("UPDATE deft_node SET goal = 7 WHERE name = 'greet'", "4 rows break deft_node: goal"),
        (
            "UPDATE jedi_job_unit SET job_id = 999 WHERE unit_id = 1",
            "rows break jedi_job_unit: job_id refers",
        ),
    ],
)
def test_rows_that_break_a_rule_are_told_and_nothing_is_changed(empty: Engine, spoil: str, says: str) -> None:
    at_revision(empty, "0003")
    with writing(empty) as conn:
        fill(conn, rows_of("0003"))
        conn.exec_driver_sql(spoil)
    before = shape(empty)
    with pytest.raises(Refused, match=says):
        migrations.upgrade(empty)
    assert schema.revision(empty) == "0003"
    assert shape(empty) == before
