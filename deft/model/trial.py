"""What would happen if one thing came: put the token on a board, let the net fire, and see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field, replace

from deft.model import board as boards
from deft.model.analysis import Blocker, Kind
from deft.model.board import Board
from deft.model.firing import Firing, Structure
from deft.model.net import Row, row
from deft.model.tasks import ENDED, Membership
from deft.model.verbs import VERBS

# The verbs that take a blocker at a task away.
VERB_OF = {
    Kind.HOLD: "resume",
    Kind.UNARMED: "start",
    Kind.EXHAUSTED: "retry",
    Kind.FAILED: "retry",
    Kind.ABORTED: "retry",
    Kind.BROKEN: "retry",
}


@dataclass(slots=True)
class Trial:
    """A board on which things come that are not there; `fired` is what follows, operators' verbs among it.

    `only`: the tasks that may fire.
    """

    structure: Structure
    board: Board
    only: Container[int]
    fired: list[Firing] = field(default_factory=list)
    dirty: set[int] = field(default_factory=set)

    def lift(self, blocker: Blocker) -> None:
        """A blocker goes: by the operator's verb where there is one, else what it keeps away comes."""
        if blocker.kind is Kind.METATASK_HOLD:
            self.board.metatask_hold = 0
            self.dirty.update(n for n, mark in enumerate(self.board.tasks) if mark.state not in ENDED)
        elif blocker.kind in VERB_OF:
            self._command(blocker.task, VERBS[VERB_OF[blocker.kind]].rows)
        elif blocker.dataset >= 0:
            _BRING.get(blocker.kind, _listed)(self.structure, self.board, blocker.dataset)
            boards.note_listings(self.structure, self.board, [blocker.dataset])
            self.dirty.update(self.structure.readers[blocker.dataset])
        else:
            if blocker.kind is Kind.INCOMPLETE:
                self.structure = _completed(self.structure, blocker.task)
            self.dirty.add(blocker.task)

    def _command(self, task: int, rows: tuple[Row, ...]) -> None:
        found = boards.enabled(self.structure, self.board, task, rows)
        if found is not None:
            boards.fire(self.structure, self.board, task, found)
            self.fired.append(Firing(task, found))
        self.dirty.add(task)

    def end(self, producers: Iterable[int]) -> None:
        """Tasks are done, with every unit that is expected of them and one at least."""
        for task in producers:
            boards.fire(self.structure, self.board, task, row("finalize-done"))
            for dataset in self.structure.outputs[task]:
                seen = self.board.data_seen[dataset]
                units = max(1, seen.available, seen.expected)
                self.board.data_seen[dataset] = seen._replace(available=units, lost=0)
                self.dirty.update(self.structure.readers[dataset])

    def settle(self) -> list[Firing]:
        """Let the net fire; all that fired."""
        fired, _ = boards.settle(self.structure, self.board, self.dirty, self.only)
        self.fired += fired
        self.dirty.clear()
        return self.fired


def _completed(structure: Structure, task: int) -> Structure:
    """The same with the task's definition complete."""
    made = copy.copy(structure)
    part = replace(structure.tasks[task], complete=1)
    made.tasks = (*structure.tasks[:task], part, *structure.tasks[task + 1 :])
    return made


def _listed(structure: Structure, board: Board, dataset: int) -> None:
    """JEDI has looked, and found something."""
    seen, number = board.data_seen[dataset], board.datasets[dataset].dataset_order_seq
    board.data_seen[dataset] = seen._replace(
        dataset_order_seq_applied=number, available=max(1, seen.available), version=max(1, seen.version)
    )


def _closed(structure: Structure, board: Board, dataset: int) -> None:
    mark = board.datasets[dataset]
    board.datasets[dataset] = mark._replace(membership=Membership.CLOSED.value)


def _enough(structure: Structure, board: Board, dataset: int) -> None:
    """As many units as the most demanding of its consumers asks for."""
    seen = board.data_seen[dataset]
    wanted = [1]
    for task in set(structure.readers[dataset]):
        tokens = structure.tokens(board, task)["inputs"]
        for edge, one in zip(structure.inputs[task], tokens, strict=True):
            if structure.edges[edge].dataset == dataset:
                wanted.append(needed(one["start_kind"], one["start_amount"], seen.expected))
    board.data_seen[dataset] = seen._replace(available=max(seen.available, *wanted))


def needed(kind: str, amount: int, expected: int) -> int:
    """How many units a start asks for; 0 where it asks for all, or nobody knows how many that are."""
    if kind == "count":
        return amount
    return -(-amount * expected // 100) if kind == "percent" else 0


def _back(structure: Structure, board: Board, dataset: int) -> None:
    seen = board.data_seen[dataset]
    board.data_seen[dataset] = seen._replace(available=seen.available + seen.lost, lost=0)
    for task in set(structure.readers[dataset]):
        for edge in structure.inputs[task]:
            if structure.edges[edge].dataset == dataset:
                told = board.edges_seen[edge]
                unfed = told.reported_unfed + told.reported_missing
                board.edges_seen[edge] = told._replace(reported_unfed=unfed, reported_missing=0)


_BRING: dict[Kind, Callable[[Structure, Board, int], None]] = {
    Kind.OPEN: _closed,
    Kind.SHORT: _enough,
    Kind.LOST: _back,
    Kind.EMPTY: _listed,
    Kind.UNLISTED: _listed,
}
