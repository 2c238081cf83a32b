"""The selector: the small language by which people pick tasks, read and checked.

    state in (failed, exhausted) and template == 'reco' and attr.risk == 7 and downstream_of('x')

A condition names a field first (`model.fields` has them all), then what it is compared with; fields that are
yes or no stand alone. Text stands in quotes, and `==` with `*` or `?` in it compares with a glob; states,
numbers, dates and ages need no quotes. What is missing equals nothing. A fault is told with its place in the
text and near names. `store.conditions` compiles the result to SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from deft.base.errors import BadInput
from deft.model import fields
from deft.model.fields import RELATIONS, Field, Value
from deft.model.tasks import State

MAX_TEXT = 4096
MAX_DEPTH = 50
MAX_VALUES = 500
_SHOWN = 100

Op = Literal["==", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Flag:
    """A field that is yes or no."""

    field: Field


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`; `!=` is read as not `==`. Text with `*` or `?` is a glob; an age is in seconds."""

    field: Field
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """`field in (…)`."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """`upstream_of(…)` or `downstream_of(…)`: a path of at least one edge, to or from tasks of that name."""

    word: str
    name: str


@dataclass(frozen=True, slots=True)
class Not:
    of: Expr


@dataclass(frozen=True, slots=True)
class Junction:
    """`and` or `or` of several."""

    word: Literal["and", "or"]
    parts: tuple[Expr, ...]


Expr = Flag | Compare | Among | Related | Not | Junction


def is_glob(text: str) -> bool:
    """True where `*` or `?` stands for other signs."""
    return "*" in text or "?" in text


def parse(text: str) -> Expr:
    """The expression of a text. Raises BadInput that shows the place of the fault."""
    if len(text) > MAX_TEXT:
        raise BadInput(f"a selection is at most {MAX_TEXT} signs long, this one has {len(text)}")
    for at, sign in enumerate(text):
        if not (sign.isprintable() or sign in "\t\r\n"):
            raise _fault(text, at, 1, _no_meaning(sign))
    return _Parser(text).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The keyword it may be; text in quotes is none."""
        return self.text.lower() if self.kind == "word" else ""


_SIGNS = re.compile(
    r"""(?P<space>\s+)
      | (?P<word>[^\W\d][\w.-]*)
      | (?P<literal>[-+]?\.?\d[\w.:]*(?:[-+][\w.:]+)*)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<op>[=!<>]=|[<>])
      | (?P<mark>[(),])""",
    re.VERBOSE,
)
_MISTAKEN = {
    "=": "write == to compare",
    "!": "write not",
    "&": "write and",
    "|": "write or",
    "'": "the text in quotes has no end",
    '"': "the text in quotes has no end",
}


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        sign = _SIGNS.match(text, at)
        if sign is None:
            raise _fault(text, at, 1, _MISTAKEN.get(text[at], _no_meaning(text[at])))
        if sign.lastgroup != "space":
            found.append(_Token(str(sign.lastgroup), sign[0], at))
        at = sign.end()
    return [*found, _Token("end", "", len(text))]


def _no_meaning(sign: str) -> str:
    return f"{sign!r} has no meaning here"


def _fault(text: str, at: int, length: int, message: str) -> BadInput:
    """The message, the part of the text around the place, and signs that point at it."""
    begin = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
    seen = "".join(sign if sign.isprintable() else " " for sign in text[begin : begin + _SHOWN])
    points = "^" * max(1, min(length, _SHOWN - (at - begin)))
    return BadInput(f"the selection is not right: {message}\n  {seen}\n  {' ' * (at - begin)}{points}")


class _Parser:
    """Reads an expression by descent: `or` of `and` of `not` of conditions."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Expr:
        """The expression, and nothing behind it."""
        found = self._junction("or")
        if self._token.kind != "end":
            raise self._wrong(self._token, "this does not follow; join conditions by and, or")
        return found

    def _junction(self, word: Literal["and", "or"]) -> Expr:
        part: Callable[[], Expr] = (lambda: self._junction("and")) if word == "or" else self._single
        parts = [part()]
        while self._taken(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _single(self) -> Expr:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(self._token, f"conditions are nested at most {MAX_DEPTH} deep")
        if self._taken("not"):
            found: Expr = Not(self._single())
        elif self._taken("("):
            found = self._junction("or")
            self._must(")")
        else:
            found = self._condition()
        self._depth -= 1
        return found

    def _condition(self) -> Expr:
        token = self._take()
        if token.kind != "word" or token.word in ("and", "or", "in"):
            raise self._wrong(token, "a condition begins with the name of a field")
        if token.text in RELATIONS:
            return self._relation(token)
        field = self._field(token)
        if self._taken("in"):
            return self._among(field)
        if self._token.word == "not" and self._tokens[self._next + 1].word == "in":
            self._next += 2
            return Not(self._among(field))
        if self._token.kind == "op":
            return self._comparison(field)
        if field.type != "flag":
            state = f" (the state is: state == {field.name})" if field.name in set(State) else ""
            message = f"{field.name} must be compared, as in: {fields.example(field)}{state}"
            raise self._wrong(token, message)
        return Flag(field)

    def _relation(self, token: _Token) -> Related:
        self._must("(")
        name = self._take()
        if name.kind != "string":
            example = f"{token.text}('reco')"
            raise self._wrong(name, f"here the name of a task must stand, in quotes: {example}")
        self._must(")")
        return Related(token.text, name.text[1:-1])

    def _field(self, token: _Token) -> Field:
        found = fields.find(token.text)
        if found is not None:
            return found
        if token.text in set(State):
            raise self._wrong(token, f"{token.text} is a state; write: state == {token.text}")
        near = fields.near(token.text)
        hint = f"did you mean {', '.join(near)}?" if near else "labels are attr.NAME, parameters param.NAME"
        raise self._wrong(token, f"{token.text} is no field; {hint}")

    def _comparison(self, field: Field) -> Expr:
        op = self._take()
        if field.type == "flag":
            raise self._wrong(op, f"{field.name} is yes or no; write {field.name}, or not {field.name}")
        value = self._value(field)
        if op.text in ("==", "!="):
            if field.type in ("time", "age"):
                raise self._wrong(op, f"no moment is met exactly; compare {field.name} by < or >")
            same = Compare(field, "==", value)
            return Not(same) if op.text == "!=" else same
        if isinstance(value, str):
            raise self._wrong(op, f"{field.name} is compared with text by ==, != or in")
        return Compare(field, op.text, value)  # type: ignore[arg-type]  # the tokens allow no other

    def _among(self, field: Field) -> Among:
        if field.type in ("flag", "time", "age"):
            raise self._wrong(self._tokens[self._next - 1], f"{field.name} is not compared with a list")
        self._must("(")
        values = [self._value(field)]
        while self._taken(","):
            if len(values) == MAX_VALUES:
                raise self._wrong(self._token, f"a list has at most {MAX_VALUES} values")
            values.append(self._value(field))
        self._must(")")
        return Among(field, tuple(values))

    def _value(self, field: Field) -> Value:
        token = self._take()
        text = token.text[1:-1] if token.kind == "string" else token.text
        try:
            match token.kind:
                case "word" | "literal" | "string" as kind:
                    return fields.read(field, kind, text)
        except ValueError as fault:
            raise self._wrong(token, f"{field.name} {fault}") from None
        raise self._wrong(token, f"here a value must stand, as in: {fields.example(field)}")

    # --- tokens ---

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _taken(self, sign: str) -> bool:
        token = self._token
        if sign != (token.text if token.kind == "mark" else token.word):
            return False
        self._next += 1
        return True

    def _must(self, sign: str) -> None:
        if not self._taken(sign):
            raise self._wrong(self._token, f"{sign} is missing here")

    def _wrong(self, token: _Token, message: str) -> BadInput:
        return _fault(self._text, token.at, len(token.text), message)
