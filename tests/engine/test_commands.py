"""The log of commands: what was ordered, by whom, what came of it; the same key does nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deft.access.roles import Actor, Role
from deft.base.database import open_engine, reading
from deft.base.errors import BadInput, DeftError, NotAllowed, Refused
from deft.engine.alter import SetRequest, set_keys
from deft.engine.controls import ControlAnswer, ControlRequest, control
from deft.store import commands, history
from deft.store.commands import Past
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask, session_on


def chain(session: Session) -> World:
    return World.of(session, metatask(a="", b="a"))


def log(session: Session, metatask_id: int | None = None) -> list[Past]:
    with reading(session.engine) as conn:
        return commands.of(conn, metatask_id, 100)


def causes(world: World) -> list[str]:
    with reading(world.session.engine) as conn:
        return [past.cause for past in history.of(conn, world.metatask_id) if past.actor == OPERATOR.name]


def test_a_command_is_noted_with_what_it_changed(session: Session) -> None:
    world = chain(session)
    world.do("hold", "a", reason="disk", mode="kill")
    done = log(session, world.metatask_id)[-1]
    assert (done.actor, done.verb, done.selection) == (OPERATOR.name, "hold", "m/a")
    assert (done.options, done.outcome, done.tasks) == ({"mode": "kill", "reason": "disk"}, "done", 1)


def test_a_refused_command_is_noted_with_the_reason_and_changes_nothing(session: Session) -> None:
    world = chain(session)
    with pytest.raises(Refused):
        world.do("disarm", "a", key="k")
    refused = log(session, world.metatask_id)[-1]
    assert (refused.outcome, refused.tasks, refused.key) == ("refused", 0, None)
    assert "a is running" in (refused.why or "")
    assert "disarm" not in causes(world)


def test_what_changes_a_definition_is_known_to_have_done_so(session: Session) -> None:
    world = chain(session)
    world.do("hold", "a")
    with reading(session.engine) as conn:
        assert not commands.redefined(conn, world.metatask_id)
    set_keys(session, SetRequest(OPERATOR, "m/b", {"attr.risk": "3"}))
    with reading(session.engine) as conn:
        assert commands.redefined(conn, world.metatask_id)


def test_what_somebody_may_not_do_is_noted(session: Session) -> None:
    chain(session)
    with pytest.raises(NotAllowed):
        control(session, ControlRequest(Actor("eve", Role.OBSERVER), "abort", "m"))
    assert [(one.actor, one.outcome) for one in log(session)][-1] == ("eve", "refused")


def test_a_dry_run_is_not_noted(session: Session) -> None:
    world = chain(session)
    before = log(session)
    world.do("hold", "a", dry_run=True, key="k")
    assert log(session) == before
    assert world.do("hold", "a", key="k").changed == ("a",)


def test_a_key_given_again_gets_the_first_answer_and_does_nothing(session: Session) -> None:
    world = chain(session)
    first = world.do("hold", "a", key="k1")
    world.do("resume", "a")
    assert world.do("hold", "a", key="k1") == first
    assert causes(world).count("hold") == 1
    assert [one.key for one in log(session)].count("k1") == 1


def test_a_key_given_with_another_command_is_refused_and_names_both(session: Session) -> None:
    world = chain(session)
    world.do("hold", "a", key="k1")
    with pytest.raises(Refused, match=r"hold m/a \{\}, now hold m/b"):
        world.do("hold", "b", key="k1")


def test_a_refused_command_may_be_tried_again_with_its_key(session: Session) -> None:
    world = chain(session)
    with pytest.raises(Refused, match="has not started"):
        world.do("finish", "b", key="k")
    world.report("a", ok=1)
    world.sweep()
    assert world.do("finish", "b", key="k").changed == ("b",)


@pytest.mark.parametrize("key", ["", "two\nlines", "x" * 256])
def test_a_key_is_one_short_line(session: Session, key: str) -> None:
    with pytest.raises(BadInput, match="a key"):
        chain(session).do("hold", "a", key=key)


def at_once(number: int, database_url: str, folder: Path, do: Callable[[Session], object]) -> list[object]:
    """The same on as many connections of their own, begun at one moment; what each came to."""
    together, came = threading.Barrier(number), list[object]()

    def work() -> None:
        engine = open_engine(database_url)
        together.wait()
        try:
            came.append(do(session_on(engine, folder)))
        except DeftError as fault:
            came.append(fault)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_of_many_that_give_one_key_at_once_exactly_one_does_it(
    session: Session, database_url: str, tmp_path: Path
) -> None:
    world = chain(session)

    def hold(own: Session) -> ControlAnswer:
        return control(own, ControlRequest(OPERATOR, "hold", "m/*", key="k"))

    came = at_once(8, database_url, tmp_path, hold)
    assert came == [ControlAnswer("default/m", "hold", ("a", "b"), 0, 0, whole=False)] * 8
    assert world.orders("a") == ["run", "hold"]
    assert causes(world).count("hold") == 2
    assert [one.verb for one in log(session)].count("hold") == 1


def test_of_two_commands_that_take_one_key_at_once_one_is_refused(
    session: Session, database_url: str, tmp_path: Path
) -> None:
    world = chain(session)
    tasks = iter("ab")

    def hold(own: Session) -> ControlAnswer:
        return control(own, ControlRequest(OPERATOR, "hold", f"m/{next(tasks)}", key="k"))

    came = at_once(2, database_url, tmp_path, hold)
    assert sorted(type(one).__name__ for one in came) == ["ControlAnswer", "Refused"]
    assert causes(world).count("hold") == 1
