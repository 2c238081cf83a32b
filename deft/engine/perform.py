"""Carry out what fired: the whole effect of rows of the net on tasks, in the caller's transaction.

Tokens, outputs, controls, orders and history change together or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.model import visibility
from deft.model.net import Row
from deft.store import history, holds, marking, reasons, specs
from deft.store.marking import Fired
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind

_WITH_TASK = (OrderKind.RUN, OrderKind.RETRY, OrderKind.SPEC)
# The orders that say how, and what they say unless the verb does.
_MODES = {OrderKind.HOLD: "drain", OrderKind.FINISH: "soft"}
# What only verbs order, on a task that may be held.
_BY_VERBS = (OrderKind.RETRY, OrderKind.RECOVER, OrderKind.FINISH, OrderKind.ABORT)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who makes it fire, and why: the sweep itself, or an operator's verb.

    `said`: by task, what the order says that goes with it, beside what all of its kind say.
    """

    actor: str = history.SYSTEM
    reason: str | None = None
    mode: str | None = None
    said: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """One task that changed: what an answer or a progress line tells."""

    node_id: int
    metatask_id: int
    cause: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one firing did, and the tasks whose guards it may have changed."""

    done: tuple[Done, ...]
    touched: frozenset[int]


def perform(conn: Connection, enabled: Iterable[tuple[Row, AnyRow]], cause: Cause, now: datetime) -> Step:
    """Fire each row for its task. Raises Stale where a task is no longer as it was found."""
    rows: dict[int, Row] = {}
    sets: defaultdict[tuple[int, str], list[Fired]] = defaultdict(list)
    for row, (node_id, metatask_id, _, state, order_seq, started, _) in enabled:
        rows[id(row)] = row  # by identity: a row is slow to hash
        sets[id(row), state].append(Fired(node_id, metatask_id, state, order_seq, bool(started)))
    done: list[Done] = []
    touched: set[int] = set()
    for (number, old), fired in sets.items():
        row = rows[number]
        done += _fire(conn, row, fired, cause, now)
        ids = [one.node_id for one in fired]
        touched.update(ids)
        if visibility.concerns_consumers(row, old):
            touched.update(marking.consumers_of_tasks(conn, ids))
    return Step(tuple(done), frozenset(touched))


def _fire(conn: Connection, row: Row, fired: Sequence[Fired], cause: Cause, now: datetime) -> list[Done]:
    """One row for tasks that share an old state."""
    ids = [one.node_id for one in fired]
    ordered, silent = _by_order(row, fired)
    for some, orders_too in ((ordered, True), (silent, False)):
        if some:
            marking.change(conn, row, some, orders=orders_too, now=now)
    if row.outputs is not None:
        marking.set_outputs(conn, ids, row.outputs)
    _controls(conn, row, fired, cause, now)
    if row.list_inputs or row.list_again:
        order_listing(conn, ids, now, again=row.list_again)
    if ordered:
        _order(conn, row, ordered, cause, now)
    _remember(conn, row, fired, cause, now)
    old = fired[0].state
    new = row.state.value if row.state is not None else old
    return [Done(one.node_id, one.metatask_id, row.name, old, new) for one in fired]


def _by_order(row: Row, fired: Sequence[Fired]) -> tuple[Sequence[Fired], Sequence[Fired]]:
    """Those that an order goes out for, and the others."""
    if row.order is None:
        return [], fired
    if not row.only_started:
        return fired, []
    return [one for one in fired if one.started], [one for one in fired if not one.started]


def _controls(conn: Connection, row: Row, fired: Sequence[Fired], cause: Cause, now: datetime) -> None:
    if row.drop:
        marking.forget_controls(conn, [one.node_id for one in fired], row.drop)
    if row.put:
        marking.note_controls(
            conn, fired, row.put, actor=cause.actor, reason=cause.reason, mode=cause.mode, now=now
        )


def order_listing(conn: Connection, ids: Sequence[int], now: datetime, *, again: bool) -> None:
    """Order the first listing of external inputs of tasks, or another: they count what was seen of them."""
    scans = specs.external_inputs(conn, ids, listed_too=again)
    numbers = specs.note_dataset_orders(conn, [scan.dataset_id for scan in scans])
    posted = [
        Order(
            kind=OrderKind.SCAN,
            seq=numbers[scan.dataset_id],
            key=f"d{scan.dataset_id}-{numbers[scan.dataset_id]}",
            body=orders.dump(scan),
            dataset_id=scan.dataset_id,
        )
        for scan in scans
    ]
    mailbox.post(conn, posted, now)


def _order(conn: Connection, row: Row, ordered: Sequence[Fired], cause: Cause, now: datetime) -> None:
    assert row.order is not None
    whole = specs.of_tasks(conn, [one.node_id for one in ordered]) if row.order in _WITH_TASK else {}
    held = _holds_in_force(conn, ordered) if row.order in _BY_VERBS else {}
    posted = []
    for one in ordered:
        body: dict[str, Any] = orders.dump(whole[one.node_id]) if whole else {"v": orders.VERSION}
        if row.order in _MODES:
            body["mode"] = cause.mode or _MODES[row.order]
        if held:
            body["held"] = held[one.node_id]
        body |= cause.said.get(one.node_id, {})
        seq = one.order_seq + 1
        posted.append(Order(row.order, seq, f"t{one.node_id}-{seq}", body, task_id=one.node_id))
    mailbox.post(conn, posted, now)


def _holds_in_force(conn: Connection, tasks: Sequence[Fired]) -> dict[int, str | None]:
    """The mode of the hold that each task is under: the order says it, so that nothing starts by it."""
    of_metatask: defaultdict[int, list[int]] = defaultdict(list)
    for one in tasks:
        of_metatask[one.metatask_id].append(one.node_id)
    found: dict[int, str | None] = {}
    for metatask_id, ids in of_metatask.items():
        found |= holds.modes(conn, metatask_id, ids)
    return found


def _remember(conn: Connection, row: Row, fired: Sequence[Fired], cause: Cause, now: datetime) -> None:
    ids = [one.node_id for one in fired]
    if row.state is not None and row.reason in reasons.ASKED:
        marking.explain(conn, reasons.of(conn, row, ids))
    history.record_tasks(
        conn,
        ids,
        cause=row.name,
        old=fired[0].state,
        new=row.state.value if row.state is not None else fired[0].state,
        reason=cause.reason or (row.reason if row.state is None else None) or None,
        own_words=row.state is not None,
        actor=cause.actor,
        now=now,
    )
