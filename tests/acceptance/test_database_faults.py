"""A database that is not there, not ours, or not writable: what is said, and that nothing is half done.

Each fault is taken away again, and the same command works.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.acceptance.scene import Place, graph
from tests.support.disks import Disk, disk, small_disk
from tests.support.postgres import Cluster

__all__ = ["small_disk"]

SECRET = "Swordfish-9"
COMMANDS = (
    ("list",), ("list", "--json"), ("status", "m"), ("import", "m.graphml"), ("run", "m.graphml"), ("init",),
    ("init", "--json"), ("sweep",), ("jedi", "run"), ("db", "upgrade"), ("db", "check"), ("db", "size"),
    ("db", "archive", "m", "--to", "archive"), ("db", "delete", "m", "--yes"), ("db", "vacuum"),
)  # fmt: skip


@pytest.fixture
def server(place: Place, postgres: Cluster) -> Iterator[Server]:
    """A database on a real server with a user that is not its owner."""
    made = Server(place, postgres)
    postgres.create_database("faults")
    made.command("CREATE ROLE clerk LOGIN PASSWORD {}", SECRET)
    place.environ["DEFT_DATABASE__URL"] = postgres.url("faults")
    yield made
    postgres.drop_database("faults")
    made.command("DROP ROLE clerk")


class Server:
    """What an administrator does there."""

    def __init__(self, place: Place, cluster: Cluster) -> None:
        self.place, self.cluster = place, cluster

    def command(self, statement: str, *values: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement as the owner of the cluster."""
        url = self.cluster.url(database).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(sql.SQL(statement).format(*map(sql.Literal, values)))
            return found.fetchall() if found.description else []

    def here(self, statement: str) -> list[tuple[object, ...]]:
        """The same in the database of the test."""
        return self.command(statement, database="faults")

    @property
    def clerk(self) -> str:
        """The URL of the user that may do little."""
        return f"postgresql+psycopg://clerk:{SECRET}@127.0.0.1:{self.cluster.port}/faults"


def _graph(place: Place, tasks: int = 2) -> None:
    graph(place.folder, {f"t{n}": "echo 1 > {output}" for n in range(tasks)})


def _all_text(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


# --- URLs and servers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "not a database URL"),
        (f"postgresql+psycopg://ann:{SECRET}@db:port/deft", "not a database URL"),
        (f"postgresql+psycopg://ann:{SECRET}@[::1/deft", "not a database URL"),
        (f"postgres://ann:{SECRET}@db/deft", "'postgres'"),
        (f"postgresql+psycopg://ann:x@{SECRET}@db/deft", "write %40"),
        (f"postgresql+nothing://ann:{SECRET}@db/deft", "not a database URL"),
        (f"mysql://ann:{SECRET}@db/deft", "mysql"),
        (f"postgresql+psycopg://ann:{SECRET}@127.0.0.1:1/deft", "ann:***@127.0.0.1:1/deft does not answer"),
        (f"postgresql+psycopg://127.0.0.1:1/deft?password={SECRET}&user=ann", "password=%2A%2A%2A"),
        (f"postgresql+psycopg://ann:{SECRET}@127.0.0.1:1/deft?colour=blue", "colour"),
        (f"postgresql+psycopg://ann:{SECRET}@127.0.0.1:99999/deft", "does not answer"),
        (f"postgresql+psycopg://ann:{SECRET}@no.such.host.invalid/deft", "no.such.host.invalid"),
        ("sqlite:////no/such/folder/deft.db", "/no/such/folder/deft.db"),
    ],
)
def test_a_wrong_url_ends_with_7_and_never_shows_a_password(place: Place, url: str, word: str) -> None:
    _graph(place)
    place.work.mkdir()
    for command in (("list",), ("import", "./m.graphml", "--json"), ("db", "upgrade")):
        ran = place.said(*command, DEFT_DATABASE__URL=url)
        assert (ran.code, ran.out) == (7, ""), ran
        assert word in ran.err
        assert SECRET not in ran.err
    checked = place.said("doctor", "--json", DEFT_DATABASE__URL=url)
    assert (checked.code, SECRET in checked.out + checked.err) == (1, False)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password_is_told_and_never_shown(
    server: Server, place: Place, command: tuple[str, ...]
) -> None:
    _graph(place)
    place.ok("init")
    wrong = server.cluster.url("faults").replace(server.cluster.password, SECRET)
    ran = place.said(*command, DEFT_DATABASE__URL=wrong)
    assert (ran.code, ran.out) == (7, "")
    assert "password authentication failed" in ran.err
    assert "password_file" in ran.err
    assert SECRET not in ran.err


def test_a_password_is_nowhere_in_what_a_run_leaves(server: Server, place: Place) -> None:
    _graph(place)
    (place.folder / "secret").write_text(server.cluster.password + "\n")
    url = server.cluster.url("faults").replace(f":{server.cluster.password}", "")
    settings = {"DEFT_DATABASE__URL": url, "DEFT_DATABASE__PASSWORD_FILE": str(place.folder / "secret")}
    ran = place.run("m.graphml", "--json", **settings)
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout + ran.stderr
    for command in (("history", "m"), ("commands",), ("doctor",), ("db", "size"), ("show", "m")):
        told += place.said(*command, "--json", **settings).out
    rows = server.here("SELECT string_agg(t::text, '') FROM (SELECT * FROM deft_command) t")
    for text in (told, _all_text(place.work), str(rows)):
        assert server.cluster.password not in text


def test_a_database_that_is_not_there_is_named(server: Server, place: Place) -> None:
    _graph(place)
    gone = server.cluster.url("nowhere")
    ran = place.said("init", DEFT_DATABASE__URL=gone)
    assert ran.code == 7
    assert 'database "nowhere" does not exist' in ran.err


# --- privileges --------------------------------------------------------------------------------------------


def test_a_user_who_may_only_read_changes_nothing(server: Server, place: Place) -> None:
    _graph(place)
    place.ok("init")
    place.ok("import", "./m.graphml")
    place.environ["DEFT_DATABASE__URL"] = server.clerk
    denied = place.said("list")
    assert (denied.code, "permission denied" in denied.err) == (5, True)
    server.here("GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk")
    assert place.said("list").code == 0
    before = _contents(server)
    for command in (
        ("import", "./m.graphml", "--name", "n"), ("start", "m"), ("hold", "m"),
        ("set", "m/t0", "goal=0.5"), ("db", "delete", "m", "--yes"), ("jedi", "apply"),
    ):  # fmt: skip
        ran = place.said(*command)
        assert (ran.code, ran.out) == (5, ""), (command, ran)
        assert "permission denied for" in ran.err
        assert SECRET not in ran.err
    assert _contents(server) == before
    server.here("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
    server.here("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
    assert place.said("import", "./m.graphml", "--name", "n").code == 0
    assert place.said("start", "m").code == 0
    vacuumed = place.said("db", "vacuum")
    assert (vacuumed.code, "belong to another user" in vacuumed.err) == (5, True)


def _contents(server: Server) -> dict[str, object]:
    names = [
        str(name) for (name,) in server.here("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    return {name: server.here(f'SELECT * FROM "{name}" ORDER BY 1') for name in sorted(names)}


def test_tables_cannot_be_made_by_who_may_not(server: Server, place: Place) -> None:
    server.here("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for command in (("init",), ("db", "upgrade")):
        ran = place.said(*command, DEFT_DATABASE__URL=server.clerk)
        assert ran.code == 5, ran
        assert "permission denied for schema public" in ran.err
    assert server.here("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
    server.here("GRANT CREATE ON SCHEMA public TO clerk")
    assert place.said("init", DEFT_DATABASE__URL=server.clerk).code == 0
    server.here("DROP OWNED BY clerk")


def test_a_server_that_takes_no_writes_says_so(server: Server, place: Place) -> None:
    _graph(place)
    place.ok("init")
    server.command("ALTER DATABASE faults SET default_transaction_read_only = on")
    assert place.said("list").code == 0
    ran = place.said("import", "./m.graphml")
    assert (ran.code, "standby" in ran.err) == (7, True)
    server.command("ALTER DATABASE faults SET default_transaction_read_only = off")
    assert place.said("import", "./m.graphml").code == 0


# --- revisions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("revision", "word"), [("9999", "upgrade deft"), ("0000", "deft db upgrade")])
def test_tables_of_another_program_are_left_alone(
    server: Server, place: Place, revision: str, word: str
) -> None:
    _graph(place)
    place.ok("init")
    ((good,),) = server.here("SELECT version_num FROM alembic_version")
    server.here(f"UPDATE alembic_version SET version_num = '{revision}'")
    before = _contents(server)
    for command in COMMANDS:
        ran = place.said(*command)
        assert (ran.code, ran.out) == (7, ""), (command, ran)
        assert f"revision {revision}" in ran.err
        if command != ("db", "upgrade"):
            assert word in ran.err
    assert _contents(server) == before
    server.here(f"UPDATE alembic_version SET version_num = '{good}'")
    assert place.said("import", "./m.graphml").code == 0


def test_a_table_that_is_missing_is_named(server: Server, place: Place) -> None:
    _graph(place)
    place.ok("init")
    place.ok("import", "./m.graphml")
    server.here("DROP TABLE deft_count")
    ran = place.said("list")
    assert (ran.code, "deft_count" in ran.err, "deft db check" in ran.err) == (4, True, True)


# --- disks -------------------------------------------------------------------------------------------------


def test_a_database_on_a_disk_that_takes_no_writes(place: Place, small_disk: Disk) -> None:
    _graph(place)
    place.environ["DEFT_WORKDIR"] = str(small_disk.path)
    assert place.said("init", DEFT_WORKDIR=str(small_disk.path)).code == 0
    small_disk.remount("ro")
    for command in (("import", "./m.graphml"), ("start", "m"), ("db", "vacuum")):
        ran = place.said(*command, DEFT_WORKDIR=str(small_disk.path))
        assert (ran.code, ran.out) == (7, ""), (command, ran)
        assert str(small_disk.path) in ran.err
    small_disk.remount("rw")
    assert place.said("import", "./m.graphml", DEFT_WORKDIR=str(small_disk.path)).code == 0


def test_a_disk_that_is_full_in_the_middle_of_an_import(place: Place, small_disk: Disk) -> None:
    _graph(place, 3000)
    where = {"DEFT_WORKDIR": str(small_disk.path)}
    assert place.said("init", **where).code == 0
    small_disk.fill(left=200_000)
    ran = place.said("import", "./m.graphml", "--start", **where)
    assert (ran.code, ran.out) == (7, ""), ran
    assert "make room" in ran.err
    assert json.loads(place.said("list", "--json", **where).out) == []
    small_disk.make_room()
    assert place.said("import", "./m.graphml", "--start", **where).code == 0
    assert place.said("status", "m", **where).code == 0


def test_a_server_whose_disk_is_full_in_the_middle_of_an_import(server: Server, place: Place) -> None:
    _graph(place, 3000)
    # In the folder of the cluster, which its user can reach.
    with disk(server.cluster.folder / "disk", "64m") as small:
        if server.cluster.user is not None:
            shutil.chown(small.path, server.cluster.user)
        server.command("CREATE TABLESPACE small LOCATION {}", str(small.path))
        try:
            server.command("ALTER DATABASE faults SET TABLESPACE small")
            place.ok("init")
            small.fill(left=500_000)
            ran = place.said("import", "./m.graphml", "--start")
            assert (ran.code, ran.out) == (7, ""), ran
            assert "No space left on device" in ran.err
            assert "make room" in ran.err
            assert json.loads(place.said("list", "--json").out) == []
            small.make_room()
            assert place.said("import", "./m.graphml", "--start").code == 0
            assert place.said("status", "m").code == 0
        finally:
            server.cluster.drop_database("faults")
            server.command("DROP TABLESPACE small")
