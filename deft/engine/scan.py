"""Order JEDI to look at the disk again: at the files that tasks made, and at data from outside.

JEDI has custody of the files, maybe on another host; so whoever serves the database looks, and answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.engine import answers, commands
from deft.engine.answers import PATIENCE, Patience
from deft.engine.commands import Command, Note
from deft.store import external, specs
from deft.store.session import Session
from deft.wire import mailbox, orders
from deft.wire.orders import Order, OrderKind, Scan

_ASK_S = 5.0


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Look at what the tasks of a selection made and read; all tasks where it is `*`."""

    actor: Actor
    selection: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is looked at: the names of datasets by the keys of the orders."""

    metatasks: tuple[str, ...]
    keys: tuple[str, ...]
    datasets: tuple[str, ...]
    made: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What JEDI found of one dataset, in units; `lost` is what it missed now, `missing` all that is lost.

    `made`: a task made it; else it comes from outside.
    """

    dataset: str
    made: bool
    available: int
    missing: int
    new: int
    back: int
    changed: int
    lost: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """What was found, dataset by dataset."""

    metatasks: tuple[str, ...]
    datasets: tuple[Scanned, ...]

    @property
    def missing(self) -> int:
        """Units that are lost, all in all."""
        return sum(one.missing for one in self.datasets)


def scan(session: Session, request: ScanRequest, patience: Patience = PATIENCE) -> ScanAnswer:
    """Look again, and say what was found.

    Raises Unreachable where JEDI does not answer (it looks once it runs), NotFound, BadInput, NotAllowed.
    """
    said = {} if request.where is None else {"where": request.where}
    command = Command(request.actor, "scan", request.selection, said)

    def act(conn: Connection, note: Note) -> Ordered:
        parts = commands.choose(session, conn, note, request.selection, request.where)
        ids = [node_id for part in parts for node_id in part.node_ids]
        scans = external.to_look_at(conn, ids)
        keys = order(conn, scans, session.clock.now(), answer=True)
        names = tuple(part.full_name for part in parts)
        datasets, made = tuple(one.dataset for one in scans), tuple(one.produced for one in scans)
        return Ordered(names, tuple(keys), datasets, made)

    ordered = commands.give(session, command, Ordered, act)
    told = answers.wait(session, request.actor, ordered.keys, patience)
    rows = zip(ordered.datasets, ordered.made, ordered.keys, strict=True)
    return ScanAnswer(ordered.metatasks, tuple(_scanned(name, made, told[key]) for name, made, key in rows))


_COUNTS = ("available", "missing", "new", "back", "changed", "lost")


def _scanned(name: str, made: bool, told: dict[str, Any]) -> Scanned:
    counts = {what: int(told.get(what, 0)) for what in _COUNTS}
    return Scanned(dataset=name, made=made, reason=told.get("reason"), **counts)


def order(conn: Connection, scans: Sequence[Scan], now: datetime, *, answer: bool = False) -> list[str]:
    """Post an order for each of these; returns their keys."""
    numbers = specs.note_dataset_orders(conn, [scan.dataset_id for scan in scans])
    posted = []
    for scan in scans:
        seq = numbers[scan.dataset_id]
        body = {**orders.dump(scan), **({"answer": True} if answer else {})}
        key = f"d{scan.dataset_id}-{seq}"
        posted.append(Order(OrderKind.SCAN, seq, key, body, dataset_id=scan.dataset_id))
    mailbox.post(conn, posted, now)
    return [one.key for one in posted]


class Rescans:
    """What whoever sweeps again and again does beside it, and not more often than it is worth."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next = 0.0

    def look(self) -> None:
        """List again what is due, if it is time to ask."""
        now = self._session.clock.monotonic()
        if now >= self._next:
            self._next = now + _ASK_S
            rescan(self._session)


def rescan(session: Session) -> int:
    """List again the open datasets whose period is over (`rescan_s` of an edge); how many."""
    now = session.clock.now()
    with session.reading() as conn:
        if not _due(conn, now):
            return 0
    with session.writing() as conn:
        due = _due(conn, now)
        order(conn, due, now)
    session.jedi_bell.ring()
    return len(due)


def _due(conn: Connection, now: datetime) -> list[Scan]:
    every = external.open_ones(conn)
    last = mailbox.last_orders(conn, [scan.dataset_id for scan, _ in every])
    return [
        scan
        for scan, period in every
        if scan.dataset_id in last and last[scan.dataset_id] + timedelta(seconds=period) <= now
    ]
