"""One executor at a time on a database: the lease in jedi_lease."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from deft.base import faults, revision
from deft.base.clock import Clock
from deft.base.database import writing
from deft.base.errors import Refused
from deft.jedi.claims import is_alive, start_time
from deft.jedi.tables import jedi_lease

NAME = "executor"
EXPIRES_S, RENEW_S = 30.0, 10.0


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lease."""

    token: str
    host: str
    pid: int
    process_start: str
    started: datetime
    expires: datetime


def holder(conn: Connection) -> Holder | None:
    """Who holds the lease, alive or not."""
    c = jedi_lease.c
    query = sa.select(c.token, c.host, c.pid, c.process_start, c.started, c.expires).where(c.name == NAME)
    row = conn.execute(query).first()
    return None if row is None else Holder(*row)


def is_held(one: Holder, now: datetime) -> bool:
    """Whether the holder must be taken for alive: on this host we can look, elsewhere time tells."""
    if one.host == socket.gethostname() and one.process_start:
        return is_alive(one.pid, one.process_start)
    return now < one.expires


class Lease:
    """A lease that this process holds."""

    def __init__(self, engine: Engine, clock: Clock, token: str) -> None:
        self._engine, self._clock, self._token = engine, clock, token
        self._renewed = clock.monotonic()

    def renew_in_s(self) -> float:
        """Seconds until it has to be renewed."""
        return max(0.0, self._renewed + RENEW_S - self._clock.monotonic())

    def renew_if_due(self) -> None:
        """Stay the holder. Raises Refused where somebody took over meanwhile, or changed the tables."""
        if self.renew_in_s() > 0:
            return
        now = self._clock.now()
        values = {"expires": now + timedelta(seconds=EXPIRES_S)}
        with writing(self._engine) as conn:
            _check_tables(conn)
            where = (jedi_lease.c.name == NAME, jedi_lease.c.token == self._token)
            mine = conn.execute(sa.update(jedi_lease).where(*where).values(values)).rowcount
        if mine != 1:
            raise Refused("another JEDI took this database over; this one stops")
        self._renewed = self._clock.monotonic()

    def release(self) -> None:
        """Give it back at the end."""
        with writing(self._engine) as conn:
            conn.execute(sa.delete(jedi_lease).where(jedi_lease.c.token == self._token))


def take(engine: Engine, clock: Clock) -> Lease:
    """Become the executor of this database. Raises Refused where there is one, OtherRevision."""
    now, token = clock.now(), secrets.token_hex(12)
    row = {
        "name": NAME,
        "token": token,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_start": start_time(os.getpid()),
        "started": now,
        "expires": now + timedelta(seconds=EXPIRES_S),
    }
    try:
        with writing(engine, durable=True) as conn:
            _check_tables(conn)
            _replace(conn, row, now)
            faults.point("jedi.lease-before-commit")
    except IntegrityError:
        raise Refused("another JEDI took this database at the same moment") from None
    return Lease(engine, clock, token)


def _check_tables(conn: Connection) -> None:
    found = revision.of(conn)
    if found is not None:
        revision.check(found)


def _replace(conn: Connection, row: dict[str, Any], now: datetime) -> None:
    old = holder(conn)
    if old is None:
        conn.execute(sa.insert(jedi_lease).values(row))
        return
    if is_held(old, now):
        raise Refused(
            f"JEDI already serves this database: pid {old.pid} on {old.host}, since "
            f"{old.started:%Y-%m-%d %H:%M:%S} UTC; stop that one first"
        )
    mine = sa.update(jedi_lease).where(jedi_lease.c.name == NAME, jedi_lease.c.token == old.token)
    if conn.execute(mine.values(row)).rowcount != 1:
        raise Refused("another JEDI took this database at the same moment")
