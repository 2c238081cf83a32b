"""`deft run` dies at every named point: its sweep, its JEDI, or both at the same moment."""

from __future__ import annotations

import os
import signal

import pytest

from deft.base import faults
from tests.faults import audit
from tests.faults.scenario import Place, has_stopped, kill, names, until

pytestmark = pytest.mark.faults

# Points that a process passes only in a certain plight, with the fault that brings it about.
AFTER = {
    "jedi.reconcile-revoked": "jedi.before-hand-over",
}
PATIENCE_S = 20.0
ELSEWHERE = {
    "verb.before-commit",
    "verb.after-commit",
    "jedi.reconcile-payload-killed",
    "archive.before-rename",  # see tests/acceptance/test_housekeeping.py
}
# A process passes these once: what it does at its start or at its end.
ONLY_ONCE = ("schema.", "import.", "run.", "jedi.lease", "jedi.reconcile", "jedi.pool-closed")
PASSINGS = [
    (point, passing)
    for point in faults.POINTS
    if point not in ELSEWHERE and not point.startswith("batch.")  # see tests/slurm
    for passing in ((1,) if point.startswith(ONLY_ONCE) else (1, 2) if "wrapper" in point else (1, 3))
]
# Where two processes are at work: the last passing of each point.
TOGETHER = [one for one in dict(PASSINGS).items() if not one[0].startswith(("schema.", "import."))]


@pytest.mark.parametrize(("point", "passing"), PASSINGS, ids=names(PASSINGS))
def test_who_dies_alone_is_followed(place: Place, point: str, passing: int) -> None:
    _lead_to(place, point)
    place.fault(point, passing)
    code = place.run()
    assert place.victim(), f"{point} was not passed\n{place.said()}"
    if point.startswith("jedi."):  # the parent starts it again
        assert code == 0, place.said()
    else:
        assert code == -signal.SIGKILL
        assert place.run() == 0, place.said()
    audit.check(place)


@pytest.mark.parametrize(("point", "passing"), TOGETHER, ids=names(TOGETHER))
def test_both_die_at_the_same_moment(place: Place, point: str, passing: int) -> None:
    _lead_to(place, point)
    _both_die(place, point, passing)
    assert place.run() == 0, place.said()
    audit.check(place)


def test_a_run_that_follows_at_once_waits_for_the_jedi_of_the_one_before(place: Place) -> None:
    place.fault("jedi.after-hand-over", 1, stop=True)  # it is slow to notice, but locks nobody out
    first = place.start_run()
    until(lambda: has_stopped(place.victim()), "jobs are handed over")
    orphan = place.victim()
    kill(first.pid)
    place.no_fault()
    second = place.start_run()
    until(lambda: "already serves" in place.said(), "the new JEDI is refused")
    os.kill(orphan, signal.SIGCONT)
    assert second.wait(PATIENCE_S) == 0, place.said()
    audit.check(place)


def _lead_to(place: Place, point: str) -> None:
    if point in AFTER:
        _both_die(place, AFTER[point], 1)


def _both_die(place: Place, point: str, passing: int) -> None:
    place.fault(point, passing, stop=True)
    parent = place.start_run()
    until(lambda: has_stopped(place.victim()) or parent.poll() is not None, f"{point} is passed")
    assert place.victim(), f"{point} was not passed\n{place.said()}"
    kill(parent.pid, *place.find("deft.jedi"))
    assert parent.wait() == -signal.SIGKILL
    place.no_fault()
