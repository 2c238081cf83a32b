"""The tables and the picture of docs/reference/net.md, written from the rows of the net."""

from __future__ import annotations

from collections.abc import Iterator

from deft.base.guards import Among, Compare, Const, Expr, Junction, Token
from deft.model import net
from deft.model.net import Row
from deft.model.tasks import State
from deft.model.verbs import VERBS
from tests.support.tables import table


def tokens() -> Iterator[str]:
    """The tokens a guard may name."""
    rows = [(scope, f"`{name}`", kind) for scope, names in net.TOKENS.items() for name, kind in names.items()]
    return table(("of", "token", "type"), rows)


def words() -> Iterator[str]:
    """The words that stand for longer guards."""
    rows = [
        (scope, f"`{name}`", f"`{text}`")
        for scope, known in net.WORDS.items()
        for name, text in known.items()
    ]
    return table(("of", "word", "means"), rows)


def automatic() -> Iterator[str]:
    """The transitions that fire by themselves."""
    return table(
        ("transition", "guard", "effect"),
        [(row.name, f"`{row.guard}`", _effect(row)) for row in net.AUTOMATIC],
    )


def verbs() -> Iterator[str]:
    """What operators may do."""
    rows = [
        (verb.name, row.name, f"`{row.guard}`", _effect(row)) for verb in VERBS.values() for row in verb.rows
    ]
    return table(("verb", "row", "guard", "effect"), rows)


def _effect(row: Row) -> str:
    parts = [f"**{row.state}**"] if row.state else []
    parts += [f"{name} set" for name in row.put] + [f"{name} cleared" for name in row.drop]
    if row.outputs:
        parts.append(f"outputs {row.outputs}")
    if row.order:
        parts.append(f"order {row.order}" + (" where started" if row.only_started else ""))
    parts += ["started"] * row.start + ["done revision noted"] * row.done
    parts += ["started and done revision forgotten"] * row.forget
    parts += ["external inputs listed"] * row.list_inputs + ["external inputs listed again"] * row.list_again
    return "; ".join(parts)


def picture() -> Iterator[str]:
    """The life of a task as a Mermaid diagram: every row that changes the state."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> defined"
    for row in (*net.AUTOMATIC, *(row for verb in VERBS.values() for row in verb.rows)):
        for old in sorted(leaves(row.expr)):
            if row.state is not None and old != row.state:
                yield f"    {old} --> {row.state}: {row.name}"
    yield "```"


def leaves(expr: Expr) -> set[State]:
    """The states in which a guard can hold, as far as its conjuncts name them."""
    match expr:
        case Compare("==", Token("task", "state"), Const(value)):
            return {State(str(value))}
        case Among(Token("task", "state"), values):
            return {State(str(value)) for value in values}
        case Junction("and", parts):
            found = set(State)
            for part in parts:
                found &= leaves(part)
            return found
    return set(State)
