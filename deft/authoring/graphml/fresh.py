"""Ids that nothing else has."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, count


def id(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """The wanted id, else the first of it with _2, _3 and so on that is not taken."""
    others = (f"{wanted}_{n}" for n in count(2))
    return next(one for one in chain([wanted], others) if not is_taken(one))
