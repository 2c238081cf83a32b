"""Guards: small boolean expressions over named tokens, written as text in a table of rules.

The grammar is the part of Python's own that a rule needs (its parser reads them): names, numbers, texts,
`and or not`, comparisons, `in (…)`, `+ - *`, `A if C else B`, and three words over a collection of items:
`every(inputs, G)`, `some(inputs, G)`, `total(inputs, N)`. Inside them a bare name is the item's, and
`task.NAME` the task's. A vocabulary declares the tokens with their types, and words that stand for longer
expressions. One expression is evaluated in memory here and compiled to SQL in `store.guards`; no token is
ever null, so both agree.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Type = Literal["flag", "number", "word"]
ROOT = "task"


class GuardError(ValueError):
    """A guard is not well formed; says which and where."""


@dataclass(frozen=True, slots=True)
class Const:
    value: str | int | float


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the task (scope `task`) or of an item of a collection (scope: the collection's name)."""

    scope: str
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Not:
    of: Expr


@dataclass(frozen=True, slots=True)
class Junction:
    """`and` or `or` of several."""

    word: Literal["and", "or"]
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Among:
    """`left in (…)`."""

    left: Expr
    values: tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Choice:
    """`then if test else other`."""

    test: Expr
    then: Expr
    other: Expr


@dataclass(frozen=True, slots=True)
class Over:
    """`every`, `some` or `total` over the items of a collection."""

    word: str
    collection: str
    body: Expr


Expr = Const | Token | Not | Junction | Compare | Among | Sum | Choice | Over

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """What a set of rules may speak of: tokens by scope, and words by scope that stand for expressions.

    The scope `task` is the root; every other scope is a collection of items of the task.
    """

    tokens: Mapping[str, Mapping[str, Type]]
    words: Mapping[str, Mapping[str, str]]

    def parse(self, text: str, scope: str = ROOT) -> Expr:
        """The expression of a guard's text. Raises GuardError."""
        try:
            tree = ast.parse(" ".join(text.split()), mode="eval")
        except SyntaxError as fault:
            raise GuardError(f"{text!r}: {fault.msg}") from None
        return _Reader(self, text).read(tree.body, scope)


class _Reader:
    """Turns Python's syntax tree into ours, refusing all that is not in the grammar."""

    def __init__(self, vocabulary: Vocabulary, text: str) -> None:
        self._vocabulary = vocabulary
        self._text = text

    def read(self, node: ast.expr, scope: str) -> Expr:
        match node:
            case ast.Constant(value=bool() | None):
                raise self._wrong(node, "write a token, not a constant")
            case ast.Constant(value=str() | int() | float() as value):
                return Const(value)
            case ast.Name(id=name):
                return self._name(name, scope, node)
            case ast.Attribute(value=ast.Name(id="task"), attr=name) if scope != ROOT:
                return self._name(name, ROOT, node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.read(operand, scope))
            case ast.BoolOp(op=op, values=values):
                joined = tuple(self.read(value, scope) for value in values)
                return Junction("and" if isinstance(op, ast.And) else "or", joined)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compare(left, op, right, scope)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return Sum(ARITHMETIC[type(op)], self.read(left, scope), self.read(right, scope))
            case ast.IfExp(test=test, body=then, orelse=other):
                return Choice(self.read(test, scope), self.read(then, scope), self.read(other, scope))
            case ast.Call(func=ast.Name(id=word), args=[ast.Name(id=collection), body], keywords=[]):
                return self._over(word, collection, body, scope, node)
        raise self._wrong(node, "is not in the grammar of guards")

    def _name(self, name: str, scope: str, node: ast.expr) -> Expr:
        word = self._vocabulary.words.get(scope, {}).get(name)
        if word is not None:
            return self._vocabulary.parse(word, scope)
        type_ = self._vocabulary.tokens[scope].get(name)
        if type_ is None:
            raise self._wrong(node, f"{name!r} is neither a token nor a word of {scope}")
        return Token(scope, name, type_)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr, scope: str) -> Expr:
        if isinstance(op, ast.In | ast.NotIn) and isinstance(right, ast.Tuple):
            values = tuple(ast.literal_eval(item) for item in right.elts)
            among = Among(self.read(left, scope), values)
            return among if isinstance(op, ast.In) else Not(among)
        if type(op) not in COMPARISONS:
            raise self._wrong(right, "is compared in a way guards do not know")
        return Compare(COMPARISONS[type(op)], self.read(left, scope), self.read(right, scope))

    def _over(self, word: str, collection: str, body: ast.expr, scope: str, node: ast.expr) -> Expr:
        if word not in ("every", "some", "total") or scope != ROOT:
            raise self._wrong(node, "only every, some and total of the task's own collections are known")
        if collection == ROOT or collection not in self._vocabulary.tokens:
            raise self._wrong(node, f"{collection!r} is no collection")
        return Over(word, collection, self.read(body, collection))

    def _wrong(self, node: ast.expr, why: str) -> GuardError:
        return GuardError(f"{self._text!r}: {ast.unparse(node)} {why}")


Tokens = Mapping[str, Any]
"""The tokens of one task by name; a collection's name holds the sequence of its items' tokens."""


def evaluate(expr: Expr, task: Tokens) -> Any:
    """The value of an expression on the tokens of one task."""
    return compiled(expr)(task)


@lru_cache(maxsize=4096)
def compiled(expr: Expr) -> Callable[..., Any]:
    """The expression as a function of a task's tokens: quick enough to search millions of markings.

    What stands inside `every`, `some` or `total` takes those of an item as well.
    """
    # Every name in it was checked against a vocabulary, every constant is written by repr.
    text = f"lambda task, item=None: {python(expr)}"
    function: Callable[..., Any] = eval(text, {"__builtins__": _BUILTINS})
    return function


_BUILTINS = {"all": all, "any": any, "sum": sum}
_WORDS = {"every": "all", "some": "any", "total": "sum"}


def python(expr: Expr) -> str:
    """The expression as Python over `task`, a mapping of tokens, and `item`, one of a collection's."""
    match expr:
        case Const(value):
            return repr(value)
        case Token(scope, name):
            return f"{'task' if scope == ROOT else 'item'}[{name!r}]"
        case Not(of):
            return f"(not {python(of)})"
        case Junction(word, parts):
            return "(" + f" {word} ".join(map(python, parts)) + ")"
        case Compare(op, left, right) | Sum(op, left, right):
            return f"({python(left)} {op} {python(right)})"
        case Among(left, values):
            return f"({python(left)} in {values!r})"
        case Choice(test, then, other):
            return f"({python(then)} if {python(test)} else {python(other)})"
        case Over(word, collection, body):
            return f"{_WORDS[word]}({python(body)} for item in task[{collection!r}])"
