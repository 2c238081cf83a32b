"""JEDI as DEFT sees it: orders in, jobs run by real processes, reports out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deft.base.config import Jedi
from deft.jedi.backends.local import LocalPool
from deft.jedi.cycle import Executor
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_unit
from deft.wire import hints
from deft.wire.orders import Input, TaskSpec, dump
from deft.wire.tables import wire_changed
from tests.jedi.bench import Bench, output, spec, stop, summary, synthetic, until

LOG = "echo {unit.key} >> $LOG"


def _logging(bench: Bench, command: str = LOG, **other: Any) -> TaskSpec:
    """A task whose payloads append their unit to the common log."""
    return spec(command, env={"LOG": str(bench.workdir / "ran.log")}, **other)


def _raw(bench: Bench, *names: str) -> str:
    folder = bench.workdir / "raw"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(name + "\n")
    return f"{folder}/*"


RAW = (Input(1, 1, "raw", "raw", closed=True),)

# --- the plain path ----------------------------------------------------------------------------------------


def test_a_synthetic_task_runs_every_number_once(bench: Bench) -> None:
    bench.run(_logging(bench, inputs=(synthetic(20),), outputs=(output(2),)))
    bench.work()
    assert sorted(map(int, bench.log())) == list(range(1, 21))
    assert bench.counts() == {"ok": 20}
    report = bench.task()
    assert (report["idle"], report["jobs_ok"], report["order_seq_applied"]) == (1, 20, 1)
    assert summary(report)["jobs"] == 20
    assert bench.dataset(2)["available"] == 20
    bench.check_books()


def test_a_task_maps_over_scanned_files(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a", "b", "c"))
    bench.run(spec("tr a-z A-Z < {input} > {output}", inputs=RAW, outputs=(output(2, format="txt"),)))
    bench.work()
    assert sorted(bench.files("p.m.t.out2").values()) == ["A\n", "B\n", "C\n"]
    assert list(bench.files("p.m.t.out2")) == ["000001.txt", "000002.txt", "000003.txt"]
    assert (bench.dataset(2)["available"], bench.dataset(2)["bytes"]) == (3, 6)
    assert bench.edge(1) == {"edge_id": 1, "task_id": 1, "dataset_id": 1, "unfed": 0, "missing": 0,
                             "seen_version": bench.dataset(1)["version"]}  # fmt: skip


def test_units_are_packed_as_the_split_says(bench: Bench) -> None:
    settings = {"split.units_per_job": 8}
    bench.run(
        spec("echo {inputs} > {output}", inputs=(synthetic(20),), outputs=(output(2),), settings=settings)
    )
    bench.work()
    assert list(bench.files("p.m.t.out2").values())[2] == "17 18 19 20\n"
    assert (bench.counts(), bench.task()["jobs"]) == ({"ok": 20}, 3)


BETWEEN = Input(2, 2, "p.m.t.out2", "out", producer="t1", closed=False)


def test_a_task_that_is_not_idle_is_fed_while_its_producer_runs(bench: Bench) -> None:
    go = bench.workdir / "go"
    wait = f"until test -e {go}; do sleep 0.02; done"
    bench.run(spec(f"test {{input}} = 1 || ({wait}); echo {{input}} > {{output}}", inputs=(synthetic(5),),
                   outputs=(output(2),)))  # fmt: skip
    jedi = bench.start()
    until(lambda: bench.dataset(2).get("available") == 1, "first unit")
    bench.run(spec(f"({wait}); cat {{input}} > {{output}}", task=2, inputs=(BETWEEN,), outputs=(output(3),)))
    go.touch()
    until(lambda: bench.task(2).get("idle") == 1, "idle")
    bench.run(spec("cat {input} > {output}", task=2, inputs=(BETWEEN,), outputs=(output(3),)))
    until(lambda: bench.counts(2) == {"ok": 5}, "all ok")
    assert stop(jedi) == 0
    assert sorted(bench.files("p.m.t.out3").values()) == ["1\n", "2\n", "3\n", "4\n", "5\n"]
    assert bench.edge(2)["seen_version"] == bench.dataset(2)["version"]
    bench.check_books()


def test_a_chain_of_jobs_without_files_works_by_markers(bench: Bench) -> None:
    bench.run(spec("true", inputs=(synthetic(3),), outputs=(output(2),)))
    bench.work()
    bench.run(spec("true", task=2, inputs=(BETWEEN,), outputs=(output(3),)))
    bench.work()
    assert bench.counts(2) == {"ok": 3}
    assert {unit["path"] for unit in bench.rows(jedi_unit) if unit["dataset_id"] == 3} == {None}


def test_a_marker_has_no_path_and_the_job_that_wants_one_says_so(bench: Bench) -> None:
    bench.run(spec("true", outputs=(output(2),)))
    bench.work()
    bench.run(spec("cat {input}", task=2, inputs=(BETWEEN,)))
    bench.work()
    assert bench.counts(2) == {"failed": 1}
    assert "has no file" in bench.task(2)["reason"]
    bench.check_books()


def test_a_secondary_input_goes_to_every_job(bench: Bench) -> None:
    bench.scan(9, _raw(bench, "cal"))
    secondary = Input(9, 9, "cal", "cal", role="secondary")
    inputs = (synthetic(2), secondary)
    bench.run(
        spec("cat {input.cal} > {output}; echo {input} >> {output}", inputs=inputs, outputs=(output(2),))
    )
    bench.work()
    assert sorted(bench.files("p.m.t.out2").values()) == ["cal\n1\n", "cal\n2\n"]
    assert bench.counts() == {"ok": 2}


def test_a_list_of_inputs_lies_in_a_file(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a", "b"))
    settings = {"split.units_per_job": 10}
    bench.run(
        spec("cat $(cat {inputs_file}) > {output}", inputs=RAW, outputs=(output(2),), settings=settings)
    )
    bench.work()
    assert list(bench.files("p.m.t.out2").values()) == ["a\nb\n"]


def test_parameters_and_environment_reach_the_payload(bench: Bench) -> None:
    task = spec(
        "echo {param.x} {attr.y} $Z $DEFT_TASK $DEFT_JOB {job.index} > $DEFT_OUTPUT_OUT",
        params={"x": "a b"}, attrs={"y": 1.5}, env={"Z": "zed"}, outputs=(output(2),),
    )  # fmt: skip
    bench.run(task)
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "a b 1.5 zed p/m/t1 000001 1\n"}


def test_more_urgent_tasks_start_first(bench: Bench) -> None:
    bench.run(_logging(bench, "echo low >> $LOG", inputs=(synthetic(3),)))
    urgent = _logging(bench, "echo high >> $LOG", task=2, inputs=(synthetic(3, edge=2, dataset=2),),
                      settings={"priority": 5})  # fmt: skip
    bench.run(urgent)
    bench.jedi = Jedi(slots=1)
    bench.work()
    assert bench.log()[:1] == ["high"]


def test_no_more_jobs_run_at_once_than_allowed(bench: Bench) -> None:
    command = "mkdir $LOG.lock || exit 1; sleep 0.02; rmdir $LOG.lock"
    bench.run(
        _logging(bench, command, inputs=(synthetic(5),), settings={"max_running": 1, "retry.max_attempts": 1})
    )
    bench.work()
    assert bench.counts() == {"ok": 5}


# --- reduce ------------------------------------------------------------------------------------------------


def _merge(bench: Bench, *, closed: bool = True) -> TaskSpec:
    edge = Input(1, 1, "raw", "raw", reduce=True, closed=closed)
    return spec("cat {inputs} > {output}", inputs=(edge,), outputs=(output(2),))


def test_a_reduce_task_makes_one_job_over_all_units(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a", "b", "c"))
    bench.run(_merge(bench))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "a\nb\nc\n"}
    assert (bench.counts(), bench.task()["jobs"]) == ({"ok": 3}, 1)


def test_a_reduce_task_waits_until_its_input_is_closed(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a"))
    bench.run(_merge(bench, closed=False))
    bench.work()
    assert (bench.task()["idle"], bench.edge(1)["unfed"], bench.counts()) == (0, 1, {})
    bench.run(_merge(bench))
    bench.work()
    assert (bench.task()["idle"], bench.counts()) == (1, {"ok": 1})


def test_closing_the_dataset_lets_a_reduce_task_begin(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a"))
    bench.run(_merge(bench, closed=False))
    bench.order("close", {}, dataset=1)
    bench.work()
    assert bench.counts() == {"ok": 1}


def test_new_input_makes_the_one_job_run_again_over_the_whole_set(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a"))
    bench.run(_merge(bench))
    bench.work()
    version = bench.dataset(2)["version"]
    bench.scan(1, _raw(bench, "b"))
    bench.work()
    assert (bench.task()["idle"], bench.edge(1)["unfed"]) == (1, 1)
    bench.run(_merge(bench))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "a\nb\n"}
    assert (bench.counts(), bench.task()["jobs"], bench.task()["jobs_ok"]) == ({"ok": 2}, 1, 1)
    assert (bench.dataset(2)["available"], bench.dataset(2)["version"]) == (1, version + 1)
    bench.check_books()


# --- failures ----------------------------------------------------------------------------------------------


def test_a_failing_payload_is_tried_three_times(bench: Bench) -> None:
    bench.run(_logging(bench, LOG + "; echo no such luck >&2; exit 2"))
    bench.work()
    assert len(bench.log()) == 3
    assert bench.counts() == {"failed": 1}
    [job] = bench.rows(jedi_job)
    assert bench.task()["reason"] == (
        f"job 1 failed 3 times: exit code 2: no such luck; see deft logs {job['id']}"
    )
    assert [(a["number"], a["exit_code"]) for a in bench.rows(jedi_attempt)] == [(1, 2), (2, 2), (3, 2)]
    bench.check_books()


def test_a_payload_that_recovers_is_ok(bench: Bench) -> None:
    bench.run(_logging(bench, LOG + "; test $(wc -l < $LOG) -ge 2", settings={"retry.max_attempts": 2}))
    bench.work()
    assert bench.counts() == {"ok": 1}


def test_a_missing_output_fails_the_job(bench: Bench) -> None:
    bench.run(spec(": {output}", outputs=(output(2),), settings={"retry.max_attempts": 1}))
    bench.work()
    assert bench.counts() == {"failed": 1}
    assert "wrote no output out" in bench.task()["reason"]


def test_a_retry_order_tries_failed_units_again_and_leaves_the_ok_ones(bench: Bench) -> None:
    command = LOG + "; test {unit.key} != 2"
    task = _logging(bench, command, inputs=(synthetic(3),), settings={"retry.max_attempts": 1})
    bench.run(task)
    bench.work()
    assert bench.counts() == {"ok": 2, "failed": 1}
    mended = _logging(bench, inputs=(synthetic(3),))
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


# --- datasets ----------------------------------------------------------------------------------------------


def test_an_empty_listing_says_so_and_has_a_version(bench: Bench) -> None:
    bench.scan(1, f"{bench.workdir}/none/*.raw")
    bench.work()
    report = bench.dataset(1)
    assert (report["available"], report["version"], report["order_seq_applied"]) == (0, 1, 1)
    assert report["reason"] == f"nothing matches {bench.workdir}/none/*.raw"


def test_a_second_listing_that_finds_the_same_changes_nothing(bench: Bench) -> None:
    sources = _raw(bench, "a")
    bench.scan(1, sources)
    bench.scan(1, sources)
    bench.work()
    assert (bench.dataset(1)["version"], bench.dataset(1)["order_seq_applied"]) == (1, 2)


def test_a_vanished_file_is_lost_and_a_changed_one_keeps_its_unit(bench: Bench) -> None:
    sources = _raw(bench, "a", "b")
    bench.scan(1, sources)
    bench.work()
    (bench.workdir / "raw" / "a").unlink()
    (bench.workdir / "raw" / "b").write_text("longer than before")
    bench.scan(1, sources)
    bench.work()
    report = bench.dataset(1)
    assert (report["available"], report["lost"], report["bytes"], report["version"]) == (1, 1, 18, 2)
    assert len(bench.rows(jedi_unit)) == 2


def test_a_lost_unit_without_an_ok_row_is_missing(bench: Bench) -> None:
    sources = _raw(bench, "a", "b")
    bench.scan(1, sources)
    bench.run(spec("test $(basename {input}) = b", inputs=RAW, settings={"retry.max_attempts": 1}))
    bench.work()
    for name in "ab":
        (bench.workdir / "raw" / name).unlink()
    bench.scan(1, sources)
    bench.work()
    assert (bench.dataset(1)["lost"], bench.edge(1)["missing"]) == (2, 1)


def test_an_idle_task_feeds_nothing_until_it_is_ordered_to(bench: Bench) -> None:
    bench.scan(1, _raw(bench, "a"))
    task = spec("true", inputs=RAW)
    bench.run(task)
    bench.work()
    bench.scan(1, _raw(bench, "b", "c"))
    bench.work()
    assert (bench.edge(1)["unfed"], bench.counts(), bench.task()["idle"]) == (2, {"ok": 1}, 1)
    bench.run(task)
    bench.work()
    assert (bench.edge(1)["unfed"], bench.counts(), bench.task()["idle"]) == (0, {"ok": 3}, 1)


def test_grow_adds_single_files(bench: Bench) -> None:
    sources = _raw(bench, "a", "b")
    bench.order("grow", {"units": [sources.replace("*", "b")]}, dataset=1)
    bench.work()
    assert bench.dataset(1)["available"] == 1


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
    bench.run(_logging(bench, "echo x >> $LOG; test $(wc -l < $LOG) -gt 1 || sleep 60"))
    jedi = bench.start()
    until(lambda: bench.log() != [])
    bench.order("hold", {"mode": "kill"}, task=1)
    until(lambda: bench.counts() == {"ready": 1}, "ready again")
    bench.order("resume", {}, task=1)
    until(lambda: bench.counts() == {"ok": 1}, "ok")
    assert stop(jedi) == 0
    assert bench.rows(jedi_job)[0]["charged"] == 0


def test_abort_kills_what_runs_and_skips_everything(bench: Bench) -> None:
    bench.run(_logging(bench, LOG + "; sleep 60", inputs=(synthetic(20),)))
    jedi = bench.start()
    until(lambda: len(bench.log()) == 2)
    bench.order("abort", {}, task=1)
    until(lambda: bench.task()["idle"] == 1, "idle")
    assert stop(jedi) == 0
    assert bench.counts() == {"skipped": 20}
    bench.check_books()


def test_a_soft_finish_lets_run_what_runs(bench: Bench) -> None:
    bench.run(_logging(bench, LOG + "; sleep 0.3", inputs=(synthetic(20),)))
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


@pytest.mark.parametrize("kind", ["hold", "resume", "finish", "abort", "discard", "limit"])
def test_an_order_for_an_unknown_task_is_harmless(bench: Bench, kind: str) -> None:
    bench.order(kind, {}, task=5)
    bench.work()
    assert (bench.task(5)["order_seq_applied"], bench.task(5)["idle"]) == (1, 1)


def test_an_order_that_jedi_cannot_carry_out_is_answered(bench: Bench) -> None:
    bench.order("recover", {}, task=5)
    bench.work()
    assert "does not know how to recover" in (bench.answer(1) or {})["refused"]


# --- speed -------------------------------------------------------------------------------------------------


def test_reports_ring_the_bell_of_deft(bench: Bench) -> None:
    bell = hints.bell(bench.engine, hints.DEFT)
    bell.wait(0)
    bench.run(spec("true"))
    bench.work()
    fd = Path(str(bench.engine.url.database)).with_suffix(".bells") / hints.DEFT
    assert fd.exists()
    bell.close()


def test_counter_reports_come_at_most_once_a_second(bench: Bench) -> None:
    bench.run(spec("true", inputs=(synthetic(300),), outputs=(output(2),)))
    bench.work()
    assert bench.dataset(2)["version"] > 1
    assert bench.counts() == {"ok": 300}
    assert len(bench.rows(wire_changed)) < 20


def test_jobs_that_wait_behind_a_long_one_run_elsewhere(bench: Bench) -> None:
    long = f"until test -e {bench.workdir}/go; do sleep 0.05; done"
    count = 100
    bench.run(_logging(bench, f"{LOG}; test {{unit.key}} != 40 || ({long})", inputs=(synthetic(count),)))
    jedi = bench.start()
    until(lambda: len(bench.log()) == count, "all but the long one")
    (bench.workdir / "go").touch()
    until(lambda: bench.counts() == {"ok": count}, "all ok")
    assert stop(jedi) == 0
    assert bench.rows(jedi_job)[39]["charged"] == 0
    bench.check_books()


def test_a_failure_that_a_later_attempt_mended_is_no_reason_any_more(bench: Bench) -> None:
    bench.run(_logging(bench, LOG + "; test $(wc -l < $LOG) -ge 2"))
    bench.work()
    assert (bench.counts(), bench.task()["reason"]) == ({"ok": 1}, None)


@pytest.mark.parametrize("setting", ["retry.max_attempts", "resources.walltime_s"])
def test_a_setting_that_is_no_number_is_rejected(bench: Bench, setting: str) -> None:
    bench.run(spec("true", settings={setting: "many"}))
    bench.work()
    assert (bench.task()["rejected"], "no number" in bench.task()["reason"]) == (1, True)


def test_an_order_that_cannot_be_read_is_rejected_and_does_not_stop_the_others(bench: Bench) -> None:
    bench.order("run", {"v": 99}, task=7)
    bench.order("run", {"v": 1, "inputs": 5}, task=8)
    bench.order("scan", {"v": 1}, dataset=3)
    bench.run(spec("true"))
    bench.work()
    assert (bench.task(7)["rejected"], bench.task(8)["rejected"], bench.counts()) == (1, 1, {"ok": 1})
    assert bench.dataset(3)["version"] == 1


def test_a_name_that_no_database_can_hold_is_left_out_and_said(bench: Bench) -> None:
    folder = bench.workdir / "raw"
    folder.mkdir()
    (folder / "good").touch()
    (folder / "bad\nname").touch()
    bench.scan(1, f"{folder}/*")
    bench.work()
    assert bench.dataset(1)["available"] == 1
    assert "no usable name" in bench.dataset(1)["reason"]


def test_a_reduce_over_many_files_does_not_exceed_what_an_argument_may_hold(bench: Bench) -> None:
    reduce = Input(1, 1, "numbers1", "number", reduce=True, synthetic=30_000)
    bench.run(spec("echo {inputs} | wc -w > {output}", inputs=(reduce,), outputs=(output(2),)))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "30000\n"}
    assert bench.counts() == {"ok": 30_000}


def test_a_pool_that_cannot_start_a_process_gives_the_work_back(bench: Bench) -> None:
    class Powerless(LocalPool):
        def submit(self, folders: Sequence[Path]) -> None:
            raise OSError(11, "Resource temporarily unavailable")

    executor = Executor(bench.settings, bench.engine, bench.clock, Powerless(2, bench.workdir / "log"))
    bench.run(spec("true", inputs=(synthetic(2),)))
    executor.begin()
    executor.cycle()
    executor.handing_out = False
    executor.cycle()
    assert bench.counts() == {"ready": 2}
    assert [attempt["outcome"] for attempt in bench.rows(jedi_attempt)] == ["revoked"] * 2
    bench.check_books()
