"""Feed units to tasks, keep `unfed` and `missing` true, and set the latch `idle`."""

from __future__ import annotations

from collections.abc import Sequence

from deft.jedi import catalog, parking, store
from deft.jedi.books import Books, Change
from deft.jedi.catalog import Edge
from deft.jedi.jobs import Fed, JobState
from deft.jedi.net import UNSUCCESSFUL
from deft.jedi.store import Task

SMALL = 500  # units of a dataset that cost next to nothing to look through


def follow(books: Books) -> None:
    """Carry every change of a dataset to its consumers, then see which tasks have become idle."""
    changed = list(books.changes)
    books.load_datasets(changed)
    books.load_consumers(changed)
    edges = [edge for dataset_id in changed for edge in books.consumers(dataset_id)]
    books.know_tasks(edge.task_id for edge in edges)
    books.load_inputs(edge.task_id for edge in edges)
    for dataset_id in changed:
        books.dataset(dataset_id).version += 1
    for edge in edges:
        _carry(books, edge, books.changes[edge.dataset_id])
    books.changes.clear()
    awake = [task for task in books.tasks.values() if not task.idle]
    books.load_inputs(task.id for task in awake)
    feed(books, awake)
    for task in awake:
        latch(books, task)


def _carry(books: Books, edge: Edge, change: Change) -> None:
    """One edge learns of a change. New units alone need no query: they cannot have a row yet.

    Those of a large dataset are fed by name; the few of a small one with those of other edges, in `feed`.
    """
    task = books.task(edge.task_id)
    is_large = books.dataset(edge.dataset_id).available > SMALL
    if change.reshaped:
        for one in books.inputs(task.id) if task.parked else [edge]:
            recount(books, one)
    elif is_large and edge.unfed == 0 and task.feeding and not _is_reduce(books, task):
        books.enter_edges()
        catalog.feed_units(books.conn, edge.edge_id, change.added, _fed_as(edge))
        _count(task, edge, len(change.added))
    else:
        edge.unfed += len(change.added)


def recount(books: Books, edge: Edge) -> None:
    """Ask the database how many units of an edge are unfed, how many missing."""
    books.enter_edges()
    parked = parking.of_edge(books, edge)
    edge.unfed = catalog.count_unfed(books.conn, [edge.edge_id])[edge.edge_id] + parked.fit
    lost = books.dataset(edge.dataset_id).lost
    if lost and edge.primary:
        lost = catalog.count_missing(books.conn, edge)
    edge.missing = lost + parked.waiting


def recount_missing(books: Books, task: Task) -> None:
    """After rows of a task became ok: what is missing may be less."""
    for edge in books.inputs(task.id):
        if edge.missing and edge.primary:
            edge.missing = catalog.count_missing(books.conn, edge) + parking.of_edge(books, edge).waiting


def feed(books: Books, tasks: Sequence[Task]) -> None:
    """Give tasks every unit that they may have; what is made again also where nothing new is to be fed."""
    for task in tasks:
        if task.parked and task.spec and not (task.idle or task.rejected) and _is_whole(books, task):
            parking.unpark(books, task)
            for edge in books.inputs(task.id):
                recount(books, edge)
    fed = [task for task in tasks if task.feeding and _may_feed(books, task)]
    for kind in (Fed.READY, Fed.USED):
        edges = [edge for task in fed for edge in books.inputs(task.id) if edge.unfed]
        _feed_edges(books, [edge for edge in edges if _fed_as(edge) is kind], kind)
    for task in fed:
        if _is_reduce(books, task):
            _whole_set_again(books, task)


def _may_feed(books: Books, task: Task) -> bool:
    """Whether there is something to feed; to a reduce task only once all is there."""
    return _is_whole(books, task) and any(edge.unfed for edge in books.inputs(task.id))


def _is_whole(books: Books, task: Task) -> bool:
    edges = books.inputs(task.id)
    return not _is_reduce(books, task) or (task.running == 0 and all(edge.closed for edge in edges))


def _feed_edges(books: Books, edges: Sequence[Edge], kind: Fed) -> None:
    if not edges:
        return
    books.enter_edges()
    ids = [edge.edge_id for edge in edges]
    numbers = catalog.count_unfed(books.conn, ids)
    catalog.feed_all(books.conn, ids, kind)
    for edge in edges:
        _count(books.task(edge.task_id), edge, numbers[edge.edge_id])
        edge.unfed = 0


def _whole_set_again(books: Books, task: Task) -> None:
    """The one job of a reduce task takes all its units anew, whatever became of them before."""
    if not task.last_number:
        return  # there was none before
    for state in (Fed.OK, Fed.FAILED, Fed.SKIPPED):
        if getattr(task, state.value):
            number = store.ready_again(books.conn, task.id, state)
            task.count(state, -number)
            task.count(Fed.READY, number)
    task.jobs_ok -= store.plan_again(books.conn, task.id, [JobState.OK])
    task.jobs_failed -= store.plan_again(books.conn, task.id, sorted(UNSUCCESSFUL))
    store.plan_again(books.conn, task.id, [JobState.CANCELLED])
    parking.mark_larger(books.conn, task.id)


def _is_reduce(books: Books, task: Task) -> bool:
    return any(edge.reduce for edge in books.inputs(task.id))


def _fed_as(edge: Edge) -> Fed:
    return Fed.READY if edge.primary else Fed.USED


def _count(task: Task, edge: Edge, number: int) -> None:
    if edge.primary:
        task.ready += number


def latch(books: Books, task: Task) -> None:
    """Set idle where nothing is ready, running, or unfed and still to be fed."""
    if task.idle or task.running:
        return
    unfed = not task.no_feed and any(edge.unfed for edge in books.inputs(task.id))
    if task.rejected or not (task.ready or unfed):
        task.idle = 1
        if not (task.failed or task.rejected):
            task.reason = None  # what failed on the way was mended by a later attempt
