"""Verbs on tasks of many Meta-Tasks: all or nothing, at once; conditions pass over what does not fit."""

from __future__ import annotations

import pytest

from deft.base.errors import BadInput, NotFound, Refused
from deft.engine.controls import ControlAnswers, ControlRequest, control, control_all
from deft.observe import pasts, status
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask, with_task


def pair(session: Session) -> tuple[World, World]:
    """Two Meta-Tasks of two tasks, the first task of each runs."""
    one, two = (World.of(session, metatask(name, a="", b="a")) for name in ("m1", "m2"))
    return one, two


def do(session: Session, verb: str, selection: str = "", *, where: str | None = None) -> ControlAnswers:
    return control_all(session, ControlRequest(OPERATOR, verb, selection, where=where))


def changed(found: ControlAnswers) -> dict[str, tuple[str, ...]]:
    return {answer.metatask: answer.changed for answer in found.answers}


def test_a_condition_reaches_tasks_of_all_metatasks(session: Session) -> None:
    one, two = pair(session)
    found = do(session, "hold", where="state == running")
    assert changed(found) == {"default/m1": ("a",), "default/m2": ("a",)}
    assert found.tasks == 2
    assert (one.orders("a"), two.orders("a")) == (["run", "hold"], ["run", "hold"])


def test_a_glob_of_metatasks_holds_each_as_a_whole(session: Session) -> None:
    pair(session)
    assert [answer.whole for answer in do(session, "hold", "m*").answers] == [True, True]
    assert all(line.holds for line in status.statuses(session, OPERATOR, "m1 m2"))


def test_one_refusal_of_a_named_task_undoes_all(session: Session) -> None:
    one, two = pair(session)
    two.report("a", ok=1)
    two.sweep()
    with pytest.raises(Refused, match="a is done"):
        do(session, "hold", "m*/a")
    assert one.orders("a") == ["run"]


def test_a_condition_passes_over_what_does_not_fit(session: Session) -> None:
    _, two = pair(session)
    two.report("a", ok=1)
    two.sweep()
    found = do(session, "hold", where="name == 'a'")
    assert changed(found) == {"default/m1": ("a",), "default/m2": ()}
    assert [answer.passed_over for answer in found.answers] == [0, 1]


def test_a_whole_metatask_that_has_ended_is_passed_over_beside_others(session: Session) -> None:
    World.of(session, metatask("m1", a=""))
    two = World.of(session, metatask("m2", a=""))
    two.report("a", ok=1)
    two.sweep()
    assert [answer.passed_over for answer in do(session, "hold", "*").answers] == [0, 1]
    with pytest.raises(Refused, match="m2 has ended"):
        do(session, "hold", "m2")


def test_a_condition_starts_no_task_that_says_it_is_not_to_be_armed(session: Session) -> None:
    made = with_task(metatask("m", a="", b="a"), "b", {"armed": False})
    World.of(session, made, start=False)
    assert changed(do(session, "start", where="not armed")) == {"default/m": ("a",)}


def test_one_metatask_is_wanted_of_the_single_verb(session: Session) -> None:
    one, _ = pair(session)
    with pytest.raises(BadInput, match="names 2 Meta-Tasks"):
        control(session, ControlRequest(OPERATOR, "hold", "m*"))
    assert one.orders("a") == ["run"]


def test_a_dry_run_on_many_changes_nothing(session: Session) -> None:
    one, _ = pair(session)
    found = control_all(session, ControlRequest(OPERATOR, "abort", "m*", dry_run=True))
    assert found.tasks == 4
    assert one.states() == {"a": "running", "b": "waiting"}


def test_a_command_on_many_is_done_once_under_its_key(session: Session) -> None:
    one, _ = pair(session)
    request = ControlRequest(OPERATOR, "hold", "", key="k", where="state == running")
    assert control_all(session, request) == control_all(session, request)
    assert one.orders("a") == ["run", "hold"]
    with pytest.raises(Refused, match="another command"):
        control_all(session, ControlRequest(OPERATOR, "hold", "", key="k", where="name == 'a'"))


def test_a_condition_that_is_wrong_changes_nothing(session: Session) -> None:
    pair(session)
    with pytest.raises(BadInput, match="did you mean state"):
        do(session, "abort", where="stat == running")
    with pytest.raises(NotFound, match="no task matches"):
        do(session, "abort", where="failed > 7")


def test_hundreds_of_tasks_are_steered_and_shown_in_pieces(session: Session) -> None:
    tasks = {f"t{number}": "" for number in range(600)}
    World.of(session, metatask("m", **tasks), start=False)
    assert do(session, "start", where="name == 't*'").tasks == 600
    shown = status.status(session, OPERATOR, "m", where="armed")
    assert [line.task for line in shown.tasks] == list(tasks)
    assert len(pasts.settings(session, OPERATOR, "m/t*")) == 600
    assert len(pasts.history(session, OPERATOR, "m/t*", limit=700)) == 600
    assert [past.task for past in pasts.history(session, OPERATOR, "m/t*", limit=2)] == ["t598", "t599"]


def test_the_list_has_the_metatasks_with_such_a_task(session: Session) -> None:
    pair(session)
    World.of(session, metatask("m3", c=""), start=False)
    found = status.list_metatasks(session, OPERATOR, where="downstream_of('a') or name == 'c'")
    assert [line.metatask for line in found] == ["default/m3", "default/m2", "default/m1"]
    assert len(status.list_metatasks(session, OPERATOR, where="state == running")) == 2
