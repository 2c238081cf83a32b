"""Lost data are being made again when somebody is killed: it is made once, and nothing else runs."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from deft.jedi.tables import jedi_attempt, jedi_job, jedi_unit
from tests.faults import audit
from tests.faults.scenario import TASKS, Place

pytestmark = pytest.mark.faults

POINTS = [
    "verb.before-commit",
    "verb.after-commit",
    "jedi.orders-applied",
    "jedi.planned",
    "jedi.after-commit",
    "jedi.after-hand-over",
    "jedi.results-settled",
    "sweep.before-commit",
]


class Loss:
    """Two outputs that vanished: of one map job, and of the reduce job that had used it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        assert place.run() == 0, place.said()
        self.lost = [self._file("map", 2), self._file("reduce", 1)]
        self.attempts = len(place.rows(jedi_attempt))
        for path in self.lost:
            path.unlink()
        self.look()
        assert self._states()["lost"] == 2

    def look(self) -> None:
        """`deft scan`; a database by URL has nobody who answers, so JEDI is told to."""
        scan = self.place.start("scan")
        while scan.poll() is None:
            self.place.do("jedi", "apply")

    def _file(self, task: str, job: int) -> Path:
        (folder,) = (self.place.workdir / "data").glob(f"default.crash.{task}.*")
        return folder / f"{job:06d}.txt"

    def _states(self) -> Counter[str]:
        return Counter(unit["state"] for unit in self.place.rows(jedi_unit))

    def check(self) -> None:
        """All is there again; the two jobs ran once more, and no other."""
        place = self.place
        assert set(place.states().items()) == {(task, "done") for task in TASKS}, place.said()
        audit.check_outputs(place)
        audit.check_counters(place)
        assert set(self._states()) == {"available"}
        good = Counter(row["job_id"] for row in place.rows(jedi_attempt) if row["outcome"] == "ok")
        again = {
            job["id"]: (job["task_id"], job["number"]) for job in place.rows(jedi_job) if good[job["id"]] > 1
        }
        assert set(good.values()) == {1, 2}
        assert [number for _, number in sorted(again.values())] == [2, 1]
        outcomes = Counter(row["outcome"] for row in place.rows(jedi_attempt))
        assert set(outcomes) <= audit.FREE


@pytest.fixture
def loss(place: Place) -> Loss:
    return Loss(place)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_in_the_middle_of_a_recover_makes_all_again_once(loss: Loss, point: str) -> None:
    place = loss.place
    place.fault(point, 1)
    code = place.do("recover", "crash")
    assert code == (-signal.SIGKILL if point.startswith("verb.") else 0), place.said()
    if point == "verb.before-commit":
        place.no_fault()
        assert place.do("recover", "crash") == 0, place.said()
    if place.run() != 0:
        assert place.run() == 0, place.said()
    assert place.victim(), f"{point} was not passed\n{place.said()}"
    loss.check()
