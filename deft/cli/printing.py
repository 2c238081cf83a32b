"""How answers look: tables for people, JSON for programs, times and sizes in words."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deft.base import records

if TYPE_CHECKING:
    from deft.store.holds import Hold

COLOURS = {
    "done": "green", "ok": "green", "finished": "yellow", "cancelled": "yellow", "running": "blue",
    "waiting": "cyan", "held": "magenta", "failed": "red", "broken": "red", "aborted": "red",
    "exhausted": "red", "blocked": "red", "killed": "red", "lost": "red",
}  # fmt: skip
_JSON = frozenset({str, int, float, bool, type(None)})
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def emit_json(answer: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(plain(answer), indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Dataclasses, times and paths as JSON knows them."""
    if type(value) in _JSON:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(one) for name, one in records.flat(value).items()}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    return str(value) if isinstance(value, Path) else value


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """Print aligned columns; those numbered in `right` to the right. Control characters are made harmless."""
    texts = [[safe(str(cell)) if cell is not None else "" for cell in row] for row in rows]
    widths = [
        max(len(click.unstyle(line[i])) for line in [list(headings), *texts]) for i in range(len(headings))
    ]
    click.echo(click.style(_line(headings, widths, right), bold=True))
    for row in texts:
        click.echo(_line([_coloured(cell) for cell in row], widths, right))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - len(click.unstyle(cell)))
        padded.append(space + cell if number in right else cell + space)
    return "  ".join(padded).rstrip()


def _coloured(cell: str) -> str:
    colour = COLOURS.get(cell)
    return click.style(cell, fg=colour) if colour else cell


def safe(text: str) -> str:
    """Text from outside without control, format or line-breaking characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text)


def count(number: int, noun: str) -> str:
    """1 task, 2 tasks."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names, the first few of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def hold_line(hold: Hold) -> str:
    """What is on hold, since when, by whom and why."""
    what = f"task {hold.task}" if hold.task else "the whole Meta-Task"
    why = f": {safe(hold.reason)}" if hold.reason else ""
    return f"{what} is on hold since {moment(hold.since)} by {hold.actor}{why}"


def size(count: float) -> str:
    """Bytes in words."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def duration(seconds: float | None) -> str:
    """Seconds in words."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def moment(at: datetime | None) -> str:
    """A time of day, local."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else ""


FORMATS: dict[str, Callable[[Any], str]] = {
    "bytes": size,
    "seconds": duration,
    "time": moment,
    "number": lambda value: f"{value:.4g}",
    "percent": lambda value: f"{100 * value:.0f} %",
}


def cell(kind: str, value: Any) -> str:
    """One value of an answer of the annex, by the kind of its column."""
    if value is None:
        return ""
    return FORMATS.get(kind, str)(value)
