"""Parameters of a template: the graph's `param.x`, what is said about them, and the values they get.

`param.x` is the default; `param.x.help`, `.type` (int, double, boolean, string, path), `.choices` (separated
by commas) and `.required` (true: no empty value) say more. Without `param.x` itself a value must be given. A
path that is given begins where the user is, one that is the default at the document.
A list (type `int list` and so on; every parameter that a `foreach` names is one) is `a, b, c`, or a JSON list
where it begins with `[`; its type and choices hold for each item.
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from deft.base.errors import Finding
from deft.model import keys
from deft.model.keys import Key, Kind, Value

PREFIX = "param."
LIST = " list"  # ends the type of a list
PATH = "path"
_KINDS: dict[str, Kind] = {
    "int": "int",
    "double": "double",
    "boolean": "boolean",
    "string": "string",
    PATH: "string",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `default` None: it must be given."""

    name: str
    default: str | None
    help: str = ""
    type: str = "string"
    choices: tuple[str, ...] = ()
    required: bool = False

    @property
    def is_list(self) -> bool:
        """True where its value is a list."""
        return self.type.endswith(LIST)


def items(text: str) -> list[str]:
    """The items of a list. Raises ValueError for JSON that is no list of plain values."""
    if not text.lstrip().startswith("["):
        return [item for word in text.split(",") if (item := word.strip())]
    try:
        found = json.loads(text)
    except ValueError as fault:
        raise ValueError(f"is no JSON list: {fault}") from None
    if not all(isinstance(item, str | int | float | bool) for item in found):
        raise ValueError("is no list of texts and numbers")
    return [keys.render(item) for item in found]


def is_about(key: str) -> bool:
    """True for `param.x.help` and its like."""
    return key.startswith(PREFIX) and key.count(".") > 1 and key.endswith(keys.PARAM_FACTS)


def declared(settings: Mapping[str, Value], lists: Collection[str] = ()) -> dict[str, Parameter]:
    """The parameters of a graph by name, in the order of their names; those in `lists` are lists."""
    mine = {key: keys.render(value) for key, value in settings.items() if key.startswith(PREFIX)}
    names = {_name(key) for key in mine}
    return {name: _parameter(name, mine, name in lists) for name in sorted(names)}


def as_lists(settings: Mapping[str, Value], lists: Collection[str]) -> dict[str, str]:
    """What the graph must say of these parameters, so that they are lists without any `foreach` too."""
    known = declared(settings, lists)
    told = (name for name in lists if name in known and (known[name].choices or _type(name, settings)))
    return {f"{PREFIX}{name}.type": known[name].type for name in told}


def _type(name: str, settings: Mapping[str, Value]) -> str:
    return str(settings.get(f"{PREFIX}{name}.type", "")).strip()


def _name(key: str) -> str:
    name = key.removeprefix(PREFIX)
    return name.rpartition(".")[0] if is_about(key) else name


def _parameter(name: str, mine: Mapping[str, str], is_list: bool) -> Parameter:
    about = {fact: mine.get(PREFIX + name + fact, "") for fact in keys.PARAM_FACTS}
    choices = tuple(one.strip() for one in about[".choices"].split(",") if one.strip())
    type = about[".type"].strip() or "string"
    return Parameter(
        name,
        mine.get(PREFIX + name),
        help=about[".help"],
        type=type + LIST if is_list and not type.endswith(LIST) else type,
        choices=choices,
        required=about[".required"].strip().lower() in ("true", "1"),
    )


def values(
    settings: Mapping[str, Value],
    given: Mapping[str, str],
    fill: Callable[[str], str],
    found: list[Finding],
    lists: Collection[str] = (),
    folder: str = "",
) -> dict[str, str]:
    """The value of every parameter: the given one as it is, else the default, filled.

    Paths become absolute: a given one begins where the user is, a default in `folder`, that of the document.
    What is wrong is added to `found`.
    """
    known = declared(settings, lists)
    for name in given:
        if name not in known:
            found.append(_unknown(name, known))
    got: dict[str, str] = {}
    for parameter in known.values():
        value = given.get(parameter.name)
        begins = os.curdir
        if value is None and parameter.default is not None:
            value, begins = fill(parameter.default), folder
        if value and begins and parameter.type == PATH:
            value = _absolute(value, begins)
        fault = _fault(parameter, value)
        if fault is not None:
            found.append(fault)
        got[parameter.name] = value or ""
    return got


def _absolute(path: str, folder: str) -> str:
    """A path that begins in a folder; `@` of a list, `!` of an exclusion and a scheme stay in front."""
    if "://" in path:
        return path
    mark = path[0] if path[0] in "@!" else ""
    return mark + os.path.abspath(os.path.join(folder, os.path.expanduser(path.removeprefix(mark))))


def _unknown(name: str, known: Mapping[str, Parameter]) -> Finding:
    near = get_close_matches(name, known, 3)
    hint = f"near: {', '.join(near)}" if near else f"it has: {', '.join(known) or 'none'}"
    return Finding("unknown-parameter", f"there is no parameter {name!r}", subject=name, hint=hint)


def _fault(parameter: Parameter, value: str | None) -> Finding | None:
    name = parameter.name
    if value is None or (parameter.required and not value.strip()):
        hint = f"--set {name}=…" + (f"; {parameter.help}" if parameter.help else "")
        return Finding("missing-parameter", f"the parameter {name!r} has no value", subject=name, hint=hint)
    kind = _KINDS.get(parameter.type.removesuffix(LIST))
    if kind is None:
        message = f"the parameter {name!r} has the unknown type {parameter.type!r}"
        return Finding("bad-parameter-type", message, subject=name, hint=f"types: {', '.join(_KINDS)}")
    try:
        for item in items(value) if parameter.is_list else [value]:
            keys.parse(Key(name, "graph", kind, "", parameter.choices if kind == "string" else ()), item)
            if parameter.choices and item not in parameter.choices:
                raise ValueError(f"is none of {', '.join(parameter.choices)}")
    except ValueError as fault:
        message = f"the parameter {name} = {value!r} {fault}"
        return Finding("bad-parameter", message, subject=name, hint=parameter.help or None)
    return None
