"""Two users of one PostgreSQL: each side writes its own tables, both meet on the wire, and all works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from deft.base.database import open_engine, reading, writing
from deft.base.errors import NotAllowed
from deft.data import folder
from deft.store import ddl, schema
from tests.support.repository import ROOT

TABLES = ddl.all_tables().tables
OWN = {side: [name for name in TABLES if name.startswith(f"{side}_")] for side in ddl.SIDES}
ONLY_POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


@pytest.mark.parametrize("dialect", ["postgresql", "oracle"])
def test_grants_sql_is_what_the_code_declares(dialect: str) -> None:
    shipped = (folder("sql") / dialect / "grants.sql").read_text(encoding="utf-8")
    assert shipped == ddl.grants(dialect), f"run: deft db ddl {dialect} --grants > sql/{dialect}/grants.sql"


@dataclass(frozen=True, slots=True)
class Sides:
    """A database with tables, and the URL of each side's user."""

    deft: str
    jedi: str
    secret: Path

    def url(self, side: str) -> str:
        """The URL of a side's user."""
        return self.deft if side == "deft" else self.jedi

    @property
    def environ(self) -> dict[str, str]:
        """What a command must know, to be DEFT with an executor of another user."""
        bare = make_url(self.jedi).set(password=None).render_as_string()
        said = {"DEFT_DATABASE__URL": self.deft, "DEFT_JEDI__URL": bare, "PYTHONPATH": str(ROOT)}
        return {
            **os.environ,
            **said,
            "DEFT_JEDI__PASSWORD_FILE": str(self.secret),
            "DEFT_JEDI__POLL_S": "0.5",
        }


@pytest.fixture
def sides(database_url: str, tmp_path: Path) -> Iterator[Sides]:
    """As an administrator would: tables of the owner, roles, grants.sql, a user for each side."""
    owner = open_engine(database_url)
    schema.create(owner)
    users = {side: f"{side}_{owner.url.database}" for side in ddl.SIDES}
    with writing(owner) as conn:
        known = set(conn.exec_driver_sql("SELECT rolname FROM pg_roles").scalars())
        for role in sorted(set(ddl.SIDES.values()) - known):
            conn.exec_driver_sql(f"CREATE ROLE {role}")
        for statement in schema.statements_in((folder("sql") / "postgresql" / "grants.sql").read_text()):
            conn.exec_driver_sql(statement)
        for side, user in users.items():
            conn.exec_driver_sql(f"CREATE USER {user} PASSWORD 'secret'")
            conn.exec_driver_sql(f"GRANT {ddl.SIDES[side]} TO {user}")
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    yield Sides(_as(database_url, users["deft"]), _as(database_url, users["jedi"]), secret)
    with writing(owner) as conn:
        for user in users.values():
            conn.exec_driver_sql(f"DROP USER {user}")
    owner.dispose()


def _as(url: str, user: str) -> str:
    return make_url(url).set(username=user, password="secret").render_as_string(hide_password=False)


@pytest.fixture
def engines(sides: Sides) -> Iterator[dict[str, Engine]]:
    made = {side: open_engine(sides.url(side)) for side in ddl.SIDES}
    yield made
    for engine in made.values():
        engine.dispose()


@ONLY_POSTGRESQL
@pytest.mark.parametrize(("side", "other"), [("deft", "jedi"), ("jedi", "deft")])
def test_neither_reads_nor_writes_the_tables_of_the_other(
    engines: dict[str, Engine], side: str, other: str
) -> None:
    for name in OWN[other]:
        for statement in _every_statement(TABLES[name]):
            with pytest.raises(NotAllowed), writing(engines[side]) as conn:
                conn.execute(statement)
    for name in OWN[side]:
        with reading(engines[side]) as conn:
            assert conn.execute(sa.select(sa.func.count()).select_from(TABLES[name])).scalar_one() == 0


def _every_statement(table: sa.Table) -> list[sa.Executable]:
    first = next(iter(table.columns))
    return [
        sa.select(first),
        sa.insert(table).values(dict.fromkeys(table.columns.keys())),
        sa.update(table).values({first.name: first}),
        sa.delete(table),
    ]


@ONLY_POSTGRESQL
@pytest.mark.parametrize(
    ("side", "statement"),
    [
        ("deft", "UPDATE wire_order SET body = '{}'"),
        ("deft", "DELETE FROM wire_order"),
        ("deft", "UPDATE wire_task SET ok = 1"),
        ("deft", "INSERT INTO wire_dataset (dataset_id) VALUES (1)"),
        ("deft", "INSERT INTO wire_answer (order_id) VALUES (1)"),
        ("jedi", "INSERT INTO wire_order (seq) VALUES (1)"),
        ("jedi", "UPDATE wire_order SET body = '{}'"),
        ("jedi", "DELETE FROM wire_order"),
        ("jedi", "DELETE FROM wire_changed"),
        ("jedi", "UPDATE alembic_version SET version_num = 'x'"),
    ],
)
def test_on_the_wire_each_writes_what_is_its_own(
    engines: dict[str, Engine], side: str, statement: str
) -> None:
    with pytest.raises(NotAllowed), writing(engines[side]) as conn:
        conn.exec_driver_sql(statement)


def deft(sides: Sides, workdir: Path, *words: str, code: int = 0) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "deft", *words], env=sides.environ, cwd=workdir, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


@ONLY_POSTGRESQL
def test_a_run_goes_through_with_a_user_for_each_side(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "deft.toml").write_text("")
    hello = str(ROOT / "docs" / "examples" / "hello.graphml")
    deft(sides, tmp_path, "run", hello)
    assert json.loads(deft(sides, tmp_path, "status", "hello", "--json"))["state"] == "done"
    jobs = json.loads(deft(sides, tmp_path, "jobs", "hello", "--json"))
    assert {job["state"] for job in jobs} == {"ok"}
    deft(sides, tmp_path, "logs", str(jobs[0]["job"]))


@ONLY_POSTGRESQL
def test_services_verbs_and_recovery_go_through_too(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "deft.toml").write_text("")
    hello = str(ROOT / "docs" / "examples" / "hello.graphml")
    deft(sides, tmp_path, "import", hello, "--start")
    deft(sides, tmp_path, "hold", "hello", "--reason", "a moment")
    deft(sides, tmp_path, "resume", "hello")
    for _ in range(3):
        deft(sides, tmp_path, "sweep")
        deft(sides, tmp_path, "jedi", "once")
    deft(sides, tmp_path, "sweep", "--full")
    assert json.loads(deft(sides, tmp_path, "status", "hello", "--json"))["state"] == "done"
    deft(sides, tmp_path, "explain", "hello")
    deft(sides, tmp_path, "clone", "hello", "again", "--start")
    deft(sides, tmp_path, "sweep")
    deft(sides, tmp_path, "abort", "again", "--yes")


@ONLY_POSTGRESQL
def test_to_delete_is_for_the_owner_of_the_tables(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "deft.toml").write_text("")
    deft(sides, tmp_path, "import", str(ROOT / "docs" / "examples" / "hello.graphml"))
    deft(sides, tmp_path, "db", "delete", "hello", "--yes", code=5)
    deft(sides, tmp_path, "list")
