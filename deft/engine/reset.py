"""Throw away what tasks and all that followed from them have done: the only verb that destroys progress.

Everything happens in one transaction: tasks begin anew, their outputs get another series and name, JEDI is
ordered to forget. Files stay where they are, under the old names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.base.database import AnyRow
from deft.base.errors import BadInput, Refused
from deft.engine import commands, refusals
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, perform
from deft.model.net import VOCABULARY, Row
from deft.model.verbs import VERBS
from deft.store import guards, history, lineage, marking, series
from deft.store.series import Renewed
from deft.store.session import Session
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind

_VERB = VERBS["reset"]
_BEGUN = VOCABULARY.parse("started or ended")


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Reset a selection and all that followed from it. `discard` must be said: nothing else would be true."""

    actor: Actor
    selection: str
    discard: bool = False
    reason: str | None = None
    dry_run: bool = False
    key: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Discarded:
    """What one output held, and what it is called from now on."""

    task: str
    old: str
    new: str
    units: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ResetAnswer:
    """The tasks that begin anew, those that had not begun, and what was thrown away."""

    metatasks: tuple[str, ...]
    changed: tuple[str, ...]
    already: int
    discarded: tuple[Discarded, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Anew:
    """The tasks that begin anew, producers before consumers, and what was thrown away."""

    node_ids: tuple[int, ...]
    discarded: tuple[Discarded, ...]


def reset(session: Session, request: ResetRequest) -> ResetAnswer:
    """Reset tasks, and every descendant that was started or has ended.

    Raises Refused naming the task that has not ended or has retired data, NotFound, BadInput, NotAllowed.
    """
    if not request.discard:
        raise BadInput("reset throws away what the tasks have made; say --discard")
    commands.check_reason(request.reason)
    said = {name: text for name in ("reason", "where") if (text := getattr(request, name)) is not None}
    command = Command(request.actor, "reset", request.selection, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> ResetAnswer:
        return _reset(session, conn, request, note)

    return commands.give(session, command, ResetAnswer, act)


def _reset(session: Session, conn: Connection, request: ResetRequest, note: Note) -> ResetAnswer:
    parts = commands.choose(session, conn, note, request.selection, request.where)
    named = [node_id for part in parts for node_id in part.node_ids]
    already = guards.holding(conn, named, VOCABULARY.parse(_VERB.already))
    done = begin_anew(
        conn,
        [one for one in named if one not in already],
        Cause(request.actor.name, request.reason),
        session.clock.now(),
    )
    note.tasks += len(done.node_ids)
    return ResetAnswer(
        metatasks=tuple(part.full_name for part in parts),
        changed=tuple(refusals.names(conn, done.node_ids)),
        already=len(already),
        discarded=done.discarded,
        dry_run=request.dry_run,
    )


def begin_anew(conn: Connection, node_ids: Sequence[int], cause: Cause, now: datetime) -> Anew:
    """Reset these tasks and all that followed from them. Raises Refused where one has not ended."""
    found = _enabled(conn, sorted({*node_ids, *_begun_below(conn, node_ids)}))
    renewed = _effect(conn, found, cause, now)
    discarded = tuple(Discarded(one.task, one.old, one.new, one.units, one.bytes) for one in renewed)
    return Anew(tuple(task.id for _, task in found), discarded)


def _begun_below(conn: Connection, node_ids: Sequence[int]) -> set[int]:
    below = sorted(lineage.descendants(conn, node_ids))
    return guards.holding(conn, below, _BEGUN) if below else set()


def _enabled(conn: Connection, node_ids: Sequence[int]) -> list[tuple[Row, AnyRow]]:
    """All of them with the row that fits; producers before consumers. Raises Refused where one does not."""
    found = guards.first_enabled(conn, node_ids, _VERB.rows) if node_ids else []
    fitting = {task.id for _, task in found}
    if len(fitting) < len(node_ids):
        refused = [one for one in node_ids if one not in fitting]
        raise Refused(refusals.of(conn, _VERB, refused))
    return sorted(found, key=lambda one: (one[1].metatask_id, one[1].depth, one[1].id))


def _effect(
    conn: Connection, found: Sequence[tuple[Row, AnyRow]], cause: Cause, now: datetime
) -> list[Renewed]:
    step = perform(conn, found, cause, now)
    renewed = series.renew(conn, [task.id for _, task in found if task.started])
    mailbox.post(conn, [_order(one) for one in renewed], now)
    history.record(conn, [_change(one) for one in renewed], cause.actor, now)
    marking.mark_dirty(conn, sorted(step.touched))
    return renewed


def _order(one: Renewed) -> Order:
    key = f"d{one.dataset_id}-{one.order_seq}"
    body = {"v": orders.VERSION}
    return Order(OrderKind.DISCARD, one.order_seq, key, body, dataset_id=one.dataset_id)


def _change(one: Renewed) -> history.Change:
    reason = f"{one.units} units of {one.old} discarded; it is {one.new} now"
    return history.Change(one.metatask_id, one.node_id, "discard", reason=reason)
