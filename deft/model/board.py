"""A marking that changes in place: settled by what changed, so that ten thousand tasks are no burden.

`model.firing` makes a new value for each firing, which a search of markings wants. Here one marking is led
along one path: simulate plays the net forward on a board, explain tries on it what a token would do.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from deft.base.guards import compiled
from deft.model.firing import (
    DataMark,
    DataSeen,
    EdgeSeen,
    Firing,
    Ordered,
    Places,
    Structure,
    TaskMark,
    TaskSeen,
)  # fmt: skip
from deft.model.net import AUTOMATIC, VOCABULARY, Row

_AT_MOST = 12  # firings of one task in one evaluation


@dataclass(slots=True)
class Board:
    """All tokens of one Meta-Task, to be changed; as `firing.Marking` otherwise."""

    metatask_hold: int
    tasks: list[TaskMark]
    seen: list[TaskSeen]
    datasets: list[DataMark]
    data_seen: list[DataSeen]
    edges_seen: list[EdgeSeen]

    @staticmethod
    def of(places: Places) -> Board:
        """A copy."""
        return Board(
            places.metatask_hold,
            list(places.tasks),
            list(places.seen),
            list(places.datasets),
            list(places.data_seen),
            list(places.edges_seen),
        )


def fire(structure: Structure, board: Board, task: int, row: Row) -> list[Ordered]:
    """Put the effect of a row on one task on the board; the orders that go with it."""
    effect = structure.effect(board, task, row)
    board.tasks[task] = effect.task
    for dataset, mark in effect.datasets.items():
        board.datasets[dataset] = mark
    return effect.orders


def enabled(structure: Structure, board: Places, task: int, rows: tuple[Row, ...]) -> Row | None:
    """The first row whose guard holds for a task. Not remembered: on a path hardly any view comes twice."""
    tokens = structure.tokens(board, task)
    return next((row for row in rows if _guard(row.guard)(tokens)), None)


@cache
def _guard(text: str) -> Callable[..., Any]:
    return compiled(VOCABULARY.parse(text))  # by its text: an expression is slow to hash


def note_listings(structure: Structure, board: Board, datasets: Iterable[int]) -> None:
    """Of these, external datasets whose first listing JEDI has reported become open or closed."""
    for dataset in datasets:
        board.datasets[dataset] = structure.listing_noted(board, dataset)


def settle(
    structure: Structure, board: Board, dirty: Iterable[int], only: Container[int] | None = None
) -> tuple[list[Firing], list[Ordered]]:
    """One evaluation of what changed: fire automatic rows in topological order until nothing is enabled.

    `only`: of no other task than these. Raises RuntimeError where that takes more firings than any net
    without a cycle could need.
    """
    fired: list[Firing] = []
    orders: list[Ordered] = []
    heap = sorted(set(dirty))
    queued = set(heap)
    while heap:
        task = heapq.heappop(heap)
        queued.discard(task)
        if only is not None and task not in only:
            continue
        for _ in range(_AT_MOST):
            row = enabled(structure, board, task, AUTOMATIC)
            if row is None:
                break
            given = fire(structure, board, task, row)
            fired.append(Firing(task, row))
            orders += given
            for one in _touched(structure, task, given) - queued - {task}:
                queued.add(one)
                heapq.heappush(heap, one)
        else:
            raise RuntimeError(f"automatic transitions go round: {[one.row.name for one in fired[-6:]]}")
    return fired, orders


def _touched(structure: Structure, task: int, orders: Iterable[Ordered]) -> set[int]:
    """The tasks whose guards a firing may have changed: consumers, and who reads what is listed."""
    found = {one for dataset in structure.outputs[task] for one in structure.readers[dataset]}
    return found.union(*(structure.readers[order.dataset] for order in orders if order.task < 0))
