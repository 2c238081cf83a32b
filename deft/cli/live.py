"""Show a Meta-Task while it moves: bars on a terminal, plain lines elsewhere, events for programs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from deft.cli import printing
from deft.engine.perform import Done
from deft.observe import status
from deft.observe.progress import Meter, Progress, TaskProgress
from deft.store.session import Session

_EVERY_S = 0.25  # a screen that changes faster cannot be read
_SPEAK_S = 30.0  # a log wants a sign of life now and then
_ORDER = {
    state: n for n, state in enumerate(("running", "failed", "broken", "exhausted", "waiting", "defined"))
}


class Show(Protocol):
    """One way to show a run; called after every sweep with what fired."""

    fired: int

    def __call__(self, fired: tuple[Done, ...]) -> None:
        """Something may have changed."""

    def __enter__(self) -> Show: ...

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None,
                 trace: TracebackType | None) -> None: ...  # fmt: skip


class _Base:
    """Counts what fired, and tells failures once each."""

    def __init__(self, session: Session, meter: Meter) -> None:
        self.fired = 0
        self._session, self._meter = session, meter
        self._failed: dict[str, int] = {}

    def __enter__(self) -> _Base:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _new_failures(self, found: Progress) -> Iterator[TaskProgress]:
        for task in found.tasks:
            if task.line.jobs_failed > self._failed.get(task.line.task, 0):
                yield task
            self._failed[task.line.task] = task.line.jobs_failed

    def _moved(self, fired: Sequence[Done]) -> dict[str, status.TaskLine]:
        """The tasks whose state changed to one worth a line."""
        moved = {done.node_id for done in fired if done.new not in (done.old, "waiting")}
        return status.lines_of(self._session, sorted(moved)) if moved else {}


class Silent(_Base):
    """Says nothing."""

    def __call__(self, fired: tuple[Done, ...]) -> None:
        self.fired += len(fired)


class Lines(_Base):
    """A line for every change of state and every failure, and a sign of life now and then."""

    def __init__(self, session: Session, meter: Meter) -> None:
        super().__init__(session, meter)
        self._spoke = self._looked = time.monotonic()

    def __call__(self, fired: tuple[Done, ...]) -> None:
        self.fired += len(fired)
        for name, line in self._moved(fired).items():
            why = f"  {printing.safe(line.reason)}" if line.reason else ""
            units = f"  {line.ok}/{line.expected} units" if line.ok or line.failed else ""
            self._say(
                f"{name:<24} {click.style(line.state, fg=printing.COLOURS.get(line.state))}{units}{why}"
            )
        now = time.monotonic()
        if now - self._looked >= 1.0:
            self._looked = now
            self._look(now)

    def _look(self, now: float) -> None:
        found = self._meter.look()
        for task in self._new_failures(found):
            why = printing.safe(task.line.reason or "no reason is known")
            self._say(f"{task.line.task:<24} {task.line.jobs_failed} jobs failed: {why}")
        if now - self._spoke >= _SPEAK_S:
            for task in found.tasks:
                if task.line.state == "running":
                    self._say(
                        f"{task.line.task:<24} {task.line.ok}/{task.line.expected} units  {_left(task)}"
                    )

    def _say(self, text: str) -> None:
        self._spoke = time.monotonic()
        click.echo(f"  {text}", err=True)


class Events(_Base):
    """A JSON object a line: changes of state, failures, progress once a second."""

    def __init__(self, session: Session, meter: Meter) -> None:
        super().__init__(session, meter)
        self._looked = 0.0

    def __call__(self, fired: tuple[Done, ...]) -> None:
        self.fired += len(fired)
        for name, line in self._moved(fired).items():
            self._emit(
                "state", task=name, state=line.state, ok=line.ok, expected=line.expected, reason=line.reason
            )
        now = time.monotonic()
        if now - self._looked >= 1.0:
            self._looked = now
            found = self._meter.look()
            for task in self._new_failures(found):
                self._emit(
                    "failure", task=task.line.task, jobs_failed=task.line.jobs_failed, reason=task.line.reason
                )
            for task in found.tasks:
                if task.line.state == "running":
                    self._emit("progress", task=task.line.task, part=round(task.part, 4), ok=task.line.ok,
                               expected=task.line.expected, running=task.line.running, left_s=task.left_s)  # fmt: skip

    def _emit(self, event: str, **content: object) -> None:
        at = printing.plain(self._session.clock.now())
        click.echo(json.dumps({"event": event, "at": at, **content}, ensure_ascii=False))


class Screen(_Base):
    """Bars that move: a line a task, as many as the terminal has room for."""

    def __init__(self, session: Session, meter: Meter) -> None:
        super().__init__(session, meter)
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._drawn = 0.0

    def __enter__(self) -> Screen:
        self._live.start()
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, fired: tuple[Done, ...]) -> None:
        self.fired += len(fired)
        if fired or time.monotonic() - self._drawn >= _EVERY_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        found = self._meter.look()
        for task in self._new_failures(found):
            why = printing.safe(task.line.reason or "no reason is known")
            self._live.console.print(
                Text(f"{task.line.task}: {task.line.jobs_failed} jobs failed: {why}", "red")
            )
        room = shutil.get_terminal_size().lines - 5
        self._live.update(picture(found, room), refresh=True)


def picture(found: Progress, room: int) -> RenderableType:
    """The whole as a table of at most `room` tasks, those that move first."""
    shown, rest = chosen(found.tasks, max(room, 3))
    table = Table(box=None, padding=(0, 1), expand=False)
    for heading, right in (("task", False), ("state", False), ("", False), ("units", True), ("jobs", True),
                           ("a second", True), ("left", True), ("", False)):  # fmt: skip
        table.add_column(heading, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for task in shown:
        table.add_row(*_cells(task))
    title = Text(f"{found.metatask} is {found.state}: {found.ended} of {len(found.tasks)} tasks ended")
    return Group(title, table, Text(rest, "dim"))


def chosen(tasks: Sequence[TaskProgress], room: int) -> tuple[list[TaskProgress], str]:
    """The tasks that are shown, in their own order, and a word on the others."""
    if len(tasks) <= room:
        return list(tasks), ""
    urgent = sorted(range(len(tasks)), key=lambda n: (_ORDER.get(tasks[n].line.state, len(_ORDER)), n))
    kept = set(urgent[:room])
    others = [task.line.state for n, task in enumerate(tasks) if n not in kept]
    counted = ", ".join(f"{others.count(state)} {state}" for state in dict.fromkeys(others))
    return [task for n, task in enumerate(tasks) if n in kept], f"and {len(others)} more: {counted}"


def _cells(task: TaskProgress) -> list[RenderableType]:
    line = task.line
    note = " ".join(f"[{control}]" for control in line.controls)
    if line.state == "waiting" and task.waits_for:
        note += f" waits for {task.waits_for}"
    elif line.reason and line.state not in ("done", "running"):
        note += f" {printing.safe(line.reason)}"
    jobs = f"{line.jobs_ok}/{line.jobs}" + (f" {line.jobs_running} running" if line.jobs_running else "")
    return [
        Text(line.task),
        Text(line.state, printing.COLOURS.get(line.state, "")),
        ProgressBar(total=1.0, completed=task.part, width=24),
        f"{line.ok}/{line.expected}" if line.expected else "",
        jobs if line.jobs else "",
        f"{task.rate_per_s:.3g}" if task.rate_per_s else "",
        _left(task),
        Text(note.strip(), "dim"),
    ]


def _left(task: TaskProgress) -> str:
    return printing.duration(task.left_s) if task.left_s is not None else ""
