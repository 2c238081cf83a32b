"""Feed units to tasks, keep `unfed` and `missing` true, and set the latch `idle`."""

from __future__ import annotations

from deft.jedi import catalog, store
from deft.jedi.books import Books, Change
from deft.jedi.catalog import Edge
from deft.jedi.jobs import Fed, JobState
from deft.jedi.net import UNSUCCESSFUL
from deft.jedi.store import Task


def follow(books: Books) -> None:
    """Carry every change of a dataset to its consumers, then see which tasks have become idle."""
    for dataset_id, change in books.changes.items():
        books.dataset(dataset_id).version += 1
        for edge in books.consumers(dataset_id):
            _carry(books, edge, change)
    books.changes.clear()
    for task in list(books.tasks.values()):
        if not task.idle:
            feed(books, task)
            latch(books, task)


def _carry(books: Books, edge: Edge, change: Change) -> None:
    """One edge learns of a change. New units alone need no query: they cannot have a row yet."""
    task = books.task(edge.task_id)
    if change.reshaped:
        recount(books, edge)
    elif edge.unfed == 0 and task.feeding and not _is_reduce(books, task):
        catalog.feed_units(books.conn, edge, change.added, _fed_as(edge))
        _count(task, edge, len(change.added))
    else:
        edge.unfed += len(change.added)


def recount(books: Books, edge: Edge) -> None:
    """Ask the database how many units of an edge are unfed, how many missing."""
    edge.unfed = catalog.count_unfed(books.conn, edge)
    lost = books.dataset(edge.dataset_id).lost
    if not lost:
        edge.missing = 0
    elif edge.primary:
        edge.missing = catalog.count_missing(books.conn, edge)
    else:
        edge.missing = lost


def recount_missing(books: Books, task: Task) -> None:
    """After rows of a task became ok: what is missing may be less."""
    for edge in books.inputs(task.id):
        if edge.missing and edge.primary:
            edge.missing = catalog.count_missing(books.conn, edge)


def feed(books: Books, task: Task) -> None:
    """Give a task every unit that it may have."""
    if not task.feeding:
        return
    edges = books.inputs(task.id)
    hungry = [edge for edge in edges if edge.unfed]
    if not hungry:
        return
    if not _is_reduce(books, task):
        _feed_edges(books, task, hungry)
    elif task.running == 0 and all(edge.closed for edge in edges):
        _feed_edges(books, task, hungry)
        _whole_set_again(books, task)


def _feed_edges(books: Books, task: Task, edges: list[Edge]) -> None:
    for edge in edges:
        _count(task, edge, catalog.feed_all(books.conn, edge, _fed_as(edge)))
        edge.unfed = 0


def _whole_set_again(books: Books, task: Task) -> None:
    """The one job of a reduce task takes all its units anew, whatever became of them before."""
    for state in (Fed.OK, Fed.FAILED, Fed.SKIPPED):
        if getattr(task, state.value):
            number = store.ready_again(books.conn, task.id, state)
            task.count(state, -number)
            task.count(Fed.READY, number)
    task.jobs_ok -= store.plan_again(books.conn, task.id, [JobState.OK])
    task.jobs_failed -= store.plan_again(books.conn, task.id, sorted(UNSUCCESSFUL))
    store.plan_again(books.conn, task.id, [JobState.CANCELLED])


def _is_reduce(books: Books, task: Task) -> bool:
    return any(edge.reduce for edge in books.inputs(task.id))


def _fed_as(edge: Edge) -> Fed:
    return Fed.READY if edge.primary else Fed.USED


def _count(task: Task, edge: Edge, number: int) -> None:
    if edge.primary:
        task.ready += number


def latch(books: Books, task: Task) -> None:
    """Set idle where nothing is ready, running or unfed, or nothing is to be fed any more."""
    if task.idle or task.running:
        return
    stopped = task.rejected or task.no_feed
    if stopped or not (task.ready or any(edge.unfed for edge in books.inputs(task.id))):
        task.idle = 1
        if not (task.failed or task.rejected):
            task.reason = None  # what failed on the way was mended by a later attempt
