"""One transaction of JEDI: the tasks, datasets and edges it has looked at, changed in memory, written once.

Rows of jobs and units change by statements; their counters change here by the same amounts, never by
scanning. Records are mutable for the length of a transaction only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.config import LOCAL
from deft.base.database import insert_rows, update_rows
from deft.jedi import catalog, store
from deft.jedi.catalog import Dataset, Edge
from deft.jedi.store import Task
from deft.jedi.tables import jedi_dataset, jedi_input, jedi_task


@dataclass
class Change:
    """What happened to the units of a dataset: `added` new ones, or anything else (`reshaped`)."""

    added: list[int] = field(default_factory=list)
    reshaped: bool = False


class Books:
    """The records of one transaction."""

    def __init__(self, conn: Connection, now: datetime, clusters: Collection[str] = (LOCAL,)) -> None:
        self.conn = conn
        self.now = now
        self.clusters = clusters  # those that tasks may name
        self.tasks: dict[int, Task] = {}
        self.datasets: dict[int, Dataset] = {}
        self.changes: dict[int, Change] = {}
        self.stale: set[int] = set()  # jobs under way whose input changed under them
        self.before: dict[tuple[str, int], dict[str, Any]] = {}
        self._edges: dict[int, Edge] = {}
        self._inputs: dict[int, list[Edge]] = {}
        self._consumers: dict[int, list[Edge]] = {}
        self._new_edges: list[Edge] = []
        self._last_ids: dict[str, int] = {}

    # --- looking up: what is fetched for many at once costs a statement, not one each ---

    def load_tasks(self, ids: Iterable[int]) -> None:
        """Fetch several tasks in one go."""
        for task in store.load_tasks(self.conn, _not_in(self.tasks, ids)):
            self._note_task(task)

    def know_tasks(self, ids: Iterable[int]) -> None:
        """The same; those of which JEDI never heard are entered, with their ids only."""
        self.load_tasks(ids := list(ids))
        new = _not_in(self.tasks, ids)
        store.insert_tasks(self.conn, new)
        for task_id in new:
            self._note_task(Task(task_id))

    def _note_task(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.before["task", task.id] = dict(vars(task))

    def task(self, task_id: int) -> Task:
        """A task; one of which only the id is known where JEDI never heard of it."""
        if task_id not in self.tasks:
            self.know_tasks([task_id])
        return self.tasks[task_id]

    def load_datasets(self, ids: Iterable[int]) -> None:
        """Fetch several datasets in one go; new, empty ones where JEDI never heard of them."""
        wanted = _not_in(self.datasets, ids)
        known = {dataset.id: dataset for dataset in catalog.load_datasets(self.conn, wanted)}
        insert_rows(self.conn, jedi_dataset, [{"id": one} for one in wanted if one not in known])
        for one in wanted:
            self.datasets[one] = dataset = known.get(one) or Dataset(one)
            self.before["dataset", one] = dict(vars(dataset))

    def dataset(self, dataset_id: int) -> Dataset:
        """A dataset; a new, empty one where JEDI never heard of it."""
        if dataset_id not in self.datasets:
            self.load_datasets([dataset_id])
        return self.datasets[dataset_id]

    def load_inputs(self, task_ids: Iterable[int]) -> None:
        """Fetch the input edges of several tasks in one go."""
        for edge in self._edges_of("task_id", self._inputs, task_ids):
            self._inputs[edge.task_id].append(self._same(edge))

    def inputs(self, task_id: int) -> list[Edge]:
        """The input edges of a task."""
        if task_id not in self._inputs:
            self.load_inputs([task_id])
        return self._inputs[task_id]

    def load_consumers(self, dataset_ids: Iterable[int]) -> None:
        """Fetch the edges of several datasets in one go."""
        for edge in self._edges_of("dataset_id", self._consumers, dataset_ids):
            self._consumers[edge.dataset_id].append(self._same(edge))

    def consumers(self, dataset_id: int) -> list[Edge]:
        """The edges by which tasks read a dataset."""
        if dataset_id not in self._consumers:
            self.load_consumers([dataset_id])
        return self._consumers[dataset_id]

    def _edges_of(self, column: str, known: dict[int, list[Edge]], ids: Iterable[int]) -> list[Edge]:
        wanted = _not_in(known, ids)
        if not wanted:
            return []
        self.enter_edges()
        known.update((one, []) for one in wanted)
        return catalog.edges(self.conn, jedi_input.c[column], wanted)

    def _same(self, edge: Edge) -> Edge:
        if edge.edge_id not in self._edges:
            self._edges[edge.edge_id] = edge
            self.before["edge", edge.edge_id] = dict(vars(edge))
        return self._edges[edge.edge_id]

    def add_edge(self, edge: Edge) -> Edge:
        """A new input edge of a task. Its row is inserted with others, before anybody looks for it."""
        self._new_edges.append(edge)
        for near in (self._inputs.get(edge.task_id), self._consumers.get(edge.dataset_id)):
            if near is not None:
                near.append(edge)
                near.sort(key=lambda one: one.edge_id)
        return self._same(edge)

    def enter_edges(self) -> None:
        """Insert the rows of the new edges."""
        insert_rows(self.conn, jedi_input, [dict(vars(edge)) for edge in self._new_edges])
        for edge in self._new_edges:
            self.before["edge", edge.edge_id] = dict(vars(edge))
        self._new_edges.clear()

    # --- changing ---

    def change(self, dataset_id: int) -> Change:
        """What this transaction does to the units of a dataset."""
        return self.changes.setdefault(dataset_id, Change())

    def next_ids(self, table: sa.Table, count: int) -> range:
        """New ids: JEDI is the only writer of its tables."""
        last = self._last_ids.get(table.name)
        if last is None:
            last = int(self.conn.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0)
        self._last_ids[table.name] = last + count
        return range(last + 1, last + count + 1)

    def changed(self, kind: str, row_id: int, record: object) -> bool:
        """Whether a record differs from what it was when it was looked up."""
        return self.before[kind, row_id] != vars(record)

    def save(self) -> None:
        """Write what changed."""
        self.enter_edges()
        self._save(jedi_task, "id", "task", self.tasks)
        self._save(jedi_dataset, "id", "dataset", self.datasets)
        self._save(jedi_input, "edge_id", "edge", self._edges)

    def _save(self, table: sa.Table, key: str, kind: str, records: dict[int, Any]) -> None:
        rows = {one: vars(record) for one, record in records.items() if self.changed(kind, one, record)}
        if rows:
            before = {one: self.before[kind, one] for one in rows}
            names = [name for name in next(iter(rows.values()))
                     if any(row[name] != before[one][name] for one, row in rows.items())]  # fmt: skip
            update_rows(
                self.conn, table, key, [{name: row[name] for name in (key, *names)} for row in rows.values()]
            )


def _not_in(known: Mapping[int, object], ids: Iterable[int]) -> list[int]:
    """Those that are to be fetched, each once."""
    return [one for one in dict.fromkeys(ids) if one not in known]
