"""Fire the net on a marking in memory: what simulate, explain and the search of all markings stand on.

A marking is a value: two equal ones are the same state of the whole Meta-Task, and firing gives a new one.
The rows are those that the sweep compiles to SQL (`model.net`, `model.verbs`); what a row does to the tables
in `engine.perform` and `store.marking`, it does here to tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from deft.base.guards import compiled
from deft.model.net import AUTOMATIC, Row
from deft.model.tasks import ENDED, Membership, State
from deft.wire.orders import OrderKind

T = TypeVar("T")


class TaskMark(NamedTuple):
    """DEFT's tokens of a task."""

    state: str = State.DEFINED.value
    armed: int = 0
    hold: int = 0
    force: int = 0
    finish: int = 0
    abort: int = 0
    started: int = 0
    done_revision: int = 0
    order_seq: int = 0


class TaskSeen(NamedTuple):
    """JEDI's report of a task."""

    order_seq_applied: int = 0
    idle: int = 0
    rejected: int = 0
    ready: int = 0
    running: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0


class DataMark(NamedTuple):
    """DEFT's tokens of a dataset."""

    membership: str = Membership.DECLARED.value
    dataset_order_seq: int = 0


class DataSeen(NamedTuple):
    """JEDI's report of a dataset, in units."""

    dataset_order_seq_applied: int = 0
    available: int = 0
    lost: int = 0
    expected: int = 0
    version: int = 0


class EdgeSeen(NamedTuple):
    """JEDI's report of an input edge, in units."""

    reported_unfed: int = 0
    reported_missing: int = 0
    seen_version: int = 0


class Marking(NamedTuple):
    """All tokens of one Meta-Task; tasks, datasets and edges by their position in the structure."""

    metatask_hold: int
    tasks: tuple[TaskMark, ...]
    seen: tuple[TaskSeen, ...]
    datasets: tuple[DataMark, ...]
    data_seen: tuple[DataSeen, ...]
    edges_seen: tuple[EdgeSeen, ...]


class Places(Protocol):
    """What guards look at: a marking, or one that changes in place (`model.simulation`)."""

    @property
    def metatask_hold(self) -> int: ...
    @property
    def tasks(self) -> Sequence[TaskMark]: ...
    @property
    def seen(self) -> Sequence[TaskSeen]: ...
    @property
    def datasets(self) -> Sequence[DataMark]: ...
    @property
    def data_seen(self) -> Sequence[DataSeen]: ...
    @property
    def edges_seen(self) -> Sequence[EdgeSeen]: ...


class Ordered(NamedTuple):
    """An order that firing a row gave to JEDI: about a task, or (task -1) about a dataset."""

    kind: OrderKind
    task: int = -1
    dataset: int = -1


class Firing(NamedTuple):
    """One firing: the task and the row."""

    task: int
    row: Row


class Effect(NamedTuple):
    """What firing a row for one task comes to: its tokens, those of datasets by position, the orders."""

    task: TaskMark
    datasets: dict[int, DataMark]
    orders: list[Ordered]


@dataclass(frozen=True, slots=True)
class EdgePart:
    """One input edge: which dataset, whose input, and the policies of that consumer."""

    dataset: int
    target: int
    policies: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskPart:
    """What of a task never changes by firing."""

    name: str
    complete: int = 1
    allow_empty: int = 0
    goal: float = 1.0


POLICIES: Mapping[str, str | int] = {
    "role": "primary", "start_kind": "complete", "start_amount": 0, "on_growth": "process",
    "on_loss": "wait", "on_abort": "propagate", "reduce": 0,
}  # fmt: skip


class Structure:
    """The graph beneath markings: tasks in topological order, datasets with their producers, edges.

    `producers[d]` is the position of the task that makes dataset d, or -1 for an external one; `listed` maps
    each dataset that JEDI lists from sources to whether it stays open after that.
    """

    def __init__(
        self,
        tasks: Sequence[TaskPart],
        producers: Sequence[int],
        edges: Sequence[EdgePart],
        listed: Mapping[int, bool] | None = None,
    ) -> None:
        self.tasks, self.producers, self.edges = tuple(tasks), tuple(producers), tuple(edges)
        self.listed = dict(listed or {})
        self.inputs: list[list[int]] = [[] for _ in self.tasks]
        self.outputs: list[list[int]] = [[] for _ in self.tasks]
        self.readers: list[list[int]] = [[] for _ in self.producers]
        for number, edge in enumerate(self.edges):
            self.inputs[edge.target].append(number)
            self.readers[edge.dataset].append(edge.target)
        for dataset, made_by in enumerate(self.producers):
            if made_by >= 0:
                self.outputs[made_by].append(dataset)
        self.policies = [{**POLICIES, **edge.policies} for edge in self.edges]
        self._enabled: dict[Any, int] = {}

    def empty(self) -> Marking:
        """The marking after an import: nothing armed, nothing known of JEDI."""
        return Marking(
            0,
            (TaskMark(),) * len(self.tasks),
            (TaskSeen(),) * len(self.tasks),
            (DataMark(),) * len(self.producers),
            (DataSeen(),) * len(self.producers),
            (EdgeSeen(),) * len(self.edges),
        )

    def tokens(self, marking: Places, task: int) -> dict[str, Any]:
        """The tokens of one task as `base.guards.evaluate` takes them."""
        part = self.tasks[task]
        return {
            **marking.tasks[task]._asdict(),
            **marking.seen[task]._asdict(),
            "metatask_hold": marking.metatask_hold,
            "complete": part.complete,
            "allow_empty": part.allow_empty,
            "goal": part.goal,
            "inputs": [self._input(marking, edge) for edge in self.inputs[task]],
            "outputs": [self._output(marking, dataset) for dataset in self.outputs[task]],
        }

    def _input(self, marking: Places, edge: int) -> dict[str, Any]:
        dataset = self.edges[edge].dataset
        producer = self.producers[dataset]
        return {
            **self.policies[edge],
            **marking.datasets[dataset]._asdict(),
            **marking.data_seen[dataset]._asdict(),
            **marking.edges_seen[edge]._asdict(),
            "producer": "none" if producer < 0 else marking.tasks[producer].state,
        }

    def _output(self, marking: Places, dataset: int) -> dict[str, Any]:
        alive = sum(marking.tasks[one].state not in ENDED for one in self.readers[dataset])
        return {
            "membership": marking.datasets[dataset].membership,
            "output_lost": marking.data_seen[dataset].lost,
            "consumers_alive": alive,
        }

    def enabled(self, marking: Places, task: int, rows: tuple[Row, ...]) -> Row | None:
        """The first row whose guard holds for a task; remembered, since few views of a task are distinct."""
        key = (task, id(rows), self._view(marking, task))
        number = self._enabled.get(key)
        if number is None:
            tokens = self.tokens(marking, task)
            holding = (n for n, row in enumerate(rows) if compiled(row.expr)(tokens))
            number = self._enabled[key] = next(holding, -1)
        return rows[number] if number >= 0 else None

    def _view(self, marking: Places, task: int) -> tuple[Any, ...]:
        """All that guards of a task read, as a key."""
        found: list[Any] = [marking.metatask_hold, marking.tasks[task], marking.seen[task]]
        for edge in self.inputs[task]:
            dataset = self.edges[edge].dataset
            producer = self.producers[dataset]
            found += (marking.datasets[dataset], marking.data_seen[dataset], marking.edges_seen[edge],
                      None if producer < 0 else marking.tasks[producer].state)  # fmt: skip
        for dataset in self.outputs[task]:
            found += (marking.datasets[dataset].membership, marking.data_seen[dataset].lost)
            found += (marking.tasks[one].state for one in self.readers[dataset])
        return tuple(found)

    def fire(self, marking: Marking, task: int, row: Row) -> tuple[Marking, list[Ordered]]:
        """The marking after firing a row for one task, and the orders that go with it."""
        effect = self.effect(marking, task, row)
        tasks = replaced(marking.tasks, task, effect.task)
        if not effect.datasets:
            return marking._replace(tasks=tasks), effect.orders
        datasets = list(marking.datasets)
        for dataset, mark in effect.datasets.items():
            datasets[dataset] = mark
        return marking._replace(tasks=tasks, datasets=tuple(datasets)), effect.orders

    def effect(self, marking: Places, task: int, row: Row) -> Effect:
        """The whole effect of a row on one task: its tokens, its outputs, and the orders that go with it."""
        before = marking.tasks[task]
        orders = []
        values: dict[str, Any] = dict.fromkeys(row.put, 1) | dict.fromkeys(row.drop, 0)
        if row.state is not None:
            values["state"] = row.state.value
        if row.start:
            values["started"] = 1
        if row.forget:
            values |= {"started": 0, "done_revision": 0}
        if row.done:
            values["done_revision"] = 1
        if row.order is not None and (before.started or not row.only_started):
            values["order_seq"] = before.order_seq + 1
            orders.append(Ordered(row.order, task))
        datasets = {} if row.outputs is None else self._open(marking, task, row.outputs)
        if row.forget and before.started:
            orders += self._empty(marking, datasets, task)
        if row.list_inputs or row.list_again:
            orders += self._list(marking, datasets, task, again=row.list_again)
        return Effect(before._replace(**values), datasets, orders)

    def _open(self, marking: Places, task: int, membership: Membership) -> dict[int, DataMark]:
        return {
            dataset: marking.datasets[dataset]._replace(membership=membership.value)
            for dataset in self.outputs[task]
            if marking.datasets[dataset].membership != Membership.RETIRED.value
        }

    def _empty(self, marking: Places, datasets: dict[int, DataMark], task: int) -> list[Ordered]:
        """Order that the units of all outputs be dropped: until then nobody counts them."""
        for dataset in self.outputs[task]:
            _count_order(marking, datasets, dataset)
        return [Ordered(OrderKind.DISCARD, dataset=dataset) for dataset in self.outputs[task]]

    def _list(
        self, marking: Places, datasets: dict[int, DataMark], task: int, *, again: bool
    ) -> list[Ordered]:
        """Order listings of the external inputs of a task: the first, or another."""
        orders = []
        for dataset in dict.fromkeys(self.edges[edge].dataset for edge in self.inputs[task]):
            if dataset in self.listed and (again or marking.datasets[dataset].dataset_order_seq == 0):
                _count_order(marking, datasets, dataset)
                orders.append(Ordered(OrderKind.SCAN, dataset=dataset))
        return orders

    def note_listings(self, marking: Marking) -> Marking:
        """External datasets whose first listing JEDI has reported become open or closed."""
        datasets = tuple(self.listing_noted(marking, dataset) for dataset in range(len(self.producers)))
        return marking._replace(datasets=datasets)

    def listing_noted(self, marking: Places, dataset: int) -> DataMark:
        """The tokens of a dataset once its first listing, where it has one and JEDI reported it, is known."""
        mark = marking.datasets[dataset]
        declared = mark.membership == Membership.DECLARED.value
        if dataset in self.listed and declared and marking.data_seen[dataset].version > 0:
            known = Membership.OPEN if self.listed[dataset] else Membership.CLOSED
            return mark._replace(membership=known.value)
        return mark

    def settle(
        self, marking: Marking, rows: tuple[Row, ...] = AUTOMATIC
    ) -> tuple[Marking, list[Firing], list[Ordered]]:
        """One evaluation: fire automatic rows in topological order until nothing is enabled.

        Raises RuntimeError where that takes more firings than any net without a cycle could need.
        """
        fired: list[Firing] = []
        orders: list[Ordered] = []
        marking = self.note_listings(marking) if self.listed else marking
        task = 0
        while task < len(self.tasks):
            row = self.enabled(marking, task, rows)
            if row is None:
                task += 1
                continue
            if len(fired) > _AT_MOST * len(self.tasks):
                raise RuntimeError(f"automatic transitions go round: {[one.row.name for one in fired[-6:]]}")
            marking, given = self.fire(marking, task, row)
            fired.append(Firing(task, row))
            orders += given
        return marking, fired, orders


_AT_MOST = 12  # firings of one task in one evaluation


def _count_order(marking: Places, datasets: dict[int, DataMark], dataset: int) -> None:
    mark = datasets.get(dataset, marking.datasets[dataset])
    datasets[dataset] = mark._replace(dataset_order_seq=mark.dataset_order_seq + 1)


def replaced(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    """The same tuple with one item another."""
    return (*items[:at], item, *items[at + 1 :])
