"""Jobs of a task on a real cluster: arrays, what they ask for, what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jedi.bench import output, spec, synthetic, until
from tests.jedi.work import logging_spec
from tests.slurm.bench import NAME, SlurmBench
from tests.support import slurm


def test_jobs_that_need_the_same_go_as_one_array(bench: SlurmBench) -> None:
    bench.run(spec("echo {unit.key} > {output}", inputs=(synthetic(20),), outputs=(output(2),)))
    bench.work()
    assert bench.counts() == {"ok": 20}
    assert sorted(int(text) for text in bench.files("p.m.t.out2").values()) == list(range(1, 21))
    [array] = bench.arrays()
    assert (array["cluster"], array["size"], array["job_id"].isdigit()) == (NAME, 20, True)
    attempts = bench.attempts()
    assert {(a["backend"], a["submission_id"]) for a in attempts} == {(NAME, array["id"])}
    assert sorted(a["array_index"] for a in attempts) == list(range(20))
    bench.check_books()


def test_jobs_that_need_other_things_go_apart(bench: SlurmBench) -> None:
    bench.run(spec("true", inputs=(synthetic(2),), settings={"resources.memory_mb": 100}))
    other = {"resources.memory_mb": 200, "resources.walltime_s": 100, "resources.cores": 2}
    bench.run(spec("sleep 1", task=2, inputs=(synthetic(3, edge=2, dataset=2),), settings=other))
    process = bench.serve()
    until(lambda: len(bench.farm.queue()) == 3, "the second task is there alone")
    id_ = bench.job_id()
    shown = bench.farm.queue("%m|%l|%C|%j", "-j", id_)
    assert [one[:3] for one in shown] == [["200M", "2:00", "2"]] * 3
    until(lambda: bench.counts(2) == {"ok": 3}, bench.said())
    process.terminate()
    assert process.wait(20) == 0
    assert sorted(array["size"] for array in bench.arrays()) == [2, 3]


def test_an_array_is_no_larger_than_allowed(tmp_path: Path, farm: slurm.Cluster) -> None:
    bench = SlurmBench(tmp_path, farm, max_array=4, max_jobs=9)
    bench.run(logging_spec(bench, inputs=(synthetic(10),)))
    bench.work()
    assert bench.counts() == {"ok": 10}
    assert [array["size"] for array in bench.arrays()][:3] == [4, 4, 1]
    assert sorted(map(int, bench.log())) == list(range(1, 11))
    bench.close()


def test_a_failing_payload_is_tried_three_times_and_says_why(bench: SlurmBench) -> None:
    bench.run(logging_spec(bench, "echo x >> $LOG; echo no such luck >&2; exit 200"))
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert [(a["outcome"], a["exit_code"]) for a in bench.attempts()] == [("exit", 200)] * 3
    assert bench.log() == ["x"] * 3
    assert "exit code 200: no such luck" in bench.task()["reason"]
    bench.check_books()


def test_a_job_sees_nothing_of_our_environment_but_what_is_named(
    tmp_path: Path, farm: slurm.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "do not tell")
    monkeypatch.setenv("WANTED", "tell")
    bench = SlurmBench(tmp_path, farm, environment="WANTED")
    bench.run(spec("echo [$SECRET] [$WANTED] > {output}", outputs=(output(2),)))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "[] [tell]\n"}
    bench.close()


def test_tasks_of_this_machine_and_of_a_cluster_run_beside_each_other(bench: SlurmBench) -> None:
    bench.run(spec("true", inputs=(synthetic(3),), settings={"cluster": "local"}))
    bench.run(spec("true", task=2, inputs=(synthetic(3, edge=2, dataset=2),), settings={"cluster": NAME}))
    bench.work()
    assert (bench.counts(1), bench.counts(2)) == ({"ok": 3}, {"ok": 3})
    assert sorted({a["backend"] for a in bench.attempts()}) == [NAME, "local"]


def test_a_cluster_that_nobody_knows_breaks_its_task_alone(bench: SlurmBench) -> None:
    bench.run(spec("true", settings={"cluster": "nowhere"}))
    bench.run(spec("true", task=2, inputs=(synthetic(1, edge=2, dataset=2),)))
    bench.work()
    assert (bench.task()["rejected"], bench.counts(2)) == (1, {"ok": 1})
    assert "they know farm, local" in bench.task()["reason"]
