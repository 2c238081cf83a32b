"""The sweep and JEDI as services of their own: each dies at every named point and is started again."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest
import sqlalchemy as sa

from deft.access.roles import owner_of_database
from deft.base import config, faults
from deft.base.database import writing
from deft.base.errors import Unreachable
from deft.engine import intake
from deft.engine.intake import ImportRequest
from deft.store import schema
from deft.store import session as sessions
from deft.store.tables import deft_history
from deft.wire.tables import wire_changed, wire_dataset, wire_order
from tests.faults import audit
from tests.faults.scenario import DEADLINE_S, Place, kill, names, until
from tests.support.postgres import Cluster

pytestmark = pytest.mark.faults

ONLY_ONCE = ("jedi.lease", "jedi.pool-closed", "jedi.reconcile", "jedi.wrapper")
PASSINGS = [
    (point, 1 if point.startswith(ONLY_ONCE) else 2)
    for point in faults.POINTS
    if point.startswith(("sweep.", "jedi."))
    and point not in ("jedi.reconcile-revoked", "jedi.reconcile-payload-killed")
]
AT_THE_END = ("jedi.pool-closed", "jedi.lease-released")


class Services:
    """Both services, each started again whenever it has died."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.commands = {"sweep": ("sweep", "--every", "0.5s"), "jedi": ("jedi", "run")}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths: list[tuple[str, int]] = []

    def keep(self) -> None:
        """Start what is not running."""
        for name, command in self.commands.items():
            process = self.running.get(name)
            code = None if process is None else process.poll()
            if code is not None:
                self.deaths.append((name, code))
            if process is None or code is not None:
                self.running[name] = self.place.start(*command)

    def work(self) -> bool:
        """Keep both going; whether the Meta-Task is done."""
        self.keep()
        return self.place.is_done()

    def stop(self) -> dict[str, int]:
        """End both cleanly; returns their exit codes."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {name: process.wait(DEADLINE_S) for name, process in self.running.items()}


@pytest.fixture
def services(place: Place) -> Services:
    """A Meta-Task that was started, and nobody at work yet."""
    place.environ["DEFT_JEDI__POLL_S"] = "0.5"
    settings = config.load(place.workdir, place.environ)
    with sessions.opened(settings, must_exist=False) as session:
        schema.create(session.engine)
        request = ImportRequest(owner_of_database(), str(place.file), start=True)
        intake.import_metatask(session, request)
    return Services(place)


@pytest.mark.parametrize(("point", "passing"), PASSINGS, ids=names(PASSINGS))
def test_a_service_that_dies_is_followed_by_another(services: Services, point: str, passing: int) -> None:
    place = services.place
    place.fault(point, passing)
    until(services.work, "the Meta-Task is done")
    codes = services.stop()
    who = "sweep" if point.startswith("sweep.") else "jedi"
    assert place.victim(), f"{point} was not passed\n{place.said()}"
    if point in AT_THE_END:
        assert codes == {"sweep": 0, "jedi": -signal.SIGKILL}
    else:
        assert (services.deaths, codes) == ([(who, -signal.SIGKILL)], {"sweep": 0, "jedi": 0}), place.said()
    audit.check(place)


@pytest.mark.parametrize("point", ["jedi.reconcile-payload-killed", "jedi.after-hand-over"])
def test_jedi_and_its_wrappers_die(services: Services, point: str) -> None:
    place = services.place
    services.keep()
    until(lambda: len(place.lines()) > 3 and place.find("sleep"), "payloads run")
    place.fault(point, 1)
    kill(services.running["jedi"].pid, *place.find("wrapper.py"))
    until(services.work, "the Meta-Task is done")
    services.stop()
    audit.check(place, wrappers_died=True)


@pytest.mark.parametrize("point", ["verb.before-commit", "verb.after-commit"])
def test_a_verb_that_dies_is_done_wholly_or_not_at_all(services: Services, point: str) -> None:
    place = services.place
    for verb in ("hold", "resume"):
        before = len(place.rows(deft_history)), len(place.rows(wire_order))
        place.fault(point, 1)
        assert place.do(verb, "crash") == -signal.SIGKILL
        after = len(place.rows(deft_history)), len(place.rows(wire_order))
        assert (after == before) == (point == "verb.before-commit")
        place.no_fault()
        assert place.do(verb, "crash") == 0
        services.keep()
    until(services.work, "the Meta-Task is done")
    services.stop()
    audit.check(place)


def test_what_is_told_twice_changes_nothing(services: Services) -> None:
    """Journal rows come in any number, and orders are delivered again and again."""
    place = services.place

    def work() -> bool:
        tasks = [row["task_id"] for row in place.rows(wire_order) if row["task_id"]]
        datasets = [row["dataset_id"] for row in place.rows(wire_dataset)]
        twice = [{"task_id": one, "dataset_id": None} for one in tasks]
        twice += [{"task_id": None, "dataset_id": one} for one in datasets]
        with writing(place.engine) as conn:
            conn.execute(sa.update(wire_order).values(pending=1))
            if twice:
                conn.execute(sa.insert(wire_changed), twice)
        return services.work()

    until(work, "the Meta-Task is done")
    until(lambda: not any(row["pending"] for row in place.rows(wire_order)), "all orders are applied again")
    services.stop()
    assert services.deaths == []
    runs = [row["task_id"] for row in place.rows(wire_order) if row["kind"] == "run"]
    audit.check(place)
    assert place.do("sweep", "--full") == 0
    assert [row["task_id"] for row in place.rows(wire_order) if row["kind"] == "run"] == runs
    audit.check(place)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_the_database_server_crashes_under_the_services(services: Services, postgres: Cluster) -> None:
    place = services.place
    services.keep()
    until(lambda: len(place.lines()) > 2, "payloads run")
    postgres.stop("immediate")
    time.sleep(1.5)
    postgres.start()
    place.engine.dispose()
    until(services.work, "the Meta-Task is done")
    assert services.stop() == {"sweep": 0, "jedi": 0}
    # JEDI waits for its server; the sweep may end, with the code that says so, and is started again.
    assert set(services.deaths) <= {("sweep", Unreachable.exit_code)}, place.said()
    audit.check(place)
