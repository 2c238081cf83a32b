"""Data that vanish are made again, data that come are taken in: as an operator does it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.scene import Place, Task, graph
from tests.support.postgres import Cluster


class Production:
    """Files, a map over them, a reduce and a last task; every job notes that it ran."""

    def __init__(self, place: Place) -> None:
        self.place, self.raw, self.log = place, place.folder / "raw", place.folder / "ran"
        self.raw.mkdir()
        for name in "abc":
            (self.raw / f"{name}.txt").write_text(f"{name}\n")
        tasks: dict[str, Task | str] = {
            name: Task(f"echo {name}/$DEFT_JOB >> {self.log}; {command} > {{output}}")
            for name, command in (
                ("upper", "tr a-z A-Z < {input}"),
                ("all", "cat {inputs}"),
                ("last", "cat {inputs} | wc -l"),
            )
        }
        edges = (("files", "upper"), ("upper", "all"), ("all", "last"))
        source = f"{self.raw}/*.txt"
        self.file = graph(place.folder, tasks, edges, source=source)

    def run(self) -> None:
        """Until it is done, in the foreground."""
        ran = self.place.deft("run", str(self.file), "-q")
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def ran(self) -> Counter[str]:
        """How often each job ran since it was last asked."""
        found = Counter(self.log.read_text().split()) if self.log.exists() else Counter()
        self.log.unlink(missing_ok=True)
        return found

    def file_of(self, task: str, job: int = 1) -> Path:
        """What a job made."""
        (folder,) = (self.place.work / "data").glob(f"default.m.{task}.*")
        (path,) = folder.glob(f"{job:06d}*")
        return path

    def units(self) -> dict[str, tuple[str, int]]:
        """State and good units of each task."""
        status = json.loads(self.place.ok("status", "m", "--json"))
        return {task["task"]: (task["state"], task["ok"]) for task in status["tasks"]}


@pytest.fixture
def production(place: Place) -> Production:
    made = Production(place)
    made.run()
    made.ran()
    return made


def test_a_lost_output_is_made_again_by_the_job_that_made_it(production: Production) -> None:
    place, lost = production.place, production.file_of("upper", 2)
    content = lost.read_bytes()
    lost.unlink()
    scanned = place.said("jedi", "scan")
    assert (scanned.code, "1 lost now" in scanned.out) == (1, True)
    dry = place.said("recover", "m", "--dry-run")
    assert (dry.code, "upper: 1 job of 1 unit would run again (2)" in dry.out) == (0, True)
    assert str(lost) in dry.out
    assert production.ran() == {}
    assert "1 lost of" in place.ok("status", "m")
    assert "deft run" in place.ok("recover", "m")
    production.run()
    assert production.ran() == {"upper/000002": 1}
    assert lost.read_bytes() == content
    assert production.units() == {"upper": ("done", 3), "all": ("done", 3), "last": ("done", 1)}
    assert place.said("jedi", "scan").code == 0


def test_what_was_lost_on_the_way_to_it_is_made_again_first(production: Production) -> None:
    place = production.place
    production.file_of("upper", 3).unlink()
    production.file_of("all").unlink()
    place.said("scan", "m")
    place.ok("recover", "m/all")
    production.run()
    assert production.ran() == {"upper/000003": 1, "all/000001": 1}
    assert production.file_of("all").read_text() == "A\nB\nC\n"
    assert production.units() == {"upper": ("done", 3), "all": ("done", 3), "last": ("done", 1)}


def test_with_consumers_those_that_had_used_it_run_too(production: Production) -> None:
    production.file_of("upper", 1).unlink()
    production.place.said("scan")
    production.place.ok("recover", "m/upper", "--consumers")
    production.run()
    assert production.ran() == {"upper/000001": 1, "all/000001": 1}
    assert {state for state, _ in production.units().values()} == {"done"}


def test_new_files_run_alone_and_what_follows_from_them_follows(production: Production) -> None:
    place, more = production.place, production.place.folder / "more"
    more.mkdir()
    for name in "de":
        (more / f"{name}.txt").write_text(f"{name}\n")
    told = place.ok("augment", "m", "--dataset", "files", "more/*.txt")
    assert "2 files given: 2 new" in told
    production.run()
    assert production.ran() == {"upper/000004": 1, "upper/000005": 1, "all/000001": 1, "last/000001": 1}
    assert production.units() == {"upper": ("done", 5), "all": ("done", 5), "last": ("done", 1)}
    assert production.file_of("last").read_text().strip() == "5"
    assert "2 known already" in place.ok("augment", "m", "more/d.txt", str(more / "e.txt"))
    assert place.said("scan", "m").code == 0  # a listing finds what was given
    production.run()
    assert production.ran() == {}


def test_a_file_given_again_after_it_was_lost_is_there_again(production: Production) -> None:
    place, path = production.place, production.raw / "b.txt"
    path.unlink()
    assert place.said("scan", "m").code == 1
    path.write_text("b\n")
    assert "1 back" in place.ok("augment", "m", "raw/b.txt")
    production.run()
    assert production.ran() == {}  # it was used before


def test_a_file_that_is_not_there_is_refused(production: Production) -> None:
    said = production.place.said("augment", "m", "--dataset", "files", "raw/z.txt")
    assert (said.code, "there is no file raw/z.txt" in said.err) == (6, True)
    said = production.place.said("augment", "m", "--dataset", "file", "raw/a.txt")
    assert (said.code, "near: files" in said.err) == (3, True)
    said = production.place.said("augment", "m", "--dataset", "upper", "raw/a.txt")
    assert (said.code, "made by a task" in said.err) == (4, True)


def test_recover_with_nothing_lost_is_refused_and_a_closed_dataset_is_closed(production: Production) -> None:
    assert production.place.said("recover", "m").code == 4
    assert production.place.said("recover", "m", "--depth", "-1").code == 2
    assert "was closed already" in production.place.ok("close", "m", "--dataset", "files")


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, place: Place) -> Iterator[Production]:
    """The same with both services at work, on each kind of database."""
    with ExitStack() as stack:
        if request.param == "postgresql":
            cluster: Cluster = request.getfixturevalue("postgres")
            cluster.create_database("data")
            stack.callback(cluster.drop_database, "data")
            place.environ["DEFT_DATABASE__URL"] = cluster.url("data")
        made = Production(place)
        made.run()
        made.ran()
        stack.enter_context(place.started("jedi", "run"))
        stack.enter_context(place.started("sweep", "--every", "1s"))
        place.until("served by pid", "jedi", "status")
        yield made


def test_a_running_executor_looks_and_makes_again(served: Production) -> None:
    place, lost = served.place, served.file_of("upper", 2)
    lost.unlink()
    assert place.said("jedi", "scan").code == 1
    assert "1 job in all" in place.ok("recover", "m", "--dry-run")
    place.ok("recover", "m", "--json")
    place.until("default/m is done", "status", "m")
    assert (served.ran(), lost.read_text()) == ({"upper/000002": 1}, "B\n")


def test_without_an_executor_a_shared_database_is_not_waited_for_long(
    place: Place, postgres: Cluster
) -> None:
    postgres.create_database("alone")
    place.environ["DEFT_DATABASE__URL"] = postgres.url("alone")
    made = Production(place)
    made.run()
    (made.raw / "d.txt").write_text("d\n")
    assert "JEDI takes them in when it runs" in place.ok("augment", "m", "raw/d.txt")
    place.ok("jedi", "apply")
    made.run()
    assert made.units()["upper"] == ("done", 4)
    postgres.drop_database("alone")
