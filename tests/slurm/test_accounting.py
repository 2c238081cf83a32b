"""A cluster with accounting, whose controller forgets jobs two seconds after their end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jedi.bench import stop, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import SlurmBench
from tests.support import slurm

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(tmp_path: Path, booked_cluster: slurm.Cluster) -> Iterator[SlurmBench]:
    """A work folder whose jobs run there."""
    booked_cluster.clear()
    made = SlurmBench(tmp_path, booked_cluster)
    yield made
    made.close()


def _left_alone(bench: SlurmBench, command: str, jobs: int = 1, **settings: object) -> None:
    """Jobs were submitted, ended and forgotten while no JEDI looked."""
    bench.run(logging_spec(bench, command, inputs=(synthetic(jobs),), settings=settings))
    process = bench.serve()
    until(lambda: len(bench.log()) == jobs and bench.job_id(), bench.said())
    process.kill()
    process.wait()


def _forgotten(bench: SlurmBench) -> None:
    until(lambda: not bench.farm.queue("%i|%T|%j", "-t", "all"), "the controller has forgotten them")


def test_jobs_run_and_the_accounting_has_our_token(bench: SlurmBench) -> None:
    bench.run(logging_spec(bench, inputs=(synthetic(3),)))
    bench.work()
    assert bench.counts() == {"ok": 3}
    [array] = bench.arrays()
    ask = ("sacct", "-X", "-n", "-P", f"--name={array['token']}", "-o", "JobID")
    until(lambda: len(bench.farm.run(*ask).splitlines()) == 3, "three records")


def test_why_a_forgotten_job_ended_is_in_the_accounting(bench: SlurmBench) -> None:
    command = "echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 600"
    _left_alone(bench, command)
    bench.farm.run("scancel", bench.job_id())
    _forgotten(bench)
    until(lambda: "CANCELLED" in bench.farm.run("sacct", "-X", "-n", "-j", bench.job_id()), "booked")
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert bench.outcomes() == ["cancelled"]
    assert "cancelled by somebody else" in bench.task()["reason"]


def test_memory_that_ran_out_is_told_by_the_accounting_too(bench: SlurmBench) -> None:
    if not slurm.has_memory_cgroup():
        pytest.skip("memory limits of the kernel need root and cgroup v1")
    hog = "python3 -c 'x = bytearray(110 << 20)'"
    command = f"echo x >> $LOG; if test $(wc -l < $LOG) = 1; then sleep 1; {hog}; fi"
    _left_alone(bench, command, **{"resources.memory_mb": 100})
    _forgotten(bench)
    bench.work()
    assert bench.outcomes() == ["memory", "ok"]
    assert bench.jobs()[0]["memory_mb"] == 150


def test_without_the_accounting_daemon_nothing_is_decided_that_it_must_say(bench: SlurmBench) -> None:
    _left_alone(bench, "echo x >> $LOG; sleep 600")
    bench.farm.run("scancel", bench.job_id())
    _forgotten(bench)
    bench.farm.stop("slurmdbd")
    process = bench.serve()
    until(lambda: "does not answer" in bench.said(), bench.said())
    time.sleep(2.0)  # longer than the grace
    assert bench.counts() == {"running": 1}
    bench.farm.start_missing()
    until(lambda: bench.counts() == {"failed": 1}, bench.said())
    assert stop(process) == 0
    assert bench.outcomes() == ["cancelled"]


def test_jobs_are_submitted_and_end_well_without_the_accounting_daemon(bench: SlurmBench) -> None:
    bench.farm.stop("slurmdbd")
    bench.run(logging_spec(bench, inputs=(synthetic(3),)))
    bench.work()
    assert bench.counts() == {"ok": 3}
    bench.farm.start_missing()
