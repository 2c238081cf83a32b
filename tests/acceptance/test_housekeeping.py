"""Meta-Tasks leave the database: archived and read back, or deleted; with their files or without."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from deft.base.database import open_engine, reading
from deft.store import ddl
from tests.acceptance.scene import Leash, Place, Task, graph, surroundings
from tests.support.disks import Disk, small_disk
from tests.support.postgres import Cluster

__all__ = ["small_disk"]

# The log of commands outlives what it is about, and grows by every command; the others are of no Meta-Task.
OUTLIVING = {"deft_command", "deft_command_metatask", "jedi_lease", "jedi_submission"}
Rows = dict[str, list[tuple[object, ...]]]


class Stock:
    """A work folder in which m and n are done, made once and put back for every test."""

    def __init__(self, folder: Path, kind: str, postgres: Cluster | None) -> None:
        self.folder, self.saved, self.postgres = folder / "here", folder / "saved", postgres
        self.folder.mkdir()
        self.place = Place(self.folder, surroundings(folder))
        if postgres is not None:
            postgres.create_database("shop")
            self.place.environ["DEFT_DATABASE__URL"] = postgres.url("shop")
        for name in ("n", "m"):
            tasks = {"a": Task("echo {unit.key} > {output}", jobs=3), "b": Task("cat {inputs} > {output}")}
            ran = self.place.run(graph(self.folder, tasks, [("a", "b")], name=name), "--quiet")
            assert ran.returncode == 0, ran.stderr
        self.folder.rename(self.saved)

    def put_back(self) -> Place:
        """The same again, in the same folder, since paths of files stand in the database."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.saved, self.folder, ignore=shutil.ignore_patterns("deft.bells"))
        environ = dict(self.place.environ)
        if self.postgres is not None:
            self.postgres.drop_database("shop_now")
            self.postgres.create_database("shop_now", "shop")
            environ["DEFT_DATABASE__URL"] = self.postgres.url("shop_now")
        return Place(self.folder, environ)

    def close(self) -> None:
        """Drop the databases."""
        if self.postgres is not None:
            self.postgres.drop_database("shop_now")
            self.postgres.drop_database("shop")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    postgres = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = Stock(tmp_path_factory.mktemp("stock"), request.param, postgres)
    yield made
    made.close()


@pytest.fixture
def shop(stock: Stock) -> Place:
    """Two Meta-Tasks that are done, on each kind of database: m, and n, which is to stay as it is."""
    return stock.put_back()


SQLITE = pytest.mark.parametrize("stock", ["sqlite"], indirect=True)


def ok(place: Place, *command: str) -> str:
    """Give a command that must succeed; what it printed."""
    ran = place.said(*command)
    assert ran.code == 0, ran
    return ran.out


def rows(place: Place) -> Rows:
    """Everything in the database, by table."""
    url = place.environ.get("DEFT_DATABASE__URL", f"sqlite:///{place.work / 'deft.db'}")
    engine = open_engine(url)
    with reading(engine) as conn:
        found = {
            name: sorted((tuple(row) for row in conn.execute(sa.select(table))), key=repr)
            for name, table in ddl.all_tables().tables.items()
            if name not in ("alembic_version", *OUTLIVING)
        }
    engine.dispose()
    return found


def archived(place: Place, *options: str) -> Path:
    """Archive m; the folder of its archive."""
    answer = json.loads(ok(place, "db", "archive", "m", "--to", "archive", "--json", *options))
    (one,) = answer["archived"]
    return Path(one["folder"])


def lines(folder: Path, table: str) -> list[dict[str, object]]:
    """What an archive holds of a table."""
    with gzip.open(folder / f"{table}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def test_an_archive_holds_every_row_and_only_those_leave(shop: Place) -> None:
    before = rows(shop)
    folder = archived(shop)
    left = rows(shop)
    assert json.loads(ok(shop, "list", "--json"))[0]["metatask"] == "default/n"
    for table, known in before.items():
        assert set(left[table]) <= set(known), table
        gone = len(known) - len(left[table])
        # Both Meta-Tasks are alike, and what one does another time is not.
        assert gone == len(left[table]), table
        if (folder / f"{table}.jsonl.gz").exists():
            assert len(lines(folder, table)) == gone, table
    assert len(lines(folder, "jedi_job")) == 4
    assert [line["verb"] for line in lines(folder, "deft_command")] == ["import"]
    assert "archive default/m" in ok(shop, "commands")


def test_an_archive_keeps_values_as_they_are(shop: Place) -> None:
    status = json.loads(ok(shop, "status", "m", "--json"))
    folder = archived(shop)
    states = {line["name"]: line["state"] for line in lines(folder, "deft_node")}
    assert states == {task["task"]: task["state"] for task in status["tasks"]}
    (attempt, *_) = lines(folder, "jedi_attempt")
    assert attempt["exit_code"] == 0
    assert str(attempt["started"]).endswith("+00:00")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["metatask"], manifest["state"], manifest["counts"]["jedi_job"]) == (
        "default/m",
        "done",
        4,
    )
    assert len(manifest["folders"]) == 3


def test_the_graph_of_an_archive_is_a_meta_task_again(shop: Place) -> None:
    data = shop.text("data/default.m.b*/*")
    folder = archived(shop)
    assert 'key="n.state.state">done<' in (folder / "m.graphml").read_text()
    ok(shop, "import", str(folder / "m.graphml"), "--name", "again")
    assert ok(shop, "status", "again").startswith("default/again is draft")
    assert shop.run("again", "--quiet").returncode == 0
    assert shop.text("data/default.again.b*/*") == data


def test_the_same_name_begins_anew_after_an_archive(shop: Place) -> None:
    old = {path: path.read_bytes() for path in (shop.work / "data").rglob("*") if path.is_file()}
    archived(shop)
    path = graph(shop.folder, {"a": Task("echo other > {output}", jobs=2)}, name="m")
    ran = shop.run(path, "--quiet")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ok(shop, "jobs", "m", "--json"))[0]["state"] == "ok"
    # What was made before is neither used nor touched.
    assert {path: path.read_bytes() for path in old} == old
    assert len(list((shop.work / "data").glob("default.m.a.*"))) == 2


def test_to_keep_is_to_delete_nothing_and_to_go_on_later(shop: Place) -> None:
    before = rows(shop)
    folder = archived(shop, "--keep")
    written = (folder / "manifest.json").stat().st_mtime_ns
    assert rows(shop) == before
    assert archived(shop) == folder
    assert (folder / "manifest.json").stat().st_mtime_ns == written
    assert "default/m" not in ok(shop, "list")


def test_an_archive_that_is_older_than_what_it_holds_deletes_nothing(shop: Place) -> None:
    archived(shop, "--keep")
    ok(shop, "reset", "m", "--discard", "--yes")
    assert shop.run(shop.folder / "m.graphml", "--quiet").returncode == 0
    before = rows(shop)
    ran = shop.said("db", "archive", "m", "--to", "archive")
    assert (ran.code, "has changed since" in ran.err) == (4, True)
    assert rows(shop) == before


@pytest.mark.parametrize("harm", ["bytes", "lines", "graph", "manifest"])
@SQLITE
def test_an_archive_that_cannot_be_read_back_deletes_nothing(shop: Place, harm: str) -> None:
    folder, before = archived(shop, "--keep"), rows(shop)
    path = folder / {"graph": "m.graphml", "manifest": "manifest.json"}.get(harm, "jedi_job.jsonl.gz")
    if harm == "lines":
        path.write_bytes(gzip.compress(b'{"id": 1}\n' * 4))
    else:
        path.write_bytes(path.read_bytes()[:-20])
    ran = shop.said("db", "archive", "m", "--to", "archive")
    assert ran.code == 6, ran
    assert path.name in ran.err
    assert rows(shop) == before


@pytest.mark.parametrize("point", ["archive.before-rename", "verb.before-commit", "verb.after-commit"])
def test_an_archive_that_is_killed_is_done_by_the_same_command(shop: Place, point: str) -> None:
    before = rows(shop)
    killed = shop.deft("db", "archive", "m", "--to", "archive", DEFT_TEST_FAULT=point)
    assert killed.returncode == -9
    if point == "verb.after-commit":
        assert shop.said("db", "archive", "m", "--to", "archive").code == 3
    else:
        assert rows(shop) == before
        archived(shop)
    (folder,) = (shop.folder / "archive").glob("default.m.*")
    assert len(lines(folder, "jedi_job")) == 4
    assert "default/m" not in ok(shop, "list")


@SQLITE
def test_a_full_disk_leaves_neither_an_archive_nor_a_gap(shop: Place, small_disk: Disk) -> None:
    before, to = rows(shop), str(small_disk.path / "archive")
    small_disk.fill(left=8192)
    ran = shop.said("db", "archive", "m", "--to", to)
    assert (ran.code, ran.out) == (6, "")
    assert "No space left on device; nothing was deleted" in ran.err
    assert rows(shop) == before
    assert [*Path(to).iterdir()] == []
    small_disk.make_room()
    assert shop.said("db", "archive", "m", "--to", to).code == 0


@SQLITE
def test_a_folder_that_cannot_be_written_is_named(shop: Place) -> None:
    (shop.folder / "file").touch()
    for to in ("file", "/proc/none"):
        ran = shop.said("db", "archive", "m", "--to", to)
        assert ran.code in (2, 6), ran
        assert to in ran.err
    assert "default/m" in ok(shop, "list")


def test_what_has_not_ended_stays_and_says_why(place: Place, database_url: str, leash: Leash) -> None:
    place.environ["DEFT_DATABASE__URL"] = database_url
    ok(place, "init")
    path = graph(place.folder, {"a": leash.command, "b": "cat {inputs} > {output}"}, [("a", "b")])
    ok(place, "import", str(path), "--start")
    with place.started("jedi", "run") as jedi, place.started("sweep", "--every", "1h"):
        ok(place, "sweep")
        leash.wait()
        for command in (("archive", "m", "--to", "archive"), ("delete", "m", "--yes")):
            ran = place.said("db", *command)
            assert (ran.code, ran.out) == (4, "")
            assert "1 running, 1 waiting (such as a); `deft explain default/m`" in ran.err
        passed = place.said("db", "archive", "*", "--to", "archive")
        assert (passed.code, "default/m: passed over: 1 running" in passed.out) == (0, True)
        leash.let_all_go()
        leash.release()
        place.until("default/m is done", "status", "m")
        jedi.interrupt()
        jedi.end()
    assert place.said("db", "archive", "m", "--to", "archive").code == 0


def test_a_dry_run_says_what_would_go_and_touches_nothing(shop: Place) -> None:
    before = rows(shop)
    answer = json.loads(ok(shop, "db", "delete", "m", "--dry-run", "--with-data", "--json"))
    assert rows(shop) == before
    counts = {table: count for table, count in answer["rows"].items() if table not in OUTLIVING}
    assert sum(counts.values()) == sum(map(len, before.values())) // 2
    data, other, jobs = sorted(answer["folders"], key=lambda one: str(one["path"]))
    assert {one["fate"] for one in answer["folders"]} == {"deleted"}
    assert (data["files"], other["files"]) == (3, 1)
    assert jobs["path"] == str(shop.work / "jobs" / "default.m")
    assert all(Path(one["path"]).is_dir() for one in answer["folders"])
    plain = ok(shop, "db", "delete", "m", "--dry-run")
    assert plain.count("kept") == 2
    assert "jobs/default.m.t0" in plain


def test_delete_asks_for_the_name(shop: Place) -> None:
    before = rows(shop)
    ran = shop.answered("m\n", "db", "delete", "m")
    assert (ran.returncode, rows(shop) == before) == (130, True)
    assert shop.said("db", "delete", "m", "--json").code == 2
    ran = shop.answered("default/m\n", "db", "delete", "m")
    assert ran.returncode == 0, ran.stderr
    assert sum(map(len, rows(shop).values())) == sum(map(len, before.values())) // 2
    assert len(list((shop.work / "data").glob("default.m.*/*"))) == 4


def test_delete_with_data_takes_the_files_of_that_one_alone(shop: Place) -> None:
    outside = shop.folder / "precious"
    outside.mkdir()
    (outside / "file").touch()
    (folder,) = (shop.work / "data").glob("default.m.a.*")
    (folder / "link").symlink_to(outside)
    ok(shop, "db", "delete", "m", "--with-data", "--yes", "--reason", "a test")
    assert list((shop.work / "data").glob("default.m.*")) == []
    assert [path.name for path in (shop.work / "jobs").iterdir()] == ["default.n"]
    assert len(list((shop.work / "data").glob("default.n.*/*"))) == 4
    assert (outside / "file").exists()
    assert "a test" in ok(shop, "commands")


def test_data_that_were_discarded_before_go_too(shop: Place) -> None:
    ok(shop, "reset", "m", "--discard", "--yes")
    assert shop.run(shop.folder / "m.graphml", "--quiet").returncode == 0
    assert len(list((shop.work / "data").glob("default.m.*"))) == 4
    ok(shop, "db", "delete", "m", "--with-data", "--yes")
    assert list((shop.work / "data").glob("default.m.*")) == []


def test_data_that_another_meta_task_reads_is_not_deleted(shop: Place) -> None:
    ok(shop, "clone", "m", "user", "--tasks", "b", "--start")
    assert shop.run("user", "--quiet").returncode == 0
    ran = shop.said("db", "delete", "m", "--with-data", "--yes")
    assert (ran.code, "default.user" in ran.err) == (4, True), ran
    assert shop.said("db", "delete", "m", "--yes").code == 0


def test_what_never_began_can_be_deleted_and_not_archived(shop: Place) -> None:
    ok(shop, "import", "m.graphml", "--name", "draft")
    ran = shop.said("db", "archive", "draft", "--to", "archive")
    assert (ran.code, "2 defined" in ran.err) == (4, True)
    assert shop.said("db", "delete", "draft", "--yes").code == 0


def test_only_whole_meta_tasks_are_taken(shop: Place) -> None:
    for command in (("archive", "m/a", "--to", "x"), ("delete", "m/a", "--yes"), ("delete", "*", "--yes")):
        ran = shop.said("db", *command)
        assert (ran.code, ran.out) == (6, ""), ran
    assert shop.said("db", "delete", "nix", "--yes").code == 3


@SQLITE
def test_a_folder_that_cannot_be_removed_is_told(shop: Place, small_disk: Disk) -> None:
    (folder,) = (shop.work / "data").glob("default.m.a.*")
    moved = small_disk.path / folder.name
    os.rename(folder, folder.with_suffix(".old"))
    moved.mkdir()
    folder.symlink_to(moved)
    ran = shop.said("db", "delete", "m", "--with-data", "--yes")
    assert (ran.code, f"{folder} is still there: it is a link" in ran.err) == (1, True)
    assert moved.is_dir()


def test_sizes_say_what_archiving_would_free(shop: Place) -> None:
    found = json.loads(ok(shop, "db", "size", "--json"))
    assert {one["table"]: one["rows"] for one in found["tables"]}["jedi_job"] == 8
    assert [(one["tasks"], one["jobs"], one["ended"]) for one in found["metatasks"]] == [(2, 4, True)] * 2
    assert 0 < found["archivable"] <= found["bytes"]
    assert {Path(one["path"]).name: one["files"] for one in found["folders"]}["data"] == 8
    text = ok(shop, "db", "size", "--limit", "1", "--database")
    assert "… and 1 smaller" in text
    assert "FOLDER" not in text


def test_vacuum_gives_back_what_was_deleted(shop: Place) -> None:
    big = graph(shop.folder, {f"t{n}": "echo 1 > {output}" for n in range(2000)}, name="big")
    ok(shop, "import", str(big))
    ok(shop, "db", "delete", "big", "--yes")
    done = json.loads(ok(shop, "db", "vacuum", "--json", "--full"))
    assert done["after"] < done["before"] - 500_000
    assert shop.said("db", "check").code == 0
    # Numbers of tasks are not given again, whatever was thrown out.
    ok(shop, "import", str(big), "--name", "small", "--start")
    ok(shop, "sweep")
    assert ".t00002005_" in ok(shop, "show", "small")
