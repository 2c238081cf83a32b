"""A history says of every firing which token made it fire, and whose command brought that."""

from __future__ import annotations

from deft.observe import pasts
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask


def becauses(world: World, task: str = "") -> dict[tuple[str | None, str], str]:
    text = f"{world.name}/{task}" if task else world.name
    return {(one.task, one.cause): one.because for one in pasts.history(world.session, OPERATOR, text)}


def ran(session: Session) -> World:
    world = World.of(session, metatask(a="", b="a"))
    world.report("a", ok=1)
    world.sweep()
    return world


def test_a_start_names_the_producer_that_was_the_last_to_end(session: Session) -> None:
    world = ran(session)
    assert becauses(world)["b", "start"] == "its input is there: a is done"
    assert becauses(world, "b")["b", "start"] == "its input is there: a is done"
    assert becauses(world)["a", "start"] == "its input is there"


def test_what_follows_a_command_names_who_gave_it(session: Session) -> None:
    world = ran(session)
    told = becauses(world)
    assert told["b", "arm"] == "`deft start`"
    assert told["b", "ready"].endswith("; `deft start` by ann@test")
    world.do("abort", "b")
    world.report("b")
    world.sweep()
    assert becauses(world)["b", "end-abort"].endswith("nothing of it runs any more; `deft abort` by ann@test")


def test_a_start_by_force_says_so_and_the_next_one_does_not(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry"))
    world.do("force", "a")
    world.list_external(1)
    world.sweep()
    assert becauses(world)["a", "start"] == "its input is there; `deft start --force` by ann@test"


def test_an_abort_below_names_the_producer(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    world.do("abort", "a")
    world.report("a")
    world.sweep()
    assert becauses(world)["b", "propagate"] == "a producer of its input was aborted: a is aborted"
