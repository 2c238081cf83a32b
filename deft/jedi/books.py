"""One transaction of JEDI: the tasks, datasets and edges it has looked at, changed in memory, written once.

Rows of jobs and units change by statements; their counters change here by the same amounts, never by
scanning. Records are mutable for the length of a transaction only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import insert_rows
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

    def __init__(self, conn: Connection, now: datetime) -> None:
        self.conn = conn
        self.now = now
        self.tasks: dict[int, Task] = {}
        self.datasets: dict[int, Dataset] = {}
        self.changes: dict[int, Change] = {}
        self.before: dict[tuple[str, int], dict[str, Any]] = {}
        self._edges: dict[int, Edge] = {}
        self._inputs: dict[int, list[Edge]] = {}
        self._consumers: dict[int, list[Edge]] = {}
        self._last_ids: dict[str, int] = {}

    # --- looking up ---

    def load_tasks(self, ids: Iterable[int]) -> None:
        """Fetch several tasks in one go."""
        for task in store.load_tasks(self.conn, [one for one in ids if one not in self.tasks]):
            self._note_task(task)

    def _note_task(self, task: Task) -> None:
        self.tasks[task.id] = task
        self.before["task", task.id] = dict(vars(task))

    def task(self, task_id: int) -> Task:
        """A task; one of which only the id is known where JEDI never heard of it."""
        if task_id not in self.tasks:
            self.load_tasks([task_id])
        if task_id not in self.tasks:
            store.insert_task(self.conn, task_id)
            self._note_task(Task(task_id))
        return self.tasks[task_id]

    def dataset(self, dataset_id: int) -> Dataset:
        """A dataset; a new, empty one where JEDI never heard of it."""
        if dataset_id not in self.datasets:
            known = catalog.load_datasets(self.conn, [dataset_id])
            if not known:
                insert_rows(self.conn, jedi_dataset, [{"id": dataset_id}])
            dataset = known[0] if known else Dataset(dataset_id)
            self.datasets[dataset_id] = dataset
            self.before["dataset", dataset_id] = dict(vars(dataset))
        return self.datasets[dataset_id]

    def inputs(self, task_id: int) -> list[Edge]:
        """The input edges of a task."""
        if task_id not in self._inputs:
            found = catalog.edges(self.conn, jedi_input.c.task_id, task_id)
            self._inputs[task_id] = [self._same(edge) for edge in found]
        return self._inputs[task_id]

    def consumers(self, dataset_id: int) -> list[Edge]:
        """The edges by which tasks read a dataset."""
        if dataset_id not in self._consumers:
            found = catalog.edges(self.conn, jedi_input.c.dataset_id, dataset_id)
            self._consumers[dataset_id] = [self._same(edge) for edge in found]
        return self._consumers[dataset_id]

    def _same(self, edge: Edge) -> Edge:
        if edge.edge_id not in self._edges:
            self._edges[edge.edge_id] = edge
            self.before["edge", edge.edge_id] = dict(vars(edge))
        return self._edges[edge.edge_id]

    def add_edge(self, edge: Edge) -> Edge:
        """A new input edge of a task."""
        insert_rows(self.conn, jedi_input, [dict(vars(edge))])
        self._inputs.pop(edge.task_id, None)
        self._consumers.pop(edge.dataset_id, None)
        return self._same(edge)

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
        self._save(jedi_task, "id", "task", self.tasks)
        self._save(jedi_dataset, "id", "dataset", self.datasets)
        self._save(jedi_input, "edge_id", "edge", self._edges)

    def _save(self, table: sa.Table, key: str, kind: str, records: dict[int, Any]) -> None:
        rows = [vars(record) for row_id, record in records.items() if self.changed(kind, row_id, record)]
        if rows:
            self.conn.execute(_update(table, key), [{f"b_{k}": v for k, v in row.items()} for row in rows])


_UPDATES: dict[str, sa.Update] = {}


def _update(table: sa.Table, key: str) -> sa.Update:
    """The statement that writes all columns of a row; made once a table."""
    if table.name not in _UPDATES:
        values: dict[str, Any] = {c.name: sa.bindparam(f"b_{c.name}") for c in table.c if c.name != key}
        where = table.c[key] == sa.bindparam(f"b_{key}")
        _UPDATES[table.name] = sa.update(table).where(where).values(values)
    return _UPDATES[table.name]
