"""DEFT and JEDI apart: orders lie in a queue, reports lag, sweeps come when they come.

The same rules as in `search`, with every step of its own: JEDI applies one order; JEDI reports one task (its
row, its edges, its outputs, in one transaction) or one listed dataset; DEFT evaluates on what was reported
last. Numbers are kept relative to what JEDI has applied or counted, so that the states are finite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from deft.model.firing import DataSeen, Firing, Marking, Ordered, replaced
from deft.model.net import AUTOMATIC, Row
from deft.model.verbs import Verb
from deft.wire.orders import OrderKind
from tests.proof import invariants
from tests.proof.executor import Event, Jedi
from tests.proof.search import Command, Found, Move, State, Violation, World, path_to
from tests.proof.shapes import Graph

NEWEST = 1_000_000  # the version of what was reported and has not changed since; 0: never reported


class Posted(NamedTuple):
    """An order in the queue: with the mode and the memberships as they were when it was written."""

    order: Ordered
    mode: str
    marking: Marking


class Apart(NamedTuple):
    """DEFT's marking with the reports it has, JEDI's state, the orders between them."""

    marking: Marking
    jedi: Jedi
    queue: tuple[Posted, ...] = ()
    losses: int = 0
    commands: int = 0


class Step(NamedTuple):
    """What happened, and where it led."""

    what: str
    after: Apart
    fired: tuple[Firing, ...] = ()


class ApartWorld(World):
    """One graph with its two halves apart."""

    def __init__(
        self, graph: Graph, rows: tuple[Row, ...] = AUTOMATIC, verbs: dict[str, Verb] | None = None
    ) -> None:
        super().__init__(graph, rows, verbs)
        self._posting: list[tuple[Ordered, str]] = []

    def begin(self) -> Apart:
        """After the import, all tasks armed; nothing evaluated yet."""
        s = self.structure
        marking = s.empty()
        armed = tuple(mark._replace(armed=1) for mark in marking.tasks)
        datasets = tuple(
            mark._replace(membership="closed") if made < 0 and d not in s.listed else mark
            for d, (mark, made) in enumerate(zip(marking.datasets, s.producers, strict=True))
        )
        jedi = self.machine.empty()
        # A generator's input is known before JEDI has ever seen it.
        told = self.machine.seen(marking, jedi).data_seen
        data_seen = tuple(
            seen._replace(available=told[d].available, expected=told[d].expected)
            if made < 0 and d not in s.listed
            else seen
            for d, (seen, made) in enumerate(zip(marking.data_seen, s.producers, strict=True))
        )
        return Apart(marking._replace(tasks=armed, datasets=datasets, data_seen=data_seen), jedi)

    def obey(self, jedi: Jedi, orders: Iterable[Ordered], marking: Marking, mode: str = "") -> Jedi:
        """Orders are not obeyed at once: they are posted."""
        self._posting += [(order, mode) for order in orders]
        return jedi

    def evaluate(self, state: State, fired: list[Firing]) -> State:
        """Nothing follows by itself."""
        return state

    # --- steps ---

    def steps(self, now: Apart, commands: Sequence[Command]) -> Iterator[Step]:
        """Everything that may happen next."""
        if now.queue:
            yield self._apply(now)
        for t in range(self.graph.tasks):
            told = self._report(now, t)
            if told.marking != now.marking:
                yield Step(f"report t{t}", told)
        for d in self.structure.listed:
            told = self._report_dataset(now, d)
            if told.marking != now.marking:
                yield Step(f"report dataset {d}", told)
        sweep = self.sweep(now)
        if sweep is not None:
            yield sweep
        yield from self._events(now)
        if now.commands:
            for command in commands:
                step = self._command(now, command)
                if step is not None:
                    yield step

    def sweep(self, now: Apart) -> Step | None:
        """One evaluation on what was reported; None where nothing fires."""
        marking, fired, orders = self.structure.settle(now.marking, self.rows)
        if marking == now.marking:
            return None
        posted = tuple(Posted(order, "", self._kept(marking)) for order in orders)
        return Step("sweep", now._replace(marking=marking, queue=now.queue + posted), tuple(fired))

    def _kept(self, marking: Marking) -> Marking:
        """Of a marking, what an order says: holds and memberships."""
        empty = self.structure.empty()
        tasks = tuple(
            old._replace(hold=mark.hold) for old, mark in zip(empty.tasks, marking.tasks, strict=True)
        )
        datasets = tuple(
            old._replace(membership=mark.membership)
            for old, mark in zip(empty.datasets, marking.datasets, strict=True)
        )
        return empty._replace(metatask_hold=marking.metatask_hold, tasks=tasks, datasets=datasets)

    def _events(self, now: Apart) -> Iterator[Step]:
        events = list(self.machine.events(now.jedi))
        events += self.machine.losses(now.jedi) if now.losses else []
        for event in events:
            jedi = self.machine.happen(now.jedi, event)
            losses = now.losses - (event.kind == "lose")
            t = self.structure.edges[event.at].target if event.kind == "begin" else -1
            if t >= 0 and now.marking.tasks[t].state != "running":
                raise Violation(f"I9: a job of t{t} begins, which is {now.marking.tasks[t].state}")
            if t >= 0 and self._feeds_in_spite_of_finish(now, t):
                raise Violation(f"I6: t{t} is being finished, and a job begins")
            yield Step(str(event), self._moved(now, jedi)._replace(losses=losses))

    def _feeds_in_spite_of_finish(self, now: Apart, t: int) -> bool:
        pending = any(one.order == Ordered(OrderKind.FINISH, t) for one in now.queue)
        return bool(now.marking.tasks[t].finish and not now.jedi.workers[t].no_feed and not pending)

    def _command(self, now: Apart, command: Command) -> Step | None:
        self._posting = []
        move = self.command(State(now.marking, now.jedi, 0, 1), command)
        if move is None:
            return None
        marking = move.after.marking
        posted = tuple(Posted(order, mode, self._kept(marking)) for order, mode in self._posting)
        after = Apart(marking, now.jedi, now.queue + posted, now.losses, now.commands - 1)
        if command.verb in ("augment", "close"):
            after = self._moved(after, move.after.jedi)
        return Step(str(command), after, tuple(move.fired))

    def _apply(self, now: Apart) -> Step:
        """JEDI applies the first order; what it has applied is the new zero of every number."""
        (order, mode, told), *rest = now.queue
        jedi = self.machine.follow(self.apply(now.jedi, order, told, mode))
        after = self._moved(now, jedi)._replace(queue=tuple(rest))
        marking = after.marking
        if order.task >= 0:
            mark, seen = marking.tasks[order.task], marking.seen[order.task]
            marking = marking._replace(
                tasks=replaced(marking.tasks, order.task, mark._replace(order_seq=mark.order_seq - 1)),
                seen=replaced(marking.seen, order.task, seen._replace(order_seq_applied=-1)),
            )
        else:
            d = order.dataset
            data, data_seen = marking.datasets[d], marking.data_seen[d]
            fewer = data._replace(dataset_order_seq=data.dataset_order_seq - 1)
            marking = marking._replace(
                datasets=replaced(marking.datasets, d, fewer),
                data_seen=replaced(marking.data_seen, d, data_seen._replace(dataset_order_seq_applied=-1)),
            )
        return Step(f"apply {order.kind} {order.task if order.task >= 0 else order.dataset}",
                    after._replace(marking=marking))  # fmt: skip

    def _moved(self, now: Apart, jedi: Jedi) -> Apart:
        """JEDI's state changed: what was reported of the datasets that changed is one version older."""
        older = [d for d, units in enumerate(jedi.units) if units != now.jedi.units[d]]
        marking = now.marking
        if older:
            data_seen = tuple(
                seen._replace(version=seen.version - 1) if d in older and seen.version else seen
                for d, seen in enumerate(marking.data_seen)
            )
            edges_seen = tuple(
                seen._replace(seen_version=seen.seen_version - 1)
                if edge.dataset in older and seen.seen_version
                else seen
                for edge, seen in zip(self.structure.edges, marking.edges_seen, strict=True)
            )
            marking = marking._replace(data_seen=data_seen, edges_seen=edges_seen)
        return now._replace(marking=marking, jedi=jedi)

    # --- reports ---

    def _report(self, now: Apart, t: int) -> Apart:
        """A task's row, its edges' rows and its outputs' rows, in one transaction."""
        true = self.machine.seen(now.marking, now.jedi)
        marking = now.marking
        seen = replaced(marking.seen, t, true.seen[t]._replace(order_seq_applied=0))
        edges_seen = tuple(
            true.edges_seen[e]._replace(seen_version=NEWEST) if edge.target == t else old
            for e, (edge, old) in enumerate(zip(self.structure.edges, marking.edges_seen, strict=True))
        )
        data_seen = tuple(
            self._told(true, d) if self.structure.producers[d] == t or self._is_synthetic(d, t) else old
            for d, old in enumerate(marking.data_seen)
        )
        return now._replace(marking=marking._replace(seen=seen, edges_seen=edges_seen, data_seen=data_seen))

    def _is_synthetic(self, d: int, t: int) -> bool:
        made = self.structure.producers[d] < 0 and d not in self.structure.listed
        return made and t in self.structure.readers[d]

    def _told(self, true: Marking, d: int) -> DataSeen:
        return true.data_seen[d]._replace(dataset_order_seq_applied=0, version=NEWEST)

    def _report_dataset(self, now: Apart, d: int) -> Apart:
        if not now.jedi.listed[d]:
            return now
        true = self.machine.seen(now.marking, now.jedi)
        data_seen = replaced(now.marking.data_seen, d, self._told(true, d))
        return now._replace(marking=now.marking._replace(data_seen=data_seen))

    def together(self, now: Apart) -> State:
        """The same state once everything is told: what the world without lags would see."""
        marks = tuple(mark._replace(order_seq=0) for mark in now.marking.tasks)
        marking = now.marking._replace(tasks=marks)
        return State(self.machine.seen(marking, now.jedi), now.jedi)


def explore_apart(
    world: ApartWorld, commands: Sequence[Command], *, budget: int, losses: int,
    on_quiet: Callable[[State], None], most: int = 5_000_000,
) -> Found:  # fmt: skip
    """Every state of the two halves; the invariants of each step that need no fresh reports, and of the ends.

    Raises Violation with the path.
    """
    found = Found(world.graph)
    first = world.begin()._replace(losses=losses, commands=budget)
    parents: dict[Apart, tuple[Apart, str] | None] = {first: None}
    todo = [first]
    while todo:
        state = todo.pop()
        found.markings += 1
        if found.markings > most:
            raise Violation(f"more than {most} markings")
        waits = True
        try:
            for step in world.steps(state, commands):
                waits = waits and (step.what.startswith("lose") or step.what in map(str, commands))
                found.steps += 1
                found.rows.update(one.row.name for one in step.fired)
                _check(world, state, step)
                if step.after not in parents:
                    parents[step.after] = (state, step.what)
                    todo.append(step.after)
            if waits:
                found.quiet += 1
                on_quiet(world.together(state))
        except (Violation, RuntimeError) as fault:
            raise Violation(f"{fault}\n{path_to(parents, state)}") from None
    return found


def _check(world: ApartWorld, before: Apart, step: Step) -> None:
    """I1, I4, I5, I6 and I10 of one step, and that no start counts units that are to be dropped."""
    s, after = world.structure, step.after
    move = Move(_as_step(step.what), State(before.marking, before.jedi), State(after.marking, after.jedi),
                list(step.fired))  # fmt: skip
    invariants.steps_apart(world, move)
    for one in step.fired:
        if one.row.state == "done" and not before.marking.tasks[one.task].finish:
            _nothing_known_waits(world, before, one.task)
        if one.row.start:
            discards = (one.order for one in before.queue if one.order.kind is OrderKind.DISCARD)
            if {order.dataset for order in discards} & {s.edges[e].dataset for e in s.inputs[one.task]}:
                raise Violation(f"I9: t{one.task} starts on units that are to be dropped")


def _nothing_known_waits(world: ApartWorld, before: Apart, t: int) -> None:
    """I2 where reports lag: what was reported of a dataset is not forgotten when its consumer ends."""
    s = world.structure
    for e in s.inputs[t]:
        told = before.marking.data_seen[s.edges[e].dataset].version == NEWEST
        waiting = world.machine.unfed(before.jedi, e)
        if told and waiting and before.marking.tasks[t].started:
            raise Violation(f"I2: t{t} is done, and {waiting} units wait that DEFT was told of")


def _as_step(what: str) -> Event | Command:
    words = what.split()
    if words[-1] == "META" or (
        len(words) > 1 and words[-1][0] == "t" and words[0] not in ("report", "apply")
    ):
        return Command(words[0], -1 if words[-1] == "META" else int(words[-1][1:]))
    return Event("other", -1)
