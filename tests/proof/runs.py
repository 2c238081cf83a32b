"""Which graphs are searched, and how far: the small runs of every test, and all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deft.model.net import AUTOMATIC, Row
from deft.model.verbs import VERBS, Verb
from tests.proof.apart import ApartWorld, explore_apart
from tests.proof.invariants import Recipe, at_every_step
from tests.proof.search import Found, State, World, commands_of, explore
from tests.proof.shapes import POLICIES, Graph, graph


@dataclass(frozen=True)
class Run:
    """One search: a graph, how many commands and lost units at most, and whether it is armed at first.

    `apart`: DEFT and JEDI are two, with orders in a queue and reports that lag.
    """

    graph: Graph
    commands: int = 0
    losses: int = 1
    armed: bool = True
    apart: bool = False

    def __str__(self) -> str:
        parts = [self.graph.name, f"{self.commands} commands", f"{self.losses} losses"]
        return ", ".join(parts + ["not armed"] * (not self.armed) + ["apart"] * self.apart)

    def explore(self, rows: tuple[Row, ...] = AUTOMATIC, verbs: Mapping[str, Verb] = VERBS) -> Found:
        """Search it. Raises Violation."""
        world = World(self.graph, rows, dict(verbs))
        recipe = Recipe()
        if not self.apart:
            return explore(
                world, commands_of(world), budget=self.commands, losses=self.losses, armed=self.armed,
                on_move=at_every_step, on_quiet=recipe,
            )  # fmt: skip

        def on_quiet(state: State) -> None:
            recipe(world, world.evaluate(state, []))

        two = ApartWorld(self.graph, rows, dict(verbs))
        return explore_apart(
            two, commands_of(two), budget=self.commands, losses=self.losses, on_quiet=on_quiet
        )


def small() -> Iterator[Run]:
    """One and two tasks: every command, every pair of commands, every policy and kind of source."""
    for shape in ("single", "pair"):
        yield Run(graph(shape), 2)
        yield Run(graph(shape), 3 if shape == "single" else 2, 0, armed=False)
        for source in ("closed", "open", "slow", "empty", "later"):
            yield Run(graph(shape, source=source), 2 if shape == "single" else 1)
    for policies in POLICIES:
        yield Run(graph("pair", policies=policies), 1)
        yield Run(graph("pair", policies=policies), 2, 0)
        yield Run(graph("pair", policies=policies, source="open"), 2, 0)
        yield Run(graph("pair", policies=policies, units=1), 1, 0, apart=True)
    for options in ({"goal": 0.5}, {"allow_empty": 1}, {"rejects": frozenset({0})},
                    {"rejects": frozenset({1})}):  # fmt: skip
        yield Run(graph("pair", **options), 1)
        yield Run(graph("pair", units=1, **options), 1, 0, apart=True)
    yield Run(graph("single", source="later", allow_empty=1), 2)
    yield Run(graph("two", units=1), 2)
    yield Run(graph("pair", goal=0.5, policies={"on_loss": "proceed"}), 1)
    yield Run(graph("single"), 1, 1, apart=True)
    yield Run(graph("single", source="open"), 2, 0, apart=True)
    yield Run(graph("pair", units=1), 1, 1, apart=True)
    yield Run(graph("pair", policies={"start_kind": "count", "start_amount": 1}), 0, 1, apart=True)


def large() -> Iterator[Run]:
    """Three tasks and the diamond: every command, every policy; apart on chain, fan-in and diamond."""
    for shape in ("chain", "fan-out", "fan-in", "triangle"):
        yield Run(graph(shape), 1, int(shape == "chain"))
        yield Run(graph(shape, source="open"), 1, 0)
        for policies in POLICIES:
            yield Run(graph(shape, policies=policies), 1, 0)
    yield Run(graph("two"), 1)
    for shape in ("three", "pair and one"):
        yield Run(graph(shape, units=1), 1)
        yield Run(graph(shape), 0)
    for policies in POLICIES:  # an edge of each kind beside a plain one
        yield Run(graph("fan-in", second=policies, units=1), 1)
    yield Run(graph("diamond", units=1), 1)
    yield Run(graph("diamond"), 1, 0)
    for policies in POLICIES:
        units = 1 if "start_kind" in policies else 2  # an early start mixes everything with everything
        yield Run(graph("diamond", units=units, policies=policies), 1, 0)
    yield Run(graph("pair"), 1, 0, apart=True)
    yield Run(graph("pair", source="open"), 1, 0, apart=True)
    for shape in ("chain", "fan-in", "diamond"):
        yield Run(graph(shape, units=1), 1, 0, apart=True)


def for_mutants() -> Iterator[Run]:
    """A few seconds' worth that sees most of what the table does."""
    yield Run(graph("single"), 1)
    yield Run(graph("single", source="open"), 1)
    yield Run(graph("pair"), 1)
    for policies in POLICIES:
        yield Run(graph("pair", policies=policies), 1, 0)
    yield Run(graph("single"), 1, 0, apart=True)
    yield Run(graph("single", source="open"), 2, 0, apart=True)
    yield Run(graph("pair", units=1, policies={"start_kind": "count", "start_amount": 1}), 1, 0, apart=True)
    yield Run(graph("single", units=1, rejects=frozenset({0})), 1, 0, apart=True)
    yield Run(graph("pair", policies={"start_kind": "count", "start_amount": 1}), 0, 0, apart=True)


def names() -> set[str]:
    """Every row of the net that some run must fire."""
    return {row.name for row in AUTOMATIC} | {row.name for verb in VERBS.values() for row in verb.rows}
