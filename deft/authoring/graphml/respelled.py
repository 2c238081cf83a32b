"""Whether a value is another one as some tool spells it: rounded, or in other words.

Only what tools were seen to do counts: 32-bit floats (positions), 6 or 15 digits, integers that passed
through a double, 7.0 for 7, True for true, one kind of line end for another.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from deft.model.keys import Value

LOST, FILLED, MERGED = "lost", "filled", "merged"
ROUNDED, RESPELLED = "rounded", "respelled"


def how(before: Value, after: Value) -> str:
    """`rounded` or `respelled` where `after` is `before` as a tool would write it; else empty."""
    if isinstance(before, str) or isinstance(after, str):
        return _of_texts(str(before), str(after))
    if isinstance(before, bool) or isinstance(after, bool):
        return RESPELLED if float(before) == float(after) else ""
    return _of_numbers(before, after)


def _of_texts(before: str, after: str) -> str:
    if _line_ends(before) == _line_ends(after):
        return RESPELLED
    if before.lower() == after.lower() and before.lower() in ("true", "false"):
        return RESPELLED
    numbers = _number(before), _number(after)
    return "" if numbers[0] is None or numbers[1] is None else _of_numbers(numbers[0], numbers[1])


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> int | float | None:
    """The number that a text is; none where it has more signs than a number of a tool."""
    if len(text) > 40 or not text.strip().lstrip("+-.")[:1].isdigit() or "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _of_numbers(before: int | float, after: int | float) -> str:
    if before == after:
        return RESPELLED
    if not math.isfinite(before) or not math.isfinite(after):
        return ""
    return ROUNDED if any(_shortened(round_, before, after) for round_ in _ROUNDINGS) else ""


def _shortened(round_: Callable[[float], float], before: float, after: float) -> bool:
    try:
        return round_(float(before)) == float(after)
    except OverflowError:
        return False


def _single(number: float) -> float:
    """As a 32-bit float."""
    single: float = struct.unpack("f", struct.pack("f", number))[0]
    return single


def _short_single(number: float) -> float:
    """As a 32-bit float in its own shortest decimal form, which is no longer the same 64-bit number."""
    single = _single(number)
    texts = (f"{single:.{digits}g}" for digits in range(1, 10))
    return float(next((text for text in texts if _single(float(text)) == single), repr(single)))


_ROUNDINGS: tuple[Callable[[float], float], ...] = (
    float,  # an integer above 2**53
    _single,
    _short_single,
    lambda number: float(f"{number:.15g}"),
    lambda number: float(f"{number:.6g}"),
)
