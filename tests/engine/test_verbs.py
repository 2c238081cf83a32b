"""Verbs of operators: refused with a reason, all or nothing, safe to repeat."""

from __future__ import annotations

import pytest

from deft.access.roles import Actor, Role
from deft.base.errors import BadInput, NotAllowed, NotFound, Refused
from deft.engine.controls import ControlRequest, control
from deft.store.session import Session
from tests.support.build import World, metatask


def chain(session: Session) -> World:
    return World.of(session, metatask(a="", b="a"))


@pytest.mark.parametrize(
    ("verb", "task", "says"),
    [
        ("retry", "a", "is done, with nothing to retry"),
        ("hold", "a", "has ended"),
        ("abort", "a", "has ended"),
        ("disarm", "a", "has ended"),
        ("force", "a", "has ended"),
    ],
)
def test_a_refused_verb_says_the_state_and_the_way_out(
    session: Session, verb: str, task: str, says: str
) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match=says):
        world.do(verb, task)


def test_a_verb_on_several_tasks_is_all_or_nothing(session: Session) -> None:
    world = chain(session)
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match="a is done"):
        world.do("hold", "*")
    assert world.do("resume", "b").already == 1


def test_a_verb_given_twice_changes_nothing_the_second_time(session: Session) -> None:
    world = chain(session)
    world.do("hold", "a")
    assert world.do("hold", "a").already == 1
    assert world.orders("a") == ["run", "hold"]


def test_a_dry_run_changes_nothing(session: Session) -> None:
    world = chain(session)
    answer = control(session, ControlRequest(Actor("ann", Role.ADMIN), "hold", "m/a", dry_run=True))
    assert answer.changed == ("a",)
    assert world.orders("a") == ["run"]


def test_an_observer_may_not_hold(session: Session) -> None:
    chain(session)
    with pytest.raises(NotAllowed, match="operator"):
        control(session, ControlRequest(Actor("eve", Role.OBSERVER), "hold", "m"))


@pytest.mark.parametrize("reason", ["two\nlines", "\x1b[31mred", "x" * 10_000_000])
def test_a_reason_is_one_printable_line(session: Session, reason: str) -> None:
    world = chain(session)
    with pytest.raises(BadInput, match="one line"):
        world.do("hold", "a", reason=reason)


@pytest.mark.parametrize("selection", ["n", "m/zzz", "default/n"])
def test_what_does_not_exist_is_named_with_near_names(session: Session, selection: str) -> None:
    chain(session)
    with pytest.raises(NotFound):
        control(session, ControlRequest(Actor("ann", Role.ADMIN), "hold", selection))
