"""Values as Slurm spells them, read into plain numbers: times, memory, counts, and the indices of an array.

Every reader raises ValueError that ends the sentence "--OPTION=TEXT …".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil

_ENDLESS = frozenset({"unlimited", "infinite", "-1"})
_TIME = re.compile(r"(?:(\d{1,6})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?\Z")
_MEMORY = re.compile(r"(\d{1,15})([KMGTP]?)B?\Z", re.IGNORECASE)
_MB = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024**2, "P": 1024**3}
_COUNT = re.compile(r"(\d{1,9})([kKmM]?)\Z")
_SCALE = {"": 1, "k": 1024, "m": 1024**2}
_PART = re.compile(r"(\d{1,7})(?:-(\d{1,7})(?::(\d{1,7}))?)?\Z")
_LIMIT = re.compile(r"(.*)%([1-9]\d{0,6})\Z")
LARGEST_INDEX = 4_000_000  # no cluster allows more


def seconds(text: str) -> int | None:
    """M, M:S, H:M:S, D-H, D-H:M or D-H:M:S in seconds; None: no limit."""
    if text.lower() in _ENDLESS:
        return None
    found = _TIME.match(text)
    if not found:
        raise ValueError("is no time; Slurm takes MINUTES, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS")
    days, *parts = (None if part is None else int(part) for part in found.groups())
    first, second, third = (part or 0 for part in parts)
    if days is not None:
        total = ((days * 24 + first) * 60 + second) * 60 + third
    elif parts[2] is not None:
        total = (first * 60 + second) * 60 + third
    else:
        total = first * 60 + second
    return total or None


def megabytes(text: str) -> int:
    """Memory with K, M (understood), G or T, in Slurm's MB, rounded up; 0: all that a node has."""
    found = _MEMORY.match(text)
    if not found:
        raise ValueError("is no size; Slurm takes a whole number and K, M, G or T")
    return ceil(int(found[1]) * _MB[found[2].upper()])


def count(text: str) -> int:
    """A whole number of at least one, as `16` or `2k`."""
    found = _COUNT.match(text)
    number = int(found[1]) * _SCALE[found[2].lower()] if found else 0
    if number < 1:
        raise ValueError("is no number of at least 1")
    return number


@dataclass(frozen=True, slots=True)
class Indices:
    """The indices of an array: how many, in their shortest spelling, and how many may run at once."""

    spelled: str
    size: int
    max_running: int | None = None


def indices(text: str) -> Indices:
    """`0-9`, `1-20:2`, `1,3,7`, any of them with `%5`: each index once, in order."""
    limited = _LIMIT.match(text)
    if "%" in text and not limited:
        raise ValueError("has a limit that is no number; write %N behind all indices")
    found: set[int] = set()
    for part in (limited[1] if limited else text).split(","):
        found.update(_range(part))
    return Indices(_spelled(sorted(found)), len(found), int(limited[2]) if limited else None)


def _range(part: str) -> range:
    found = _PART.match(part)
    if not found:
        raise ValueError(f"has {part!r}, which is neither an index nor FIRST-LAST nor FIRST-LAST:STEP")
    first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
    if last < first:
        raise ValueError(f"has {part!r}, which ends before it begins")
    if step < 1:
        raise ValueError(f"has {part!r}, whose step is 0")
    if last > LARGEST_INDEX:
        raise ValueError(f"has an index above {LARGEST_INDEX:,}")
    return range(first, last + 1, step)


def _spelled(numbers: list[int]) -> str:
    """Ascending numbers as Slurm's list, greedily cut into runs of equal steps."""
    parts, start = [], 0
    while start < len(numbers):
        step = numbers[start + 1] - numbers[start] if start + 1 < len(numbers) else 1
        end = start
        while end + 1 < len(numbers) and numbers[end + 1] - numbers[end] == step:
            end += 1
        if end - start < 2 and step > 1:
            end = start  # two numbers far apart are no run
        parts.append(_run(numbers[start], numbers[end], step))
        start = end + 1
    return ",".join(parts)


def _run(first: int, last: int, step: int) -> str:
    if first == last:
        return str(first)
    return f"{first}-{last}" if step == 1 else f"{first}-{last}:{step}"
