"""What a run tells programs: a JSON object a line, each with its event and time."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import click

from deft.access.roles import Actor
from deft.cli import printing
from deft.cli.progress import Lines
from deft.engine.perform import Done
from deft.observe import status
from deft.observe.progress import Meter, TaskProgress
from deft.store.session import Session

_TELL_S = 1.0


class Events(Lines):
    """A JSON object a line on standard output: changes of state, failures, progress once a second."""

    look_s = _TELL_S

    def __init__(self, session: Session, actor: Actor, metatask: str) -> None:
        super().__init__(session, actor, metatask, quiet=False)
        self._meter = Meter(session, actor, metatask)
        self._told = time.monotonic()

    def __call__(self, fired: tuple[Done, ...]) -> None:
        """Tell what changed, and how far those that run are."""
        super().__call__(fired)
        if time.monotonic() - self._told >= _TELL_S:
            self._told = time.monotonic()
            for task in self._meter.look().tasks:
                if task.line.state == "running":
                    self._progress(task)

    def _progress(self, task: TaskProgress) -> None:
        line = task.line
        self.emit(
            "progress", task=line.task, part=round(task.part, 4), ok=line.ok, expected=line.expected,
            running=line.running, failed=line.failed, jobs_running=line.jobs_running, left_s=task.left_s,
        )  # fmt: skip

    def _changes(self, moved: Sequence[int]) -> None:
        for line in status.lines_of(self._session, moved).values():
            self.emit("state", task=line.task, state=line.state, ok=line.ok, expected=line.expected,
                      failed=line.failed, reason=line.reason)  # fmt: skip

    def _failure(self, line: status.TaskLine) -> None:
        self.emit("failure", task=line.task, jobs_failed=line.jobs_failed, reason=line.reason)

    def _count(self, running: list[status.TaskLine]) -> None:
        """Progress says it."""

    def _say(self, text: str) -> None:
        self.emit("note", text=click.unstyle(text))

    def emit(self, event: str, **content: object) -> None:
        """One event."""
        at = printing.plain(self._session.clock.now())
        click.echo(json.dumps({"event": event, "at": at, **printing.plain(content)}, ensure_ascii=False))
