"""JEDI in trouble, and under control: payloads that fail, operators who hold, abort and retry."""

from __future__ import annotations

import pytest

from deft.jedi.tables import jedi_attempt, jedi_job
from deft.wire.orders import Input, dump
from tests.jedi.bench import Bench, output, spec, stop, synthetic, until
from tests.jedi.work import LOG, logging_spec

# --- failures ----------------------------------------------------------------------------------------------


def test_a_failing_payload_is_tried_three_times(bench: Bench) -> None:
    bench.run(logging_spec(bench, LOG + "; echo no such luck >&2; exit 2"))
    bench.work()
    assert len(bench.log()) == 3
    assert bench.counts() == {"failed": 1}
    [job] = bench.rows(jedi_job)
    assert bench.task()["reason"] == (
        f"job 1 failed 3 times: exit code 2: no such luck; see deft logs {job['id']} --stderr"
    )
    assert [(a["number"], a["exit_code"]) for a in bench.rows(jedi_attempt)] == [(1, 2), (2, 2), (3, 2)]
    bench.check_books()


def test_a_payload_that_recovers_is_ok(bench: Bench) -> None:
    bench.run(logging_spec(bench, LOG + "; test $(wc -l < $LOG) -ge 2", settings={"retry.max_attempts": 2}))
    bench.work()
    assert bench.counts() == {"ok": 1}


def test_a_missing_output_fails_the_job(bench: Bench) -> None:
    bench.run(spec(": {output}", outputs=(output(2),), settings={"retry.max_attempts": 1}))
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert "wrote no output out" in bench.task()["reason"]


def test_a_retry_order_tries_failed_units_again_and_leaves_the_ok_ones(bench: Bench) -> None:
    command = LOG + "; test {unit.key} != 2"
    task = logging_spec(bench, command, inputs=(synthetic(3),), settings={"retry.max_attempts": 1})
    bench.run(task)
    bench.work()
    assert bench.counts() == {"ok": 2, "failed": 1}
    mended = logging_spec(bench, inputs=(synthetic(3),))
    bench.order("retry", dump(mended), task=1)
    bench.work()
    assert (bench.counts(), bench.task()["jobs_failed"]) == ({"ok": 3}, 0)
    assert sorted(bench.log()) == ["1", "2", "2", "3"]
    bench.check_books()


def test_a_full_disk_says_what_to_do(bench: Bench) -> None:
    bench.run(spec("/bin/echo x > /dev/full"))
    bench.work()
    assert bench.task()["reason"] == f"no space left on {bench.workdir}: make room, then `deft retry m/t1`"


@pytest.mark.parametrize("command", ["", "echo {nonsense}", "echo {output.root}"])
def test_a_bad_definition_is_rejected_and_makes_no_job(bench: Bench, command: str) -> None:
    bench.run(spec(command))
    bench.work()
    report = bench.task()
    assert (report["rejected"], report["idle"], report["phase"]) == (1, 1, "rejected")
    assert report["reason"]
    assert bench.rows(jedi_job) == []


def test_a_rejected_task_runs_once_it_is_mended(bench: Bench) -> None:
    bench.run(spec("echo {nonsense}"))
    bench.work()
    bench.order("retry", dump(spec("true")), task=1)
    bench.work()
    assert (bench.counts(), bench.task()["rejected"], bench.task()["reason"]) == ({"ok": 1}, 0, None)


# --- controls ----------------------------------------------------------------------------------------------


def test_a_held_task_starts_nothing_until_it_is_resumed(bench: Bench) -> None:
    bench.order("hold", {"mode": "drain"}, task=1)
    bench.run(spec("true", inputs=(synthetic(3),)))
    bench.work()
    assert (bench.counts(), bench.task()["phase"]) == ({"ready": 3}, "held")
    bench.order("resume", {}, task=1)
    bench.work()
    assert bench.counts() == {"ok": 3}


def test_a_killing_hold_stops_what_runs_and_charges_nothing(bench: Bench) -> None:
    bench.run(logging_spec(bench, "echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 60"))
    jedi = bench.start()
    until(lambda: bench.log() != [])
    bench.order("hold", {"mode": "kill"}, task=1)
    until(lambda: bench.counts() == {"ready": 1}, "ready again")
    bench.order("resume", {}, task=1)
    until(lambda: bench.counts() == {"ok": 1}, "ok")
    assert stop(jedi) == 0
    assert bench.rows(jedi_job)[0]["charged"] == 0


def test_abort_kills_what_runs_and_skips_everything(bench: Bench) -> None:
    bench.run(logging_spec(bench, LOG + "; sleep 60", inputs=(synthetic(20),)))
    jedi = bench.start()
    until(lambda: len(bench.log()) == 2)
    bench.order("abort", {}, task=1)
    until(lambda: bench.task()["idle"] == 1, "idle")
    assert stop(jedi) == 0
    assert bench.counts() == {"skipped": 20}
    bench.check_books()


def test_a_soft_finish_lets_run_what_runs(bench: Bench) -> None:
    bench.run(logging_spec(bench, LOG + "; sleep 0.3", inputs=(synthetic(20),)))
    jedi = bench.start()
    until(lambda: len(bench.log()) == 2)
    bench.order("finish", {"mode": "soft"}, task=1)
    until(lambda: bench.task()["idle"] == 1, "idle")
    assert stop(jedi) == 0
    assert bench.counts() == {"ok": 2, "skipped": 18}


def test_what_was_skipped_runs_after_a_retry(bench: Bench) -> None:
    task = spec("true", inputs=(synthetic(3),))
    bench.order("hold", {}, task=1)
    bench.run(task)
    bench.order("abort", {}, task=1)
    bench.work()
    assert bench.counts() == {"skipped": 3}
    bench.order("retry", dump(task), task=1)
    bench.work()
    assert bench.counts() == {"ok": 3}


def test_discard_forgets_all_progress(bench: Bench) -> None:
    task = spec("true", inputs=(synthetic(3),), outputs=(output(2),))
    bench.run(task)
    bench.work()
    bench.order("discard", {}, task=1)
    bench.work()
    assert (bench.counts(), bench.dataset(2)["available"], bench.edge(1)["unfed"]) == ({}, 0, 3)
    bench.run(task)
    bench.work()
    assert (bench.counts(), bench.dataset(2)["available"]) == ({"ok": 3}, 3)


def test_a_reduce_task_makes_another_job_after_a_discard(bench: Bench) -> None:
    make = spec("echo {unit.key} > {output}", inputs=(synthetic(2),), outputs=(output(2),))
    whole = Input(2, 2, "p.m.t.out2", "out", producer="t1", reduce=True)
    join = spec("cat {inputs} > {output}", task=3, inputs=(whole,), outputs=(output(4),))
    for name in ("first", "second"):
        for task in (make, join):
            bench.run(task)
            bench.work()
        assert (bench.counts(1), bench.counts(3)) == ({"ok": 2}, {"ok": 2}), name
        bench.order("discard", {}, task=1)
        bench.order("discard", {}, task=3)
        for dataset in (2, 4):
            bench.order("discard", {}, dataset=dataset)
        bench.work()
        assert (bench.dataset(2)["available"], bench.dataset(4)["order_seq_applied"] > 0) == (0, True)
    assert list(bench.files("p.m.t.out4")) == ["000001", "000002"]


@pytest.mark.parametrize("kind", ["hold", "resume", "finish", "abort", "discard", "limit"])
def test_an_order_for_an_unknown_task_is_harmless(bench: Bench, kind: str) -> None:
    bench.order(kind, {}, task=5)
    bench.work()
    assert (bench.task(5)["order_seq_applied"], bench.task(5)["idle"]) == (1, 1)


def test_an_order_that_jedi_cannot_carry_out_is_answered(bench: Bench) -> None:
    bench.order("grow", {}, task=5)
    bench.order("recover", {"v": 1}, task=6)
    bench.work()
    assert "does not know how to grow a task" in (bench.answer(1) or {})["refused"]
    assert "nothing of this task was ever run here" in (bench.answer(2) or {})["refused"]
