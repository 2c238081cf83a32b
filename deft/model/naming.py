"""Names of datasets: made here alone, and parsed back here.

A pattern is a text with fields in braces. No value of a field holds a dot, and between two dots stands at
most one text: so a name tells exactly what it was made of. The row's id of the producing task stands in the
name, so editing the graph never renames data; the series makes room for what `deft reset --discard` makes
anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise

DEFAULT_PATTERN = "{project}.{metatask}.{task}.{type}.t{task_id:08d}_r{series:02d}"
# The six fields of ATLAS (ATL-COM-GEN-2007-003); task and series stand behind the tags, as its production
# system writes them.
ATLAS_PATTERN = (
    "{project}.{attr.number}.{attr.brief}.{attr.step}.{type}.{attr.tags}_tid{task_id:08d}_{series:02d}"
)
PATTERNS: Mapping[str, str] = {"default": DEFAULT_PATTERN, "atlas": ATLAS_PATTERN}
MAX_LENGTH = 255
TEXTS = ("project", "metatask", "task", "type")
NUMBERS = ("task_id", "series")
FAMILIES = ("attr.", "param.")
_NEEDED = {
    "task_id": "two tasks may share a name",
    "type": "two outputs of a task share a name",
    "series": "what `deft reset --discard` makes anew has the old name",
}
_VALUE = re.compile(r"[A-Za-z0-9_-]+\Z")
_LITERAL = re.compile(r"[A-Za-z0-9._-]*\Z")
_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")
_FREE = re.compile(r"(?:attr|param)\.[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
_WIDTH = re.compile(r"0([1-9]\d?)d\Z")


@dataclass(frozen=True, slots=True)
class DatasetName:
    """The fields of a dataset's name. `series` is 1, and +1 at every reset that discards the data.

    `more`: the labels and parameters (`attr.x`, `param.x`) that the pattern names.
    """

    project: str
    metatask: str
    task: str
    type: str
    task_id: int
    series: int = 1
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a pattern; `width`: a number is filled with zeros to so many digits."""

    name: str
    width: int = 0

    @property
    def is_number(self) -> bool:
        """True for what is made of digits alone."""
        return self.name in NUMBERS


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was read and can serve."""

    pieces: tuple[str | Field, ...]
    expression: re.Pattern[str]

    @property
    def fields(self) -> list[str]:
        """The names of its fields, in order."""
        return [one.name for one in self.pieces if isinstance(one, Field)]

    @property
    def free(self) -> list[str]:
        """The labels and parameters it names, each once."""
        return list(dict.fromkeys(name for name in self.fields if name.startswith(FAMILIES)))


def text_of(settings: Mapping[str, object]) -> str:
    """The pattern that holds for a Meta-Task with these settings; a shipped one by its name."""
    said = str(settings.get("naming.pattern", DEFAULT_PATTERN)).strip()
    return PATTERNS.get(said, said)


def make(name: DatasetName, pattern: str = DEFAULT_PATTERN) -> str:
    """The name in full. Raises ValueError where a field cannot stand in it, or where it is too long."""
    made = "".join(_written(name, piece) for piece in read(pattern).pieces)
    if len(made) > MAX_LENGTH:
        raise ValueError(f"has {len(made)} characters, and {MAX_LENGTH} are the most: {made[:60]}…")
    if not made[0].isalnum():
        raise ValueError(f"would be {made!r}, and begins with no letter or digit")
    return made


def preview(name: DatasetName, pattern: str = DEFAULT_PATTERN) -> str:
    """The name with # for the task's number, which it gets at import. Raises ValueError likewise."""
    make(name, pattern)
    pieces = read(pattern).pieces
    return "".join(
        "#" * max(1, one.width) if isinstance(one, Field) and one.name == "task_id" else _written(name, one)
        for one in pieces
    )


def parse(text: str, pattern: str = DEFAULT_PATTERN) -> DatasetName:
    """The fields of a name that `make` made of the same pattern; empty where the pattern has no such field.

    Raises ValueError for any other text.
    """
    compiled = read(pattern)
    found = compiled.expression.fullmatch(text) if len(text) <= MAX_LENGTH and text[:1].isalnum() else None
    known: dict[str, str] = {}
    for name, value in zip(compiled.fields, found.groups() if found else (), strict=found is not None):
        said = str(int(value)) if name in NUMBERS else value
        if known.setdefault(name, said) != said:
            known.clear()
            break
    if not known:
        raise ValueError(f"{text!r} is no dataset name of the pattern {pattern}")
    texts = {name: known.pop(name, "") for name in TEXTS}
    return DatasetName(
        **texts, task_id=int(known.pop("task_id")), series=int(known.pop("series")), more=known
    )


def _written(name: DatasetName, piece: str | Field) -> str:
    if isinstance(piece, str):
        return piece
    if piece.is_number:
        return f"{getattr(name, piece.name):0{piece.width}d}"
    value = name.more.get(piece.name, "") if piece.name.startswith(FAMILIES) else getattr(name, piece.name)
    if not _VALUE.match(value):
        shown = repr(value) if value else "nothing"
        raise ValueError(f"cannot hold {piece.name} = {shown}: letters, digits, _ and - may stand there")
    return str(value)


# --- reading a pattern -------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def read(pattern: str) -> Pattern:
    """The pattern, read and checked. Raises ValueError that says what is wrong, and where."""
    if "{" not in pattern:
        near = get_close_matches(pattern, PATTERNS, 1)
        raise ValueError(
            f"{pattern!r} has no field, and is none of the shipped patterns {', '.join(PATTERNS)}"
            + (f"; near: {near[0]}" if near else "")
        )
    pieces = tuple(_pieces(pattern))
    _check_needed(pieces)
    for segment in _segments(pieces):
        _check_segment(segment, pattern)
    parts = (re.escape(one) if isinstance(one, str) else _group(one) for one in pieces)
    return Pattern(pieces, re.compile("".join(parts)))


def _group(one: Field) -> str:
    if not one.is_number:
        return r"([A-Za-z0-9_-]+)"
    width = max(1, one.width)
    return rf"(\d{{{width}}}|[1-9]\d{{{width},}})"


def _pieces(pattern: str) -> Iterator[str | Field]:
    end = 0
    for match in _FIELD.finditer(pattern):
        if match.start() > end:
            yield _literal(pattern, end, match.start())
        yield _field(match, pattern)
        end = match.end()
    if end < len(pattern):
        yield _literal(pattern, end, len(pattern))


def _literal(pattern: str, begin: int, end: int) -> str:
    text = pattern[begin:end]
    if not _LITERAL.match(text):
        at = next(n for n, sign in enumerate(text) if not _LITERAL.match(sign))
        what = "this brace has no partner" if text[at] in "{}" else f"{text[at]!r} may not stand in a name"
        raise _fault(pattern, begin + at, f"{what}; letters, digits, dots, _ and - may, beside {{fields}}")
    if ".." in text or (begin == 0 and text[0] in "._-") or (end == len(pattern) and text[-1] == "."):
        raise _fault(pattern, begin, "a name begins with a letter or digit, and has no empty part")
    return text


def _field(match: re.Match[str], pattern: str) -> Field:
    name, form = match[1].strip(), match[2]
    if name not in (*TEXTS, *NUMBERS) and not _FREE.match(name):
        near = get_close_matches(name, [*TEXTS, *NUMBERS, "attr.x", "param.x"], 2)
        known = f"near: {{{near[0]}}}" if near else f"it knows {', '.join((*TEXTS, *NUMBERS))}"
        labels = "a label is {attr.x}, a parameter {param.x}"
        raise _fault(pattern, match.start(), f"there is no field {{{name}}}; {known}; {labels}")
    if form is None:
        return Field(name)
    width = _WIDTH.match(form)
    if name not in NUMBERS or width is None:
        message = "only {task_id} and {series} have a form, as {task_id:08d}"
        raise _fault(pattern, match.start(), message)
    return Field(name, int(width[1]))


def _check_needed(pieces: tuple[str | Field, ...]) -> None:
    names = {one.name for one in pieces if isinstance(one, Field)}
    for name, why in _NEEDED.items():
        if name not in names:
            raise ValueError(f"it needs the field {{{name}}}: without it {why}")


def _segments(pieces: tuple[str | Field, ...]) -> Iterator[list[str | Field]]:
    """What stands between two dots."""
    segment: list[str | Field] = []
    for piece in pieces:
        if isinstance(piece, Field):
            segment.append(piece)
            continue
        first, *others = piece.split(".")
        segment += [first] * bool(first)
        for text in others:
            yield segment
            segment = [text] * bool(text)
    yield segment


def _check_segment(segment: list[str | Field], pattern: str) -> None:
    """Refuse what could not be parsed back: two texts side by side, a number that runs into its neighbour."""
    texts = [one for one in segment if isinstance(one, Field) and not one.is_number]
    if len(texts) > 1:
        one, other = (f"{{{text.name}}}" for text in texts[:2])
        at = pattern.index(other, pattern.index(one) + 1)
        raise _fault(pattern, at, f"a dot must stand between {one} and {other}, to tell where one ends")
    for left, right in pairwise(segment):
        _check_border(left, right[:1] if isinstance(right, str) else "", pattern)
        _check_border(right, left[-1:] if isinstance(left, str) else "", pattern)


def _check_border(piece: str | Field, beside: str, pattern: str) -> None:
    if isinstance(piece, Field) and piece.is_number and (not beside or beside.isdigit()):
        at = pattern.index("{" + piece.name)
        raise _fault(pattern, at, f"{{{piece.name}}} runs into what stands beside it; put _ between")


def _fault(pattern: str, at: int, message: str) -> ValueError:
    """The message, and the pattern with a caret before the place."""
    return ValueError(f"{message}; at ^ in {pattern[:at]}^{pattern[at:]}")
