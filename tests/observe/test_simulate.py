"""Simulate plays a Meta-Task forward as the database has it, and writes nothing."""

from __future__ import annotations

import pytest

from deft.base.database import reading
from deft.base.errors import BadInput, NotFound, Refused
from deft.observe import simulate
from deft.observe.simulate import SimulateRequest, Simulation
from deft.store import history
from deft.store.session import Session
from tests.support.build import OPERATOR, World, metatask, with_edge


def simulated(
    world: World, hold: tuple[str, ...] = (), fail: tuple[str, ...] = (), grow: tuple[str, ...] = (),
    *, start: bool = False,
) -> Simulation:  # fmt: skip
    return simulate.simulate(world.session, SimulateRequest(OPERATOR, world.name, hold, fail, grow, start))


def path(found: Simulation) -> list[list[str]]:
    return [[f"{move.task} {move.row}" for move in one.moves] for one in found.rounds]


def test_the_path_is_told_round_by_round(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    found = simulated(world)
    assert path(found) == [[], ["a finalize-done", "b start"], ["b finalize-done"]]
    assert [[(one.task, one.ok, one.failed) for one in line.work] for line in found.rounds] == [
        [("a", 1, 0)], [("b", 1, 0)], [],
    ]  # fmt: skip
    assert (found.state, found.states, found.causes) == ("done", {"a": "done", "b": "done"}, ())


def test_nothing_is_written(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"))
    with reading(session.engine) as conn:
        before = history.of(conn, world.metatask_id)
    simulated(world, hold=("b",), fail=("a",))
    with reading(session.engine) as conn:
        assert history.of(conn, world.metatask_id) == before
    assert world.states() == {"a": "running", "b": "waiting"}


def test_a_task_that_is_held_stops_what_is_below_it(session: Session) -> None:
    found = simulated(World.of(session, metatask(a="", b="a", c="b", d="")), hold=("b",))
    assert found.states == {"a": "done", "b": "waiting", "c": "waiting", "d": "done"}
    assert [(one.kind, one.where, one.blocks) for one in found.causes] == [("hold", "b", 2)]


def test_some_units_that_fail_miss_the_goal(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry", b="a"))
    found = simulated(world, fail=("a=2",), grow=("entry=5",))
    assert found.states == {"a": "exhausted", "b": "waiting"}
    assert (found.state, found.notes) == ("exhausted", ())


def test_a_listing_that_was_never_made_is_taken_to_find_one(session: Session) -> None:
    found = simulated(World.of(session, metatask(entry="", a="entry")))
    assert found.state == "done"
    assert found.notes == (
        "the data of entry was never listed, and is taken to hold 1 unit; --grow entry=N says how many",
    )


def test_more_data_from_outside_run_what_is_done_again(session: Session) -> None:
    world = World.of(session, metatask(entry="", a="entry", b="a"))
    world.list_external(3)
    world.sweep()
    for task in ("a", "b"):
        world.report(task, ok=3)
        world.sweep()
    found = simulated(world, grow=("entry=2",))
    assert path(found) == [["a reopen", "b reopen"], ["a finalize-done", "b finalize-done"]]
    assert [(one.task, one.ok) for line in found.rounds for one in line.work] == [("a", 2), ("b", 2)]
    assert found.state == "done"


def test_a_consumer_that_may_start_early_does(session: Session) -> None:
    made = with_edge(metatask(entry="", a="entry", b="a"), "a", "b", start_when="any")
    found = simulated(World.of(session, made), grow=("entry=4",))
    with_start = next(moves for moves in path(found) if "b start" in moves)
    assert with_start == ["b start"]
    assert found.state == "done"


def test_a_draft_moves_only_if_it_is_started(session: Session) -> None:
    world = World.of(session, metatask(a="", b="a"), start=False)
    assert (simulated(world).rounds, simulated(world).state) == ((), "draft")
    assert simulated(world, start=True).state == "done"


def test_names_that_are_not_there_are_refused_with_near_ones(session: Session) -> None:
    world = World.of(session, metatask(entry="", alpha="entry", beta="alpha"))
    with pytest.raises(NotFound, match="near: alpha"):
        simulated(world, hold=("alhpa",))
    with pytest.raises(NotFound, match=r"near: .*entry"):
        simulated(world, grow=("entri=3",))
    with pytest.raises(BadInput, match="TASK=UNITS"):
        simulated(world, fail=("alpha=some",))
    with pytest.raises(BadInput, match="DATASET=UNITS"):
        simulated(world, grow=("entry",))
    with pytest.raises(BadInput, match="a whole Meta-Task"):
        simulate.simulate(session, SimulateRequest(OPERATOR, "m/alpha"))


def test_what_has_ended_cannot_be_held(session: Session) -> None:
    world = World.of(session, metatask(a=""))
    world.report("a", ok=1)
    world.sweep()
    with pytest.raises(Refused, match="has ended"):
        simulated(world, hold=("a",))
