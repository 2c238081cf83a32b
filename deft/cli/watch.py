"""`deft status --watch`: look again and again until nothing moves."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.live import Live

from deft.base.errors import DeftError, Unreachable
from deft.cli import context, printing
from deft.cli.live import picture
from deft.model.standing import MOVING
from deft.observe.progress import Meter, Progress
from deft.store.session import Session

_EVERY_S = 1.0


def watch(session: Session, selection: str, *, as_json: bool) -> int:
    """Show it until it has come to rest, or Ctrl-C; the exit code: 0 where all is done."""
    meter = Meter(session, context.actor(), selection)
    found = meter.look()  # what does not exist is said before anything is drawn
    try:
        if as_json:
            found = _each(meter, _tell_json)
        elif sys.stdout.isatty():
            found = _draw(meter)
        else:
            found = _each(meter, _tell_lines())
    except KeyboardInterrupt:
        return 130
    return 0 if all(task.line.state == "done" for task in found.tasks) else DeftError.exit_code


def _looks(meter: Meter) -> Iterator[Progress]:
    while True:
        found = _patiently(meter.look)
        yield found
        if found.state not in MOVING and found.state != "held":
            return
        time.sleep(_EVERY_S)


def _patiently(look: Callable[[], Progress]) -> Progress:
    """A look at a database that may be away for a while: said once, and waited for until Ctrl-C."""
    said = False
    while True:
        try:
            found = look()
        except Unreachable as fault:
            if not said:
                click.echo(f"deft: {fault}; waiting for it", err=True)
            said = True
            time.sleep(_EVERY_S)
            continue
        if said:
            click.echo("deft: the database answers again", err=True)
        return found


def _each(meter: Meter, tell: Callable[[Progress], None]) -> Progress:
    for found in _looks(meter):
        tell(found)
    return found


def _draw(meter: Meter) -> Progress:
    with Live(console=Console(), auto_refresh=False) as live:
        for found in _looks(meter):
            live.update(picture(found, shutil.get_terminal_size().lines - 3), refresh=True)
    return found


def _tell_json(found: Progress) -> None:
    tasks = [
        {
            **printing.plain(task.line),
            "part": round(task.part, 4),
            "left_s": task.left_s,
            "waits_for": task.waits_for,
        }
        for task in found.tasks
    ]
    click.echo(
        json.dumps({"metatask": found.metatask, "state": found.state, "tasks": tasks}, ensure_ascii=False)
    )


def _tell_lines() -> Callable[[Progress], None]:
    said: dict[str, str] = {}

    def tell(found: Progress) -> None:
        """A line for each task that is not as it was."""
        for task in found.tasks:
            text = f"{task.line.task:<24} {task.line.state}  {task.line.ok}/{task.line.expected} units"
            if said.get(task.line.task) != text:
                said[task.line.task] = text
                click.echo(text)
        if found.state not in MOVING:
            click.echo(f"{found.metatask} is {found.state}")

    return tell
