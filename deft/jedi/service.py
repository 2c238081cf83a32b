"""The loop of the executor: wake on the bell, on the pool, or after a while; one cycle; sleep."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy.engine import Engine

from deft.base import faults
from deft.base.clock import Clock
from deft.base.config import Settings
from deft.base.errors import Refused, Unreachable
from deft.jedi import lease
from deft.jedi.backends import making
from deft.jedi.cycle import Executor
from deft.wire import hints

log = logging.getLogger("deft.jedi")

PARENT_FD = 0
DRAIN_S = 10.0
FAULT_PAUSE_S = 1.0
MAX_FAULTS = 5  # unexpected exceptions in a row


class Signals:
    """How often SIGTERM (or Ctrl-C, where no parent decides) came, and a byte for each that ends a wait."""

    def __init__(self, *, as_child: bool) -> None:
        self.stops = 0
        self._as_child = as_child
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)
        self._restore: list[Callable[[], object]] = []
        if threading.current_thread() is threading.main_thread():
            self._install()

    def _install(self) -> None:
        old_fd = signal.set_wakeup_fd(self._writer)
        self._restore.append(lambda: signal.set_wakeup_fd(old_fd))
        # SIGINT of a child: a handler, not SIG_IGN, which the payloads would inherit. The parent decides.
        interrupt: Callable[..., None] = (lambda *_: None) if self._as_child else self._ask_to_stop
        for number, act in ((signal.SIGTERM, self._ask_to_stop), (signal.SIGINT, interrupt)):
            old = signal.signal(number, act)
            self._restore.append(partial(signal.signal, number, old))

    def _ask_to_stop(self, *_: object) -> None:
        self.stops += 1

    def drain(self) -> None:
        """Read the bytes that woke us."""
        os.read(self.reader, 4096)

    def close(self) -> None:
        """Give the signals back."""
        for act in self._restore:
            act()
        os.close(self.reader)
        os.close(self._writer)


def serve(settings: Settings, engine: Engine, clock: Clock, *, until_parent_dies: bool = False) -> None:
    """Be the executor of this database until SIGTERM, or until standard input ends.

    Raises Refused where another JEDI serves it.
    """
    gc.freeze()  # what was loaded lives as long as we do: no use in looking through it again and again
    with _executor(settings, engine, clock) as (executor, held):
        _Loop(executor, held, until_parent_dies=until_parent_dies).run(lambda: False)


def work_until_idle(settings: Settings, engine: Engine, clock: Clock) -> None:
    """Apply all orders and run jobs until nothing is ready or running. Raises Refused likewise."""
    with _executor(settings, engine, clock) as (executor, held):
        _Loop(executor, held, until_parent_dies=False).run(executor.is_quiet)


def apply_orders(settings: Settings, engine: Engine, clock: Clock) -> None:
    """Apply the orders that wait, and answer them; no job is begun. Raises Refused likewise."""
    with _executor(settings, engine, clock) as (executor, _):
        executor.handing_out = False
        executor.begin()
        while executor.cycle():
            pass


@contextmanager
def _executor(settings: Settings, engine: Engine, clock: Clock) -> Iterator[tuple[Executor, lease.Lease]]:
    held = lease.take(engine, clock)
    faults.point("jedi.lease-taken")
    made = making.made(settings, clock, os.environ)
    try:
        yield Executor(settings, engine, clock, made), held
    finally:
        for one in made.values():
            one.close()
        faults.point("jedi.pool-closed")
        held.release()
        faults.point("jedi.lease-released")


class _Loop:
    """The waiting between cycles, and the ways to end."""

    def __init__(self, executor: Executor, held: lease.Lease, *, until_parent_dies: bool) -> None:
        self._executor, self._lease = executor, held
        self._signals = Signals(as_child=until_parent_dies)
        self._bell = hints.bell(executor.engine, hints.JEDI)
        self._parent = [PARENT_FD] if until_parent_dies else []
        self._orphaned = False
        self._faults = 0
        self._begun = False

    def run(self, done: Callable[[], bool]) -> None:
        """Cycle and wait until `done`, told to stop, or orphaned."""
        try:
            self._cycles(done)
        finally:
            self._signals.close()
            self._bell.close()

    def _cycles(self, done: Callable[[], bool]) -> None:
        while not self._begun and not self._signals.stops:
            self._guarded(self._begin)
        while not (self._signals.stops or self._orphaned):
            worked = self._guarded(self._step)
            if not worked:
                if done():
                    return
                self._wait(self._executor.wake_in_s())
        if not self._orphaned:
            self._drain()

    def _begin(self) -> bool:
        """Nothing is planned before what an earlier JEDI left has been put right."""
        self._executor.begin()
        self._begun = True
        return True

    def _step(self) -> bool:
        self._lease.renew_if_due()
        self._executor.unblock()
        return self._executor.cycle()

    def _guarded(self, act: Callable[[], bool | None]) -> bool:
        """A fault on our side stops nothing for good: log it, pause, try again."""
        try:
            worked = bool(act())
            self._faults = 0
        except Refused:
            raise
        except Exception as fault:
            self._faults += 1
            if self._faults >= MAX_FAULTS and not isinstance(fault, Unreachable):
                raise
            log.warning("JEDI: %s; trying again", fault, exc_info=not isinstance(fault, Unreachable))
            self._executor.look_for_work()
            self._wait(FAULT_PAUSE_S)
            return True
        return worked

    def _wait(self, at_most_s: float) -> None:
        timeout = min(at_most_s, self._lease.renew_in_s())
        also = [self._signals.reader, *self._parent, *self._executor.fds()]
        readable = self._bell.wait(timeout, also)
        if self._signals.reader in readable:
            self._signals.drain()
        if self._parent and PARENT_FD in readable and not os.read(PARENT_FD, 4096):
            self._orphaned = True

    def _drain(self) -> None:
        """Start nothing more, give what runs here ten seconds (none at a second SIGTERM), then stop it.

        What a batch system has goes on without us. All that ends goes into the books; what was stopped is
        ready again and not charged.
        """
        executor, clock = self._executor, self._executor.clock
        executor.handing_out = False
        for flight in executor.passing():
            executor.take_back(flight)
        self._finish_until(clock.monotonic() + DRAIN_S, patience=1)
        for flight in executor.passing():
            executor.stop(flight)
        self._finish_until(clock.monotonic() + executor.settings.jedi.kill_grace_s + 2.0)

    def _finish_until(self, deadline: float, patience: int | None = None) -> None:
        executor = self._executor
        while executor.passing() or executor.ended or executor.is_busy():
            left = deadline - executor.clock.monotonic()
            hurried = patience is not None and self._signals.stops > patience
            if left <= 0 or self._orphaned or hurried:
                return
            if not self._guarded(self._step):
                self._wait(min(left, executor.wake_in_s()))
