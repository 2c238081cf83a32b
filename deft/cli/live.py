"""Bars that move while a Meta-Task does: a line a task, on a terminal."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import Self

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
_URGENT = ("running", "failed", "broken", "exhausted", "waiting", "defined")


class Screen(Lines):
    """Bars that move: a line a task, as many as the terminal has room for; what is said goes above them."""

    look_s = 0.5

    def __init__(self, session: Session, actor: Actor, metatask: str) -> None:
        super().__init__(session, actor, metatask, quiet=False)
        self._meter = Meter(session, actor, metatask)
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._drawn = 0.0

    def __enter__(self) -> Self:
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
