"""Names of datasets: made here alone, and parsed back here.

The row's id of the producing task stands in the name, so editing the graph never renames data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_PATTERN = "{project}.{metatask}.{task}.{type}.t{task_id:08d}_r{series:02d}"
MAX_LENGTH = 255
_LEGAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_FIELD = re.compile(r"\{(\w+)(?::0(\d+)d)?\}")
FIELDS = ("project", "metatask", "task", "type", "task_id", "series")


@dataclass(frozen=True, slots=True)
class DatasetName:
    """The fields of a dataset's name. `series` is 1, and +1 at every reset that discards the data."""

    project: str
    metatask: str
    task: str
    type: str
    task_id: int
    series: int = 1


def check_pattern(pattern: str) -> None:
    """Raise ValueError, ending the sentence "naming.pattern = P …", for a pattern that cannot serve."""
    used = [match[1] for match in _FIELD.finditer(pattern)]
    unknown = sorted(set(used) - set(FIELDS))
    if unknown:
        raise ValueError(f"has the unknown field {unknown[0]!r}; known: {', '.join(FIELDS)}")
    if {"task_id", "type", "series"} - set(used):
        raise ValueError("needs {task_id}, {type} and {series}, or two datasets may share a name")
    if not _LEGAL.match(_FIELD.sub("0", pattern)):
        raise ValueError("may hold letters, digits, dots, _ and - beside its fields")


def make(name: DatasetName, pattern: str = DEFAULT_PATTERN) -> str:
    """The name in full. Raises ValueError where it is too long or no legal name of a folder."""
    made = pattern.format(
        project=name.project,
        metatask=name.metatask,
        task=name.task,
        type=name.type,
        task_id=name.task_id,
        series=name.series,
    )
    if len(made) > MAX_LENGTH:
        raise ValueError(
            f"the dataset name {made[:40]}… has {len(made)} characters; {MAX_LENGTH} is the most"
        )
    if not _LEGAL.match(made):
        raise ValueError(f"the dataset name {made!r} is no legal name of a folder")
    return made


def parse(text: str, pattern: str = DEFAULT_PATTERN) -> DatasetName:
    """The fields of a name that `make` made of the same pattern. Raises ValueError for any other text."""
    found = _expression(pattern).match(text)
    if found is None:
        raise ValueError(f"{text!r} is no dataset name of the pattern {pattern}")
    known = found.groupdict()
    texts = {name: str(known.get(name, "")) for name in ("project", "metatask", "task", "type")}
    return DatasetName(**texts, task_id=int(known["task_id"]), series=int(known["series"]))


def _expression(pattern: str) -> re.Pattern[str]:
    parts, end = [], 0
    for field in _FIELD.finditer(pattern):
        parts.append(re.escape(pattern[end : field.start()]))
        end = field.end()
        if field[1] in ("task_id", "series"):
            parts.append(rf"(?P<{field[1]}>\d{{{field[2] or 1},}})")
        else:
            # Fields of names hold no dots, so that parsing them back is exact.
            parts.append(rf"(?P<{field[1]}>[^.]+)")
    return re.compile("".join(parts) + re.escape(pattern[end:]) + r"\Z")
