"""The sweep: take the journals, evaluate what they name, to a fixed point. Its cost follows what changed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import faults
from deft.engine.evaluate import evaluate
from deft.engine.perform import Done
from deft.store import marking
from deft.store.session import Session
from deft.store.tables import deft_dirty
from deft.wire import mailbox
from deft.wire.tables import wire_changed


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
    """One pass over what changed. One transaction; nothing in it is half done."""
    roles.require(request.actor, "sweep")
    if not request.full and not _anything(session):
        return SweepAnswer((), 0)
    faults.point("sweep.before-transaction")
    with session.writing() as conn:
        dirty = _take_all(conn) if request.full else _take(conn)
        faults.point("sweep.after-journal")
        fired = evaluate(conn, dirty, session.clock.now())
        faults.point("sweep.before-commit")
    faults.point("sweep.after-commit")
    if fired:
        session.jedi_bell.ring()
    faults.point("sweep.after-bell")
    return SweepAnswer(tuple(fired), len(dirty))


def _anything(session: Session) -> bool:
    """Whether a journal holds anything: asked by a reader, so that an idle sweep locks nobody out."""
    with session.reading() as conn:
        journals = (sa.select(table.c.id).limit(1) for table in (wire_changed, deft_dirty))
        return any(conn.execute(query).first() is not None for query in journals)


def _take(conn: Connection) -> set[int]:
    tasks, datasets = mailbox.take_changed(conn)
    if datasets:
        marking.list_external(conn, sorted(datasets))
    return tasks | marking.touched_by_datasets(conn, sorted(datasets)) | marking.take_dirty(conn)


def _take_all(conn: Connection) -> set[int]:
    _take(conn)
    marking.list_external(conn, None)
    return marking.live_tasks(conn)
