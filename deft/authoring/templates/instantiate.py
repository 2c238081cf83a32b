"""Fill a template: `${param.x}` and the facts of this machine, once, before anything else looks at it.

`${param.x}` takes the node's own `param.x` (where it has a `foreach`: the value that it was copied for), else
the value given, else the graph's `param.x`, in which facts may stand. `$${` is a literal `${`. What is
neither a dotted name nor a fact is left to the shell (`${HOME}`). In a command every value is quoted for the
shell, as in a job's own placeholders, and is never filled again; elsewhere it stands as it is.
"""

from __future__ import annotations

import json
import os.path
import re
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from deft.authoring.templates import copies, parameters
from deft.authoring.templates.copies import Room
from deft.base.errors import BadInput, Finding
from deft.model import graph, keys
from deft.model.graph import MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import Edge, Task
from deft.wire import placeholders

FACTS = ("python", "python.stdlib", "template", "workdir")
_NAME = r"[A-Za-z_][\w-]*(?:\.[\w-]+)*"
_PLACE = re.compile(rf"\$\$\{{|\$\{{({_NAME})\}}")
_OPENING = re.compile(rf"\$\{{(?:({_NAME})\}})?")
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ANYWHERE = "**/"  # an exclusion that begins so holds wherever the files lie


def instantiate(metatask: MetaTask, given: Mapping[str, str], facts: Mapping[str, str]) -> MetaTask:
    """The Meta-Task with every `foreach` copied and placeholder filled, values parsed, and sources absolute.

    `given` are the parameters by name (without `param.`), `facts` the values of FACTS. The values used are
    the result's `param.x`. Raises BadInput with all findings.
    """
    found: list[Finding] = []
    made = filled(metatask, given, facts, found, Room())
    refuse(metatask.full_name, found)
    return made


def refuse(name: str, found: Sequence[Finding]) -> None:
    """Raise BadInput with all findings where one of them is an error."""
    wrong = [finding for finding in found if finding.severity == "error"]
    if wrong:
        count = "one fault" if len(wrong) == 1 else f"{len(wrong)} faults"
        raise BadInput(f"{name} cannot be filled: {count}", found)


def filled(
    metatask: MetaTask, given: Mapping[str, str], facts: Mapping[str, str], found: list[Finding], room: Room
) -> MetaTask:
    """The same, with what is wrong added to `found`. Raises BadInput where its copies have no room."""
    known = {fact: value for fact, value in facts.items() if fact in FACTS}
    in_defaults = _Filling(known, found)
    lists = copies.listed(metatask)
    values = parameters.values(
        metatask.settings,
        given,
        lambda text: in_defaults.fill(text, "the graph's parameters"),
        found,
        lists,
        metatask.folder,
    )
    copied = copies.Copies(metatask, values, found)
    copied.reserve(room)
    used = {parameters.PREFIX + name: value for name, value in values.items()}
    filling = _Filling({**known, **used}, found)
    made = graph.copy_with(
        metatask, (filling.node(node, chosen, metatask.folder) for node, chosen in copied.nodes()), ()
    )
    for edge, chosen in copied.edges():
        if edge.source in made.graph and edge.target in made.graph:
            made.join(_absolute(filling.edge(edge, chosen), metatask.folder))
    mine = metatask.settings
    declared = {name: value for name, value in mine.items() if name.startswith(parameters.PREFIX)}
    others = {name: value for name, value in mine.items() if name not in declared}
    declared |= parameters.as_lists(mine, lists)
    made.settings = {**declared, **used, **filling.settings("graph", others, "the graph", None)}
    return made


def facts_here(*, template: str, workdir: str) -> dict[str, str]:
    """The facts of this Python, with the two folders that only the caller knows."""
    stdlib = sysconfig.get_path("stdlib")
    return {"python": sys.executable, "python.stdlib": stdlib, "template": template, "workdir": workdir}


def protect(metatask: MetaTask) -> MetaTask:
    """The Meta-Task as it must be exported: what `instantiate` would take for a placeholder is escaped.

    instantiate(protect(m), {}, facts) gives m back for every m that `instantiate` made.
    """
    made = graph.copy_with(
        metatask,
        (replace(node, settings=_protected(node.settings)) for node in metatask.nodes),
        (replace(edge, settings=_protected(edge.settings)) for edge in metatask.edges),
    )
    made.settings = _protected(metatask.settings)
    return made


def _protected(settings: Mapping[str, Value]) -> dict[str, Value]:
    return {name: _escape(name, value) for name, value in settings.items()}


def _escape(name: str, value: Value) -> Value:
    if not isinstance(value, str) or "${" not in value or parameters.is_about(name):
        return value
    return _OPENING.sub(_escaped, value)


def _escaped(match: re.Match[str]) -> str:
    after_dollar = match.string[: match.start()].endswith("$")
    return "$" + match[0] if after_dollar or (match[1] and _is_ours(match[1])) else match[0]


def _is_ours(name: str) -> bool:
    return "." in name or name in FACTS


class _Filling:
    """Fills texts with known values; what is not known becomes a finding, once a place."""

    def __init__(self, known: Mapping[str, str], found: list[Finding]) -> None:
        self.known = dict(known)
        self._found = found

    def fill(self, text: str, subject: str, *, quoted: bool = False, line: int | None = None) -> str:
        """The text with its placeholders filled."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name is None:
                return "${"
            if name in self.known:
                return _quoted(self.known[name]) if quoted else self.known[name]
            if _is_ours(name):
                self._unknown(name, subject, line)
            return match[0]

        return _PLACE.sub(value, text) if "${" in text else text

    def _unknown(self, name: str, subject: str, line: int | None) -> None:
        near = get_close_matches(name, self.known, 3) or sorted(self.known)[:8]
        hint = f"near: {', '.join(f'${{{n}}}' for n in near)}; write $${{{name}}} for the text itself"
        message = f"{subject}: unknown placeholder ${{{name}}}"
        self._found.append(Finding("unknown-placeholder", message, line, subject, hint))

    def node(self, node: Task, chosen: Mapping[str, str], folder: str) -> Task:
        """A node, filled: first its own parameters, with what it was copied for, then the rest with them."""
        own = {name: value for name, value in node.settings.items() if name.startswith(parameters.PREFIX)}
        if not own and not chosen:
            settings = self.settings("node", node.settings, node.name, node.line)
        else:
            picked = _picked(chosen)
            mine = {**self._with(picked).settings("node", own, node.name, node.line), **picked}
            rest = {name: value for name, value in node.settings.items() if name not in own}
            beside = self._with({name: keys.render(value) for name, value in mine.items()})
            settings = {**beside.settings("node", rest, node.name, node.line), **mine}
        if folder and "folder" in settings:
            settings["folder"] = os.path.normpath(os.path.join(folder, str(settings["folder"])))
        return replace(node, settings=settings)

    def edge(self, edge: Edge, chosen: Mapping[str, str]) -> Edge:
        """An edge, filled, with what its ends were copied for."""
        if not edge.settings:
            return edge
        ends = f"{edge.source} -> {edge.target}"
        beside = self._with(_picked(chosen)) if chosen else self
        return replace(edge, settings=beside.settings("edge", edge.settings, ends, edge.line))

    def _with(self, more: Mapping[str, str]) -> _Filling:
        return _Filling({**self.known, **more}, self._found)

    def settings(
        self, scope: Scope, settings: Mapping[str, Value], subject: str, line: int | None
    ) -> dict[str, Value]:
        """All settings of one element, filled, and parsed again where they have a type."""
        filled = {name: self._one(scope, name, value, subject, line) for name, value in settings.items()}
        return {name: value for name, value in filled.items() if value is not None}

    def _one(self, scope: Scope, name: str, value: Value, subject: str, line: int | None) -> Value | None:
        """The filled value; None (not there) where nothing is left of a placeholder."""
        if not isinstance(value, str):
            return value
        try:
            if name.endswith(".json"):
                return self._json(value, subject, line)
            text = self.fill(value, subject, quoted=name == "command", line=line)
            if not text and value:
                return None
            key = keys.find(scope, name)
            return keys.parse(key, text) if key is not None else text
        except ValueError as fault:
            message = f"{subject}: {name} = {value!r} {fault}"
            self._found.append(Finding("bad-value", message, line, subject))
            return value

    def _json(self, text: str, subject: str, line: int | None) -> str:
        """Fill the texts inside a JSON value, so that no value can break out of its quotes."""
        if "${" not in text:
            return text
        try:
            value = json.loads(text)
        except ValueError as fault:
            raise ValueError(f"is no JSON: {fault}") from None
        filled = _map_texts(value, lambda one: self.fill(one, subject, line=line))
        return json.dumps(filled, ensure_ascii=False)


def _picked(chosen: Mapping[str, str]) -> dict[str, str]:
    return {parameters.PREFIX + name: value for name, value in chosen.items()}


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_texts(one, change) for one in value]
    if isinstance(value, dict):
        return {name: _map_texts(one, change) for name, one in value.items()}
    return value


def _quoted(value: str) -> str:
    """A value inside a command: one word of the shell, in which no job placeholder is seen."""
    return placeholders.escape(placeholders.quote(value))


def _absolute(edge: Edge, folder: str) -> Edge:
    """The edge with its relative sources made absolute, `folder` being where the document lies."""
    if not (folder and edge.settings):
        return edge
    changed: dict[str, Value] = {}
    if isinstance(source := edge.settings.get("source"), str):
        changed["source"] = _absolute_source(source, folder)
    if isinstance(text := edge.settings.get("source.json"), str):
        changed["source.json"] = _absolute_list(text, folder)
    return replace(edge, settings={**edge.settings, **changed}) if changed else edge


def _absolute_list(text: str, folder: str) -> str:
    try:
        sources = json.loads(text)
    except ValueError:
        return text  # the rules of the model tell it
    if not isinstance(sources, list) or not all(isinstance(one, str) for one in sources):
        return text
    absolute = [_absolute_source(one, folder) for one in sources]
    return text if absolute == sources else json.dumps(absolute, ensure_ascii=False)


def _absolute_source(source: str, folder: str) -> str:
    sign = source[:1] if source[:1] in ("@", "!") else ""
    path = source[len(sign) :]
    is_fixed = not path or os.path.isabs(path) or _REMOTE.match(path) is not None
    if is_fixed or (sign == "!" and path.startswith(_ANYWHERE)):
        return source
    return sign + os.path.normpath(os.path.join(folder, path))
