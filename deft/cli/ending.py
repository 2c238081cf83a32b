"""What `deft run` says at its end: the state, the results, what went wrong, and the next command."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from deft.cli import printing
from deft.engine.run import INTERRUPTED
from deft.observe.results import Result
from deft.observe.status import Status, TaskLine

Command = Callable[..., str]
"""Makes a command of its words, with the surroundings that were given to this one."""

_SHORT = ("finished", "failed", "exhausted", "aborted", "broken")
_JOB = re.compile(r"; see deft logs (\d+) --stderr$")
_LISTED = 10
_SMALL = 600  # bytes of a result that is shown, not only named


def results(made: Sequence[Result]) -> Iterator[str]:
    """A line for each file of a small dataset, one for a large one."""
    for result in made:
        what = f"  {result.task} {result.type}:"
        if not result.files:
            yield f"{what} {result.path}/  ({result.units} files, {printing.size(result.bytes)})"
        for path in result.files:
            size = f"  ({printing.size(result.bytes)})" if len(result.files) == 1 else ""
            yield f"{what} {path}{size}"
            yield from _content(Path(path))


def _content(path: Path) -> Iterator[str]:
    """What a result says that is small enough to be read here: a few words of text, or plain values."""
    try:
        if path.suffix not in ("", ".json", ".txt") or path.stat().st_size > _SMALL:
            return
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else text.splitlines()
    except (OSError, ValueError):
        return  # it is named, and may be looked at
    if isinstance(found, dict):
        found = list(_values(found))
    if isinstance(found, list):
        yield from (f"    {printing.safe(str(line))}" for line in found[:_LISTED])


def _values(found: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    """The plain values of a JSON object, those inside it by dotted names."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _values(value, f"{prefix}{name}.")
        elif isinstance(value, float):
            yield f"{prefix}{name} = {value:.6g}"
        elif isinstance(value, str | int):
            yield f"{prefix}{name} = {value}"


def faults(found: Status) -> Iterator[str]:
    """A line for each task that ended short of its goal, and for what does not move because of that."""
    short = _short(found)
    for task in short[:_LISTED]:
        reason = _JOB.sub("", task.reason or "no reason is known")
        yield f"  {task.task} is {_coloured(task.state)}: {printing.safe(reason)}"
    if len(short) > _LISTED:
        yield f"  and {len(short) - _LISTED} more"
    for hold in found.holds:
        yield f"  {printing.hold_line(hold)}"
    for task in _unarmed(found):
        yield f"  {task.task} is {_coloured('defined')}: it is not armed"
    waiting = [task.task for task in found.tasks if task.state == "waiting"]
    if waiting and short:
        yield f"  {printing.listed(waiting)} {'waits' if len(waiting) == 1 else 'wait'} for input"


def next_steps(
    found: Status, command: Command, *, again: str, anew: str, interrupted: bool
) -> list[tuple[str, str]]:
    """What to do and the exact command for it, in order.

    `again` is the command of this run, `anew` the one of the same under another name.
    """
    if found.state == "done":
        return []
    steps: list[tuple[str, str]] = []
    short = _short(found)
    for task in [task for task in short if task.jobs_failed][:1]:
        steps.append(("look", command("jobs", f"{found.metatask}/{task.task}")))
        job = _JOB.search(task.reason or "")
        if job:
            steps.append(("look", command("logs", job[1], "--stderr")))
    others = [hold for hold in found.holds if hold.reason != INTERRUPTED]
    if others:
        whole = any(hold.task is None for hold in others)
        held = found.metatask if whole else f"{found.metatask}/{others[0].task}"
        steps.append(("let it go on", command("resume", held)))
    if interrupted:
        return [*steps, ("go on", again), ("or end it", command("abort", found.metatask))]
    if short and all(task.state == "broken" for task in short):
        # Nothing there to be retried: a definition stays as it is.
        return [*steps, ("mended? anew", anew)]
    if short:
        steps.append(("mended? again", command("retry", found.metatask)))
    steps += [("arm it", command("start", f"{found.metatask}/{task.task}")) for task in _unarmed(found)[:1]]
    return [*steps, ("then", again)]


def _short(found: Status) -> list[TaskLine]:
    return [task for task in found.tasks if task.state in _SHORT]


def _unarmed(found: Status) -> list[TaskLine]:
    return [task for task in found.tasks if task.state == "defined"]


def _coloured(state: str) -> str:
    return click.style(state, fg=printing.COLOURS.get(state))
