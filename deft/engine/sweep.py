"""The sweep: take the journals, evaluate what they name, to a fixed point. Its cost follows what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import faults
from deft.engine.evaluate import evaluate
from deft.engine.perform import Done
from deft.store import marking
from deft.store.marking import Place
from deft.store.session import Session
from deft.store.tables import deft_dirty
from deft.wire import mailbox
from deft.wire.tables import wire_changed

TOGETHER = 10_000  # tasks of small Meta-Tasks that a full sweep looks at in one transaction


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """`full`: ignore the journals and look at every task that is alive; repairs what a lost message hid."""

    actor: Actor
    full: bool = False


@dataclass(frozen=True, slots=True)
class SweepAnswer:
    """What fired, in order, and how many tasks were looked at."""

    fired: tuple[Done, ...]
    looked_at: int


def sweep(session: Session, request: SweepRequest) -> SweepAnswer:
    """One pass over what changed: one transaction, nothing in it is half done.

    A full one goes on over all tasks that are alive, a transaction for some Meta-Tasks after another, so that
    neither its memory nor its hold on the database grows with their number.
    """
    roles.require(request.actor, "sweep")
    if not request.full:
        return _pass(session, _take) if _anything(session) else SweepAnswer((), 0)
    answers = [_pass(session, partial(_take, all_external=True))]
    with session.reading() as conn:
        groups = list(marking.groups_alive(conn, TOGETHER))
    answers += [_pass(session, partial(_alive, metatask_ids=group)) for group in groups]
    fired = chain.from_iterable(answer.fired for answer in answers)
    return SweepAnswer(tuple(fired), sum(answer.looked_at for answer in answers))


_Found = tuple[set[int], Collection[Place]]
"""Tasks where something happened, and consumers of what they make."""


def _pass(session: Session, take: Callable[[Connection], _Found]) -> SweepAnswer:
    """Evaluate the tasks that `take` finds, in the transaction in which it finds them."""
    faults.point("sweep.before-transaction")
    with session.writing() as conn:
        dirty, consumers = take(conn)
        faults.point("sweep.after-journal")
        fired = evaluate(conn, dirty, session.clock.now(), consumers=consumers)
        faults.point("sweep.before-commit")
    faults.point("sweep.after-commit")
    if fired:
        session.jedi_bell.ring()
    faults.point("sweep.after-bell")
    return SweepAnswer(tuple(fired), len(dirty.union(place.node_id for place in consumers)))


_ANYTHING: sa.Select[tuple[int]] = sa.select(sa.literal_column("1")).where(
    sa.or_(*(sa.exists(sa.select(table.c.id)) for table in (wire_changed, deft_dirty)))
)


def _anything(session: Session) -> bool:
    """Whether a journal holds anything: asked by a reader, so that an idle sweep locks nobody out."""
    with session.reading() as conn:
        return conn.execute(_ANYTHING).first() is not None


def _take(conn: Connection, *, all_external: bool = False) -> _Found:
    tasks, datasets = mailbox.take_changed(conn)
    tasks |= marking.take_dirty(conn)
    ids = sorted(datasets)
    if ids or all_external:
        marking.list_external(conn, None if all_external else ids)
    if not ids:
        return tasks, ()
    return tasks.union(marking.producers_of(conn, ids)), marking.consumers_of_datasets(conn, ids)


def _alive(conn: Connection, metatask_ids: Sequence[int]) -> _Found:
    return marking.live_tasks(conn, metatask_ids), ()
