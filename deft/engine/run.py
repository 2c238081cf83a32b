"""Run one Meta-Task in this process until nothing can move without an operator.

The sweep runs here; the executor is a child process that ends with its parent. A child that dies is started
again: what it had in hand is in the database and on disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deft.access.roles import Actor
from deft.base import config, faults
from deft.base.errors import BadInput, Refused, Unreachable
from deft.base.interrupts import Interrupts
from deft.engine.controls import ControlRequest, control
from deft.engine.perform import Done
from deft.engine.scan import Rescans
from deft.engine.sweep import SweepRequest, sweep
from deft.model.standing import MOVING
from deft.store import holds, standing
from deft.store.session import Session
from deft.wire.hints import SilentBell

INTERRUPTED = "deft run was interrupted"
_MAX_DEATHS = 5
_DEAD_EARLY_S = 5.0
_STOP_S = 20.0
_ASK_SOON_S, _ASK_AGAIN_S = 0.5, 30.0
_ORPHAN_ASKS = 3  # so often an executor may be that of a run that was just killed, and about to end
_AWAY_S = 1.0  # between two tries while the database is away
_LOOK_S = 5.0  # a look at journals that are empty costs little; whoever watches wants signs of life

Watcher = Callable[[tuple[Done, ...]], None]
"""Told what fired at every pass, also when nothing did."""


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """How it ended: the Meta-Task's state, and whether the operator interrupted it."""

    state: str
    interrupted: bool


@contextmanager
def alone(workdir: Path) -> Iterator[None]:
    """Make sure that one `deft run` works in a folder.

    Raises Refused where another one does, BadInput where nothing can be written.
    """
    path = workdir / "deft.run.lock"
    try:
        opened = path.open("a+", encoding="utf-8")
    except OSError as fault:
        raise BadInput(
            f"cannot write in the work folder {workdir}: {fault.strerror}; give another one with --workdir"
        ) from None
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            who = lock.read().strip() or "another process"
            raise Refused(
                f"{who} already works in {workdir}; wait for it, watch it with `deft status`, "
                "or give this run a folder of its own with --workdir"
            ) from None
        lock.truncate(0)
        lock.write(f"deft run (process {os.getpid()})")
        lock.flush()
        yield


def run(
    session: Session,
    metatask_id: int,
    full_name: str,
    *,
    actor: Actor,
    watch: Watcher,
    held: Callable[[], None] = lambda: None,
    away: Callable[[Unreachable | None], None] = lambda _: None,
    look_s: float = _LOOK_S,
) -> RunAnswer:
    """Sweep and execute until the Meta-Task has ended, is blocked, or the operator interrupts.

    `held` is told of the first Ctrl-C, once the hold is in force and jobs come to their end.
    `away` is told when the database does not answer, and with None when it does again: it is waited for.
    `watch` is told at least every `look_s` seconds.
    Raises Unreachable where the executor cannot be kept alive, or at Ctrl-C while the database is away.
    """
    gc.freeze()  # what was loaded lives as long as we do: no use in looking through it again and again
    _lift_own_hold(session, metatask_id, full_name, actor)
    rescans = Rescans(session)

    def look() -> str:
        rescans.look()
        watch(sweep(session, SweepRequest(actor)).fired)
        return _state(session, metatask_id)

    with _Executor(session) as executor, Interrupts() as interrupts:
        while _patiently(look, away, interrupts):
            if interrupts.count:
                return _interrupted(session, full_name, actor, executor, interrupts, held)
            executor.keep_alive()
            at_most_s = min(session.settings.sweep.every_s, look_s, executor.ask_in_s())
            session.own_bell.wait(at_most_s, also=[*executor.fds, interrupts.fd])
    with session.reading() as conn:
        return RunAnswer(standing.of(conn, [metatask_id])[metatask_id].state, interrupted=False)


def _patiently(
    look: Callable[[], str], away: Callable[[Unreachable | None], None], interrupts: Interrupts
) -> str:
    """What `look` returns, as soon as the database answers."""
    waited = False
    while True:
        try:
            found = look()
        except Unreachable as fault:
            if interrupts.count:
                raise
            if not waited:
                away(fault)
            waited = True
            SilentBell().wait(_AWAY_S, also=[interrupts.fd])
            continue
        if waited:
            away(None)
        return found


def _state(session: Session, metatask_id: int) -> str:
    """Its state while it can still move, or a hold may yet be lifted; empty where it cannot."""
    with session.reading() as conn:
        state = standing.of(conn, [metatask_id])[metatask_id].state
        if state in MOVING or state == "held":
            return state
        # A hold is set to be lifted: a blocked Meta-Task with a held task goes on when it is.
        return "held" if state == "blocked" and holds.held_tasks(conn, metatask_id) else ""


def _lift_own_hold(session: Session, metatask_id: int, full_name: str, actor: Actor) -> None:
    with session.reading() as conn:
        in_force = holds.in_force(conn, metatask_id)
    if any(hold.task is None and hold.reason == INTERRUPTED for hold in in_force):
        control(session, ControlRequest(actor, "resume", full_name, reason="deft run goes on"))


def _interrupted(
    session: Session,
    full_name: str,
    actor: Actor,
    executor: _Executor,
    interrupts: Interrupts,
    held: Callable[[], None],
) -> RunAnswer:
    """The first Ctrl-C holds: running jobs get their grace. The second stops at once."""
    with contextlib.suppress(Refused):
        control(session, ControlRequest(actor, "hold", full_name, reason=INTERRUPTED))
    held()
    interrupts.take()
    executor.drain(until=lambda: interrupts.count > 1, also=[interrupts.fd])
    return RunAnswer("held", interrupted=True)


class _Executor:
    """The child process: started, watched, started again, stopped."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._child: subprocess.Popen[bytes] | None = None
        self._pidfd: int | None = None
        self._log: IO[bytes] | None = None
        self._deaths: list[float] = []
        self._ask_again = 0.0
        self._refusals = 0

    def __enter__(self) -> _Executor:
        folder = self._session.settings.workdir / "log"
        folder.mkdir(exist_ok=True)
        self._log = (folder / "jedi.log").open("ab")
        self._start()
        faults.point("run.jedi-started")
        return self

    def __exit__(self, *_: object) -> None:
        self.drain(until=lambda: False)
        if self._log is not None:
            self._log.close()

    @property
    def fds(self) -> list[int]:
        """Readable when the child has ended."""
        return [] if self._pidfd is None else [self._pidfd]

    def _start(self) -> None:
        settings = self._session.settings
        command = [
            sys.executable,
            "-m",
            "deft.jedi",
            "--workdir",
            str(settings.workdir),
            "--until-parent-dies",
        ]
        # It gets these very settings, wherever they came from: --config is not in its environment.
        environ = {**os.environ, "DEFT_WORKDIR": str(settings.workdir), **config.as_environ(settings)}
        # In a session of its own, so that Ctrl-C on the terminal reaches the parent alone, which decides.
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=environ,
            start_new_session=True,
        )
        self._pidfd = os.pidfd_open(self._child.pid)

    def ask_in_s(self) -> float:
        """Seconds until another executor is asked again whether it still serves; for ever where none does."""
        if self._child is not None:
            return float("inf")
        return max(0.0, self._ask_again - self._session.clock.monotonic())

    def keep_alive(self) -> None:
        """Start the child again where it died.

        Where a service already executes the jobs of this work folder, that one does; from time to time it
        is asked again. Raises Refused where it may be that of another folder, Unreachable where the child
        keeps dying.
        """
        now = self._session.clock.monotonic()
        if self._child is None:
            if now >= self._ask_again:
                self._start()
            return
        if self._child.poll() is None:
            return
        code = self._child.returncode
        self._forget()
        if code == Refused.exit_code:
            if not self._session.settings.embedded and self._refusals >= _ORPHAN_ASKS:
                raise Refused(f"{self._last_words()}\nor hand this over to it: `deft import --start`")
            self._refusals += 1
            self._ask_again = now + min(_ASK_AGAIN_S, _ASK_SOON_S * 2**self._refusals)
            return
        self._deaths = [died for died in self._deaths if now - died < _DEAD_EARLY_S * _MAX_DEATHS] + [now]
        if len(self._deaths) >= _MAX_DEATHS:
            raise Unreachable(f"the executor stopped (exit code {code}): {self._last_words()}")
        self._start()

    def _last_words(self) -> str:
        path = self._session.settings.workdir / "log" / "jedi.log"
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = lines[-1].removeprefix("deft.jedi: ") if lines else "it said nothing"
        return f"{said} (see {path})"

    def drain(self, until: Callable[[], bool], also: Sequence[int] = ()) -> None:
        """Let running jobs come to an end within their grace, then stop; at once when `until` says so."""
        if self._child is None:
            return
        self._child.terminate()
        deadline = self._session.clock.monotonic() + _STOP_S
        while self._child.poll() is None:
            now = self._session.clock.monotonic()
            if now > deadline + _STOP_S:
                break
            if until() or now > deadline:
                # The second one it notes cancels what runs; two that come at once are noted as one.
                self._child.terminate()
                select.select(self.fds, [], [], 0.5)
            else:
                self._session.own_bell.wait(0.5, also=[*self.fds, *also])
        self._forget()

    def _forget(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        self._child = self._pidfd = None
