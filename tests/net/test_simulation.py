"""The net played forward in memory: it ends, and where the real engine does when told the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.database import reading
from deft.model.graph import MetaTask
from deft.model.simulation import ALL, Player, Step
from deft.model.tasks import Edge, NodeKind, Task
from deft.store import history, snapshot
from deft.store.tables import deft_node
from tests.support import build
from tests.support.build import World

FOUND = 3


def drawn(draw: random.Random, name: str) -> MetaTask:
    """A graph of up to eight tasks, fed by files or by numbers of their own."""
    made = MetaTask(name)
    made.add(Task("entry", NodeKind.ENTRY))
    for number in range(draw.randint(1, 8)):
        task = f"t{number}"
        made.add(Task(task, settings={"command": "true", "split.jobs": draw.randint(1, 4)}))
        sources = draw.sample(range(number), min(number, draw.randint(0, 3)))
        if not sources and draw.random() < 0.5:
            made.join(Edge("entry", task, {"source": "/nowhere/*.dat"}))
        reduce = draw.random() < 0.4
        for source in sources:
            role = "secondary" if len(sources) > 1 and source == sources[0] else "primary"
            made.join(Edge(f"t{source}", task, {"reduce": reduce, "role": role}))
    return made


def carry_out(world: World) -> None:
    """JEDI's part by hand: every listing finds some files, every task that runs ends with all units ok."""
    for _ in range(20):
        world.sweep()
        world.list_external(FOUND)
        world.sweep()
        running = [task for task, state in world.states().items() if state == "running"]
        if not running:
            return
        with reading(world.session.engine) as conn:
            loaded = snapshot.load(conn, world.metatask_id)
        for task in running:
            at = loaded.position(task)
            assert at is not None
            structure, marking = loaded.structure, loaded.marking
            inputs = [structure.edges[edge] for edge in structure.inputs[at]]
            units = sum(
                marking.data_seen[one.dataset].available
                for one in inputs
                if one.policies["role"] == "primary"
            )
            world.report(task, ok=units, made=1 if any(one.policies["reduce"] for one in inputs) else units)
    raise AssertionError("it does not end")


def played(world: World, **wishes: dict[int, int]) -> tuple[Player, list[Step]]:
    with reading(world.session.engine) as conn:
        loaded = snapshot.load(conn, world.metatask_id)
        pending = snapshot.pending(conn, loaded)
    player = Player.at(loaded.structure, loaded.marking)
    for name, value in wishes.items():
        setattr(player, name, value)
    for number, facts in enumerate(loaded.data):
        if facts.sources:
            player.finds[number] = FOUND
    steps = [step for one in player.play(pending) for step in one.steps]
    return player, steps


def past(world: World) -> list[tuple[str | None, str, str | None, str | None]]:
    with reading(world.session.engine) as conn:
        return [(one.task, one.cause, one.old, one.new) for one in history.of(conn, world.metatask_id)]


def states(player: Player) -> dict[str, str]:
    names = (task.name for task in player.structure.tasks)
    return {name: mark.state for name, mark in zip(names, player.board.tasks, strict=True)}


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_simulation_ends_where_the_engine_does_by_the_same_rows(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    world = World.of(build.session_on(engine, tmp_path), drawn(random.Random(seed), "m"))
    before = len(past(world))
    player, steps = played(world)
    carry_out(world)
    assert states(player) == world.states()
    names = [task.name for task in player.structure.tasks]
    told = [(names[step.task], step.row.name, step.old, step.new) for step in steps]
    assert sorted(told) == sorted(past(world)[before:])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_simulation_of_any_marking_ends(engine: Engine, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    session = build.session_on(engine, tmp_path)
    worlds = [World.of(session, drawn(draw, f"m{n}"), start=False) for n in range(10)]
    with session.writing() as conn:
        build.randomize(conn, draw)
        # One that runs was started: else its input is never taken in, in the engine no more than here.
        conn.execute(sa.update(deft_node).where(deft_node.c.state == "running").values(started=1))
    for world in worlds:
        player, _ = played(world, fails={0: draw.choice([0, 1, ALL])})
        assert not player.endless


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_fails_takes_its_consumers_with_it(engine: Engine, tmp_path: Path) -> None:
    world = World.of(build.session_on(engine, tmp_path), build.metatask(a="", b="a", c="", d="c"))
    player, _ = played(world, fails={0: ALL})
    assert states(player) == {"a": "failed", "b": "failed", "c": "done", "d": "done"}
