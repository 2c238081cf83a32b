"""One cycle of the executor: what was heard goes into the database, what starts next comes out of it.

Everything of a cycle is one transaction: orders applied and acknowledged, ends settled, intents written,
reports made. Nothing in memory changes before it is committed; only after it are folders made and handed
over. So a crash at any point leaves either nothing or an intent that `reconcile` finds.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.engine import Connection, Engine

from deft.base import faults
from deft.base.clock import Clock
from deft.base.config import LOCAL, Settings
from deft.base.database import reading, writing
from deft.jedi import arrays, claims, feeding, orders, planning, progress, reconcile, settling, store
from deft.jedi.backends import Backend, Event
from deft.jedi.books import Books
from deft.jedi.filling import INPUTS_FILE
from deft.jedi.jobs import Array, Ending, Flight, JobState, Result
from deft.jedi.orders import Effects, Look
from deft.jedi.planning import Intent, Room
from deft.jedi.reconcile import Watch
from deft.jedi.reporting import Reporter
from deft.wire import hints, mailbox
from deft.wire.orders import Order

log = logging.getLogger("deft.jedi")

NOTE_S = 0.25  # what only changes the state of attempts waits that long for a reason to commit
GATHER_S = 0.03  # ends are gathered that long while there is enough to do
GATHER_LAST_S = 0.004  # and that long where somebody may wait for each of them
MANY = 4  # attempts under way: enough to do
UNBLOCK_S = 0.25
PROGRESS_S = 1.0  # how often running jobs are asked how far they are
MANY_FILES = 100  # jobs that may all be asked at once


class Executor:
    """The state of the loop between transactions; the database has all of it, too."""

    def __init__(
        self, settings: Settings, engine: Engine, clock: Clock, backends: Mapping[str, Backend]
    ) -> None:
        self.settings, self.engine, self.clock, self.backends = settings, engine, clock, backends
        self.flights: dict[Path, Flight] = {}
        self.ended: list[tuple[Flight, Result]] = []
        self._accepted: list[Array] = []
        self.watch = Watch()
        self.reporter = Reporter()
        self.handing_out = True
        self._bell = hints.bell(engine, hints.DEFT)
        self._moved: dict[Path, Flight] = {}  # whose state the database may not have
        self._hungry = False  # the last plan filled every place: there may be more
        self._plan_filled = False
        self._look_for_work = True
        self._noted = self._first_end = self._asked = 0.0

    # --- beginning ---

    def begin(self) -> None:
        """Find out what an earlier JEDI left, and put it right."""
        faults.point("jedi.reconcile-begin")
        with reading(self.engine) as conn:
            flights = reconcile.open_flights(conn)
        ended = reconcile.sort(self.watch, [one for one in flights if not self._is_lasting(one)])
        self._adopt([one for one in flights if self._is_lasting(one)], ended)
        with writing(self.engine, durable=True) as conn:
            books = self._books(conn)
            self.reporter.begin(books)
            settling.settle(books, ended, self.settings)
            feeding.follow(books)
            self._close_books(books)
            stopped = {t.id for t in books.tasks.values() if t.hard or t.held == "kill"}
            faults.point("jedi.reconcile-before-commit")
        faults.point("jedi.reconcile-after-commit")
        self.reporter.committed(self.clock.monotonic())
        self._ring()
        self._affect(Effects(cancel=stopped, stale=books.stale))

    def _books(self, conn: Connection) -> Books:
        return Books(conn, self.clock.now(), self.backends)

    def _is_lasting(self, flight: Flight) -> bool:
        cluster = self.backends.get(flight.array.cluster) if flight.array is not None else None
        return cluster is not None and cluster.lasting

    def _adopt(self, flights: Sequence[Flight], ended: list[tuple[Flight, Result]]) -> None:
        """Take up what batch systems still have; what ended meanwhile says so in its folder."""
        kept: dict[str, list[Flight]] = defaultdict(list)
        for flight in flights:
            result = claims.result_in(flight.folder)
            if result is not None and result.ending is Ending.OK:
                ended.append((flight, result))
            elif flight.array is not None:
                kept[flight.array.cluster].append(flight)
                self.flights[flight.folder] = flight
        for name, mine in kept.items():
            self.backends[name].adopt(mine)

    # --- one cycle ---

    def cycle(self) -> bool:
        """Do all there is to do now; whether there was anything."""
        self.collect()
        self._ask_progress()
        with reading(self.engine) as conn:
            given = mailbox.pending(conn)
        due = self._time_to_look() or self._time_to_settle() or self._time_to_note() or bool(self._accepted)
        if not (given or due):
            return False
        listings = orders.prepare(given, self.engine)
        effects, intents, told = self._transact(given, listings)
        self._hand_over(intents)
        if told:
            self._ring()
        self._affect(effects)
        return True

    def _transact(
        self, given: Sequence[Order], listings: dict[int, Look]
    ) -> tuple[Effects, list[Intent], bool]:
        ended, notes = list(self.ended), self._notes()
        faults.point("jedi.results-collected")
        accepted = list(self._accepted)
        with writing(self.engine, durable=True) as conn:
            books = self._books(conn)
            settling.settle(books, ended, self.settings)
            faults.point("jedi.results-settled")
            effects = orders.apply_all(books, given, listings)
            effects.stale = books.stale
            faults.point("jedi.orders-applied")
            feeding.follow(books)
            intents = self._plan(books)
            faults.point("jedi.planned")
            store.save_submissions(conn, [arrays.accepted_row(array) for array in accepted])
            store.save_attempts(conn, [_note_row(flight) for flight in notes])
            store.save_jobs(conn, [{"id": f.job_id, "state": f.state.value} for f in notes])
            told = self._close_books(books)
            faults.point("jedi.before-commit")
        faults.point("jedi.after-commit")
        del self._accepted[: len(accepted)]
        self._remember(len(ended), intents, notes)
        return effects, intents, told

    def _plan(self, books: Books) -> list[Intent]:
        if not self.handing_out:
            return []
        occupied = len(self.watch.flights)
        rooms = {name: Room(one.places(occupied), one.max_array) for name, one in self.backends.items()}
        intents = planning.plan(books, rooms, self.settings)
        self._plan_filled = bool(intents) and len(intents) >= sum(room.places for room in rooms.values())
        return intents

    def _close_books(self, books: Books) -> bool:
        for task in list(books.tasks.values()):
            feeding.latch(books, task)
        told = self.reporter.write(books, self.clock.monotonic(), last=not self.handing_out)
        books.save()
        return told

    def _remember(self, settled: int, intents: Sequence[Intent], notes: Sequence[Flight]) -> None:
        now = self.clock.monotonic()
        del self.ended[:settled]
        for flight in notes:
            flight.written = flight.state
        self._moved.clear()
        for intent in intents:
            self.flights[intent.flight.folder] = intent.flight
        self.reporter.committed(now)
        self._noted, self._look_for_work = now, False
        self._hungry = self._plan_filled

    def _ring(self) -> None:
        faults.point("jedi.before-bell")
        self._bell.ring()
        faults.point("jedi.after-bell")

    # --- attempts ---

    def collect(self) -> None:
        """Hear what the back-ends and the watched attempts have to say."""
        for backend in self.backends.values():
            for event in backend.collect():
                self._hear(event)
            self._accepted += backend.accepted()
        for flight, result in self.watch.look():
            self._end(flight, result)

    def _ask_progress(self) -> None:
        now = self.clock.monotonic()
        if self.flights and now - self._asked >= self._progress_s():
            self._asked = now
            self.reporter.tell_inside(progress.of_tasks(self.flights.values(), self.clock.now()))

    def _progress_s(self) -> float:
        """Less often where there are many: each is a file, maybe on a slow disk."""
        return PROGRESS_S * max(1.0, len(self.flights) / MANY_FILES)

    def _hear(self, event: Event) -> None:
        if event.kind == "free":
            self._look_for_work = True
            return
        flight = self.flights.get(event.folder)
        if flight is None:
            return  # taken back before
        if event.kind == "started":
            self._move(flight, JobState.RUNNING)
            flight.host, flight.pid, flight.started = event.host, event.pid, event.started
            return
        del self.flights[event.folder]
        result = event.result if event.kind == "ended" else reconcile.look(flight)
        if result is None:  # its wrapper is just dying
            self.watch.flights.append(flight)
        else:
            self._end(flight, result)

    def _move(self, flight: Flight, state: JobState) -> None:
        flight.state = state
        self._moved[flight.folder] = flight

    def _end(self, flight: Flight, result: Result) -> None:
        if not self.ended:
            self._first_end = self.clock.monotonic()
        self.ended.append((flight, result))

    def _hand_over(self, intents: Sequence[Intent]) -> None:
        """Make the folders of committed intents and give them to the pool."""
        made = []
        for intent in intents:
            try:
                _make_folder(intent)
                made.append(intent.flight)
            except OSError as fault:
                full = fault.errno in (errno.ENOSPC, errno.EDQUOT)
                del self.flights[intent.flight.folder]
                claims.revoke(intent.flight.folder)
                self._end(intent.flight, Result(Ending.NO_SPACE if full else Ending.WRAPPER, str(fault)))
        faults.point("jedi.before-hand-over")
        if made:
            self._submit(made)
        faults.point("jedi.after-hand-over")

    def _submit(self, flights: Sequence[Flight]) -> None:
        there: dict[str, list[Flight]] = defaultdict(list)
        for flight in flights:
            there[_cluster_of(flight)].append(flight)
        for name, mine in there.items():
            try:
                self.backends[name].submit(mine)
            except OSError as fault:  # no process to be had: nobody will run them, so take them back
                log.warning("JEDI: %s: %s", name, fault)
                for flight in mine:
                    self.take_back(flight)
                continue
            for flight in mine:
                self._move(flight, JobState.QUEUED)

    def _affect(self, effects: Effects) -> None:
        """Take back and stop what the orders just committed forbid."""
        for flight in list(self.flights.values()):
            if flight.task_id in effects.cancel:
                self.stop(flight)
            elif flight.task_id in effects.revoke:
                self.take_back(flight)
        if effects.stale:
            for flight in (*self.flights.values(), *self.watch.flights):
                flight.stale = flight.stale or flight.job_id in effects.stale
        for flight in self.watch.flights:
            if flight.task_id in effects.cancel:
                flight.cancelled = True
                self.watch.cancel(flight)

    def take_back(self, flight: Flight) -> bool:
        """Revoke an attempt that nobody has begun; whether that came in time."""
        if flight.state is JobState.RUNNING or not claims.revoke(flight.folder):
            return False
        del self.flights[flight.folder]
        self.backends[_cluster_of(flight)].withdraw(flight)
        self._end(flight, Result(Ending.REVOKED))
        return True

    def stop(self, flight: Flight) -> None:
        """Take an attempt back, or ask for its end where it runs."""
        if not self.take_back(flight):
            flight.cancelled = True
            self.backends[_cluster_of(flight)].cancel(flight)

    def unblock(self) -> None:
        """Take back what waits behind a long job while another slot is free."""
        for backend in self.backends.values():
            for folder in backend.blocked():
                flight = self.flights.get(folder)
                if flight is not None:
                    self.take_back(flight)

    # --- when ---

    def look_for_work(self) -> None:
        """The next cycle is to look at the database even if nothing was heard."""
        self._look_for_work = True

    def _time_to_look(self) -> bool:
        """Whether the database was not looked at for so long that a hint may have been lost."""
        return self._look_for_work or self.clock.monotonic() - self._noted >= self.settings.jedi.poll_s

    def _notes(self) -> list[Flight]:
        moved = (flight for flight in self._moved.values() if flight.state is not flight.written)
        return [flight for flight in moved if flight.folder in self.flights]

    def _time_to_settle(self) -> bool:
        return bool(self.ended) and self._settle_in_s() <= 0

    def _settle_in_s(self) -> float:
        if not self.flights or (self._hungry and any(one.starving() for one in self.backends.values())):
            return 0.0
        patience = GATHER_S if self._hungry or len(self.flights) >= MANY else GATHER_LAST_S
        return self._first_end + patience - self.clock.monotonic()

    def _time_to_note(self) -> bool:
        now = self.clock.monotonic()
        due = self.reporter.due_s(now)
        return due == 0.0 or (now - self._noted >= NOTE_S and bool(self._notes()))

    def fds(self) -> list[int]:
        """What wakes the loop: no single end does while many of them are gathered."""
        gathering = self.ended and len(self.flights) >= MANY and self._settle_in_s() > 0
        return [] if gathering else [fd for one in self.backends.values() for fd in one.fds()]

    def wake_in_s(self) -> float:
        """How long the loop may sleep if nothing wakes it."""
        now = self.clock.monotonic()
        times = [self.settings.jedi.poll_s, self.reporter.due_s(now), self.watch.due_s()]
        times += [one.wake_in_s() for one in self.backends.values()]
        if self.ended:
            times.append(max(0.0, self._settle_in_s()))
        if self._notes():
            times.append(max(0.0, self._noted + NOTE_S - now))
        if any(one.state is JobState.QUEUED and one.array is None for one in self.flights.values()):
            times.append(UNBLOCK_S)
        if self.flights:
            times.append(max(0.0, self._asked + self._progress_s() - now))
        return min(one for one in times if one is not None)

    def is_quiet(self) -> bool:
        """Whether nothing is under way or waits to be told."""
        if self.flights or self.ended or self.watch.flights or self.is_busy():
            return False
        if self.reporter.due_s(self.clock.monotonic()) is not None:
            return False
        with reading(self.engine) as conn:  # what waits until a back-end takes something again
            return not store.startable_tasks(conn, 1)

    def is_busy(self) -> bool:
        """Whether a batch system has not yet been told all that it is to be told."""
        return bool(self._accepted) or any(one.is_busy() for one in self.backends.values())

    def passing(self) -> list[Flight]:
        """The attempts that end with us."""
        return [flight for flight in self.flights.values() if not self._is_lasting(flight)]


def _cluster_of(flight: Flight) -> str:
    return LOCAL if flight.array is None else flight.array.cluster


def _make_folder(intent: Intent) -> None:
    folder, content = intent.flight.folder, intent.content
    os.makedirs(folder / "out" if content["outputs"] else folder, exist_ok=True)
    if "inputs" in content:
        text = "".join(f"{path}\n" for path in content.pop("inputs"))
        (folder / INPUTS_FILE).write_bytes(os.fsencode(text))
    with open(folder / "job.json", "w", encoding="utf-8") as stream:
        stream.write(json.dumps(content))
    faults.point("jedi.folder-made")


def _note_row(flight: Flight) -> dict[str, object]:
    return {
        "id": flight.attempt_id,
        "state": flight.state.value,
        "host": flight.host,
        "pid": flight.pid,
        "started": flight.started,
    }
