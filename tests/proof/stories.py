"""Short stories of one graph each, with their ends written out: what the rows must do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deft.model.firing import Marking, Ordered
from deft.model.net import AUTOMATIC, Row
from deft.model.verbs import VERBS, Verb
from tests.proof.executor import Event, Jedi
from tests.proof.invariants import run
from tests.proof.search import Command, State, World
from tests.proof.shapes import Graph, graph


@dataclass(frozen=True)
class Story:
    """Steps of a graph, and how it ends.

    Steps are `begin T`, `end T`, `break T`, `cancel T` (the ready or running jobs of a task, or N of them,
    are taken, end well, badly, are stopped), `ok T`, `fail T` (taken, and ended), `run` (all goes well until
    nothing moves), `lose T.U`, `return T.U` (a file of its output), `more D`, `close D` (of a source), and
    the verbs: `hold 0 kill`, `hold META`.
    `ends` has the states, `/` the memberships of the outputs, `/` the orders given on the way (kind and task,
    or @dataset) and verbs that were refused, `/` the controls and marks set at the end.
    """

    name: str
    graph: Graph
    steps: str
    ends: str
    armed: bool = True


class Teller(World):
    """A world that notes the orders."""

    def __init__(self, graph: Graph, rows: tuple[Row, ...], verbs: dict[str, Verb]) -> None:
        super().__init__(graph, rows, verbs)
        self.orders: list[str] = []

    def obey(self, jedi: Jedi, orders: Iterable[Ordered], marking: Marking, mode: str = "") -> Jedi:
        """Apply, and note."""
        given = list(orders)
        self.orders += [f"{one.kind}{one.task if one.task >= 0 else f'@{one.dataset}'}" for one in given]
        return super().obey(jedi, given, marking, mode)


def tell(story: Story, rows: tuple[Row, ...] = AUTOMATIC, verbs: dict[str, Verb] | None = None) -> str:
    """What is true at its end, in the form of `Story.ends`."""
    world = Teller(story.graph, rows, VERBS if verbs is None else verbs)
    state = world.initial(armed=story.armed)
    for words in story.steps.split(";"):
        state = _step(world, state, words.split())
    marking = state.marking
    controls = ("armed", "hold", "force", "finish", "abort", "started", "done_revision")
    set_ones = (
        f"{name.removesuffix('_revision')}{t}"
        for t, mark in enumerate(marking.tasks)
        for name in controls
        if getattr(mark, name)
    )
    outputs = [
        marking.datasets[d].membership for t in range(story.graph.tasks) for d in world.structure.outputs[t]
    ]
    parts = ([mark.state for mark in marking.tasks], outputs, world.orders, sorted(set_ones))
    return " / ".join(" ".join(part) or "-" for part in parts)


def _step(world: Teller, state: State, words: list[str]) -> State:
    match words:
        case []:
            return state
        case ["run"]:
            return run(world, state)
        case ["more", task]:
            return _asked(world, state, Command("augment", int(task)))
        case ["close", task]:
            return _asked(world, state, Command("close", int(task)))
        case ["ok" | "fail" as how, task, *number]:
            return _jobs(world, state, int(task), int(number[0]) if number else 99, _ENDS[how])
        case ["begin" | "end" | "break" | "cancel" as how, task, *number]:
            return _jobs(world, state, int(task), int(number[0]) if number else 99, (_ALONE[how],))
        case ["lose" | "return" as how, place]:
            maker, unit = map(int, place.split("."))
            return world.happen(state, Event(how, world.structure.outputs[maker][0], unit)).after
        case [verb, on, *mode]:
            return _asked(world, state, Command(verb, -1 if on == "META" else int(on), "".join(mode)))
    raise ValueError(" ".join(words))


_ENDS = {"ok": ("begin", "succeed"), "fail": ("begin", "fail")}
_ALONE = {"begin": "begin", "end": "succeed", "break": "fail", "cancel": "cancel"}


def _jobs(world: Teller, state: State, task: int, number: int, kinds: tuple[str, ...]) -> State:
    """So many jobs of a task, each through these events."""
    for _ in range(number):
        for kind in kinds:
            mine = [
                event
                for event in world.machine.events(state.jedi)
                if event.kind == kind and world.structure.edges[event.at].target == task
            ]
            if not mine:
                return state
            state = world.happen(state, mine[0]).after
    return state


def _asked(world: Teller, state: State, command: Command) -> State:
    """A verb; one that is refused leaves a mark among the orders."""
    move = world.command(state._replace(commands=1), command)
    if move is None:
        world.orders.append(f"({command.verb} refused)")
        return state
    return move.after._replace(commands=0)


def stories() -> list[Story]:
    """All that stand in stories.txt."""
    text = Path(__file__).with_name("stories.txt").read_text(encoding="utf-8")
    blocks = [part.splitlines() for part in text.split("\n\n") if part.strip() and not part.startswith("#")]
    return [_read(*(line.strip() for line in block)) for block in blocks]


def _read(name: str, shape: str, steps: str, ends: str) -> Story:
    kind, _, options = shape.partition(" ")
    given = {
        key: frozenset(value) if isinstance(value, list) else value
        for key, value in json.loads(options or "{}").items()
    }
    armed = bool(given.pop("armed", True))
    return Story(name, graph(kind, **given), steps, ends, armed)
