"""What the guards of a consumer can tell of its producer: derived from the net. Most changes end there.

Guards look at a producer's state and at its dataset's membership only by comparing them with constants. Two
words for which all these comparisons come out the same are one to them: a task that starts looks to its
consumers as it did while it waited.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from deft.base.guards import (
    OPERATORS,
    Among,
    Choice,
    Compare,
    Const,
    Expr,
    Junction,
    Not,
    Over,
    Token,
)  # fmt: skip
from deft.model.net import AUTOMATIC, Row
from deft.model.tasks import Membership, State

# The membership of outputs goes with the state of their producer; what is retired stays so.
_OUTPUTS = {
    State.DEFINED: Membership.DECLARED,
    State.WAITING: Membership.DECLARED,
    State.RUNNING: Membership.OPEN,
}


def concerns_consumers(row: Row, old: str) -> bool:
    """Whether a consumer may tell that this row fired for a producer that was in the state `old`."""
    return _concerns(row.state, row.outputs, State(old))


@cache
def _concerns(state: State | None, outputs: Membership | None, old: State) -> bool:
    if state is not None and _look("producer", old) != _look("producer", state):
        return True
    before = _OUTPUTS.get(old, Membership.CLOSED)
    return outputs is not None and _look("membership", before) != _look("membership", outputs)


@cache
def _look(name: str, word: str) -> tuple[bool, ...]:
    """How every comparison of this token of an input comes out."""
    return tuple(_holds(test, word) for test in _tests(name))


def _holds(test: Compare | Among, word: str) -> bool:
    if isinstance(test, Among):
        return word in test.values
    assert isinstance(test.right, Const), f"{test} compares a token with another one"
    return bool(OPERATORS[test.op](word, test.right.value))


@cache
def _tests(name: str) -> tuple[Compare | Among, ...]:
    found = dict.fromkeys(test for row in AUTOMATIC for test in _comparisons(row.expr))
    return tuple(test for test in found if _reads(test.left, name))


def _comparisons(expr: Expr) -> Iterator[Compare | Among]:
    """All comparisons in an expression."""
    match expr:
        case Compare() | Among():
            yield expr
        case Not(of) | Over(_, _, of):
            yield from _comparisons(of)
        case Junction(_, parts):
            for part in parts:
                yield from _comparisons(part)
        case Choice(test, then, other):
            for part in (test, then, other):
                yield from _comparisons(part)


def _reads(expr: Expr, name: str) -> bool:
    return isinstance(expr, Token) and (expr.scope, expr.name) == ("inputs", name)
