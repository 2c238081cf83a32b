"""What DEFT leans on goes away: its bells are silent, its database server crashes in the middle."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults import audit
from tests.faults.scenario import DEADLINE_S, Place, until
from tests.support.postgres import Cluster
from tests.support.repository import ROOT

pytestmark = pytest.mark.faults

# Python runs it at the start of every process, before DEFT.
SILENCE = "from deft.wire import hints\nhints.bell = lambda *_: hints.SilentBell()\n"


def test_with_every_bell_silent_it_ends_the_same(place: Place, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.mkdir()
    (silent / "sitecustomize.py").write_text(SILENCE)
    place.environ |= {
        "PYTHONPATH": f"{silent}:{ROOT}",
        "DEFT_JEDI__POLL_S": "0.2",
        "DEFT_SWEEP__EVERY_S": "0.2",
    }
    assert place.run() == 0, place.said()
    assert not (place.workdir / "deft.bells").exists()
    audit.check(place)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_bells_that_are_deleted_under_way_hold_nothing_up(place: Place) -> None:
    place.environ |= {"DEFT_JEDI__POLL_S": "0.2", "DEFT_SWEEP__EVERY_S": "0.2"}
    process = place.start_run()
    until(place.lines, "payloads run")
    for path in (place.workdir / "deft.bells").iterdir():
        path.unlink()
    assert process.wait(DEADLINE_S) == 0, place.said()
    audit.check(place)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("down_s", [0.0, 1.5])
def test_the_database_server_crashes_in_the_middle(place: Place, postgres: Cluster, down_s: float) -> None:
    process = place.start_run()
    until(lambda: len(place.lines()) > 2, "payloads run")
    postgres.stop("immediate")
    time.sleep(down_s)
    postgres.start()
    place.engine.dispose()
    assert process.wait(DEADLINE_S) == 0, place.said()  # it waits, and goes on by itself
    audit.check(place)
