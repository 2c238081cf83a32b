"""Every marking that can be reached: net and executor, all interleavings, operators at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deft.model.firing import Firing, Marking, Ordered, TaskMark, replaced
from deft.model.net import AUTOMATIC, Row
from deft.model.tasks import ENDED
from deft.model.verbs import VERBS, Verb
from deft.wire.orders import OrderKind
from tests.proof.executor import AVAILABLE, LOST, Event, Jedi, Machine
from tests.proof.shapes import SOURCES, Graph


class State(NamedTuple):
    """One state of the whole: DEFT's marking with fresh reports, the executor's, what may still come."""

    marking: Marking
    jedi: Jedi
    losses: int = 0
    commands: int = 0


class Command(NamedTuple):
    """What an operator does: a verb on a task, or (task -1) on the Meta-Task."""

    verb: str
    task: int = -1
    mode: str = ""

    def __str__(self) -> str:
        mode = f" {self.mode}" if self.mode else ""
        return f"{self.verb}{mode} t{self.task}" if self.task >= 0 else f"{self.verb}{mode} META"


Step = Event | Command


_ROUNDS = 40  # of the net and the executor after one step


@dataclass
class Move:
    """One step and what fired by it, in order."""

    step: Step
    before: State
    after: State
    fired: list[Firing]


class Violation(AssertionError):
    """An invariant does not hold; the message has the path to it."""


PER_TASK = (
    "start", "force", "disarm", "hold", "resume", "abort", "retry", "finish", "finish-hard", "recover",
    "recover-consumers", "reset", "obsolete", "set",
)  # fmt: skip
MODES = {"hold": ("drain", "kill")}
WHOLE = ("hold", "resume")


def commands_of(world: World) -> list[Command]:
    """Every command on a graph: verbs of tasks, of the Meta-Task, and of external datasets."""
    tasks = world.graph.tasks
    found = [
        Command(verb, t, mode) for verb in PER_TASK for mode in MODES.get(verb, ("",)) for t in range(tasks)
    ]
    found += [Command(verb) for verb in WHOLE]
    return found + [Command(verb, d) for verb in ("augment", "close") for d in world.structure.listed]


class World:
    """One graph: its structure, its executor, and the steps between states."""

    def __init__(
        self,
        graph: Graph,
        rows: tuple[Row, ...] = AUTOMATIC,
        verbs: dict[str, Verb] | None = None,
    ) -> None:
        self.graph = graph
        self.structure = graph.structure()
        self.machine = Machine(graph, self.structure)
        self.rows = rows
        self.verbs = VERBS if verbs is None else verbs
        self._below = [self._descendants(t) for t in range(graph.tasks)]

    def _descendants(self, t: int) -> set[int]:
        found: set[int] = set()
        for a, b in self.graph.edges:
            if a == t or a in found:
                found.add(b)
        return found  # edges are listed from producers on

    def initial(self, *, armed: bool = True) -> State:
        """After the import, all tasks armed if so, and evaluated once."""
        marking = self.structure.empty()
        marking = marking._replace(tasks=(TaskMark(armed=int(armed)),) * self.graph.tasks)
        datasets = tuple(
            mark._replace(membership="closed") if made < 0 and d not in self.structure.listed else mark
            for d, (mark, made) in enumerate(zip(marking.datasets, self.structure.producers, strict=True))
        )
        state = State(marking._replace(datasets=datasets), self.machine.empty())
        return self.evaluate(state, [])

    # --- evaluation: settle, hand over orders, let the executor follow, until nothing moves ---

    def evaluate(self, state: State, fired: list[Firing]) -> State:
        """The net and the executor's transactions to a common fixed point, `fired` extended."""
        marking, jedi = state.marking, self.machine.follow(state.jedi)
        for _ in range(_ROUNDS):
            marking = self.machine.seen(marking, jedi)
            marking, now, orders = self.structure.settle(marking, self.rows)
            fired += now
            if not now and not orders:
                return state._replace(marking=self.machine.seen(marking, jedi), jedi=jedi)
            jedi = self.machine.follow(self.obey(jedi, orders, marking))
        raise RuntimeError(f"orders go round: {[one.row.name for one in fired[-4:]]}")

    def obey(self, jedi: Jedi, orders: Iterable[Ordered], marking: Marking, mode: str = "") -> Jedi:
        """The executor applies orders."""
        for order in orders:
            jedi = self.apply(jedi, order, marking, mode)
        return jedi

    def apply(self, jedi: Jedi, order: Ordered, marking: Marking, mode: str) -> Jedi:
        """The executor applies one order."""
        if order.kind is OrderKind.SCAN:
            found = max(SOURCES[self.graph.source][0], jedi.units[order.dataset].count(AVAILABLE))
            return self.machine.listing(jedi, order.dataset, found)
        if order.dataset >= 0:
            return self.machine.emptied(jedi, order.dataset)
        return self.machine.apply(jedi, order.kind, order.task, marking, mode)

    # --- steps ---

    def events(self, state: State) -> list[Event]:
        """What the executor may do, and what may be lost."""
        found = list(self.machine.events(state.jedi))
        return found + (list(self.machine.losses(state.jedi)) if state.losses else [])

    def happen(self, state: State, event: Event) -> Move:
        """One event and all that follows by itself."""
        fired: list[Firing] = []
        losses = state.losses - (event.kind == "lose")
        after = state._replace(jedi=self.machine.happen(state.jedi, event), losses=losses)
        return Move(event, state, self.evaluate(after, fired), fired)

    def command(self, state: State, command: Command) -> Move | None:
        """One command and all that follows by itself; None where it is refused or changes nothing."""
        act: Callable[[State, Command], tuple[State, list[Firing]] | None] = getattr(
            self, "_" + command.verb.replace("-", "_"), self._rows
        )
        done = act(state, command)
        if done is None:
            return None
        after, fired = done
        after = after._replace(commands=max(0, state.commands - 1))
        return Move(command, state, self.evaluate(after, fired), fired)

    def _rows(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        if command.task < 0:
            return self._whole(state, command)
        return self._fire(state, command.verb, [command.task], command.mode)

    def _fire(
        self, state: State, verb: str, tasks: Sequence[int], mode: str = "", rows: tuple[Row, ...] = ()
    ) -> tuple[State, list[Firing]] | None:
        """One verb on several tasks, all or nothing."""
        marking, jedi = state.marking, state.jedi
        fired: list[Firing] = []
        orders: list[Ordered] = []
        rows = rows or self.verbs[verb].rows
        enabled = [self.structure.enabled(marking, t, rows) for t in tasks]
        for t, row in zip(tasks, enabled, strict=True):
            if row is None:
                return None
            marking, given = self.structure.fire(marking, t, row)
            fired.append(Firing(t, row))
            orders += given
        mode = "hard" if verb == "finish-hard" else "consumer" if verb == "remake" else mode
        return state._replace(marking=marking, jedi=self.obey(jedi, orders, marking, mode)), fired

    def _whole(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        holding = command.verb == "hold"
        alone = [t for t, mark in enumerate(state.marking.tasks) if mark.hold]
        if alone and not holding and not state.marking.metatask_hold:
            return self._fire(state, "resume", alone)  # only tasks are held, one by one: they are meant
        if bool(state.marking.metatask_hold) == holding:
            return None
        if holding and all(mark.state in ENDED for mark in state.marking.tasks):
            return None
        kind = OrderKind.HOLD if holding else OrderKind.RESUME
        known = [
            t
            for t, mark in enumerate(state.marking.tasks)
            if mark.started and mark.state not in ENDED and not mark.hold
        ]
        marks = tuple(
            mark._replace(order_seq=mark.order_seq + 1) if t in known else mark
            for t, mark in enumerate(state.marking.tasks)
        )
        marking = state.marking._replace(metatask_hold=int(holding), tasks=marks)
        orders = [Ordered(kind, t) for t in known]
        return state._replace(marking=marking, jedi=self.obey(state.jedi, orders, marking, command.mode)), []

    def _recover(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        """A task, and the producers of those of its inputs that lost something, all the way up."""
        chosen = self._lost_above(state, command.task)
        return self._fire(state, "recover", sorted(chosen))

    def _lost_above(self, state: State, task: int) -> set[int]:
        chosen, ask = set(), [task]
        while ask:
            t = ask.pop()
            chosen.add(t)
            for e in self.structure.inputs[t]:
                d = self.structure.edges[e].dataset
                producer = self.structure.producers[d]
                if producer >= 0 and producer not in chosen and LOST in state.jedi.units[d]:
                    ask.append(producer)
        return chosen

    def _recover_consumers(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        """Recover, and those started consumers make again what they had made of the lost units."""
        consumers = sorted({b for a, b in self.graph.edges if a == command.task})
        again = [t for t in consumers if state.marking.tasks[t].started]
        chosen = sorted(self._lost_above(state, command.task))
        first = self._fire(state, "remake", again)  # the consumers see what is lost before it is made again
        second = self._fire(first[0], "recover", chosen) if first else None
        return (second[0], first[1] + second[1]) if first and second else None

    def _reset(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        """A task and all its started or ended descendants, those all ended."""
        marks = state.marking.tasks
        below = [t for t in sorted(self._below[command.task]) if marks[t].started or marks[t].state in ENDED]
        return self._fire(state, "reset", [command.task, *below])

    def _augment(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        """One more file for an external dataset; a closed one is closed again at once."""
        d = command.task
        units = state.jedi.units[d]
        if not state.jedi.listed[d] or units.count(AVAILABLE) == len(units):
            return None
        jedi = self.machine.listing(state.jedi, d, units.count(AVAILABLE) + 1)
        return state._replace(jedi=self.machine.follow(jedi)), []

    def _close(self, state: State, command: Command) -> tuple[State, list[Firing]] | None:
        d = command.task
        mark = state.marking.datasets[d]
        if mark.membership != "open":
            return None
        closed = replaced(state.marking.datasets, d, mark._replace(membership="closed"))
        jedi_closed = tuple(
            1 if edge.dataset == d else old
            for edge, old in zip(self.structure.edges, state.jedi.closed, strict=True)
        )
        marking = state.marking._replace(datasets=closed)
        return state._replace(marking=marking, jedi=state.jedi._replace(closed=jedi_closed)), []


@dataclass
class Found:
    """What a search found: states, steps, rows that fired."""

    graph: Graph
    markings: int = 0
    steps: int = 0
    quiet: int = 0
    rows: set[str] = field(default_factory=set)


Check = Callable[["World", Move], None]


def explore(
    world: World,
    commands: Sequence[Command] = (),
    *,
    budget: int = 0,
    losses: int = 1,
    armed: bool = True,
    on_move: Check,
    on_quiet: Callable[[World, State], None],
    most: int = 20_000_000,
) -> Found:
    """Every state reachable by events, at most `losses` lost units and at most `budget` commands.

    Calls `on_move` for every step and `on_quiet` for every state in which the executor has nothing to do.
    Raises Violation with the path to it.
    """
    found = Found(world.graph)
    try:
        first = world.initial(armed=armed)._replace(losses=losses, commands=budget)
    except RuntimeError as fault:
        raise Violation(f"I7: {fault}, from the beginning") from None
    parents: dict[State, tuple[State, Step] | None] = {first: None}
    todo = [first]
    try:
        while todo:
            state = todo.pop()
            found.markings += 1
            if found.markings > most:
                raise Violation(f"more than {most} markings")
            busy = False
            for move in moves(world, state, commands):
                busy = busy or (isinstance(move.step, Event) and move.step.kind != "lose")
                found.steps += 1
                found.rows.update(one.row.name for one in move.fired)
                try:
                    on_move(world, move)
                except Violation as fault:
                    raise Violation(f"{fault}\n{path_to(parents, state)}\n  then {move.step}") from None
                if move.after not in parents:
                    parents[move.after] = (state, move.step)
                    todo.append(move.after)
            if not busy:
                found.quiet += 1
                try:
                    on_quiet(world, state)
                except Violation as fault:
                    raise Violation(f"{fault}\n{path_to(parents, state)}") from None
    except RuntimeError as fault:  # automatic transitions go round
        raise Violation(f"I7: {fault}\n{path_to(parents, state)}") from None
    return found


def moves(world: World, state: State, commands: Sequence[Command]) -> Iterator[Move]:
    """Every step from a state."""
    for event in world.events(state):
        yield world.happen(state, event)
    if state.commands:
        for command in commands:
            move = world.command(state, command)
            if move is not None:
                yield move


def path_to(parents: Mapping[Any, tuple[Any, object] | None], state: Any) -> str:
    """The steps that led to a state, a line each with the states of all tasks, and the state itself."""
    steps: list[str] = []
    at = state
    while at is not None:
        came = parents[at]
        states = ", ".join(mark.state for mark in at.marking.tasks)
        steps.append(f"  {came[1] if came else 'begin'}: {states}")
        at = came[0] if came else None
    return "\n".join(reversed(steps)) + f"\n  {state}"
