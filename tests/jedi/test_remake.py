"""Lost units are made again by the jobs that made them, whole, and by no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deft.jedi.tables import jedi_attempt, jedi_job, jedi_unit
from deft.wire.orders import Input, Recover, Scan, TaskSpec, dump, dump_steps
from tests.jedi.bench import Bench, output, spec, stop, synthetic, until

# Task 1 makes six numbers; task 2 takes two of them a job; task 3 takes all that task 2 made, in one job.
MADE = Input(2, 2, "p.m.t.out2", "out", producer="t1")
PAIRS = Input(3, 3, "p.m.t.out3", "out", producer="t2")


class Line:
    """A chain of map, map and reduce on a bench, with a log of what ran."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        environ = {"LOG": str(bench.workdir / "ran.log")}
        note = "echo $DEFT_TASK/$DEFT_JOB >> $LOG; "
        self.specs = {
            1: spec(note + "echo {unit.key} > {output}", inputs=(synthetic(6),), outputs=(output(2),)),
            2: spec(note + "cat {inputs} > {output}", task=2, inputs=(MADE,), outputs=(output(3),)),
            3: spec(
                note + "cat {inputs} > {output}", task=3, inputs=(replace(PAIRS, reduce=True),),
                outputs=(output(4),),
            ),
        }  # fmt: skip
        self.specs[2] = replace(self.specs[2], settings={"split.units_per_job": 2})
        self.specs = {n: replace(one, env=environ) for n, one in self.specs.items()}

    def run(self) -> None:
        """All of it to its end."""
        for number in self.specs:
            self.order(number)

    def order(self, task: int) -> None:
        """A run order, carried out."""
        self.bench.run(self.specs[task])
        self.bench.work()

    def folder(self, dataset: int) -> Path:
        """Where a dataset lies."""
        return self.bench.workdir / "data" / f"p.m.t.out{dataset}"

    def lose(self, dataset: int, *jobs: int) -> None:
        """The files of these jobs vanish, and JEDI looks."""
        for job in jobs:
            (self.folder(dataset) / f"{job:06d}").unlink()
        self.look(dataset)

    def look(self, dataset: int) -> None:
        """An order to look at the files of a produced dataset."""
        body = {**dump(Scan(dataset, "", (), produced=True)), "answer": True}
        self.bench.order("scan", body, dataset=dataset)
        self.bench.work()

    def recover(self, task: int, **how: Any) -> None:
        """An order to make again what was lost."""
        self.bench.order("recover", dump(Recover(task, **how)), task=task)

    def forget(self) -> None:
        """What ran until now is of no interest any more."""
        (self.bench.workdir / "ran.log").unlink(missing_ok=True)

    def ran(self) -> list[str]:
        """Task and job of each payload since, in the order of their names."""
        return sorted(line.removeprefix("p/m/") for line in self.bench.log())


@pytest.fixture
def line(bench: Bench) -> Iterator[Line]:
    made = Line(bench)
    made.run()
    made.forget()
    yield made
    bench.check_books()


def counters(line: Line, dataset: int) -> tuple[int, int]:
    told = line.bench.dataset(dataset)
    return told["available"], told["lost"]


# --- looking -----------------------------------------------------------------------------------------------


def test_a_file_that_vanished_is_lost_and_one_that_is_back_is_available(line: Line) -> None:
    version = line.bench.dataset(2)["version"]
    line.lose(2, 3)
    assert counters(line, 2) == (5, 1)
    assert line.bench.dataset(2)["version"] == version + 1
    assert line.bench.edge(2)["missing"] == 0  # it was used before
    (line.folder(2) / "000003").write_text("3\n")
    line.look(2)
    assert counters(line, 2) == (6, 0)
    assert line.bench.dataset(2)["bytes"] == 12


def test_an_unused_unit_that_is_lost_is_missing(line: Line) -> None:
    line.specs[4] = spec("cat {inputs}", task=4, inputs=(replace(MADE, edge_id=4),))
    line.lose(2, 3)
    line.order(4)
    assert (line.bench.edge(4)["missing"], line.bench.counts(4)) == (1, {"ok": 5})


def test_a_look_is_answered_with_what_it_found(line: Line) -> None:
    line.lose(2, 1, 2)
    found = line.bench.answer(4)
    assert found is not None
    assert (found["lost"], found["available"], found["missing"]) == (2, 4, 2)


def test_a_file_that_cannot_be_looked_at_is_not_lost(line: Line) -> None:
    line.folder(2).rename(line.bench.workdir / "away")
    line.folder(2).symlink_to(line.folder(2))  # a loop: neither there nor not there
    line.look(2)
    assert counters(line, 2) == (6, 0)
    assert "symbolic links" in line.bench.dataset(2)["reason"]
    line.folder(2).unlink()
    (line.bench.workdir / "away").rename(line.folder(2))


# --- making again ------------------------------------------------------------------------------------------


def test_exactly_the_jobs_that_made_lost_units_run_again(line: Line) -> None:
    before = line.bench.files("p.m.t.out3")
    line.lose(3, 2)
    line.recover(2)
    line.bench.work()
    assert line.ran() == ["t2/000002"]
    assert line.bench.files("p.m.t.out3") == before
    assert (counters(line, 3), line.bench.counts(2)) == ((3, 0), {"ok": 6})
    assert [job["attempts"] for job in line.bench.rows(jedi_job) if job["task_id"] == 2] == [1, 2, 1]
    assert (line.bench.task(2)["jobs"], line.bench.task(2)["jobs_ok"]) == (3, 3)


def test_a_reduce_task_makes_its_one_output_again(line: Line) -> None:
    before = line.bench.files("p.m.t.out4")
    line.lose(4, 1)
    line.recover(3)
    line.bench.work()
    assert line.ran() == ["t3/000001"]
    assert line.bench.files("p.m.t.out4") == before


def test_a_job_with_two_outputs_runs_whole_and_nothing_is_doubled(bench: Bench) -> None:
    line = Line(bench)
    outputs = (output(2), output(5, type="log"))
    command = "echo $DEFT_TASK/$DEFT_JOB >> $LOG; echo a > {output.out}; echo b > {output.log}"
    line.specs = {1: replace(line.specs[1], command=command, outputs=outputs)}
    line.run()
    line.forget()
    line.lose(2, 4)
    line.recover(1)
    bench.work()
    assert line.ran() == ["t1/000004"]
    assert [len(bench.files(name)) for name in ("p.m.t.out2", "p.m.t.log5")] == [6, 6]
    assert len([unit for unit in bench.rows(jedi_unit) if unit["dataset_id"] == 5]) == 6
    bench.check_books()


def test_lost_input_is_made_again_first_and_by_its_maker_alone(line: Line) -> None:
    line.lose(3, 2)
    line.lose(2, 3, 5)  # job 2 of task 2 needs unit 3 of task 1, and not unit 5
    line.recover(2)
    line.recover(1, lost=False, awaited=True)
    line.bench.work()
    assert line.ran() == ["t1/000003"]
    assert line.bench.edge(2)["unfed"] == 2  # both units of the job that waited
    line.order(2)
    assert line.ran() == ["t1/000003", "t2/000002"]
    assert (counters(line, 2), counters(line, 3)) == ((5, 1), (3, 0))
    assert (line.folder(3) / "000002").read_text() == "3\n4\n"


def test_a_job_that_waits_for_lost_input_is_idle_and_its_units_are_missing(line: Line) -> None:
    line.lose(3, 2)
    line.lose(2, 3)
    line.recover(2)
    line.bench.work()
    assert line.ran() == []
    assert (line.bench.task(2)["idle"], line.bench.edge(2)["missing"]) == (1, 2)
    assert (line.bench.counts(2), line.bench.edge(2)["unfed"]) == ({"ok": 4}, 0)
    (line.folder(2) / "000003").write_text("3\n")
    line.look(2)
    assert (line.bench.edge(2)["missing"], line.bench.edge(2)["unfed"]) == (0, 2)
    line.order(2)
    assert (line.ran(), line.bench.counts(2)) == (["t2/000002"], {"ok": 6})


def test_a_reduce_task_waits_until_all_its_input_is_back(line: Line) -> None:
    line.lose(4, 1)
    line.lose(3, 2)
    line.recover(3)
    line.recover(2, lost=False, awaited=True)
    line.bench.work()
    assert line.ran() == ["t2/000002"]
    line.order(3)
    assert line.ran() == ["t2/000002", "t3/000001"]


def test_a_lost_secondary_input_is_waited_for_too(bench: Bench) -> None:
    line = Line(bench)
    common = Input(5, 2, "p.m.t.out2", "common", role="secondary", producer="t1")
    command = "echo $DEFT_TASK/$DEFT_JOB >> $LOG; cat {input.secondary} > {output}"
    line.specs[2] = replace(line.specs[2], command=command, inputs=(synthetic(2, edge=6, dataset=6), common))
    line.specs[2] = replace(line.specs[2], settings={})
    del line.specs[3]
    line.run()
    line.forget()
    line.lose(3, 1)
    line.lose(2, 6)
    line.recover(2)
    line.recover(1, lost=False, awaited=True)
    bench.work()
    assert line.ran() == ["t1/000006"]
    line.order(2)
    assert line.ran() == ["t1/000006", "t2/000001"]
    bench.check_books()


def test_those_that_used_lost_units_run_again_where_they_are_to(line: Line) -> None:
    line.lose(2, 3)
    line.recover(2, lost=False, used=(2,))
    line.recover(1)
    line.bench.work()
    line.order(2)
    assert line.ran() == ["t1/000003", "t2/000002"]
    assert counters(line, 3) == (3, 0)


def test_a_recover_given_twice_makes_it_once(line: Line) -> None:
    line.lose(3, 2)
    line.recover(2)
    line.recover(2)
    line.bench.work()
    assert line.ran() == ["t2/000002"]


# --- growth ------------------------------------------------------------------------------------------------

ALL = Input(4, 4, "p.m.t.out4", "out", producer="t3")


def _grow(line: Line, command: str = "cat {input} > {output}") -> None:
    """Two more numbers for task 1, and a task 4 that had used what task 3 made of the first six."""
    note = "echo $DEFT_TASK/$DEFT_JOB >> $LOG; "
    line.specs[4] = replace(
        line.specs[3], task_id=4, task="t4", command=note + command, inputs=(ALL,), outputs=(output(5),)
    )
    line.order(4)
    line.forget()
    line.specs[1] = replace(line.specs[1], inputs=(synthetic(8),))
    line.order(1)
    line.order(2)


def test_what_was_made_of_less_is_made_anew_and_all_that_follows_from_it(line: Line) -> None:
    _grow(line)
    line.order(3)
    assert line.bench.edge(4)["unfed"] == 1
    line.order(4)
    assert line.ran() == ["t1/000007", "t1/000008", "t2/000004", "t3/000001", "t4/000001"]
    assert line.bench.files("p.m.t.out5")["000001"].split() == [str(n) for n in range(1, 9)]
    assert (line.bench.counts(4), counters(line, 5)) == ({"ok": 1}, (1, 0))


def test_a_job_whose_input_changes_under_it_runs_again_when_it_has_ended(line: Line) -> None:
    go = line.bench.workdir / "go"
    _grow(
        line, f"cat {{input}} > {{output}}; test ! -e {go}.armed || until test -e {go}; do sleep 0.02; done"
    )
    (line.bench.workdir / "go.armed").touch()
    line.lose(5, 1)
    line.recover(4)
    jedi = line.bench.start()
    until(lambda: "p/m/t4/000001" in line.bench.log(), "task 4 has read its input")
    line.bench.run(line.specs[3])
    until(lambda: line.bench.task(3).get("ok") == 4, "its input is another")
    go.touch()
    until(lambda: line.bench.task(4).get("idle"), "task 4 came to its end")
    assert stop(jedi) == 0
    assert line.ran().count("t4/000001") == 2
    assert line.bench.files("p.m.t.out5")["000001"].split() == [str(n) for n in range(1, 9)]
    assert (line.bench.counts(4), counters(line, 5)) == ({"ok": 1}, (1, 0))


def test_what_is_merely_made_again_moves_nobody_else(line: Line) -> None:
    line.lose(4, 1)
    line.specs[4] = replace(line.specs[3], task_id=4, task="t4", inputs=(ALL,), outputs=(output(5),))
    (line.folder(4) / "000001").touch()
    line.look(4)
    line.order(4)
    line.lose(4, 1)
    line.recover(3)
    line.bench.work()
    assert (line.bench.edge(4)["unfed"], line.bench.edge(4)["missing"]) == (0, 0)


# --- under finish, abort and hold --------------------------------------------------------------------------


def test_under_finish_the_lost_units_are_made_again_and_nothing_else(line: Line) -> None:
    line.bench.order("finish", {"v": 1, "mode": "hard"}, task=2)
    line.lose(3, 2)
    line.recover(2)
    line.bench.work()
    assert (line.ran(), counters(line, 3)) == (["t2/000002"], (3, 0))


def test_a_hold_in_force_keeps_it_from_starting(line: Line) -> None:
    line.lose(3, 2)
    body = {**dump(Recover(2)), "held": "drain"}
    line.bench.order("recover", body, task=2)
    line.bench.work()
    assert (line.ran(), line.bench.counts(2)) == ([], {"ok": 4, "ready": 2})
    line.bench.order("resume", {"v": 1}, task=2)
    line.bench.work()
    assert line.ran() == ["t2/000002"]


def _break(line: Line, task: int) -> TaskSpec:
    """From now on its payloads fail."""
    return replace(line.specs[task], command="exit 3", settings={**line.specs[task].settings,
                   "retry.max_attempts": 1})  # fmt: skip


def test_a_remake_that_fails_leaves_the_earlier_output_ok(line: Line) -> None:
    line.lose(2, 3)
    line.recover(2, lost=False, used=(2,))
    line.recover(1)
    line.bench.work()
    line.specs[2] = _break(line, 2)
    line.order(2)
    assert (line.bench.counts(2), counters(line, 3)) == ({"ok": 6}, (3, 0))
    outcomes = [one["outcome"] for one in line.bench.rows(jedi_attempt)]
    assert outcomes.count("exit") == 1


def test_a_remake_of_what_is_lost_fails_like_any_job(line: Line) -> None:
    line.bench.order("spec", dump(_break(line, 2)), task=2)
    line.lose(3, 2)
    line.recover(2)
    line.bench.work()
    assert (line.bench.counts(2), counters(line, 3)) == ({"ok": 4, "failed": 2}, (2, 1))


def test_an_abort_leaves_what_was_not_yet_made_again_as_it_was(line: Line) -> None:
    line.lose(2, 3)
    line.bench.order("hold", {"v": 1, "mode": "drain"}, task=2)
    line.recover(2, lost=False, used=(2,))
    line.recover(1)
    line.bench.work()
    line.order(2)
    assert line.bench.counts(2) == {"ok": 4, "ready": 2}
    line.bench.order("abort", {"v": 1}, task=2)
    line.bench.work()
    assert (line.bench.counts(2), line.ran()) == ({"ok": 6}, ["t1/000003"])


# --- what it would do --------------------------------------------------------------------------------------


def test_a_dry_run_says_which_jobs_would_run_and_does_nothing(line: Line) -> None:
    line.lose(3, 2)
    line.lose(2, 3, 5)
    steps = [Recover(2), Recover(1, lost=False, awaited=True)]
    line.bench.order("recover", dump_steps(steps), task=2)
    line.bench.work()
    orders = len(line.specs) + 3
    answer = line.bench.answer(orders)
    assert answer is not None
    two, one = answer["tasks"]
    assert (two["task_id"], two["numbers"], two["units"], two["waiting"]) == (2, [2], 2, 2)
    assert (one["task_id"], one["numbers"], one["waiting"]) == (1, [3], 0)
    assert two["lost"] == [str(line.folder(3) / "000002")]
    assert (line.ran(), line.bench.counts(2), counters(line, 3)) == ([], {"ok": 6}, (2, 1))
