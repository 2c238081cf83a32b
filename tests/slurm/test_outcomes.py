"""How jobs end on a real cluster, and what becomes of them then: one rule a test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deft.jedi.tables import jedi_job
from deft.wire.orders import dump
from tests.jedi.bench import output, spec, stop, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import SlurmBench
from tests.support import slurm

# Takes as many megabytes as its first argument says, and holds them for a while.
HOG = f"{sys.executable} -c 'import sys, time; x = bytearray({{}} << 20); time.sleep({{}})'"


def test_a_job_out_of_memory_gets_half_as_much_again_and_the_others_do_not(bench: SlurmBench) -> None:
    command = f"echo {{unit.key}} >> $LOG; test {{unit.key}} != 2 || {HOG.format(110, 3)}"
    settings = {"resources.memory_mb": 100}
    bench.run(logging_spec(bench, command, inputs=(synthetic(3),), settings=settings))
    bench.work()
    assert bench.counts() == {"ok": 3}, bench.said()
    assert sorted(bench.log()) == ["1", "2", "2", "3"]
    asked = {job["number"]: job["memory_mb"] for job in bench.jobs()}
    assert asked == {1: None, 2: 150, 3: None}
    assert sorted(bench.outcomes()) == ["memory", "ok", "ok", "ok"]
    again = next(a for a in bench.attempts() if a["number"] == 2)
    assert (again["asked_mb"], again["outcome"]) == (150, "ok")
    bench.check_books()


def test_memory_that_slurm_itself_watches_is_told_apart_too(tmp_path: Path, farm: slurm.Cluster) -> None:
    watching = slurm.open_cluster(by_kernel=False)
    try:
        bench = SlurmBench(tmp_path, watching)
        bench.run(spec(HOG.format(110, 5), settings={"resources.memory_mb": 100}))
        bench.work()
        assert bench.outcomes() == ["memory", "ok"], bench.said()
        assert bench.jobs()[0]["memory_mb"] == 150
        bench.close()
    finally:
        watching.close()


def test_a_job_that_takes_too_long_gets_half_as_long_again(bench: SlurmBench) -> None:
    bench.run(logging_spec(bench, "echo x >> $LOG; sleep 2.5", settings={"resources.walltime_s": 2}))
    bench.work()
    assert bench.outcomes() == ["timeout", "ok"]
    assert [a["asked_s"] for a in bench.attempts()] == [2, 3]


@pytest.mark.slow  # the shortest limit of Slurm is a minute
def test_a_job_that_slurm_ends_for_its_time_gets_longer(bench: SlurmBench) -> None:
    command = "echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 200"
    bench.run(logging_spec(bench, command, settings={"resources.partition": "short"}))
    bench.work()
    assert bench.outcomes() == ["timeout", "ok"], bench.said()
    assert bench.jobs()[0]["walltime_s"] > 60


def _long(bench: SlurmBench, jobs: int = 1, **settings: object) -> None:
    """Jobs that run until `go` is there."""
    command = f"echo {{unit.key}} >> $LOG; until test -e {bench.workdir}/go; do sleep 0.1; done"
    bench.run(logging_spec(bench, command, inputs=(synthetic(jobs),), settings=settings))


def test_a_job_whose_node_fails_runs_again_and_nothing_is_charged(bench: SlurmBench) -> None:
    _long(bench)
    process = bench.serve()
    until(lambda: bench.log() == ["1"], bench.said())
    [[node]] = bench.farm.queue("%N")
    bench.farm.run("scontrol", "update", f"nodename={node}", "state=down", "reason=drill")
    until(lambda: bench.log() == ["1", "1"], bench.said())
    (bench.workdir / "go").touch()
    until(lambda: bench.counts() == {"ok": 1}, bench.said())
    assert stop(process) == 0
    assert bench.outcomes() == ["node", "ok"]
    [job] = bench.jobs()
    assert (job["charged"], job["losses"]) == (0, 1)
    bench.check_books()


def test_a_job_that_makes_room_for_others_runs_again_and_nothing_is_charged(bench: SlurmBench) -> None:
    _long(bench, **{"resources.cores": slurm.CPUS})
    process = bench.serve()
    until(lambda: bench.log() == ["1"], bench.said())
    urgent = ("-p", "urgent", f"-N{slurm.NODES}", "--exclusive", "-o", "/dev/null")
    bench.farm.run("sbatch", *urgent, "--wrap", "sleep 1")
    until(lambda: bench.outcomes()[0] != "open", bench.said())
    (bench.workdir / "go").touch()
    until(lambda: bench.counts() == {"ok": 1}, bench.said())
    assert stop(process) == 0
    assert bench.outcomes() == ["preempted", "ok"]
    assert (bench.jobs()[0]["charged"], bench.jobs()[0]["losses"]) == (0, 0)


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_what_somebody_cancels_fails_and_is_never_tried_again(bench: SlurmBench, state: str) -> None:
    whole = {"resources.cores": slurm.CPUS}  # a node a job: two of six have to wait
    _long(bench, 6, **whole)
    process = bench.serve()
    until(lambda: len(bench.log()) == slurm.NODES, bench.said())
    until(lambda: sum(a["state"] == "running" for a in bench.attempts()) == slurm.NODES, "it knows")
    wanted = {"running": "RUNNING", "waiting": "PENDING"}[state]
    [element, *_] = [one for one, found, _ in bench.farm.queue() if found == wanted]
    bench.farm.run("scancel", element)
    until(lambda: bench.counts().get("failed") == 1, bench.said())
    (bench.workdir / "go").touch()
    until(lambda: bench.counts() == {"ok": 5, "failed": 1}, bench.said())
    assert stop(process) == 0
    assert sorted(bench.outcomes()) == ["cancelled"] + ["ok"] * 5
    assert "cancelled by somebody else" in bench.task()["reason"]
    assert "deft retry m/t1" in bench.task()["reason"]
    assert [job["attempts"] for job in bench.rows(jedi_job)] == [1] * 6
    bench.check_books()


REFUSED = [
    ({"resources.partition": "nosuch"}, "Invalid partition name", "resources.partition"),
    ({"resources.memory_mb": 10**7}, "configuration is not available", "resources.memory_mb"),
    ({"resources.cores": 1000}, "", "resources.cores"),
    ({"resources.constraint": "no such"}, "", "resources.constraint"),
    ({"resources.partition": "short", "resources.walltime_s": 9999}, "time limit", "resources.walltime_s"),
    ({"resources.extra": "--nonsense"}, "unrecognized option", "resources.extra"),
]


@pytest.mark.parametrize(("settings", "words", "field"), REFUSED, ids=[field for _, _, field in REFUSED])
def test_what_slurm_declines_breaks_its_task_alone(
    bench: SlurmBench, settings: dict[str, object], words: str, field: str
) -> None:
    bench.run(spec("true", inputs=(synthetic(2),), settings=settings))
    bench.run(spec("true", task=2, inputs=(synthetic(1, edge=2, dataset=2),)))
    bench.work()
    report = bench.task()
    assert (report["rejected"], report["idle"], bench.counts(2)) == (1, 1, {"ok": 1})
    assert words.lower() in report["reason"].lower()
    assert field in report["reason"].partition("; change ")[2]
    assert bench.counts() == {"ready": 2}
    bench.check_books()


def test_a_task_that_was_declined_runs_once_it_is_mended(bench: SlurmBench) -> None:
    bench.run(spec("true", settings={"resources.partition": "nosuch"}))
    bench.work()
    bench.order("retry", dump(spec("true")), task=1)
    bench.work()
    assert (bench.counts(), bench.task()["rejected"]) == ({"ok": 1}, 0)


def test_a_job_that_needs_more_than_there_is_fails_and_its_task_goes_on(bench: SlurmBench) -> None:
    command = "test {unit.key} != 2 || kill -9 $$; echo x > {output}"
    settings = {
        "resources.memory_mb": slurm.MEMORY_MB - 100,
        "retry.rules": '[{"class": "signal", "memory": 1.5}]',
    }
    bench.run(spec(command, inputs=(synthetic(2),), outputs=(output(2),), settings=settings))
    bench.work()
    assert bench.counts() == {"ok": 1, "failed": 1}, bench.said()
    assert "declines it" in bench.task()["reason"]


def test_a_python_that_is_not_there_is_no_fault_of_the_jobs(tmp_path: Path, farm: slurm.Cluster) -> None:
    bench = SlurmBench(tmp_path, farm, python="/no/such/python")
    bench.run(spec("true"))
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert set(bench.outcomes()) == {"launch"}
    assert "/no/such/python" in bench.task()["reason"]
    assert bench.jobs()[0]["charged"] == 0
    bench.close()
