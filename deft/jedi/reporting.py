"""What is reported to DEFT, and when: at once where it matters, else once a second a task.

A task's row, its edges and its output datasets go out in one transaction; so do a dataset and all its
consumers. What waits for its second is remembered here, and after a restart everything active is told anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from deft.jedi import store
from deft.jedi.books import Books
from deft.jedi.catalog import Dataset, Edge
from deft.jedi.specs import read_spec
from deft.jedi.store import Task
from deft.wire import mailbox
from deft.wire.reports import DatasetReport, InputReport, TaskReport

EVERY_S = 1.0
AT_ONCE_TASK = ("phase", "idle", "rejected", "order_seq")
AT_ONCE_DATASET = ("order_seq", "reason")


class Reporter:
    """Remembers which reports are due. Changes only after the commit: see `committed`."""

    def __init__(self) -> None:
        self._tasks: set[int] = set()
        self._datasets: set[int] = set()
        self._told: dict[int, float] = {}
        self._inside: dict[int, float] = {}
        self._next: tuple[set[int], set[int], set[int], set[int]] | None = None

    def begin(self, books: Books) -> None:
        """Everything active is to be told: nobody knows what an earlier JEDI left unsaid."""
        self._tasks.update(store.active_tasks(books.conn))
        books.know_tasks(self._tasks)
        books.load_inputs(self._tasks)
        for task_id in self._tasks:
            self._datasets.update(_outputs(books.task(task_id)))
            self._datasets.update(edge.dataset_id for edge in books.inputs(task_id))

    def tell_inside(self, inside: dict[int, float]) -> None:
        """Units done inside running jobs, by task, by the jobs' own word: tasks where it changed are due."""
        changed = inside.items() ^ self._inside.items()
        self._tasks.update(task_id for task_id, _ in changed)
        self._inside = inside

    def due_s(self, now: float) -> float | None:
        """Seconds until something that waits is due."""
        if not (self._tasks or self._datasets):
            return None
        return max(0.0, min((self._told.get(t, 0.0) for t in self._tasks), default=0.0) + EVERY_S - now)

    def write(self, books: Books, now: float, *, last: bool = False) -> bool:
        """Write the reports that are due; whether there were any. To be called last in a transaction.

        `last`: nothing may wait, there may be no next time.
        """
        never = -EVERY_S
        at_once: set[int] = set()
        waits: set[int] = set()
        tasks, datasets = set(self._tasks), set(self._datasets)
        for task in books.tasks.values():
            task.phase = phase(task)
            if books.changed("task", task.id, task):
                tasks.add(task.id)
                if _can_wait(books, task) and not last:
                    waits.add(task.id)
                elif _differs(books, "task", task.id, task, AT_ONCE_TASK):
                    at_once.add(task.id)
        fresh = self._changed_datasets(books, datasets)
        if not tasks:  # nobody else would take them along
            fresh |= datasets
        due = {t for t in tasks if last or now - self._told.get(t, now if t in waits else never) >= EVERY_S}
        due |= at_once
        chosen_tasks, chosen = _together(books, due, fresh, tasks, datasets)
        self._send(books, chosen_tasks, chosen)
        self._next = (tasks - chosen_tasks, datasets - chosen, chosen_tasks, waits)
        return bool(chosen_tasks or chosen)

    def _changed_datasets(self, books: Books, datasets: set[int]) -> set[int]:
        """Note the datasets that changed; returns those to be told at once."""
        fresh = set()
        for dataset in books.datasets.values():
            if books.changed("dataset", dataset.id, dataset):
                datasets.add(dataset.id)
                first = not books.before["dataset", dataset.id]["available"] and dataset.available
                external = dataset.task_id is None
                if first or external or _differs(books, "dataset", dataset.id, dataset, AT_ONCE_DATASET):
                    fresh.add(dataset.id)
        return fresh

    def _send(self, books: Books, tasks: set[int], datasets: set[int]) -> None:
        if datasets:
            books.load_datasets(sorted(datasets))
            reports = [_dataset_report(books.dataset(one)) for one in sorted(datasets)]
            mailbox.report_datasets(books.conn, reports)
        if tasks:
            books.know_tasks(sorted(tasks))
            books.load_inputs(sorted(tasks))
            books.load_datasets(edge.dataset_id for one in tasks for edge in books.inputs(one))
            rows = [_task_report(books, books.task(one), self._inside.get(one, 0.0)) for one in sorted(tasks)]
            mailbox.report_tasks(books.conn, rows, books.now)

    def committed(self, now: float) -> None:
        """The transaction of the last `write` is committed."""
        if self._next is not None:
            self._tasks, self._datasets, told, waits = self._next
            self._told.update(dict.fromkeys(told | (waits - self._told.keys()), now))
            self._next = None
        if len(self._told) > 10_000:
            self._told = {task: at for task, at in self._told.items() if now - at < EVERY_S}


def _can_wait(books: Books, task: Task) -> bool:
    """Whether it was just set to work on whole inputs, or is at work as before: its end is told at once."""
    before = books.before["task", task.id]
    if task.idle or task.rejected or before["rejected"] or task.no_feed or task.held or before["held"]:
        return False
    if before["idle"]:
        return all(edge.closed for edge in books.inputs(task.id))
    return bool(task.order_seq == before["order_seq"])


def _differs(books: Books, kind: str, row_id: int, record: object, names: Iterable[str]) -> bool:
    before = books.before[kind, row_id]
    return any(before[name] != getattr(record, name) for name in names)


def _together(
    books: Books, tasks: set[int], datasets: set[int], dirty_tasks: set[int], dirty: set[int]
) -> tuple[set[int], set[int]]:
    """All that must be told along with these: outputs and inputs that changed, consumers, producers."""
    tasks, datasets = set(tasks), set(datasets)
    new_tasks, new = set(tasks), set(datasets)
    while new_tasks or new:
        new |= (_near_tasks(books, new_tasks) & dirty) - datasets
        datasets |= new
        new_tasks = _near_datasets(books, new, dirty_tasks) - tasks
        tasks |= new_tasks
        new = set()
    return tasks, datasets


def _near_tasks(books: Books, tasks: set[int]) -> set[int]:
    """The outputs and inputs of tasks."""
    books.know_tasks(tasks)
    books.load_inputs(tasks)
    near = {edge.dataset_id for one in tasks for edge in books.inputs(one)}
    return near.union(*(_outputs(books.task(one)) for one in tasks))


def _near_datasets(books: Books, datasets: set[int], dirty_tasks: set[int]) -> set[int]:
    """The consumers of datasets, and those producers that have something to tell."""
    books.load_datasets(datasets)
    books.load_consumers(datasets)
    producers = {books.dataset(one).task_id for one in datasets}
    consumers = {edge.task_id for one in datasets for edge in books.consumers(one)}
    return consumers | {one for one in producers if one is not None and one in dirty_tasks}


def _outputs(task: Task) -> list[int]:
    return [output.dataset_id for output in read_spec(task.spec).outputs] if task.spec else []


def phase(task: Task) -> str:
    """JEDI's own word for what a task does."""
    words = (
        (task.rejected, "rejected"),
        (not task.spec, "unknown"),
        (task.idle, "idle"),
        (task.no_feed and task.hard, "stopping"),
        (task.no_feed, "finishing"),
        (task.held, "held"),
        (task.running, "running"),
        (task.ready, "ready"),
    )
    return next((word for holds, word in words if holds), "waiting")


def _task_report(books: Books, task: Task, inside: float) -> TaskReport:
    return TaskReport(
        task_id=task.id,
        order_seq_applied=task.order_seq,
        idle=bool(task.idle),
        rejected=bool(task.rejected),
        ready=task.ready,
        running=task.running,
        ok=task.ok,
        failed=task.failed,
        skipped=task.skipped,
        jobs=task.jobs,
        jobs_running=task.jobs_running,
        jobs_ok=task.jobs_ok,
        jobs_failed=task.jobs_failed,
        phase=phase(task),
        reason=task.reason,
        summary=_summary(task.measured, inside if task.running else 0.0),
        inputs=tuple(_input_report(books, edge) for edge in books.inputs(task.id)),
    )


def _input_report(books: Books, edge: Edge) -> InputReport:
    return InputReport(
        edge_id=edge.edge_id,
        task_id=edge.task_id,
        dataset_id=edge.dataset_id,
        unfed=edge.unfed,
        missing=edge.missing,
        seen_version=books.dataset(edge.dataset_id).version,
    )


def _dataset_report(dataset: Dataset) -> DatasetReport:
    return DatasetReport(
        dataset_id=dataset.id,
        order_seq_applied=dataset.order_seq,
        available=dataset.available,
        lost=dataset.lost,
        expected=dataset.expected,
        events=dataset.events,
        bytes=dataset.bytes,
        version=dataset.version,
        reason=dataset.reason,
    )


def _summary(measured: str | None, inside: float) -> str | None:
    """Durations, CPU and memory of the jobs that were ok so far, and units done inside running ones."""
    told: dict[str, float] = {"inside": inside} if inside else {}
    if measured:
        sums = json.loads(measured)
        number = sums["jobs"]
        told |= {"jobs": number, "wall_max_s": sums["wall_max_s"], "max_rss_mb": sums["max_rss_mb"]}
        told |= {"wall_mean_s": sums["wall_s"] / number, "cpu_mean_s": sums["cpu_s"] / number}
    return json.dumps({k: round(v, 3) for k, v in told.items()}) if told else None
