"""The parts apart: import, sweep and JEDI as processes of their own, steered from a third shell."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.acceptance.scene import Leash, Place, Task, graph
from tests.support.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, place: Place) -> Iterator[Place]:
    """A work folder with both services."""
    with ExitStack() as stack:
        if request.param == "postgresql":
            cluster: Cluster = request.getfixturevalue("postgres")
            cluster.create_database("services")
            stack.callback(cluster.drop_database, "services")
            place.environ["DEFT_DATABASE__URL"] = cluster.url("services")
        place.ok("init")
        stack.enter_context(place.started("jedi", "run"))
        stack.enter_context(place.started("sweep", "--every", "1h"))
        yield place


def test_a_production_is_steered_while_it_runs(served: Place, leash: Leash) -> None:
    place = served
    tasks = {"nap": Task(leash.command, jobs=4), "join": Task("cat {inputs} > {output}")}
    path = graph(place.folder, tasks, [("nap", "join")])
    assert "does not run yet; `deft start m` arms it" in place.ok("import", str(path))
    assert place.ok("status", "m").startswith("default/m is draft")
    assert "2 armed (nap, join)" in place.ok("start", "m")
    leash.wait(2)
    assert place.said("hold", "m", "--reason", "coffee").out == "default/m: held as a whole\n"
    assert place.said("hold", "m").out == "default/m: was held already\n"
    assert "on hold since" in place.said("status", "m").out
    leash.release(2)
    assert "coffee" in place.said("history", "m").out
    assert place.said("resume", "m").out == "default/m: resumed as a whole\n"
    leash.wait(2)
    assert len(leash.ran) == 6
    aborted = place.said("abort", "m/nap", "--yes", "--reason", "enough")
    assert aborted.out == "default/m: 1 aborted (nap)\n"
    place.until("default/m is aborted", "status", "m")
    leash.let_all_go()
    assert "2 set to run again" in place.said("retry", "m").out


@pytest.mark.parametrize("ask", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_services_end_with_exit_code_0_when_they_are_told_to(place: Place, ask: signal.Signals) -> None:
    place.ok("init")
    with place.started("sweep", "--every", "1h") as sweep, place.started("jedi", "run") as jedi:
        path = graph(place.folder, {"a": "echo 1 > {output}"})
        place.ok("import", str(path), "--start")
        place.until("default/m is done", "status", "m")
        for service in (sweep, jedi):
            service.process.send_signal(ask)
            code, _, err = service.end()
            assert code == 0, err
            assert "Traceback" not in err
    assert place.ok("status", "m").startswith("default/m is done")


def test_a_second_executor_is_refused_and_says_who_serves(place: Place, leash: Leash) -> None:
    place.ok("init")
    path = graph(place.folder, {"a": leash.command})
    with place.started("jedi", "run") as jedi, place.started("sweep", "--every", "1h"):
        place.ok("import", str(path), "--start")
        leash.wait()
        second = place.deft("jedi", "run")
        assert second.returncode == 4
        assert f"pid {jedi.process.pid}" in second.stderr
        assert f"served by pid {jedi.process.pid}" in place.ok("jedi", "status")
    leash.let_all_go()


def test_run_beside_a_service_lets_that_one_execute(place: Place, leash: Leash) -> None:
    place.ok("init")
    path = graph(place.folder, {"a": Task(leash.command, jobs=2)})
    with place.started("jedi", "run"):
        with place.started("run", str(path)) as run:
            leash.wait(2)
            leash.release(2)
            code, out, err = run.end()
        assert code == 0, out + err
    assert sorted(leash.ran) == ["begin 1", "begin 2", "end 1", "end 2"]


@pytest.mark.slow
def test_a_run_waits_for_a_server_that_goes_away_and_goes_on(
    place: Place, leash: Leash, postgres: Cluster
) -> None:
    postgres.create_database("away")
    place.environ["DEFT_DATABASE__URL"] = postgres.url("away")
    path = graph(place.folder, {"a": Task(leash.command, jobs=2)})
    with place.started("run", str(path)) as run:
        leash.wait(2)
        postgres.restart("immediate")
        leash.let_all_go()
        code, out, err = run.end()
    assert code == 0, out + err
    assert "Traceback" not in err
    assert postgres.password not in out + err
    assert sorted(leash.ran) == ["begin 1", "begin 2", "end 1", "end 2"]
    postgres.drop_database("away")
