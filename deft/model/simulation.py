"""Play the net forward in memory: what would happen from here on, if the executor only counts.

The executor of a simulation has no jobs, no time and no chance: a round is one evaluation of the net and then
all the work that can be done, every unit ok but those that are told to fail. It follows the same orders as
JEDI, by the counters that JEDI reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from deft.model import board as boards
from deft.model.board import Board
from deft.model.firing import Marking, Ordered, Structure
from deft.model.net import Row
from deft.model.tasks import Membership
from deft.model.verbs import VERBS
from deft.wire.orders import OrderKind

ALL = -1


class Step(NamedTuple):
    """One firing: the task, the row, its state before and after."""

    task: int
    row: Row
    old: str
    new: str


class Work(NamedTuple):
    """What the executor did for a task in one round: units that became ok, and units that failed."""

    task: int
    ok: int
    failed: int


@dataclass(frozen=True, slots=True)
class Round:
    """One evaluation, and the work that followed."""

    steps: tuple[Step, ...]
    work: tuple[Work, ...]


class Pending(NamedTuple):
    """An order that JEDI has not applied yet; `units` of a dataset that is to grow."""

    order: Ordered
    units: int = 0


@dataclass(slots=True)
class Player:
    """One Meta-Task that is led on.

    `fails`: how many units of a task fail, or ALL. `finds`: how many units the first listing of a dataset
    finds; `assumed`: the datasets of which that was not said.
    """

    structure: Structure
    board: Board
    fails: dict[int, int] = field(default_factory=dict)
    finds: dict[int, int] = field(default_factory=dict)
    assumed: set[int] = field(default_factory=set)
    endless: bool = False
    _dirty: set[int] = field(default_factory=set)
    _todo: set[int] = field(default_factory=set)
    _known: set[int] = field(default_factory=set)
    _closed: set[int] = field(default_factory=set)
    _remade: dict[int, int] = field(default_factory=dict)
    _edges: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._edges = [[] for _ in self.structure.producers]
        for edge, part in enumerate(self.structure.edges):
            self._edges[part.dataset].append(edge)

    @staticmethod
    def at(structure: Structure, marking: Marking) -> Player:
        """A player at the present marking; every task is to be looked at."""
        player = Player(structure, Board.of(marking))
        everyone = range(len(structure.tasks))
        player._dirty.update(everyone)
        player._known.update(t for t in everyone if marking.seen[t].order_seq_applied > 0)
        player._closed.update(t for t in player._known if player._is_whole(t))
        player._todo.update(player._known)
        return player

    def command(self, task: int, verb: str) -> bool:
        """Do an operator's verb on a task; False where the net refuses it."""
        row = boards.enabled(self.structure, self.board, task, VERBS[verb].rows)
        if row is None:
            return False
        self._obey(Pending(order) for order in boards.fire(self.structure, self.board, task, row))
        self._dirty.update((task, *self._consumers(task)))
        return True

    def grow(self, dataset: int, units: int) -> None:
        """An external dataset gets so many more units; one that was never listed has so many."""
        if self.board.data_seen[dataset].version == 0:
            self.finds[dataset] = units
        else:
            self._add(dataset, units)

    def play(self, pending: Sequence[Pending] = ()) -> Iterator[Round]:
        """Round after round until nothing moves; `endless` where that would never be."""
        self._catch_up(pending)
        states = [mark.state for mark in self.board.tasks]
        for _ in range(_rounds(self.structure)):
            fired, orders = boards.settle(self.structure, self.board, self._dirty)
            self._dirty.clear()
            self._obey(Pending(order) for order in orders)
            work = self._work()
            if not (fired or orders or work or self._dirty):
                return
            steps = []
            for task, row in fired:
                new = states[task] if row.state is None else row.state.value
                steps.append(Step(task, row, states[task], new))
                states[task] = new
            if steps or work:
                yield Round(tuple(steps), tuple(work))
        self.endless = True

    # --- orders ---

    def _catch_up(self, pending: Sequence[Pending]) -> None:
        """JEDI applies what was ordered, and reports what it knows."""
        self._obey(pending)
        for edge, part in enumerate(self.structure.edges):
            told, seen = self.board.edges_seen[edge], self.board.data_seen[part.dataset]
            if told.seen_version != seen.version and part.target in self._known:
                self._see(edge, self._unfed(part.target, edge))

    def _unfed(self, task: int, edge: int) -> int:
        """Units of an input that nothing is known to have taken yet."""
        dataset = self.structure.edges[edge].dataset
        seen = self.board.seen[task]
        taken = seen.ready + seen.running + seen.ok + seen.failed + seen.skipped
        others = sum(
            self.board.data_seen[self.structure.edges[one].dataset].available
            for one in self.structure.inputs[task]
            if one != edge and self._is_primary(one)
        )
        return max(0, self.board.data_seen[dataset].available - max(0, taken - others))

    def _obey(self, pending: Iterable[Pending]) -> None:
        for (kind, task, dataset), units in pending:
            if task >= 0:
                self._obey_task(kind, task)
            elif kind is OrderKind.DISCARD:
                self._change(dataset, available=0, lost=0, expected=0)
            elif kind is OrderKind.GROW:
                self._add(dataset, units)
            elif kind is OrderKind.SCAN:
                self._list(dataset)
            if dataset >= 0:
                number = self.board.datasets[dataset].dataset_order_seq
                seen = self.board.data_seen[dataset]
                self.board.data_seen[dataset] = seen._replace(dataset_order_seq_applied=number)
                self._dirty.update(self.structure.readers[dataset])

    def _obey_task(self, kind: OrderKind, task: int) -> None:
        seen, mark = self.board.seen[task], self.board.tasks[task]
        seen = seen._replace(order_seq_applied=mark.order_seq)
        match kind:
            case OrderKind.RUN | OrderKind.RETRY:
                seen = seen._replace(idle=0, rejected=0)
                self._meet(task)
                if kind is OrderKind.RETRY:
                    seen = seen._replace(ready=seen.ready + seen.failed + seen.skipped, failed=0, skipped=0)
            case OrderKind.RECOVER:
                outputs = self.structure.outputs[task]
                lost = max((self.board.data_seen[one].lost for one in outputs), default=0)
                again = min(lost, seen.ok)
                self._remade[task] = again
                seen = seen._replace(idle=0, ok=seen.ok - again, ready=seen.ready + again)
            case OrderKind.FINISH:
                seen = seen._replace(ready=0, skipped=seen.skipped + seen.ready)
            case OrderKind.ABORT:
                skipped = seen.skipped + seen.ready + seen.running
                seen = seen._replace(ready=0, running=0, skipped=skipped)
            case OrderKind.DISCARD:
                seen = seen._replace(ready=0, running=0, ok=0, failed=0, skipped=0, idle=1)
        self.board.seen[task] = seen
        self._todo.add(task)

    def _meet(self, task: int) -> None:
        """A whole task comes with the order: JEDI knows its inputs, and whether they are closed."""
        if task not in self._known:
            self._known.add(task)
            for edge in self.structure.inputs[task]:
                dataset = self.structure.edges[edge].dataset
                seen = self.board.data_seen[dataset]
                self._see(edge, seen.available)
                told = self.board.edges_seen[edge]
                self.board.edges_seen[edge] = told._replace(reported_missing=seen.lost)
        if self._is_whole(task):
            self._closed.add(task)
        else:
            self._closed.discard(task)

    def _is_whole(self, task: int) -> bool:
        closed = Membership.CLOSED.value
        edges = self.structure.inputs[task]
        return all(self.board.datasets[self.structure.edges[e].dataset].membership == closed for e in edges)

    def _list(self, dataset: int) -> None:
        """JEDI lists the files; what it would find the first time is not known here."""
        seen = self.board.data_seen[dataset]
        if seen.version == 0:
            if dataset not in self.finds:
                self.assumed.add(dataset)
            self._change(dataset, available=self.finds.get(dataset, max(1, seen.available)))
        boards.note_listings(self.structure, self.board, [dataset])

    # --- units ---

    def _add(self, dataset: int, units: int) -> None:
        """More units of a dataset, for all that read it."""
        self._change(dataset, available=self.board.data_seen[dataset].available + units)
        for edge in self._edges_of(dataset):
            self._see(edge, self.board.edges_seen[edge].reported_unfed + units)

    def _change(self, dataset: int, **counts: int) -> None:
        seen = self.board.data_seen[dataset]
        self.board.data_seen[dataset] = seen._replace(version=seen.version + 1, **counts)
        for edge in self._edges_of(dataset):
            self._see(edge, self.board.edges_seen[edge].reported_unfed)
        self._dirty.update(self.structure.readers[dataset])

    def _edges_of(self, dataset: int) -> list[int]:
        """The edges by which tasks that JEDI knows read a dataset."""
        edges = self.structure.edges
        return [edge for edge in self._edges[dataset] if edges[edge].target in self._known]

    def _see(self, edge: int, unfed: int) -> None:
        """The report of an edge is fresh."""
        part = self.structure.edges[edge]
        version = self.board.data_seen[part.dataset].version
        told = self.board.edges_seen[edge]
        self.board.edges_seen[edge] = told._replace(reported_unfed=unfed, seen_version=version)
        self._todo.add(part.target)
        self._dirty.add(part.target)

    # --- work ---

    def _work(self) -> list[Work]:
        """Everything that can be done now, task by task."""
        done = []
        for task in sorted(self._todo):
            self._todo.discard(task)
            seen = self.board.seen[task]
            if task not in self._known or seen.idle or seen.rejected:
                continue
            self._feed(task)
            one = self._run(task)
            if one.ok or one.failed:
                done.append(one)
            self._latch(task)
            self._dirty.add(task)
        return done

    def _feed(self, task: int) -> None:
        """Units that no job has taken become ready."""
        mark, seen = self.board.tasks[task], self.board.seen[task]
        edges = [one for one in self.structure.inputs[task] if self.board.edges_seen[one].reported_unfed]
        if mark.finish or mark.abort or not edges:
            return
        if self._reduces(task):
            if task not in self._closed or seen.running:
                return
            # Its one job takes the whole set again.
            again = seen.ok + seen.failed + seen.skipped
            seen = seen._replace(ready=seen.ready + again, ok=0, failed=0, skipped=0)
        for edge in edges:
            told = self.board.edges_seen[edge]
            fed = told.reported_unfed if self._is_primary(edge) else 0
            seen = seen._replace(ready=seen.ready + fed)
            self.board.edges_seen[edge] = told._replace(reported_unfed=0)
        self.board.seen[task] = seen

    def _run(self, task: int) -> Work:
        """Jobs run; under hold only those that run already come to their end."""
        seen, mark = self.board.seen[task], self.board.tasks[task]
        ready = 0 if mark.hold or self.board.metatask_hold else self._portion(task, seen.ready)
        number = seen.running + ready
        failing = self.fails.get(task, 0)
        failed = number if failing == ALL else min(number, failing)
        if failing > 0:
            self.fails[task] = failing - failed
        ok = number - failed
        self.board.seen[task] = seen._replace(
            ready=seen.ready - ready, running=0, ok=seen.ok + ok, failed=seen.failed + failed
        )
        if ok:
            self._publish(task, ok)
        return Work(task, ok, failed)

    def _portion(self, task: int, ready: int) -> int:
        """Half of what is ready where a consumer may start before the end, so that it is seen to do so."""
        if self._reduces(task) or not any(map(self._streams, self.structure.outputs[task])):
            return ready
        if ready > 1:
            self._todo.add(task)
        return -(-ready // 2)

    def _streams(self, dataset: int) -> bool:
        """Whether a consumer that has not started wants only a part of it."""
        return any(
            self.structure.edges[edge].policies.get("start_kind", "complete") != "complete"
            and not self.board.tasks[self.structure.edges[edge].target].started
            for edge in self._edges[dataset]
        )

    def _publish(self, task: int, ok: int) -> None:
        """What jobs made is there: a unit for each of theirs, one of a task that reduces."""
        again = min(self._remade.pop(task, 0), ok)
        for dataset in self.structure.outputs[task]:
            seen = self.board.data_seen[dataset]
            back = min(again, seen.lost)
            if self._reduces(task):
                new = 0 if seen.available else 1
                self._change(dataset, lost=0)
            else:
                new = ok - again + back
                self._change(dataset, lost=seen.lost - back)
            if new:
                self._add(dataset, new)

    def _latch(self, task: int) -> None:
        """Idle where nothing is ready or running, and nothing left to be fed."""
        mark, seen = self.board.tasks[task], self.board.seen[task]
        feeding = not (mark.finish or mark.abort)
        unfed = feeding and any(
            self.board.edges_seen[edge].reported_unfed for edge in self.structure.inputs[task]
        )
        if not (seen.ready or seen.running or unfed):
            self.board.seen[task] = seen._replace(idle=1)

    def _is_primary(self, edge: int) -> bool:
        return self.structure.edges[edge].policies.get("role") != "secondary"

    def _reduces(self, task: int) -> bool:
        edges = self.structure.inputs[task]
        return any(self.structure.edges[edge].policies.get("reduce") for edge in edges)

    def _consumers(self, task: int) -> set[int]:
        return {one for dataset in self.structure.outputs[task] for one in self.structure.readers[dataset]}


def _rounds(structure: Structure) -> int:
    """More rounds than any play without a cycle needs."""
    return 1000 + 60 * len(structure.tasks)
