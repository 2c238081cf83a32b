"""At the start: compare the attempts that the database calls open with what lies on disk, and mend."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import Connection

from deft.base import faults
from deft.jedi import arrays, claims, store
from deft.jedi.jobs import Ending, Flight, JobState, Result
from deft.jedi.store import OpenAttempt

FIRST_LOOK_S, SLOWEST_LOOK_S = 0.1, 2.0


def open_flights(conn: Connection) -> list[Flight]:
    """The open attempts, those of batch systems in their arrays."""
    rows = store.open_attempts(conn)
    ids = {row.submission_id for row in rows if row.submission_id is not None}
    made = arrays.restored(store.submissions(conn, sorted(ids)))
    flights = []
    for row in rows:
        flight = flight_of(row)
        if row.submission_id is not None:
            arrays.join(made[row.submission_id], flight, row)
        flights.append(flight)
    return flights


def flight_of(row: OpenAttempt) -> Flight:
    """An open attempt as the loop remembers it."""
    state = JobState(row.state)
    return Flight(
        attempt_id=row.id,
        attempt=row.number,
        job_id=row.job_id,
        number=row.job_number,
        task_id=row.task_id,
        folder=Path(row.folder),
        token=row.token,
        units=row.units,
        charged=row.charged,
        losses=row.losses,
        state=state,
        written=state,
        stale=bool(row.stale),
    )


def look(flight: Flight) -> Result | None:
    """What became of an attempt that nobody tells us about; None while it still runs.

    The order matters: the claim is taken before the result is looked for a last time.
    """
    result = claims.result_in(flight.folder)
    if result is not None:
        return result
    if claims.revoke(flight.folder):
        faults.point("jedi.reconcile-revoked")
        return Result(Ending.REVOKED)
    claim = claims.read_claim(flight.folder)
    if claim is None:
        return _without_holder(flight)
    if claims.holder_lives(flight.folder, claim):
        return None
    result = claims.result_in(flight.folder)
    if result is None:
        claims.kill_payload(claim, flight.token)
        faults.point("jedi.reconcile-payload-killed")
        result = Result(Ending.LOST, "whoever ran it died without a word")
    return result


def _without_holder(flight: Flight) -> Result | None:
    """A claim without a holder: ours of an earlier time, or one that is just being written."""
    if claims.is_revoked(flight.folder):
        return Result(Ending.REVOKED)
    if claims.is_being_written(flight.folder):
        return None
    claims.kill_payload(None, flight.token)
    return Result(Ending.LOST, "whoever ran it died at once")


@dataclass
class Watch:
    """Attempts that wrappers of an earlier JEDI still run: looked at more and more seldom."""

    flights: list[Flight] = field(default_factory=list)
    _every_s: float = FIRST_LOOK_S
    _next: float = 0.0

    def due_s(self) -> float | None:
        """Seconds until the next look; None where there is nothing to look at."""
        return max(0.0, self._next - time.monotonic()) if self.flights else None

    def look(self) -> list[tuple[Flight, Result]]:
        """Those that have ended, if it is time to look."""
        if not self.flights or time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + self._every_s
        self._every_s = min(SLOWEST_LOOK_S, self._every_s * 1.2)
        return sort(self, list(self.flights))

    def cancel(self, flight: Flight) -> None:
        """Ask the wrapper that runs an attempt to end it; it has nothing else to do."""
        claim = claims.read_claim(flight.folder)
        here = claim is not None and claim.host == socket.gethostname()
        if claim is not None and here and claims.is_alive(claim.pid, claim.start):
            os.kill(claim.pid, signal.SIGTERM)
            self._every_s, self._next = FIRST_LOOK_S, 0.0


def sort(watch: Watch, flights: Sequence[Flight]) -> list[tuple[Flight, Result]]:
    """The attempts that have ended, with their results; the others are watched."""
    ended, running = [], []
    for flight in flights:
        result = look(flight)
        if result is None:
            running.append(flight)
        else:
            ended.append((flight, result))
    watch.flights = running
    return ended
