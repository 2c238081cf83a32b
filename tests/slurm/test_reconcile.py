"""What a new JEDI finds: the database, the cluster and the disk disagree, and each has its rule."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from deft.base.database import writing
from deft.jedi.tables import jedi_submission
from tests.jedi.bench import output, stop, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import SlurmBench
from tests.support import slurm

pytestmark = pytest.mark.faults

JOBS = 4


def _left_at(bench: SlurmBench, point: str, command: str = "sleep 0.2") -> None:
    """A JEDI began some jobs and died at a point."""
    bench.run(
        logging_spec(bench, f"echo {{unit.key}} >> $LOG; {command}; echo x > {{output}}",
                     inputs=(synthetic(JOBS),), outputs=(output(2),))
    )  # fmt: skip
    process = bench.serve(point)
    assert process.wait(30) == -signal.SIGKILL, bench.said()


def _check(bench: SlurmBench, *, ran: int = JOBS) -> None:
    assert bench.counts() == {"ok": JOBS}, bench.said()
    assert len(bench.log()) == ran
    assert len(bench.files("p.m.t.out2")) == JOBS
    assert sum(job["charged"] for job in bench.jobs()) == 0
    bench.check_books()


def test_an_intent_without_files_was_never_told_to_anybody(bench: SlurmBench) -> None:
    _left_at(bench, "jedi.folder-made")
    assert not list(bench.workdir.glob("submit/*/command.json"))
    bench.work()
    _check(bench)
    assert bench.outcomes() == ["revoked"] * JOBS + ["ok"] * JOBS
    assert len(bench.arrays()) == 2


def test_files_without_an_id_may_have_been_taken_and_are_looked_up(bench: SlurmBench) -> None:
    _left_at(bench, "batch.submission-accepted")
    assert bench.job_id() == ""
    bench.work()
    _check(bench)
    assert bench.outcomes() == ["ok"] * JOBS
    assert bench.job_id() != ""


def test_what_is_found_nowhere_is_submitted_again_under_the_same_token(bench: SlurmBench) -> None:
    _left_at(bench, "batch.before-submission")
    process = bench.serve()
    until(lambda: bench.counts() == {"ok": JOBS}, bench.said())
    assert stop(process) == 0
    _check(bench)
    assert len(bench.arrays()) == 1


def test_an_array_that_was_submitted_twice_runs_once(bench: SlurmBench) -> None:
    _left_at(bench, "batch.before-submission")
    for _ in range(2):
        _submit_by_hand(bench)
    bench.work()
    _check(bench)
    assert bench.outcomes() == ["ok"] * JOBS
    until(lambda: not bench.farm.queue(), "nothing is left behind")


def _submit_by_hand(bench: SlurmBench) -> str:
    [path] = bench.workdir.glob("submit/*/command.json")
    return bench.farm.run(*json.loads(path.read_text())).strip()


def test_results_on_disk_count_though_the_cluster_has_forgotten_the_jobs(tmp_path: Path) -> None:
    farm = slurm.open_cluster(min_job_age_s=2)
    try:
        bench = SlurmBench(tmp_path, farm)
        _left_at(bench, "batch.submission-accepted")
        until(lambda: len(bench.files("p.m.t.out2")) == JOBS, bench.said())
        farm.close()
        farm = slurm.open_cluster()  # another one: it knows nothing, and gives the same numbers again
        other = SlurmBench(tmp_path, farm)
        other.work()
        _check(other)
        assert other.outcomes() == ["ok"] * JOBS
        bench.close()
        other.close()
    finally:
        farm.close()


def test_a_number_that_belongs_to_somebody_else_is_not_ours(bench: SlurmBench) -> None:
    _left_at(bench, "batch.before-submission")
    stranger = bench.farm.run("sbatch", "--parsable", "--array=0-3", "-o", "/dev/null", "--wrap", "sleep 4")
    with writing(bench.engine) as conn:
        conn.execute(sa.update(jedi_submission).values(job_id=stranger.strip()))
    bench.work()
    _check(bench)
    assert bench.outcomes() == ["lost"] * JOBS + ["ok"] * JOBS
    assert {state for _, state, _ in bench.farm.queue()} == {"RUNNING"}


def test_what_ended_and_was_cancelled_meanwhile_is_told_apart(bench: SlurmBench) -> None:
    go = bench.workdir / "go"
    command = f"echo {{unit.key}} >> $LOG; test {{unit.key}} = 1 || until test -e {go}; do sleep 0.1; done"
    bench.run(logging_spec(bench, command, inputs=(synthetic(3),)))
    process = bench.serve()
    until(lambda: len(bench.log()) == 3, bench.said())
    until(lambda: bench.counts() == {"ok": 1, "running": 2}, bench.said())
    until(lambda: bench.job_id() != "", "it has its number")
    _kill(process)
    bench.farm.run("scancel", f"{bench.job_id()}_1")
    until(lambda: len(bench.farm.queue()) == 1, "one was cancelled")
    go.touch()
    until(lambda: not bench.farm.queue(), "the other has ended")
    bench.work()
    assert bench.counts() == {"ok": 2, "failed": 1}, bench.said()
    assert "cancelled by somebody else" in bench.task()["reason"]
    bench.check_books()


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
