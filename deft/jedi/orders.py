"""Apply DEFT's orders: one function a kind, applied and acknowledged in the same transaction.

Each may be given twice and must be harmless for a task of which JEDI never heard. Listings are made before
the transaction begins, so that a slow disk does not hold the database.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy.engine import Engine

from deft.base.errors import BadInput
from deft.jedi import catalog, feeding, inspection, recovery, scanning, specs, store
from deft.jedi.books import Books
from deft.jedi.catalog import Dataset, Edge
from deft.jedi.inspection import Inspection
from deft.jedi.jobs import Fed, JobState
from deft.jedi.listing import Listing, list_files
from deft.jedi.scanning import Seen
from deft.jedi.store import Task
from deft.wire import mailbox
from deft.wire.orders import Order, OrderKind, TaskSpec, load_scan, load_task

GIVEN_UP = (JobState.FAILED, JobState.KILLED, JobState.LOST)


@dataclass
class Effects:
    """What is to be done about attempts under way once the orders are committed."""

    revoke: set[int] = field(default_factory=set)  # tasks whose queued attempts are taken back
    cancel: set[int] = field(default_factory=set)  # tasks whose running attempts are stopped, too
    stale: set[int] = field(default_factory=set)  # jobs whose input has another content since they began


Look = Listing | Inspection


def prepare(orders: Sequence[Order], engine: Engine) -> dict[int, Look]:
    """Read from disk what the orders will need, by order id."""
    return {
        order.id: _look(order, engine) for order in orders if order.kind in (OrderKind.SCAN, OrderKind.GROW)
    }


def _look(order: Order, engine: Engine) -> Look:
    if order.kind is OrderKind.GROW:
        return list_files([str(path) for path in order.body.get("units", ())])
    try:
        scan = load_scan(order.body)
        return inspection.inspect(engine, scan.dataset_id) if scan.produced else list_files(scan.sources)
    except (BadInput, TypeError, AttributeError, KeyError) as fault:
        return Listing((), str(fault))


def apply_all(books: Books, orders: Sequence[Order], listings: Mapping[int, Look]) -> Effects:
    """Apply orders in their sequence and acknowledge them."""
    effects = Effects()
    _look_up(books, orders)
    for order in orders:
        if order.task_id is not None:
            _apply_to_task(books, order, effects)
        elif order.dataset_id is not None:
            _apply_to_dataset(books, order, listings)
    mailbox.acknowledge(books.conn, [order.id for order in orders], books.now)
    return effects


def _look_up(books: Books, orders: Sequence[Order]) -> None:
    """Fetch what the orders are about, for all of them at once; what cannot be read is told later."""
    task_ids = [order.task_id for order in orders if order.task_id is not None]
    books.know_tasks(task_ids)
    books.load_inputs(task_ids)
    datasets = [order.dataset_id for order in orders if order.dataset_id is not None]
    for order in orders:
        if order.kind in (OrderKind.RUN, OrderKind.SPEC, OrderKind.RETRY):
            with contextlib.suppress(BadInput, TypeError, ValueError, AttributeError, KeyError):
                ends = (*order.body["inputs"], *order.body["outputs"])
                datasets += [int(end["dataset_id"]) for end in ends]
    books.load_datasets(datasets)


def _apply_to_task(books: Books, order: Order, effects: Effects) -> None:
    task = books.task(order.task_id or 0)
    if order.seq <= task.order_seq:
        return  # applied before
    task.order_seq = order.seq
    if order.kind is OrderKind.RECOVER and order.body.get("dry_run"):
        mailbox.answer(books.conn, order.id, recovery.tried(books, order.body), books.now)
        return
    if "held" in order.body:  # the hold in force: nothing starts by an order under hold
        held = order.body["held"]
        task.held = None if held is None else str(held)
    act = _TASK_ACTS.get(order.kind)
    if order.kind is OrderKind.RECOVER and not task.spec:
        refuse(books, order, "nothing of this task was ever run here")
        return
    if act is None:
        refuse(books, order, f"this JEDI does not know how to {order.kind} a task yet")
        return
    try:
        act(books, task, order.body, effects)
    except (BadInput, TypeError, ValueError, AttributeError, KeyError) as fault:
        _reject(task, f"the order {order.kind} cannot be read: {fault}")


def refuse(books: Books, order: Order, reason: str) -> None:
    """Answer that an order will not be carried out."""
    mailbox.answer(books.conn, order.id, {"refused": reason}, books.now)


# --- orders of a task --------------------------------------------------------------------------------------


def _run(books: Books, task: Task, body: Mapping[str, object], _effects: Effects) -> None:
    _define(books, task, load_task(body))
    task.idle = task.no_feed = task.hard = 0
    _check(books, task)


def _spec(books: Books, task: Task, body: Mapping[str, object], _effects: Effects) -> None:
    _define(books, task, load_task(body))
    if not task.idle:
        _check(books, task)


def _retry(books: Books, task: Task, body: Mapping[str, object], effects: Effects) -> None:
    _run(books, task, body, effects)
    task.reason = task.reason if task.rejected else None
    for state in (Fed.FAILED, Fed.SKIPPED):
        if getattr(task, state.value):
            dropped = store.drop_unsuccessful_lost(books.conn, task.id, state)
            again = store.ready_again(books.conn, task.id, state)
            task.count(state, -dropped - again)
            task.count(Fed.READY, again)
    task.jobs_failed -= store.plan_again(books.conn, task.id, GIVEN_UP)
    store.plan_again(books.conn, task.id, [JobState.CANCELLED])
    for edge in books.inputs(task.id):
        feeding.recount(books, edge)


def _hold(_books: Books, task: Task, body: Mapping[str, object], effects: Effects) -> None:
    mode = str(body.get("mode", "drain"))
    task.held = mode if mode in ("drain", "requeue", "kill") else "drain"
    effects.revoke.add(task.id)  # under hold no job starts
    if mode == "kill":
        effects.cancel.add(task.id)


def _resume(_books: Books, task: Task, _body: Mapping[str, object], effects: Effects) -> None:
    task.held = None
    effects.revoke.discard(task.id)
    effects.cancel.discard(task.id)


def _finish(books: Books, task: Task, body: Mapping[str, object], effects: Effects) -> None:
    _stop_feeding(books, task, body)
    if body.get("mode") == "hard":
        task.hard = 1
        effects.cancel.add(task.id)


def _abort(books: Books, task: Task, body: Mapping[str, object], effects: Effects) -> None:
    _stop_feeding(books, task, body)
    task.hard = 1
    effects.cancel.add(task.id)


def _stop_feeding(books: Books, task: Task, body: Mapping[str, object]) -> None:
    feeding.follow(books)  # what earlier orders of this transaction let in is skipped, not left out
    task.no_feed = 1
    task.held = task.held if body.get("held") else None  # its own hold is lifted, not that of its Meta-Task
    recovery.keep(books, task)
    skipped = store.skip_ready(books.conn, task.id) if task.ready else 0
    task.ready -= skipped
    task.skipped += skipped


def _discard(books: Books, task: Task, _body: Mapping[str, object], effects: Effects) -> None:
    """Forget all progress: rows, counters, output units. Jobs stay as history; numbers go on."""
    if task.running:
        raise BadInput("its jobs still run: abort it first")
    effects.revoke.add(task.id)
    store.forget_rows(books.conn, task.id)
    for name in ("ready", "ok", "failed", "skipped", "parked", "jobs", "jobs_ok", "jobs_failed"):
        setattr(task, name, 0)
    task.idle, task.no_feed, task.hard, task.rejected = 1, 0, 0, 0
    # DEFT starts nothing that it holds, and would never tell of the end of this hold.
    task.reason = task.measured = task.held = None
    for output in specs.read_spec(task.spec).outputs if task.spec else ():
        _empty(books, books.dataset(output.dataset_id))
    for edge in books.inputs(task.id):
        feeding.recount(books, edge)


def _empty(books: Books, dataset: Dataset) -> None:
    catalog.delete_units(books.conn, dataset.id)
    dataset.available = dataset.lost = dataset.events = dataset.bytes = dataset.expected = 0
    books.change(dataset.id).reshaped = True


def _recover(books: Books, task: Task, body: Mapping[str, object], _effects: Effects) -> None:
    recovery.recover(books, task, body)


def _limit(_books: Books, task: Task, body: Mapping[str, object], _effects: Effects) -> None:
    wanted = body.get("max_running")
    task.max_running = None if wanted is None else int(str(wanted))


_TaskAct = Callable[[Books, Task, Mapping[str, object], Effects], None]
_TASK_ACTS: dict[OrderKind, _TaskAct] = {
    OrderKind.RUN: _run,
    OrderKind.SPEC: _spec,
    OrderKind.RETRY: _retry,
    OrderKind.HOLD: _hold,
    OrderKind.RESUME: _resume,
    OrderKind.FINISH: _finish,
    OrderKind.ABORT: _abort,
    OrderKind.DISCARD: _discard,
    OrderKind.RECOVER: _recover,
    OrderKind.LIMIT: _limit,
}


def _define(books: Books, task: Task, spec: TaskSpec) -> None:
    """Take over a definition: names, limits, inputs and outputs."""
    task.project, task.metatask, task.name = spec.project, spec.metatask, spec.task
    task.spec = specs.write_spec(spec)
    task.priority = int(specs.number(spec, "priority"))
    task.max_running = int(specs.number(spec, "max_running")) or None
    task.cluster = specs.cluster(spec)
    for output in spec.outputs:
        made = books.dataset(output.dataset_id)
        made.name, made.type, made.format, made.task_id = output.dataset, output.type, output.format, task.id
    known = {edge.edge_id: edge for edge in books.inputs(task.id)}
    for given in spec.inputs:
        read = books.dataset(given.dataset_id)
        read.name, read.type = given.dataset, given.type
        edge = known.get(given.edge_id)
        if edge is None:  # nothing was fed by it yet
            new = Edge(given.edge_id, task.id, given.dataset_id, given.role, int(given.reduce))
            new.unfed, new.missing = read.available, read.lost
            edge = books.add_edge(new)
            if given.dataset_id in books.changes:  # just counted: must not be counted again
                books.change(given.dataset_id).reshaped = True
        if given.synthetic > read.available:
            scanning.make_synthetic(books, read, given.synthetic)
        edge.role, edge.reduce, edge.closed = given.role, int(given.reduce), int(given.closed)


def _check(books: Books, task: Task) -> None:
    reason = specs.why_unfit(specs.read_spec(task.spec or ""), books.clusters)
    if reason is not None:
        _reject(task, reason)
    elif task.rejected:
        task.rejected, task.reason = 0, None


def _reject(task: Task, reason: str) -> None:
    task.rejected, task.reason = 1, reason


# --- orders of a dataset -----------------------------------------------------------------------------------


def _apply_to_dataset(books: Books, order: Order, listings: Mapping[int, Look]) -> None:
    dataset = books.dataset(order.dataset_id or 0)
    if order.seq <= dataset.order_seq:
        return
    dataset.order_seq = order.seq
    if order.kind in (OrderKind.SCAN, OrderKind.GROW):
        seen = _see(books, dataset, order, listings[order.id])
        if order.body.get("answer"):
            counts = {"available": dataset.available, "missing": dataset.lost, "reason": dataset.reason}
            mailbox.answer(books.conn, order.id, {**asdict(seen), **counts}, books.now)
    elif order.kind is OrderKind.CLOSE:
        for edge in books.consumers(dataset.id):
            edge.closed = 1
            books.task(edge.task_id)
    elif order.kind is OrderKind.DISCARD:
        _empty(books, dataset)
    else:
        refuse(books, order, f"this JEDI does not know how to {order.kind} a dataset yet")


def _see(books: Books, dataset: Dataset, order: Order, found: Look) -> Seen:
    """Put into the books what was found on disk."""
    if isinstance(found, Inspection):
        return inspection.apply(books, dataset, found)
    if order.kind is OrderKind.SCAN:
        dataset.name = str(order.body.get("dataset", "")) or dataset.name
    return scanning.scanned(books, dataset, found, whole=order.kind is OrderKind.SCAN)
