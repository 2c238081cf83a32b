"""The net in the database: operators and JEDI move tokens, the sweep moves tasks."""

from __future__ import annotations

import pytest

from deft.base.database import reading
from deft.base.errors import Refused
from deft.model.graph import MetaTask
from deft.store import history, standing
from deft.store.session import Session
from tests.support.build import World, metatask, with_edge, with_task


def chain(session: Session) -> World:
    return World.of(session, metatask(a="", b="a"))


def standing_of(world: World) -> str:
    with reading(world.session.engine) as conn:
        return standing.of(conn, [world.metatask_id])[world.metatask_id].state


def test_import_does_not_start(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"), start=False)
    world.sweep()
    assert world.states() == {"a": "defined", "b": "defined"}
    assert standing_of(world) == "draft"


def test_a_task_without_data_input_starts_at_once_and_its_consumer_waits(session: Session) -> None:
    world = chain(session)
    assert world.states() == {"a": "running", "b": "waiting"}
    assert world.orders("a") == ["run"]
    assert world.membership("a") == ["open"]
    assert standing_of(world) == "running"


def test_a_chain_runs_to_done(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}
    assert world.membership("a") == ["closed"]
    world.report("b", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "done"}
    assert standing_of(world) == "done"


def test_a_report_that_lags_behind_an_order_fires_nothing(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.do("hold", "a")
    world.do("resume", "a")
    world.sweep()
    assert world.states()["a"] == "running"
    world.report("a", ok=1)
    world.sweep()
    assert world.states()["a"] == "done"


def test_nothing_usable_fails_and_the_consumer_has_no_input(session: Session) -> None:
    world = chain(session)
    world.report("a", failed=2, reason="exit code 2")
    world.sweep()
    assert world.states() == {"a": "failed", "b": "failed"}
    assert standing_of(world) == "blocked"


def test_retry_of_a_failed_producer_reopens_the_consumer_that_had_no_input(session: Session) -> None:
    world = chain(session)
    world.report("a", failed=1)
    world.sweep()
    world.do("retry", "a")
    world.sweep()
    assert world.states() == {"a": "running", "b": "waiting"}
    assert world.orders("a") == ["run", "retry"]
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}


def test_part_of_the_goal_is_exhausted_and_retry_runs_the_rest(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1, failed=1, reason="exit code 2")
    world.sweep()
    assert world.states() == {"a": "exhausted", "b": "waiting"}
    assert standing_of(world) == "exhausted"
    world.do("retry", "a")
    world.report("a", ok=2)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}


def test_a_goal_below_one_lets_a_task_finish_and_its_consumer_run(session: Session) -> None:
    made = with_task(metatask(a="", b="a"), "a", {"goal": 0.5})
    world = World.of(session, made)
    world.report("a", ok=1, failed=1)
    world.sweep()
    assert world.states() == {"a": "finished", "b": "running"}
    world.report("b", ok=1)
    world.sweep()
    assert world.states()["b"] == "finished"  # never done under a parent that is not


def test_a_finished_child_is_promoted_once_its_parent_is_done(session: Session) -> None:
    made = with_task(metatask(a="", b="a"), "a", {"goal": 0.5})
    world = World.of(session, made)
    world.report("a", ok=1, failed=1)
    world.sweep()
    world.report("b", ok=1)
    world.sweep()
    world.do("retry", "a")
    world.sweep()
    world.report("a", ok=2)
    world.sweep()
    world.report("b", ok=2)
    world.sweep()
    assert world.states() == {"a": "done", "b": "done"}


def test_external_input_is_listed_before_anything_starts(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    assert world.states() == {"a": "waiting"}
    assert standing_of(world) == "waiting"
    world.list_external(available=3)
    world.sweep()
    assert world.states() == {"a": "running"}


def test_an_empty_listing_fails_the_task_and_names_the_source(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    world.list_external(available=0)
    world.sweep()
    assert world.states() == {"a": "failed"}
    with reading(session.engine) as conn:
        last = history.of(conn, world.metatask_id)[-1]
    assert last.cause == "no-input"
    assert "/nowhere/*.dat" in (last.reason or "")


def test_retry_looks_at_an_empty_source_again(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    world.list_external(available=0)
    world.sweep()
    world.do("retry", "a")
    world.sweep()
    assert world.states() == {"a": "waiting"}
    world.list_external(available=0)
    world.sweep()
    assert world.states() == {"a": "failed"}
    world.do("retry", "a")
    world.list_external(available=2, version=2)
    world.sweep()
    assert world.states() == {"a": "running"}


def test_allow_empty_ends_a_task_without_input_as_done(session: Session) -> None:
    world = World.of(session, with_task(metatask(entry="", a="entry"), "a", {"allow_empty": True}))
    world.list_external(available=0)
    world.sweep()
    assert world.states() == {"a": "done"}


def test_a_held_task_never_starts_and_goes_on_when_resumed(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"), start=False)
    world.do("hold", "a", reason="disk")
    world.do("start")
    world.sweep()
    assert world.states()["a"] == "defined"
    world.do("resume", "a")
    world.sweep()
    assert world.states()["a"] == "running"


def test_under_hold_no_state_changes_by_itself(session: Session) -> None:
    world = chain(session)
    world.do("hold", "a")
    world.report("a", ok=1)
    world.sweep(full=True)
    assert world.states() == {"a": "running", "b": "waiting"}
    world.do("resume", "a")
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}


def test_a_held_metatask_holds_every_task_that_jedi_knows(session: Session) -> None:
    world = chain(session)
    world.do("hold")
    assert world.orders("a") == ["run", "hold"]
    assert world.orders("b") == []
    assert standing_of(world) == "held"
    world.report("a", ok=1)
    world.sweep()
    assert world.states()["a"] == "running"
    world.do("resume")
    assert world.orders("a") == ["run", "hold", "resume"]


def test_resume_of_a_metatask_lifts_holds_of_single_tasks_where_it_is_not_held_itself(
    session: Session,
) -> None:
    world = chain(session)
    world.do("hold", "a")
    assert world.do("resume").changed == ("a",)


def test_abort_waits_for_running_jobs_and_takes_waiting_consumers_along(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"))
    world.do("abort", "a")
    world.sweep()
    assert world.states() == {"a": "running", "b": "waiting", "c": "waiting"}
    world.report("a", skipped=1)
    world.sweep()
    assert world.states() == {"a": "aborted", "b": "aborted", "c": "aborted"}
    assert standing_of(world) == "aborted"


def test_on_abort_use_partial_starts_on_what_is_there(session: Session) -> None:
    made = with_edge(metatask(a="", b="a"), "a", "b", on_abort="use_partial")
    world = World.of(session, made)
    world.do("abort", "a")
    world.report("a", ok=1, skipped=1)
    world.sweep()
    assert world.states() == {"a": "aborted", "b": "running"}


def test_start_when_any_starts_on_the_first_unit(session: Session) -> None:
    world = World.of(session, with_edge(metatask(a="", b="a"), "a", "b", start_when="any"))
    world.report("a", ready=1, idle=False, made=1)
    world.sweep()
    assert world.states() == {"a": "running", "b": "running"}


def test_force_stands_in_for_complete_input_but_not_for_a_first_unit(session: Session) -> None:
    world = chain(session)
    world.do("force", "b")
    world.sweep()
    assert world.states()["b"] == "waiting"
    world.report("a", ready=1, idle=False, made=1)
    world.sweep()
    assert world.states()["b"] == "running"


def test_a_child_started_early_does_not_end_before_its_parent(session: Session) -> None:
    world = World.of(session, with_edge(metatask(a="", b="a"), "a", "b", start_when="any"))
    world.report("a", ready=1, idle=False, made=1)
    world.sweep()
    world.report("b", ok=1)
    world.sweep()
    assert world.states()["b"] == "running"
    world.report("a", ok=2)
    world.report("b", ok=1, unfed=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}
    assert world.orders("b") == ["run", "run"]  # fed again
    world.report("b", ok=2)
    world.sweep()
    assert world.states()["b"] == "done"


def test_a_reduce_task_that_started_early_is_ordered_again_when_its_last_input_closes(
    session: Session,
) -> None:
    world = World.of(session, with_edge(metatask(a="", b="a"), "a", "b", start_when="any", reduce=True))
    world.report("a", ready=1, idle=False, made=1)
    world.sweep()
    world.report("b", unfed=1, idle=False)
    world.sweep()
    assert world.orders("b") == ["run"]
    world.report("a", ok=2)
    world.report("b", unfed=2, idle=False)
    world.sweep()
    assert world.orders("b") == ["run", "run"]
    world.report("b", ok=2)
    world.sweep()
    assert world.states() == {"a": "done", "b": "done"}


def test_a_rejected_definition_breaks_the_task_with_its_reason(session: Session) -> None:
    world = chain(session)
    world.report("a", rejected=True, reason="no such partition")
    world.sweep()
    assert world.states()["a"] == "broken"


def test_a_task_without_a_command_stays_defined_and_blocks(session: Session) -> None:
    made = with_task(metatask(a="", b="a"), "b", {"command": ""})
    world = World.of(session, made)
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "defined"}
    assert standing_of(world) == "blocked"


def test_armed_false_is_passed_over_by_the_metatask_and_armed_by_name(session: Session) -> None:
    world = World.of(session, with_task(metatask(a="", b="a"), "b", {"armed": False}))
    assert world.states() == {"a": "running", "b": "defined"}
    world.do("start", "b")
    world.sweep()
    assert world.states()["b"] == "waiting"


def test_disarm_takes_a_waiting_task_back(session: Session) -> None:
    world = chain(session)
    world.do("disarm", "b")
    world.sweep()
    assert world.states()["b"] == "defined"


def test_every_change_of_state_is_in_the_history_with_its_cause(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.sweep()
    with reading(session.engine) as conn:
        told = [(past.task, past.cause, past.new) for past in history.of(conn, world.metatask_id)]
    assert ("a", "arm", "defined") in told
    assert ("a", "ready", "waiting") in told
    assert ("a", "start", "running") in told
    assert ("a", "finalize-done", "done") in told
    assert ("b", "start", "running") in told


def test_a_full_sweep_finds_what_a_lost_journal_hid(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    with session.writing() as conn:
        conn.exec_driver_sql("DELETE FROM wire_changed")
    assert not world.sweep().fired
    world.sweep(full=True)
    assert world.states() == {"a": "done", "b": "running"}


def test_a_sweep_with_nothing_to_do_looks_at_nothing(session: Session) -> None:
    world = chain(session)
    assert world.sweep().looked_at == 0


def test_one_name_without_regard_to_case_is_one_metatask(session: Session) -> None:
    World.of(session, metatask("Run1", a=""))
    with pytest.raises(Refused, match="already"):
        World.of(session, MetaTask("rUN1"))


def test_a_task_with_secondary_input_alone_makes_its_own_units(
    session: Session,
) -> None:
    made = with_task(with_edge(metatask(a="", b="a"), "a", "b", role="secondary"), "b", {"split.jobs": 5})
    world = World.of(session, made)
    assert world.states() == {"a": "running", "b": "waiting"}
    world.report("a", ok=1)
    world.sweep()
    assert world.states() == {"a": "done", "b": "running"}
