"""What `deft run` says on standard error while it works: changes, and now and then a sign of life."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import Self

import click

from deft.access.roles import Actor
from deft.base.errors import Unreachable
from deft.cli import printing
from deft.engine.perform import Done
from deft.observe import status
from deft.observe.status import TaskLine
from deft.store.holds import Hold
from deft.store.session import Session

_LOOK_S = 1.0
_LOOK_SHARE = 20
_ALIVE_S = 10.0
_NO_ROOM = 1_000_000


class Lines:
    """Told at every pass of the run what fired; says what is worth a line.

    `look_s`: how often it wants to be told although nothing fired.
    """

    look_s = 5.0

    def __init__(self, session: Session, actor: Actor, metatask: str, *, quiet: bool) -> None:
        self._session, self._actor, self._metatask, self._quiet = session, actor, metatask, quiet
        self._next_look = 0.0  # the first pass tells who holds it
        self._said = time.monotonic()
        self._holds: frozenset[str] = frozenset()
        self._counts: tuple[str, ...] = ()
        self._failed: dict[str, int] = {}
        self._is_full = False
        self.fired = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, fired: tuple[Done, ...]) -> None:
        """Say which tasks changed their state; else, from time to time, how far those that run are."""
        self.fired += len(fired)
        moved = [done.node_id for done in fired if done.new not in (done.old, "waiting")]
        if moved and not self._quiet:
            self._changes(moved)
        now = time.monotonic()
        if now >= self._next_look:
            self._look()
            # The more tasks, the longer it takes: never more than a small part of the time.
            self._next_look = now + max(_LOOK_S, _LOOK_SHARE * (time.monotonic() - now))

    def _changes(self, moved: Sequence[int]) -> None:
        for line in status.lines_of(self._session, moved).values():
            self._say(_changed(line))

    def held(self) -> None:
        """Say what the first Ctrl-C did."""
        self._say("held: running jobs get ten seconds to end; Ctrl-C again stops them at once")

    def away(self, fault: Unreachable | None) -> None:
        """Say that the database does not answer, and when it does again."""
        self._say(f"{fault}; waiting for it" if fault else "the database answers again")

    def _look(self) -> None:
        """Warn of what keeps it from moving; these are said even where all else is not."""
        is_full = shutil.disk_usage(self._session.settings.workdir).free < _NO_ROOM
        if is_full and not self._is_full:
            self._say(
                f"warning: no space left for {self._session.settings.workdir}; it goes on once there is room"
            )
        self._is_full = is_full
        if self._quiet:  # who wants no progress need not pay for a look at every task
            return self._warn_of(status.holds_of(self._session, self._actor, self._metatask))
        found = status.status(self._session, self._actor, self._metatask)
        self._warn_of(found.holds)
        self._failures(found.tasks)
        if time.monotonic() - self._said >= _ALIVE_S:
            self._count([task for task in found.tasks if task.state == "running"])
        return None

    def _warn_of(self, in_force: Sequence[Hold]) -> None:
        holds = frozenset(printing.hold_line(hold) for hold in in_force)
        for line in sorted(holds - self._holds):
            self._say(f"{line}; `deft resume` lets it go on")
        self._holds = holds

    def _failures(self, tasks: Sequence[TaskLine]) -> None:
        """Tell each failure as it happens, with the last line of its log."""
        for line in tasks:
            new = line.jobs_failed > self._failed.get(line.task, 0)
            self._failed[line.task] = line.jobs_failed
            if new and line.state == "running":
                self._failure(line)

    def _failure(self, line: TaskLine) -> None:
        why = printing.safe(line.reason or "no reason is known")
        self._say(f"  {line.task:<24} {printing.count(line.jobs_failed, 'job')} failed: {why}")

    def _count(self, running: list[TaskLine]) -> None:
        counts = tuple(_far(line) for line in running)
        if counts != self._counts:
            for text in counts:
                self._say(text)
        self._counts = counts

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        click.echo(text, err=True)


def _changed(line: TaskLine) -> str:
    why = f"  {printing.safe(line.reason)}" if line.reason else ""
    units = f"  {line.ok}/{line.expected} units" if line.ok or line.failed else ""
    return f"  {line.task:<24} {_state(line.state)}{units}{why}"


def _far(line: TaskLine) -> str:
    failed = f", {line.failed} failed" if line.failed else ""
    far = f"{line.ok}/{line.expected} units{failed}, {line.jobs_running} jobs run"
    return f"  {line.task:<24} {_state(line.state)}  {far}"


def _state(state: str) -> str:
    return click.style(state, fg=printing.COLOURS.get(state))
