"""The data of elements as text, quickly: one format for all elements that hold the same keys.

A shape is what elements have in common: the names of their settings and the types of these values. Each is
compiled once into a format of the `%` kind; most elements then cost one look at their texts (is there
anything to escape?) and one filling of that format.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count, repeat
from operator import itemgetter
from typing import Any

from deft.authoring.graphml import foreign, fresh
from deft.base.errors import BadInput, Finding
from deft.model import keys
from deft.model.keys import Key, Kind, Scope, Value

Constants = tuple[tuple[str, str], ...]  # (name, text)
Spell = Callable[..., str]  # (settings, the element's own text) -> its data, a line each

_TYPES: dict[Kind, str] = {"string": "string", "int": "long", "double": "double", "boolean": "boolean"}
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BOOLEAN: dict[Value, str] = {True: "true", False: "false"}


def is_plain(text: str) -> bool:
    """True where a text needs no second look, as content or as attribute; False says nothing."""
    return text.isprintable() and "&" not in text and "<" not in text and ">" not in text and '"' not in text


def all_of(spell: Callable[[str], str], texts: Sequence[str]) -> Sequence[str]:
    """Many texts by `content` or `attribute`, at once where they are plain. Raises BadInput likewise."""
    return texts if is_plain("".join(texts)) else [spell(text) for text in texts]


def content(text: str) -> str:
    """A text as the content of an element. Raises BadInput for one that XML cannot hold."""
    return text if is_plain(text) else foreign.text(_legal(text))


def attribute(text: str) -> str:
    """A text as the value of an attribute between double quotes. Raises BadInput likewise."""
    return text if is_plain(text) else foreign.attribute(_legal(text))


def _legal(text: str) -> str:
    bad = None if text.isprintable() else _ILLEGAL.search(text)
    if bad:
        message = f"{text[:40]!r} holds the character {bad[0]!r}, which XML cannot hold"
        raise BadInput(message, [Finding("illegal-character", message, hint="remove it")])
    return text


def _integer(value: Value) -> str:
    return str(int(value))


def _double(value: Value) -> str:
    return repr(float(value))


def _any(value: Value) -> str:
    return content(keys.render(value))


_SPELL: dict[Kind, Callable[[Value], str]] = {
    "string": _any,
    "int": _integer,
    "double": _double,
    "boolean": lambda value: _BOOLEAN[bool(value)],
}
# What the format itself spells, by the kind of the key and the type of the value.
_DIRECT: dict[tuple[Kind, object], str] = {("int", int): "%d", ("double", float): "%r"}


class Shape:
    """What elements with the same keys have in common; `data` spells one of them once all are known."""

    __slots__ = ("constants", "data", "types")

    def __init__(self, constants: Constants, types: Mapping[str, type]) -> None:
        self.constants = dict(constants)
        self.types = types
        self.data: Spell


class Speller:
    """Spells the data of one scope; a key with `${...}` left in a value is declared as string.

    Elements come as their settings; `constants` has, for each, texts that many share. `named` is the name of
    a text that every element gives for itself, escaped, when it is spelled.
    """

    def __init__(
        self, scope: Scope, elements: Iterable[Mapping[str, Value]], indent: str,
        constants: Iterable[Constants] = repeat(()), named: str = "",
    ) -> None:  # fmt: skip
        self._scope = scope
        self._indent = indent
        self.shapes, distinct = _shapes(elements, constants)
        own = {named} if named and distinct else set()
        names, texts = set(own), set(own)
        for shape in distinct:
            names |= shape.types.keys() | shape.constants.keys()
            texts |= shape.constants.keys() | {name for name, type in shape.types.items() if type is str}
        self._keys = {name: self._key(name) for name in sorted(names)}
        self._ids = _ids(self._keys)
        self._kinds: dict[str, Kind] = {
            name: "string" if name in texts else key.kind for name, key in self._keys.items()
        }
        for shape in distinct:
            shape.data = self._compiled(shape, named)

    def _key(self, name: str) -> Key:
        if name.startswith(keys.STATE):
            return Key(name, self._scope, "string", "state")
        key = keys.find(self._scope, name)
        if key is None:
            message = f"{name!r} is no key of the profile for a {self._scope}"
            raise BadInput(message, [Finding("unknown-key", message, subject=name)])
        return key

    @property
    def declarations(self) -> list[str]:
        """The `<key>` elements of this scope."""
        return [
            f'  <key id="{attribute(self._ids[name])}" for="{key.scope}" attr.name="{attribute(key.name)}" '
            f'attr.type="{_TYPES[self._kinds[name]]}"/>\n'
            for name, key in self._keys.items()
        ]

    def _compiled(self, shape: Shape, named: str) -> Spell:
        lines: list[str] = []
        others: list[tuple[int, Callable[[Value], str]]] = []
        place = count()  # in the row: constants have none
        names = sorted(shape.types.keys() - shape.constants.keys() - {named})
        for name in sorted({*names, *shape.constants, *([named] if named else ())}):
            kind, form = self._kinds[name], "%s"
            if name in shape.constants:
                form = content(shape.constants[name]).replace("%", "%%")
            elif name == named or shape.types[name] is str:
                next(place)
            elif (kind, shape.types[name]) in _DIRECT:
                form = _DIRECT[kind, shape.types[name]]
                next(place)
            else:
                is_truth = kind == "boolean" and shape.types[name] is bool
                others.append((next(place), _BOOLEAN.__getitem__ if is_truth else _SPELL[kind]))
            opening = f'{self._indent}<data key="{attribute(self._ids[name])}">'
            lines.append(f"{opening.replace('%', '%%')}{form}</data>\n")
        texts = [name for name in names if shape.types[name] is str]
        return _spell("".join(lines), names, bisect(names, named) if named else None, texts, others)


def _ids(known: Mapping[str, Key]) -> dict[str, str]:
    """The id of each key; different ones without regard to case too, since Gephi knows lower case only."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for name, key in known.items():
        found[name] = fresh.id(key.id, lambda one: one.lower() in used)
        used.add(found[name].lower())
    return found


def _shapes(
    elements: Iterable[Mapping[str, Value]], constants: Iterable[Constants]
) -> tuple[list[Shape], Collection[Shape]]:
    """The shape of each element, and the different ones."""
    known: dict[tuple[object, ...], Shape] = {}
    found = []
    for settings, own in zip(elements, constants, strict=False):  # the constants may be endless
        signature = (own, *settings, *map(type, settings.values()))
        shape = known.get(signature)
        if shape is None:
            types = {name: type(value) for name, value in settings.items()}
            shape = known[signature] = Shape(own, types)
        found.append(shape)
    return found, known.values()


def _spell(
    form: str, names: Sequence[str], own: int | None, texts: Sequence[str],
    others: Sequence[tuple[int, Callable[[Value], str]]],
) -> Spell:  # fmt: skip
    """A function that fills `form`: with settings by `names`, and with the element's own text at `own`.

    `texts` are the names of texts, `others` the places of values that the form cannot spell.
    """
    get, get_texts = _getter(names), _getter(texts)
    places = {name: place for place, name in enumerate(names)}
    risky: list[str] = []  # names under which something had to be escaped before

    def data(settings: Mapping[str, Value], named: str = "") -> str:
        nonlocal get_texts
        row: list[Any] = list(get(settings))
        # One look at all texts at once: most hold nothing to escape.
        if not is_plain("".join(get_texts(settings))):
            risky.extend(name for name in texts if name not in risky and not is_plain(str(settings[name])))
            get_texts = _getter([name for name in texts if name not in risky])
        for name in risky:
            row[places[name]] = content(row[places[name]])
        if own is not None:
            row.insert(own, named)
        for place, spelled in others:
            row[place] = spelled(row[place])
        return form % tuple(row)

    return data


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, Value]], tuple[Any, ...]]:
    """The values of these names."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda settings: tuple(settings[name] for name in names)  # itemgetter gives no tuple of one
