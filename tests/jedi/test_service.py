"""JEDI as DEFT sees it: orders in, jobs run by real processes, reports out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from deft.base.config import Jedi
from deft.jedi.backends.local import LocalPool
from deft.jedi.cycle import Executor
from deft.jedi.jobs import Flight
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_unit
from deft.wire import hints
from deft.wire.orders import Input, TaskSpec
from deft.wire.tables import wire_changed
from tests.jedi.bench import Bench, output, spec, stop, summary, synthetic, until
from tests.jedi.work import LOG, RAW, logging_spec, raw_files

# --- the plain path ----------------------------------------------------------------------------------------


def test_a_synthetic_task_runs_every_number_once(bench: Bench) -> None:
    bench.run(logging_spec(bench, inputs=(synthetic(20),), outputs=(output(2),)))
    bench.work()
    assert sorted(map(int, bench.log())) == list(range(1, 21))
    assert bench.counts() == {"ok": 20}
    report = bench.task()
    assert (report["idle"], report["jobs_ok"], report["order_seq_applied"]) == (1, 20, 1)
    assert summary(report)["jobs"] == 20
    assert bench.dataset(2)["available"] == 20
    bench.check_books()


def test_a_task_maps_over_scanned_files(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a", "b", "c"))
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
    bench.scan(9, raw_files(bench, "cal"))
    secondary = Input(9, 9, "cal", "cal", role="secondary")
    inputs = (synthetic(2), secondary)
    bench.run(
        spec("cat {input.cal} > {output}; echo {input} >> {output}", inputs=inputs, outputs=(output(2),))
    )
    bench.work()
    assert sorted(bench.files("p.m.t.out2").values()) == ["cal\n1\n", "cal\n2\n"]
    assert bench.counts() == {"ok": 2}


def test_a_list_of_inputs_lies_in_a_file(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a", "b"))
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
    bench.run(logging_spec(bench, "echo low >> $LOG", inputs=(synthetic(3),)))
    urgent = logging_spec(bench, "echo high >> $LOG", task=2, inputs=(synthetic(3, edge=2, dataset=2),),
                      settings={"priority": 5})  # fmt: skip
    bench.run(urgent)
    bench.jedi = Jedi(slots=1)
    bench.work()
    assert bench.log()[:1] == ["high"]


def test_no_more_jobs_run_at_once_than_allowed(bench: Bench) -> None:
    command = "mkdir $LOG.lock || exit 1; sleep 0.02; rmdir $LOG.lock"
    bench.run(
        logging_spec(
            bench, command, inputs=(synthetic(5),), settings={"max_running": 1, "retry.max_attempts": 1}
        )
    )
    bench.work()
    assert bench.counts() == {"ok": 5}


# --- reduce ------------------------------------------------------------------------------------------------


def _merge(bench: Bench, *, closed: bool = True) -> TaskSpec:
    edge = Input(1, 1, "raw", "raw", reduce=True, closed=closed)
    return spec("cat {inputs} > {output}", inputs=(edge,), outputs=(output(2),))


def test_a_reduce_task_makes_one_job_over_all_units(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a", "b", "c"))
    bench.run(_merge(bench))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "a\nb\nc\n"}
    assert (bench.counts(), bench.task()["jobs"]) == ({"ok": 3}, 1)


def test_a_reduce_task_waits_until_its_input_is_closed(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a"))
    bench.run(_merge(bench, closed=False))
    bench.work()
    assert (bench.task()["idle"], bench.edge(1)["unfed"], bench.counts()) == (0, 1, {})
    bench.run(_merge(bench))
    bench.work()
    assert (bench.task()["idle"], bench.counts()) == (1, {"ok": 1})


def test_closing_the_dataset_lets_a_reduce_task_begin(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a"))
    bench.run(_merge(bench, closed=False))
    bench.order("close", {}, dataset=1)
    bench.work()
    assert bench.counts() == {"ok": 1}


def test_new_input_makes_the_one_job_run_again_over_the_whole_set(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a"))
    bench.run(_merge(bench))
    bench.work()
    version = bench.dataset(2)["version"]
    bench.scan(1, raw_files(bench, "b"))
    bench.work()
    assert (bench.task()["idle"], bench.edge(1)["unfed"]) == (1, 1)
    bench.run(_merge(bench))
    bench.work()
    assert bench.files("p.m.t.out2") == {"000001": "a\nb\n"}
    assert (bench.counts(), bench.task()["jobs"], bench.task()["jobs_ok"]) == ({"ok": 2}, 1, 1)
    assert (bench.dataset(2)["available"], bench.dataset(2)["version"]) == (1, version + 1)
    bench.check_books()


# --- datasets ----------------------------------------------------------------------------------------------


def test_an_empty_listing_says_so_and_has_a_version(bench: Bench) -> None:
    bench.scan(1, f"{bench.workdir}/none/*.raw")
    bench.work()
    report = bench.dataset(1)
    assert (report["available"], report["version"], report["order_seq_applied"]) == (0, 1, 1)
    assert report["reason"] == f"nothing matches {bench.workdir}/none/*.raw"


def test_a_second_listing_that_finds_the_same_changes_nothing(bench: Bench) -> None:
    sources = raw_files(bench, "a")
    bench.scan(1, sources)
    bench.scan(1, sources)
    bench.work()
    assert (bench.dataset(1)["version"], bench.dataset(1)["order_seq_applied"]) == (1, 2)


def test_a_vanished_file_is_lost_and_a_changed_one_keeps_its_unit(bench: Bench) -> None:
    sources = raw_files(bench, "a", "b")
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
    sources = raw_files(bench, "a", "b")
    bench.scan(1, sources)
    bench.run(spec("test $(basename {input}) = b", inputs=RAW, settings={"retry.max_attempts": 1}))
    bench.work()
    for name in "ab":
        (bench.workdir / "raw" / name).unlink()
    bench.scan(1, sources)
    bench.work()
    assert (bench.dataset(1)["lost"], bench.edge(1)["missing"]) == (2, 1)


def test_an_idle_task_feeds_nothing_until_it_is_ordered_to(bench: Bench) -> None:
    bench.scan(1, raw_files(bench, "a"))
    task = spec("true", inputs=RAW)
    bench.run(task)
    bench.work()
    bench.scan(1, raw_files(bench, "b", "c"))
    bench.work()
    assert (bench.edge(1)["unfed"], bench.counts(), bench.task()["idle"]) == (2, {"ok": 1}, 1)
    bench.run(task)
    bench.work()
    assert (bench.edge(1)["unfed"], bench.counts(), bench.task()["idle"]) == (0, {"ok": 3}, 1)


def test_grow_adds_single_files(bench: Bench) -> None:
    sources = raw_files(bench, "a", "b")
    bench.order("grow", {"units": [sources.replace("*", "b")]}, dataset=1)
    bench.work()
    assert bench.dataset(1)["available"] == 1


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
    bench.run(logging_spec(bench, f"{LOG}; test {{unit.key}} != 40 || ({long})", inputs=(synthetic(count),)))
    jedi = bench.start()
    until(lambda: len(bench.log()) == count, "all but the long one")
    (bench.workdir / "go").touch()
    until(lambda: bench.counts() == {"ok": count}, "all ok")
    assert stop(jedi) == 0
    assert bench.rows(jedi_job)[39]["charged"] == 0
    bench.check_books()


def test_a_failure_that_a_later_attempt_mended_is_no_reason_any_more(bench: Bench) -> None:
    bench.run(logging_spec(bench, LOG + "; test $(wc -l < $LOG) -ge 2"))
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
        def submit(self, flights: Sequence[Flight]) -> None:
            raise OSError(11, "Resource temporarily unavailable")

    pool = Powerless(2, bench.workdir / "log")
    executor = Executor(bench.settings, bench.engine, bench.clock, {pool.name: pool})
    bench.run(spec("true", inputs=(synthetic(2),)))
    executor.begin()
    executor.cycle()
    executor.handing_out = False
    executor.cycle()
    assert bench.counts() == {"ready": 2}
    assert [attempt["outcome"] for attempt in bench.rows(jedi_attempt)] == ["revoked"] * 2
    bench.check_books()
