"""`foreach`: one copy of a node for each value of a parameter, or for each point of a grid of several.

Copies are named by their values: `simul--ttbar`, and in a grid `simul--ttbar--13000`. Edges join copies
where the values of the parameters that both ends share are equal: so two nodes over the same parameter pair
up, a plain node fans in or out, nodes over different parameters meet in every combination.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product
from math import prod

from deft.authoring import slugs
from deft.authoring.graphml.limits import CLI, Limits, refusal
from deft.authoring.templates import parameters
from deft.base.errors import Finding
from deft.model.graph import MetaTask
from deft.model.tasks import NO_FOREIGN, Edge, Task

FOREACH = "foreach"
JOINT = "--"  # between the parts of an expanded name
_LONGEST = 40  # characters of a value that stand in a name
_LEGAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_]|-(?=[A-Za-z0-9_])){0,39}\Z")
_BLANK = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a parameter, and what stands for it in names."""

    value: str
    label: str


class Room:
    """How many nodes and edges may still be made; shared by all templates of one expansion."""

    def __init__(self, limits: Limits = CLI) -> None:
        self._nodes, self._edges = limits.nodes, limits.edges

    def take(self, nodes: int, edges: int) -> None:
        """Reserve room, before anything is built. Raises BadInput."""
        self._nodes -= nodes
        self._edges -= edges
        if self._nodes < 0:
            raise refusal("too-many-nodes", "it would expand to too many nodes")
        if self._edges < 0:
            raise refusal("too-many-edges", "it would expand to too many edges")


def over(node: Task) -> tuple[str, ...]:
    """The parameters over which a node is copied."""
    text = str(node.settings.get(FOREACH, ""))
    return tuple(dict.fromkeys(word for word in _BLANK.split(text) if word)) if text else ()


def listed(metatask: MetaTask) -> frozenset[str]:
    """The parameters over which any node is copied: each of them is a list."""
    return frozenset(name for node in metatask.nodes for name in over(node))


class Copies:
    """The nodes and edges of a Meta-Task after copying, each with the values it stands for."""

    def __init__(self, metatask: MetaTask, values: Mapping[str, str], found: list[Finding]) -> None:
        self._metatask = metatask
        self._found = found
        names = sorted(listed(metatask))
        known = {name: _choices(name, values[name], found) for name in names if values.get(name)}
        self._choices = {name: choices for name, choices in known.items() if choices}
        self._over = {node.name: self._usable(node, values) for node in metatask.nodes}

    def reserve(self, room: Room) -> None:
        """Take room for all of it, before any is made. Raises BadInput."""
        ends = ((self._over[edge.source], self._over[edge.target]) for edge in self._metatask.edges)
        edges = sum(self._number((*source, *target)) for source, target in ends)
        room.take(sum(map(self._number, self._over.values())), edges)

    def _number(self, names: Iterable[str]) -> int:
        return prod(len(self._choices[name]) for name in set(names))

    def _usable(self, node: Task, values: Mapping[str, str]) -> tuple[str, ...]:
        """The parameters of its `foreach` that have values; the others are told."""
        wanted = over(node)
        for name in wanted:
            if name not in values:
                near = get_close_matches(name, values, 3)
                hint = f"near: {', '.join(near)}" if near else f"it has: {', '.join(values) or 'none'}"
                self._tell(
                    "unknown-parameter", node, f"{node.name}: foreach names no parameter: {name!r}", hint
                )
            elif not values[name].strip() and not self._is_missing(name):
                self._tell("bad-foreach", node, f"{node.name}: the parameter {name!r} has no values", None)
            if parameters.PREFIX + name in node.settings:
                message = f"{node.name}: param.{name} and foreach = {name} say two things"
                self._tell("bad-foreach", node, message, f"foreach takes its values from the graph's {name}")
        return tuple(name for name in wanted if name in self._choices)

    def _is_missing(self, name: str) -> bool:
        return any((one.code, one.subject) == ("missing-parameter", name) for one in self._found)

    def _tell(self, code: str, node: Task, message: str, hint: str | None) -> None:
        self._found.append(Finding(code, message, node.line, node.name, hint))

    def nodes(self) -> Iterator[tuple[Task, dict[str, str]]]:
        """Every node, the copies in the place of their original; of two with one name only the first."""
        if not any(self._over.values()):
            yield from ((self._copy(node, {}), {}) for node in self._metatask.nodes)
            return
        seen: dict[str, Task] = {}
        for node in self._metatask.nodes:
            for chosen in self._points(self._over[node.name]):
                copy = self._copy(node, chosen)
                if copy.name in seen:
                    self._twice(copy, node, seen[copy.name])
                    continue
                seen[copy.name] = node
                yield copy, _values(chosen)

    def _twice(self, copy: Task, node: Task, first: Task) -> None:
        message = f"two tasks would be called {copy.name!r}: of {first.name} and of {node.name}"
        self._tell("duplicate-task", node, message, "rename one, or leave a value out")

    def _points(self, names: Sequence[str]) -> Iterator[dict[str, Choice]]:
        for point in product(*(self._choices[name] for name in names)):
            yield dict(zip(names, point, strict=True))

    def _copy(self, node: Task, chosen: Mapping[str, Choice]) -> Task:
        if FOREACH not in node.settings:
            return node
        settings = {name: value for name, value in node.settings.items() if name != FOREACH}
        return replace(node, name=_named(node.name, chosen), settings=settings, id="", foreign=NO_FOREIGN)

    def edges(self) -> Iterator[tuple[Edge, dict[str, str]]]:
        """Every edge, between the copies of its ends that agree."""
        for edge in self._metatask.edges:
            ours, theirs = self._over[edge.source], self._over[edge.target]
            if not ours and not theirs:
                yield edge, {}
                continue
            for chosen in self._points(tuple(dict.fromkeys((*ours, *theirs)))):
                yield self._joined(edge, ours, theirs, chosen), _values(chosen)

    def _joined(
        self, edge: Edge, ours: Sequence[str], theirs: Sequence[str], chosen: Mapping[str, Choice]
    ) -> Edge:
        source = _named(edge.source, {name: chosen[name] for name in ours})
        target = _named(edge.target, {name: chosen[name] for name in theirs})
        id = _named(edge.id, chosen) if edge.id else ""
        return replace(edge, source=source, target=target, id=id, foreign=NO_FOREIGN)


def _named(name: str, chosen: Mapping[str, Choice]) -> str:
    return JOINT.join((name, *(choice.label for choice in chosen.values())))


def _values(chosen: Mapping[str, Choice]) -> dict[str, str]:
    return {name: choice.value for name, choice in chosen.items()}


# --- values as parts of names ------------------------------------------------------------------------------


def _choices(name: str, text: str, found: list[Finding]) -> list[Choice]:
    """The values of a list with their labels; what is wrong with them is added to `found`."""
    try:
        values = parameters.items(text)
    except ValueError:
        return []  # told where the parameter's value is checked
    labels = slugs.labels(values, _is_plain, _LONGEST)
    for value, times in Counter(values).items():
        if times > 1:
            message = (
                f"the parameter {name} has the value {value!r} {times} times: its tasks would share a name"
            )
            found.append(Finding("duplicate-task", message, subject=name))
        if not labels[value]:
            message = f"the parameter {name}: of {value!r} no name of a task can be made"
            hint = "use letters and digits"
            found.append(Finding("bad-foreach-value", message, subject=name, hint=hint))
    renamed = [f"{value!r} as {labels[value]}" for value in labels if labels[value] not in ("", value)]
    if renamed:
        message = f"values of {name} stand in names of tasks changed: {', '.join(renamed[:5])}"
        found.append(Finding("foreach-renamed", message, subject=name, severity="warning"))
    return [Choice(value, labels[value]) for value in dict.fromkeys(values) if labels[value]]


def _is_plain(value: str) -> bool:
    return _LEGAL.match(value) is not None
