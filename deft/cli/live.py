"""Show a Meta-Task while it moves: bars on a terminal, or events for programs, a JSON object a line."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from deft.access.roles import Actor
from deft.cli import printing
from deft.cli.progress import Lines
from deft.engine.perform import Done
from deft.observe import status
from deft.observe.progress import Meter, Progress, TaskProgress
from deft.store.session import Session

_DRAW_S = 0.25  # a screen that changes faster cannot be read
_TELL_S = 1.0
_URGENT = ("running", "failed", "broken", "exhausted", "waiting", "defined")


class Screen(Lines):
    """Bars that move: a line a task, as many as the terminal has room for; what is said goes above them."""

    every_s = 0.5

    def __init__(self, session: Session, actor: Actor, metatask: str) -> None:
        super().__init__(session, actor, metatask, quiet=False)
        self._meter = Meter(session, actor, metatask)
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._drawn = 0.0

    def __enter__(self) -> Screen:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, fired: tuple[Done, ...]) -> None:
        """Say what failed; draw the rest anew."""
        super().__call__(fired)
        if fired or time.monotonic() - self._drawn >= _DRAW_S:
            self._drawn = time.monotonic()
            self._live.update(picture(self._meter.look(), shutil.get_terminal_size().lines - 5), refresh=True)

    def _changes(self, moved: Sequence[int]) -> None:
        """Those that ended badly are worth a line that stays; the bars show the others."""
        for line in status.lines_of(self._session, moved).values():
            if line.state in ("failed", "broken", "exhausted", "aborted"):
                self._say(
                    f"{line.task} is {line.state}: {printing.safe(line.reason or 'no reason is known')}"
                )

    def _count(self, running: list[status.TaskLine]) -> None:
        """The bars say it."""

    def _say(self, text: str) -> None:
        self._live.console.print(Text.from_ansi(text))


class Events(Lines):
    """A JSON object a line on standard output: changes of state, failures, progress once a second."""

    every_s = _TELL_S

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
    rank = {state: n for n, state in enumerate(_URGENT)}
    urgent = sorted(range(len(tasks)), key=lambda n: (rank.get(tasks[n].line.state, len(rank)), n))
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
