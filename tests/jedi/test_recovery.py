"""JEDI dies in every way and place: no payload runs twice, nothing is lost, each output exists once."""

from __future__ import annotations

import os
import signal
import socket
import time
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from deft.base import faults
from deft.base.clock import ManualClock
from deft.base.database import writing
from deft.base.errors import BadInput, Refused
from deft.jedi import claims, lease
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_lease
from tests.jedi.bench import Bench, output, spec, stop, synthetic, until

UNITS = 8


def _logging(bench: Bench, pause: str = "") -> None:
    """Order a task whose payloads append their unit to the log and write an output."""
    environ = {"LOG": str(bench.workdir / "ran.log")}
    command = f"echo {{unit.key}} >> $LOG; {pause} echo {{unit.key}} > {{output}}"
    bench.run(spec(command, inputs=(synthetic(UNITS),), outputs=(output(2),), env=environ))


def _wrapper_pids(bench: Bench) -> list[int]:
    found = [claims.read_claim(path.parent) for path in bench.workdir.glob("jobs/*/*/*/*/claim")]
    return sorted({one.pid for one in found if one is not None and claims.is_alive(one.pid, one.start)})


def _moved(bench: Bench, seen: int) -> bool:
    return len(bench.log()) > seen or bench.counts() == {"ok": UNITS}


def _check_each_ran_once(bench: Bench) -> None:
    assert sorted(map(int, bench.log())) == list(range(1, UNITS + 1))
    _check_outputs(bench)


def _check_outputs(bench: Bench) -> None:
    assert bench.counts() == {"ok": UNITS}
    assert sorted(int(text) for text in bench.files("p.m.t.out2").values()) == list(range(1, UNITS + 1))
    assert bench.dataset(2)["available"] == UNITS
    assert [a for a in bench.rows(jedi_attempt) if a["open"]] == []
    bench.check_books()


def test_a_killed_jedi_is_followed_by_one_that_runs_nothing_twice(bench: Bench) -> None:
    _logging(bench, "sleep 0.1;")
    first = bench.start()
    until(lambda: len(bench.log()) >= 4, "some ran")
    stop(first, signal.SIGKILL)
    bench.work()
    _check_each_ran_once(bench)


def test_what_a_dead_jedi_left_running_is_adopted(bench: Bench) -> None:
    _logging(bench, "sleep 0.6;")
    first = bench.start()
    until(lambda: len(bench.log()) == 2, "two run")
    stop(first, signal.SIGKILL)
    second = bench.start()
    until(lambda: bench.counts() == {"ok": UNITS}, "all ok")
    assert stop(second) == 0
    _check_each_ran_once(bench)


def test_killed_again_and_again_it_comes_to_an_end(bench: Bench) -> None:
    _logging(bench, "sleep 0.02;")
    for _ in range(4):
        process = bench.start()
        seen = len(bench.log())
        until(partial(_moved, bench, seen))
        stop(process, signal.SIGKILL)
    bench.work()
    _check_each_ran_once(bench)


@pytest.mark.parametrize("fault", ["", "jedi.reconcile-payload-killed"])
def test_when_jedi_and_its_wrappers_die_the_payload_is_killed_and_runs_anew(bench: Bench, fault: str) -> None:
    environ = {"LOG": str(bench.workdir / "ran.log")}
    command = "echo $$ >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 60"
    bench.run(spec(command, env=environ))
    process = bench.start()
    until(lambda: len(bench.log()) == 1 and _wrapper_pids(bench))
    wrappers = _wrapper_pids(bench)
    stop(process, signal.SIGKILL)
    for pid in wrappers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not _wrapper_pids(bench))
    payload = int(bench.log()[0])
    assert claims.is_alive(payload, claims.start_time(payload))
    if fault:
        second = bench.start("once", fault)
        second.communicate(timeout=30)
        assert second.returncode == -signal.SIGKILL
    bench.work()
    assert bench.counts() == {"ok": 1}
    assert not claims.is_alive(payload, claims.start_time(payload))
    [job] = bench.rows(jedi_job)
    assert (job["losses"], job["charged"], job["attempts"]) == (1, 0, 2)


def test_a_wrapper_that_dies_is_replaced_and_its_attempt_is_not_charged(bench: Bench) -> None:
    environ = {"LOG": str(bench.workdir / "ran.log")}
    bench.run(spec("echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 60", env=environ))
    process = bench.start()
    until(lambda: bench.log() != [] and _wrapper_pids(bench))
    for pid in _wrapper_pids(bench):
        os.kill(pid, signal.SIGKILL)
    until(lambda: bench.counts() == {"ok": 1}, "ok")
    assert stop(process) == 0
    assert [(a["outcome"], a["exit_code"]) for a in bench.rows(jedi_attempt)] == [("lost", None), ("ok", 0)]


def test_a_job_that_is_lost_again_and_again_fails_at_last(bench: Bench) -> None:
    bench.run(spec("kill -9 $PPID; sleep 60"))
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert bench.rows(jedi_job)[0]["state"] == "lost"
    assert "was lost 6 times" in bench.task()["reason"]


def test_told_to_stop_it_lets_what_runs_finish(bench: Bench) -> None:
    _logging(bench, "sleep 0.3;")
    process = bench.start()
    until(lambda: len(bench.log()) == 2)
    assert stop(process) == 0
    assert bench.counts() == {"ok": 2, "ready": UNITS - 2}
    bench.check_books()
    bench.work()
    _check_each_ran_once(bench)


def test_told_twice_it_stops_what_runs_and_charges_nothing(bench: Bench) -> None:
    environ = {"LOG": str(bench.workdir / "ran.log")}
    bench.run(spec("echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 60", env=environ))
    process = bench.start()
    until(lambda: bench.log() != [])
    process.terminate()
    time.sleep(0.1)  # two signals at once are one
    assert stop(process) == 0
    assert bench.counts() == {"ready": 1}
    assert [(a["outcome"], a["open"]) for a in bench.rows(jedi_attempt)] == [("cancelled", None)]
    bench.work()
    assert bench.counts() == {"ok": 1}
    assert bench.rows(jedi_job)[0]["charged"] == 0


def test_it_ends_with_its_parent_and_leaves_what_runs_alone(bench: Bench) -> None:
    go = bench.workdir / "go"
    _logging(bench, f"while [ ! -e {go} ]; do sleep 0.02; done;")
    process = bench.start("child")
    until(lambda: len(bench.log()) == 2)
    process.communicate(timeout=20)  # closes its standard input
    assert process.returncode == 0  # while its payloads wait for us
    go.touch()
    bench.work()
    _check_each_ran_once(bench)


def test_an_interrupt_is_left_to_the_parent(bench: Bench) -> None:
    process = bench.start("child")
    until(lambda: bench.rows(jedi_lease) != [])
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    bench.run(spec("true"))
    until(lambda: bench.counts() == {"ok": 1})
    process.communicate(timeout=10)
    assert process.returncode == 0


# --- the lease ---------------------------------------------------------------------------------------------


def test_a_second_jedi_is_refused_by_name(bench: Bench) -> None:
    process = bench.start()
    until(lambda: bench.rows(jedi_lease) != [])
    with pytest.raises(Refused, match=rf"pid {process.pid} on {socket.gethostname()}, since 20"):
        bench.work()
    stop(process)


def test_a_dead_holder_on_this_host_is_followed_at_once(bench: Bench) -> None:
    process = bench.start()
    until(lambda: bench.rows(jedi_lease) != [])
    stop(process, signal.SIGKILL)
    bench.work()
    assert bench.rows(jedi_lease) == []


def test_a_holder_elsewhere_is_followed_when_its_lease_expires(bench: Bench) -> None:
    lease.take(bench.engine, bench.clock)
    _elsewhere(bench, seconds=20)
    with pytest.raises(Refused, match="on elsewhere"):
        lease.take(bench.engine, bench.clock)
    _elsewhere(bench, seconds=-1)
    lease.take(bench.engine, bench.clock)


def test_who_lost_the_lease_stops(bench: Bench) -> None:
    clock = ManualClock()
    mine = lease.take(bench.engine, clock)
    _elsewhere(bench, seconds=-1)
    lease.take(bench.engine, bench.clock)
    clock.advance(lease.RENEW_S)
    with pytest.raises(Refused, match="took this database over"):
        mine.renew_if_due()


def _elsewhere(bench: Bench, *, seconds: float) -> None:
    expires = bench.clock.now() + timedelta(seconds=seconds)
    with writing(bench.engine) as conn:
        conn.execute(sa.update(jedi_lease).values(host="elsewhere", expires=expires))


# --- faults at named points --------------------------------------------------------------------------------

ELSEWHERE = {"jedi.reconcile-payload-killed"}  # needs a wrapper that died: see above
POINTS = [point for point in faults.POINTS if point.startswith("jedi.") and point not in ELSEWHERE]


@pytest.mark.faults
@pytest.mark.parametrize("passing", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_loses_and_repeats_nothing(bench: Bench, point: str, passing: int) -> None:
    _logging(bench)
    if point == "jedi.reconcile-revoked":  # there must be intents to take back
        stop(bench.start("once", "jedi.before-hand-over"), signal.SIGCONT)
    process = bench.start("once", f"{point}:{passing}")
    _, said = process.communicate(timeout=30)
    died = process.returncode == -signal.SIGKILL
    assert died or (passing > 1 and process.returncode == 0), said.decode()
    bench.work()
    _check_each_ran_once(bench)


def test_an_unknown_point_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'jedi\.nowhere' is no fault point"):
        faults.parse({"DEFT_TEST_FAULT": "jedi.nowhere"})


def test_a_point_and_its_passing_are_read() -> None:
    assert faults.parse({"DEFT_TEST_FAULT": "jedi.planned:3"}) == ("jedi.planned", 3)
    assert faults.parse({}) == ("", 1)
