"""Operators at work while jobs are on a cluster, and a JEDI that is stopped and started."""

from __future__ import annotations

import subprocess

import pytest

from tests.jedi.bench import stop, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import SlurmBench
from tests.support import slurm

JOBS = slurm.NODES + 3
WHOLE = {"resources.cores": slurm.CPUS}  # a node a job: the others have to wait


@pytest.fixture
def jedi(bench: SlurmBench) -> subprocess.Popen[bytes]:
    """A JEDI with one task, of which some jobs run and some wait."""
    command = f"echo {{unit.key}} >> $LOG; until test -e {bench.workdir}/go; do sleep 0.1; done"
    bench.run(logging_spec(bench, command, inputs=(synthetic(JOBS),), settings=WHOLE))
    process = bench.serve()
    until(lambda: len(bench.log()) == slurm.NODES, bench.said())
    until(lambda: sum(row["state"] == "running" for row in bench.attempts()) == slurm.NODES, "it knows")
    return process


def _go(bench: SlurmBench) -> None:
    (bench.workdir / "go").touch()


def _end(bench: SlurmBench, jedi: subprocess.Popen[bytes]) -> None:
    assert stop(jedi) == 0, bench.said()
    bench.check_books()
    until(lambda: not bench.farm.queue(), "nothing is left behind")


def test_a_hold_takes_back_what_waits_and_lets_run_what_runs(
    bench: SlurmBench, jedi: subprocess.Popen[bytes]
) -> None:
    bench.order("hold", {"mode": "drain"}, task=1)
    until(lambda: bench.counts() == {"running": slurm.NODES, "ready": 3}, bench.said())
    until(lambda: len(bench.farm.queue()) == slurm.NODES, "what waited is gone from the queue")
    _go(bench)
    until(lambda: bench.counts() == {"ok": slurm.NODES, "ready": 3}, bench.said())
    bench.order("resume", {}, task=1)
    until(lambda: bench.counts() == {"ok": JOBS}, bench.said())
    assert sorted(map(int, bench.log())) == list(range(1, JOBS + 1))
    assert sum(job["charged"] + job["losses"] for job in bench.jobs()) == 0
    _end(bench, jedi)


def test_a_killing_hold_ends_what_runs_and_charges_nothing(
    bench: SlurmBench, jedi: subprocess.Popen[bytes]
) -> None:
    bench.order("hold", {"mode": "kill"}, task=1)
    # The units are ready again before the books know how each attempt ended, or after: both come.
    until(lambda: bench.counts() == {"ready": JOBS} and "open" not in bench.outcomes(), bench.said())
    assert set(bench.outcomes()) == {"cancelled", "revoked"}
    _go(bench)
    bench.order("resume", {}, task=1)
    until(lambda: bench.counts() == {"ok": JOBS}, bench.said())
    assert sum(job["charged"] for job in bench.jobs()) == 0
    _end(bench, jedi)


def test_abort_ends_all_of_it(bench: SlurmBench, jedi: subprocess.Popen[bytes]) -> None:
    bench.order("abort", {}, task=1)
    until(lambda: bench.task()["idle"] == 1, bench.said())
    assert bench.counts() == {"skipped": JOBS}
    _end(bench, jedi)


def test_jobs_go_on_while_no_jedi_is_there_and_the_next_one_takes_them_up(
    bench: SlurmBench, jedi: subprocess.Popen[bytes]
) -> None:
    assert stop(jedi) == 0
    assert len(bench.farm.queue()) == JOBS
    assert bench.outcomes() == ["open"] * JOBS
    _go(bench)
    until(lambda: not bench.farm.queue(), "all of them end")
    bench.work()
    assert bench.counts() == {"ok": JOBS}
    assert sorted(map(int, bench.log())) == list(range(1, JOBS + 1))
    assert bench.outcomes() == ["ok"] * JOBS
    bench.check_books()


def test_a_limit_is_kept_on_a_cluster_too(bench: SlurmBench) -> None:
    settings = {"max_running": 2}
    bench.run(logging_spec(bench, "sleep 0.5", inputs=(synthetic(5),), settings=settings))
    process = bench.serve()
    most = 0
    while bench.counts() != {"ok": 5}:
        most = max(most, len(bench.farm.queue()))
    assert stop(process) == 0
    assert most <= 2
