"""New settings of stored tasks and edges, as operators write them: `NAME=VALUE`, checked as at import.

What makes a node what it is (its name, kind, copies) is fixed; so is what a dataset is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from deft.authoring.templates import parameters
from deft.base.errors import BadInput, Finding
from deft.model import keys
from deft.model.graph import MetaTask
from deft.model.judging import FIXED, POLICIES
from deft.model.keys import Scope, Value
from deft.model.tasks import Task
from deft.wire import placeholders

_PARAM = parameters.PREFIX


def split(words: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` words by name. Raises BadInput."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"{word!r}: write NAME=VALUE")
        if found.setdefault(name.strip(), value) != value:
            raise BadInput(f"{name.strip()} is given twice")
    return found


def typed(scope: Scope, given: Mapping[str, str], unset: Collection[str] = ()) -> dict[str, Value]:
    """The values by their keys' types. Raises BadInput with every unknown key and every bad value."""
    found: list[Finding] = []
    values: dict[str, Value] = {}
    for name in unset:
        found += [fault for fault in [_refused(scope, name)] if fault]
    for name, text in given.items():
        fault = _refused(scope, name)
        key = keys.find(scope, name)
        if fault is not None or key is None:
            found += [fault] if fault else []
            continue
        try:
            values[name] = keys.parse(key, text)
        except ValueError as wrong:
            found.append(Finding("bad-value", f"{name} = {text!r} {wrong}", subject=name, hint=key.help))
    if twice := sorted(given.keys() & set(unset)):
        found.append(Finding("bad-value", f"{twice[0]} is both set and unset", subject=twice[0]))
    if found:
        raise BadInput("these settings cannot be:", found)
    return values


def _refused(scope: Scope, name: str) -> Finding | None:
    allowed = POLICIES if scope == "edge" else tuple(n for n in keys.names(scope) if n not in FIXED)
    if scope == "edge" and name not in allowed and keys.find(scope, name):
        return Finding("fixed-key", f"{name} of an edge is fixed", subject=name,
                       hint=f"policies may change: {', '.join(POLICIES)}")  # fmt: skip
    if name in FIXED:
        return Finding("fixed-key", f"{name} is fixed at import", subject=name, hint="`deft clone` copies")
    if keys.find(scope, name) is not None and not name.endswith(keys.PARAM_FACTS):
        return None
    near = get_close_matches(name, [*allowed, *keys.FAMILIES[scope]], 3)
    hint = f"near: {', '.join(near)}" if near else "docs/reference/graphml.md has all keys"
    return Finding("unknown-key", f"there is no key {name!r}", subject=name, hint=hint)


def check_parameters(metatask: MetaTask, tasks: Collection[Task], given: Mapping[str, str]) -> dict[str, str]:
    """The `param.x` among these, checked by what the Meta-Task says of them; paths become absolute.

    `tasks`: those that get them. Raises BadInput for one that nothing knows, that no command of them uses,
    or with a value its type does not allow.
    """
    names = [key.removeprefix(_PARAM) for key in given if key.startswith(_PARAM)]
    if not names:
        return {}
    used = {word for task in tasks for word in placeholders.used(task.command)}
    known = set(parameters.declared(metatask.settings)).union(*(task.family(_PARAM) for task in tasks))
    found: list[Finding] = []
    values = {}
    for name in names:
        if f"param.{name}" not in used:
            found.append(_useless(name, known, metatask))
            continue
        values[_PARAM + name] = _checked(name, given[_PARAM + name], metatask.settings, found)
    if found:
        raise BadInput("these parameters cannot be:", found)
    return values


def _useless(name: str, known: Collection[str], metatask: MetaTask) -> Finding:
    if name in known:
        message = f"no command of these tasks uses {{param.{name}}}: its value was filled in at import"
        hint = f"`deft clone {metatask.full_name} NEW --set {name}=…` fills it in again"
        return Finding("unused-parameter", message, subject=name, hint=hint)
    near = get_close_matches(name, known, 3)
    hint = f"near: {', '.join(near)}" if near else f"it has: {', '.join(sorted(known)) or 'none'}"
    return Finding("unknown-parameter", f"there is no parameter {name!r}", subject=name, hint=hint)


def _checked(name: str, text: str, settings: Mapping[str, Value], found: list[Finding]) -> str:
    about = {_PARAM + name + fact for fact in ("", *keys.PARAM_FACTS)}
    mine = {key: value for key, value in settings.items() if key in about} or {_PARAM + name: ""}
    return parameters.values(mine, {name: text}, str, found)[name]
