"""A wanted state is reached by the verbs that lead there, or refused with one that is near."""

from __future__ import annotations

from typing import Any

import pytest

from deft.access.roles import Actor, Role
from deft.base.database import reading
from deft.base.errors import BadInput, NotAllowed, Refused
from deft.base.guards import Expr
from deft.engine.set_state import SetStateAnswer, SetStateRequest, set_state
from deft.model.net import VOCABULARY
from deft.model.tasks import State
from deft.model.verbs import VERBS
from deft.model.wanted import NEAR, WAYS
from deft.store import commands
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask


def lead(world: World, task: str, state: str, **options: Any) -> SetStateAnswer:
    selection = f"{world.name}/{task}" if task else world.name
    return set_state(world.session, SetStateRequest(OPERATOR, selection, state, **options))


def verbs(answer: SetStateAnswer) -> dict[str, tuple[str, ...]]:
    return {taken.verb: taken.tasks for taken in answer.taken}


def chain(session: Session, *, start: bool = True) -> World:
    return World.of(session, metatask(a="", b="a"), start=start)


def test_each_way_and_each_word_near_it_can_be_read() -> None:
    guards = [way.guard for ways in WAYS.values() for way in ways]
    guards += [guard for near in NEAR.values() for guard, _ in near]
    assert all(isinstance(VOCABULARY.parse(guard), Expr) for guard in guards)
    assert {verb for ways in WAYS.values() for way in ways for verb in way.verbs} <= VERBS.keys()
    assert set(NEAR) == set(State)


@pytest.mark.parametrize(
    ("task", "state", "verb", "then"),
    [
        ("a", "aborted", "abort", {"a": "running", "b": "waiting"}),
        ("a", "finished", "finish", {"a": "running", "b": "waiting"}),
        ("b", "defined", "disarm", {"a": "running", "b": "defined"}),
        ("b", "running", "force", {"a": "running", "b": "waiting"}),
        ("b", "aborted", "abort", {"a": "running", "b": "aborted"}),
    ],
)
def test_a_state_is_reached_by_its_verb(
    session: Session, task: str, state: str, verb: str, then: dict[str, str]
) -> None:
    world = chain(session)
    assert verbs(lead(world, task, state)) == {verb: (task,)}
    world.sweep()
    assert world.states() == then


def test_what_was_not_armed_is_armed_or_forced(session: Session) -> None:
    world = chain(session, start=False)
    assert verbs(lead(world, "", "waiting")) == {"start": ("a", "b")}
    world = World.of(session, metatask("n", a=""), start=False)
    assert verbs(lead(world, "a", "running")) == {"force": ("a",)}


def test_a_failed_task_runs_again(session: Session) -> None:
    world = chain(session)
    world.report("a", failed=1)
    world.sweep()
    assert verbs(lead(world, "a", "running")) == {"retry": ("a",)}
    assert world.states()["a"] == "running"


def test_what_throws_progress_away_must_be_said(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match="a is done: only `deft reset --discard`"):
        lead(world, "a", "waiting")
    answer = lead(world, "a", "defined", discard=True)
    assert verbs(answer) == {"reset": ("a",), "disarm": ("a",)}
    assert [one.units for one in answer.discarded] == [1]
    assert world.states() == {"a": "defined"}


@pytest.mark.parametrize(
    ("task", "state", "says"),
    [
        ("a", "waiting", "a is running: `deft hold` stops it"),
        ("a", "done", "`deft finish` lets it end with what it has"),
        ("b", "done", "`deft start --force` lets it begin"),
        ("b", "finished", "it has not started; `deft abort` ends it"),
        ("a", "failed", "`deft abort` stops a task"),
        ("a", "defined", "`deft abort` ends it"),
    ],
)
def test_where_no_verb_leads_the_nearest_is_named(session: Session, task: str, state: str, says: str) -> None:
    world = chain(session)
    with pytest.raises(Refused, match=says):
        lead(world, task, state)
    with reading(session.engine) as conn:
        assert commands.of(conn, world.metatask_id, 10)[-1].outcome == "refused"


def test_a_dry_run_shows_what_would_follow_by_itself(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a", c="b"), start=False)
    world.do("start", "*")
    answer = lead(world, "a", "aborted", dry_run=True)
    assert [(one.task, one.new) for one in answer.follows] == [
        ("b", "waiting"), ("b", "aborted"), ("c", "waiting"), ("c", "aborted")]  # fmt: skip
    assert answer.below == ("b", "c")
    assert world.states() == {"a": "defined", "b": "defined", "c": "defined"}


def test_tasks_that_are_there_already_are_counted(session: Session) -> None:
    world = chain(session)
    assert (lead(world, "a", "running").already, lead(world, "a", "running").taken) == (1, ())


def test_each_verb_needs_its_role(session: Session) -> None:
    world = chain(session)
    world.do("abort", "b")
    operator = Actor("otto", Role.OPERATOR)
    with pytest.raises(NotAllowed, match="may not reset"):
        set_state(session, SetStateRequest(operator, "m/b", "defined", discard=True))


def test_a_word_that_is_no_state_is_refused(session: Session) -> None:
    with pytest.raises(BadInput, match="the states are defined, waiting"):
        lead(chain(session), "a", "idle")
