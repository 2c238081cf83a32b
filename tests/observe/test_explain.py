"""Explain names what is missing, who brings it, and what the net would do then."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from deft.base.errors import BadInput, NotFound
from deft.engine.augment import CloseRequest, close
from deft.observe import explain
from deft.observe.explain import Explanation
from deft.observe.survey import Cause
from deft.store.session import Session
from deft.store.tables import deft_dataset
from deft.wire import mailbox
from deft.wire.reports import DatasetReport
from tests.support.build import OPERATOR, World, metatask, with_edge, with_task


def explained(world: World, task: str = "") -> Explanation:
    return explain.explain(world.session, OPERATOR, f"{world.name}/{task}" if task else world.name)


def first(world: World, task: str = "") -> Cause:
    return explained(world, task).causes[0]


def told(cause: Cause) -> tuple[str, str | None, str, int]:
    return cause.what, cause.command, cause.then, cause.blocks


def test_a_held_task_is_told_with_who_holds_it_and_why(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=1, ready=1, idle=False)
    world.do("hold", "a", reason="check")
    world.report("a", ok=1, ready=1, idle=False)
    cause = first(world)
    assert (cause.kind, cause.where, cause.command, cause.blocks) == ("hold", "a", "deft resume m/a", 2)
    assert cause.what.startswith("a is on hold since ")
    assert cause.what.endswith(" by ann@test: check")
    assert cause.then == "a goes on"


def test_a_held_task_that_waits_still_waits_after_it(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.do("hold", "b")
    world.report("a", ready=1, idle=False)
    (cause,) = (one for one in explained(world, "b").causes if one.kind == "hold")
    assert (cause.command, cause.then) == ("deft resume m/b", "b still waits for a")
    assert explained(world, "b").once == "b starts"


def test_a_hold_of_the_whole_is_the_first_of_all(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"))
    world.do("hold", reason="disk")
    cause = first(world)
    assert (cause.kind, cause.command, cause.blocks) == ("metatask-hold", "deft resume m", 3)


def test_a_waiting_task_says_what_it_needs_and_who_works_on_it(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=41, running=2, ready=57, idle=False)
    found = explained(world, "b")
    assert (found.state, found.once) == ("waiting", "b starts")
    assert found.needs == ("all of the data of a: 41 units so far; a is running, 41 of 100 units (41 %) ok",)


def test_without_an_executor_that_is_what_blocks_most(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    cause = first(world)
    assert (cause.kind, cause.command, cause.blocks, cause.passing) == ("no-jedi", "deft jedi run", 2, False)


def test_a_draft_is_told_to_be_started_as_a_whole(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"), start=False)
    assert told(first(world)) == (
        "3 tasks are not armed: a, b, c",
        "deft start m",
        "a waits for its input, a starts, b waits for its input and 1 more",
        3,
    )


def test_a_task_that_the_start_passes_over_is_named_alone(session: Session) -> None:
    world = World.of(session, with_task(metatask(a="", b="a"), "a", {"armed": False}))
    assert told(first(world)) == ("a is not armed", "deft start m/a", "a waits for its input, a starts", 2)


def test_a_task_without_a_command(session: Session) -> None:
    world = World.of(session, with_task(metatask(a="", b="a"), "a", {"command": ""}))
    assert told(first(world)) == (
        "a has no command", "deft set m/a command='…'", "a waits for its input, a starts", 2,
    )  # fmt: skip


def test_a_failed_task_is_told_with_its_reason_and_those_it_took_along(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"))
    world.report("a", failed=2, reason="job 3 failed: exit code 1")
    world.sweep()
    assert world.states() == {"a": "failed", "b": "failed", "c": "failed"}
    (cause,) = explained(world).causes
    assert cause.what == "a failed: 0 of 2 units ok; job 3 failed: exit code 1"
    assert (cause.command, cause.then) == ("deft retry m", "a runs again")


def test_a_missed_goal_wants_a_decision(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=1, failed=1)
    world.sweep()
    cause = first(world)
    assert cause.what == "a gave up, and you decide: 1 of 2 units ok"
    assert cause.command == "deft retry m/a, or deft finish m/a"
    assert cause.blocks == 2


def test_an_open_dataset_is_to_be_closed(session: Session) -> None:
    world = World.of(session, with_edge(metatask(entry="", a="entry"), "entry", "a", open=True))
    world.list_external(3)
    world.sweep()
    cause = first(world, "a")
    assert cause.what == "the data of entry is open: 3 units so far, and more may come"
    assert (cause.command, cause.then) == ("deft close m --dataset entry", "a starts")
    close(session, CloseRequest(OPERATOR, "m"))


def test_a_start_that_wants_more_says_how_much(session: Session) -> None:
    made = with_edge(metatask(entry="", a="entry"), "entry", "a", open=True, start_when="100")
    world = World.of(session, made)
    world.list_external(41)
    world.sweep()
    cause = first(world)
    assert cause.what == "the data of entry has 41 of 100 units (41 %)"
    assert (cause.command, cause.then) == ("deft augment m --dataset entry FILE…", "a starts")


def test_a_listing_that_is_not_done_yet(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    assert first(world, "a").kind == "no-jedi"


def test_an_abort_is_told_once_for_all_that_went_with_it(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"), start=False)
    world.do("abort", "a", reason="wrong input")
    world.sweep()
    (cause,) = explained(world).causes
    assert cause.what.endswith("by ann@test: wrong input")
    assert cause.command == "deft retry m"


def test_the_cause_that_blocks_most_comes_first(session: Session) -> None:
    world = World.of(session, metatask(a="", b="", c="a", d="c", e="b"))
    world.report("a", ok=1, ready=1, idle=False)
    world.report("b", ok=1, ready=1, idle=False)
    for task in ("b", "a"):
        world.do("hold", task)
        world.report(task, ok=1, ready=1, idle=False)
    assert [(cause.where, cause.blocks) for cause in explained(world).causes] == [("a", 3), ("b", 2)]


def lose(world: World, task: str) -> None:
    """One of the units that a task made is gone."""
    with world.session.writing() as conn:
        d = deft_dataset.c
        made = conn.execute(sa.select(d.id).where(d.producer_id == world.node(conn, task))).scalar_one()
        mailbox.report_datasets(conn, [DatasetReport(made, available=1, lost=1, version=9)])


def test_lost_units_are_to_be_made_again(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.do("hold", "b")
    world.report("a", ok=2)
    world.sweep()
    lose(world, "a")
    lost = next(cause for cause in explained(world).causes if cause.kind == "lost")
    assert told(lost) == ("1 unit of the data of a is lost", "deft recover m/a", "b still is on hold", 1)
    world.do("resume", "b")
    world.sweep()
    assert explained(world, "b").causes[0].then == "b starts"


def test_a_definition_that_jedi_refuses_is_to_be_changed(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", rejected=True, reason="no such partition")
    world.sweep()
    cause = first(world)
    assert (cause.what, cause.kind) == ("JEDI cannot run a: no such partition", "broken")
    assert cause.command == "deft set m/a …, then deft retry m/a"


def test_a_task_that_was_forced_waits_for_one_unit(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ready=1, idle=False)
    world.do("force", "b")
    found = explained(world, "b")
    assert [cause.kind for cause in found.causes] == ["no-jedi"]
    assert found.needs == ("all of the data of a: 0 units so far; a is running, 0 of 1 units (0 %) ok",)


def test_nothing_blocks_what_is_done(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    assert explained(world).says == "done: 1 of 1 tasks have ended; nothing blocks it"
    assert explained(world, "a").says == "done; nothing blocks it"


def test_a_sweep_that_is_due_is_told(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=1)
    cause = first(world)
    assert told(cause) == ("a may move; the next sweep moves it", "deft sweep", "a is done, b starts", 2)
    assert cause.passing


def test_more_than_one_task_or_none_is_refused(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    with pytest.raises(BadInput, match="names 2 tasks"):
        explained(world, "?")
    with pytest.raises(NotFound, match="near: a, b"):
        explained(world, "zz")
