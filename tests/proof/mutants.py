"""Break the table of the net on purpose, in every simple way, and see that the proof notices.

Every conjunct and disjunct of every guard and word is dropped, and negated; every effect of every row is
dropped. A mutant that neither breaks an invariant nor a story survives, and must stand in SURVIVORS with the
reason why the net is the same without it, or why nobody can tell.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from deft.base.guards import Expr, Vocabulary
from deft.model import net
from deft.model.net import AUTOMATIC, Row
from deft.model.verbs import VERBS, Verb

_EFFECTS = ("state", "put", "drop", "outputs", "order", "only_started", "start", "done", "forget",
            "list_inputs", "list_again")  # fmt: skip


@dataclass(frozen=True)
class Altered(Row):
    """A row whose guard is read with other words."""

    read: Expr | None = None

    @property
    def expr(self) -> Expr:
        """The guard as an expression."""
        return self.read or super().expr


@dataclass(frozen=True)
class Mutant:
    """One alteration: what it is called, and the whole table with it."""

    name: str
    rows: tuple[Row, ...]
    verbs: dict[str, Verb]


def mutants() -> Iterator[Mutant]:
    """Every mutant, in a fixed order."""
    for row in _all_rows():
        for what, guard in _alterations(row.guard):
            yield _with_row(f"{row.name}: {what}", row, replace(row, guard=guard))
        for effect in _EFFECTS:
            default: Any = next(field.default for field in fields(Row) if field.name == effect)
            if getattr(row, effect) != default:
                yield _with_row(f"{row.name}: without {effect}", row, replace(row, **{effect: default}))
    for scope, words in net.WORDS.items():
        for word, text in words.items():
            if _is_used(word):
                for what, changed in _alterations(text):
                    yield _with_word(f"{scope} word {word}: {what}", scope, word, changed)


def _all_rows() -> list[Row]:
    return [*AUTOMATIC, *(row for verb in VERBS.values() for row in verb.rows)]


def _is_used(word: str) -> bool:
    """Words that only refusals and the state of a Meta-Task read move nothing."""
    texts = [row.guard for row in _all_rows()] + [t for words in net.WORDS.values() for t in words.values()]
    return any(word in _names(text) for text in texts)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


def _alterations(text: str) -> Iterator[tuple[str, str]]:
    """Every part of every `and` and `or` dropped, and negated."""
    size = sum(isinstance(node, ast.BoolOp) for node in ast.walk(ast.parse(text, mode="eval")))
    for number in range(size):
        for part in range(len(_bool_op(ast.parse(text, mode="eval"), number).values)):
            for how in ("drop", "negate"):
                tree = ast.parse(text, mode="eval")
                node = _bool_op(tree, number)
                shown = ast.unparse(node.values[part])
                if how == "drop":
                    del node.values[part]
                else:
                    node.values[part] = ast.UnaryOp(ast.Not(), node.values[part])
                yield f"{how} {shown}", ast.unparse(_single(tree))


def _bool_op(tree: ast.Expression, number: int) -> ast.BoolOp:
    return [node for node in ast.walk(tree) if isinstance(node, ast.BoolOp)][number]


class _Single(ast.NodeTransformer):
    """An `and` of one part is that part."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:  # the name ast gives
        self.generic_visit(node)
        return node.values[0] if len(node.values) == 1 else node


def _single(tree: ast.Expression) -> ast.AST:
    whole: ast.AST = _Single().visit(tree)
    return ast.fix_missing_locations(whole)


def _with_row(name: str, old: Row, new: Row) -> Mutant:
    rows = tuple(new if row is old else row for row in AUTOMATIC)
    verbs = {
        key: replace(verb, rows=tuple(new if row is old else row for row in verb.rows))
        if old in verb.rows
        else verb
        for key, verb in VERBS.items()
    }
    return Mutant(name, rows, verbs)


def _with_word(name: str, scope: str, word: str, text: str) -> Mutant:
    words = {**net.WORDS, scope: {**net.WORDS[scope], word: text}}
    vocabulary = Vocabulary(net.TOKENS, words)
    verbs = {key: replace(verb, rows=_read(verb.rows, vocabulary)) for key, verb in VERBS.items()}
    return Mutant(name, _read(AUTOMATIC, vocabulary), verbs)


def _read(rows: Sequence[Row], vocabulary: Vocabulary) -> tuple[Row, ...]:
    return tuple(
        Altered(**{f.name: getattr(row, f.name) for f in fields(Row)}, read=vocabulary.parse(row.guard))
        for row in rows
    )
