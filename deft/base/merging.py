"""A guard in another shape that means the same and goes through a collection as seldom as may be.

`every(inputs, A) and every(inputs, B)` is `every(inputs, A and B)`: one pass over the inputs where the rule
as people read it has two. Words of a rule hide such pairs, so what they stand for is flattened first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

from deft.base.guards import Choice, Compare, Expr, Junction, Not, Over, Sum

Word = Literal["and", "or"]


def merged(expr: Expr) -> Expr:
    """The same expression with `not` pushed inwards, junctions flattened and passes put together."""
    match expr:
        case Not(of):
            return _negated(merged(of))
        case Junction(word, parts):
            return _junction(word, map(merged, parts))
        case Over("every" | "some" as word, collection, body):
            return Over(word, collection, merged(body))
    return expr


def _negated(expr: Expr) -> Expr:
    match expr:
        case Not(of):
            return of
        case Junction(word, parts):
            return _junction("or" if word == "and" else "and", map(_negated, parts))
        case Over("every" | "some" as word, collection, body):
            return Over("some" if word == "every" else "every", collection, _negated(body))
    return Not(expr)


def _junction(word: Word, parts: Iterable[Expr]) -> Expr:
    """What costs least comes first; one pass a collection for all that hold together."""
    alone: list[Expr] = []
    bodies: dict[str, list[Expr]] = {}
    together = "every" if word == "and" else "some"
    for part in _flat(word, parts):
        if isinstance(part, Over) and part.word == together:
            bodies.setdefault(part.collection, []).append(part.body)
        else:
            alone.append(part)
    alone.sort(key=passes)
    passing = [Over(together, one, _joined(word, inner)) for one, inner in bodies.items()]
    if word == "or" and alone and not passing and isinstance(alone[-1], Over):
        return _under(alone)
    return _joined(word, [*alone, *passing])


def _under(parts: list[Expr]) -> Expr:
    """`A or every(inputs, B)` as `every(inputs, A or B)`, where A looks through nothing itself."""
    *before, over = parts
    if isinstance(over, Over) and over.word == "every" and not any(map(passes, before)):
        return Over("every", over.collection, _joined("or", [*before, over.body]))
    return _joined("or", parts)


def _flat(word: Word, parts: Iterable[Expr]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, Junction) and part.word == word:
            yield from _flat(word, part.parts)
        else:
            yield part


def _joined(word: Word, parts: list[Expr]) -> Expr:
    flat = tuple(_flat(word, parts))
    return flat[0] if len(flat) == 1 else Junction(word, flat)


@cache
def passes(expr: Expr) -> int:
    """How often an expression goes through a collection of the task."""
    match expr:
        case Over():
            return 1
        case Not(of):
            return passes(of)
        case Junction(_, parts):
            return sum(map(passes, parts))
        case Compare(_, left, right) | Sum(_, left, right):
            return passes(left) + passes(right)
        case Choice(test, then, other):
            return sum(map(passes, (test, then, other)))
    return 0
