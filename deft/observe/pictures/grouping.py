"""Tasks of one step as one mark: a picture of a large Meta-Task that says more than one of all its tasks.

A step is the template that tasks follow, or what stands before `--` in their names; tasks without either are
of one step where they stand alike in the graph: the same steps above and below them. A step never holds a
task and one that needs it, and steps never go in a circle: such a step is split, by the ends of names or by
depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import networkx as nx

from deft.authoring.layout import ranks
from deft.authoring.templates.copies import JOINT
from deft.model.tasks import ENDED
from deft.observe.pictures import scene
from deft.observe.pictures.scene import Flow, Mark, Scene

LEAST = 3  # fewer are drawn one by one
BANDS = 24  # of a graph without steps: so many groups from its beginning to its end
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Graph:
    """The marks of a scene by number, each after those above it in `order`."""

    marks: Sequence[Mark]
    below: list[list[int]]
    above: list[list[int]]
    order: list[int]
    depth: list[int]


def grouped(found: Scene, most: int) -> Scene:
    """The scene with the tasks of a step as one mark; of a depth, where there are more than `most` steps."""
    graph = _graph(found)
    keys = _alike(graph, [_step(mark) for mark in graph.marks])
    keys = _split(keys, _inner(keys, graph), lambda n: graph.marks[n].name.rpartition(JOINT)[2])
    for wrong in (_inner, _circular):
        keys = _split(keys, wrong(keys, graph), graph.depth.__getitem__)
    keys = _large(keys)
    if len(set(keys)) > most:
        thick = max(graph.depth) // BANDS + 1
        keys = _large([(mark.kind, graph.depth[n] // thick) for n, mark in enumerate(graph.marks)])
    return _joined(found, keys)


def _graph(found: Scene) -> _Graph:
    number = {mark.name: n for n, mark in enumerate(found.marks)}
    pairs = [
        (number[flow.source], number[name])
        for flow in found.flows
        for name, _ in flow.targets
        if flow.source in number and name in number
    ]
    below: list[list[int]] = [[] for _ in number]
    for source, target in dict.fromkeys(pairs):
        below[source].append(target)
    below = ranks.without_cycles(below)
    above: list[list[int]] = [[] for _ in number]
    depth = [0] * len(below)
    order = ranks.order(below)
    for node in order:
        for target in below[node]:
            above[target].append(node)
            depth[target] = max(depth[target], depth[node] + 1)
    return _Graph(found.marks, below, above, order, depth)


def _step(mark: Mark) -> Key:
    """What is known of a task's step by itself; its kind alone where it does not say."""
    if mark.kind != scene.TASK:
        return (mark.kind,)
    prefix, joint, _ = mark.name.partition(JOINT)
    named = mark.template or (prefix if joint else "")
    return (mark.kind, named) if named else (mark.kind,)


def _alike(graph: _Graph, steps: list[Key]) -> list[Key]:
    """The same steps; for tasks that do not say one, what is above and below them, as far as that differs."""
    numbers: dict[object, int] = {}
    sides = []
    for near, ordered in ((graph.above, graph.order), (graph.below, reversed(graph.order))):
        side = [0] * len(steps)
        for node in ordered:
            said = (steps[node], frozenset(side[other] for other in near[node]))
            side[node] = numbers.setdefault(said, len(numbers))
        sides.append(side)
    return [
        step if len(step) > 1 else (*step, up, down) for step, up, down in zip(steps, *sides, strict=True)
    ]


def _inner(keys: Sequence[Key], graph: _Graph) -> set[Key]:
    """The groups in which one task needs another."""
    return {keys[n] for n, targets in enumerate(graph.below) for other in targets if keys[other] == keys[n]}


def _circular(keys: Sequence[Key], graph: _Graph) -> set[Key]:
    """The groups that go in a circle with others."""
    quotient: nx.DiGraph[Key] = nx.DiGraph()
    quotient.add_edges_from((keys[n], keys[other]) for n, near in enumerate(graph.below) for other in near)
    circles = (part for part in nx.strongly_connected_components(quotient) if len(part) > 1)
    return {key for part in circles for key in part}


def _split(keys: Sequence[Key], wrong: set[Key], by: Callable[[int], object]) -> list[Key]:
    return [(*key, by(n)) if key in wrong else key for n, key in enumerate(keys)]


def _large(keys: Sequence[Key]) -> list[Key]:
    """The same groups; marks of small ones each by themselves."""
    counts: dict[Key, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return [key if counts[key] >= LEAST else ("alone", n) for n, key in enumerate(keys)]


# --- groups as marks and flows -----------------------------------------------------------------------------


def _joined(found: Scene, keys: Sequence[Key]) -> Scene:
    members: dict[Key, list[Mark]] = {}
    for mark, key in zip(found.marks, keys, strict=True):
        members.setdefault(key, []).append(mark)
    marks: dict[Key, Mark] = {}
    taken = {one[0].name for one in members.values() if len(one) == 1}
    for key, group in members.items():
        marks[key] = group[0] if len(group) == 1 else _group(group, taken)
        taken.add(marks[key].name)
    name_of = {mark.name: marks[key].name for mark, key in zip(found.marks, keys, strict=True)}
    return replace(found, marks=tuple(marks.values()), flows=tuple(_flows(found.flows, name_of)))


def _group(members: Sequence[Mark], taken: set[str]) -> Mark:
    states = [mark.state for mark in members]
    held = all(mark.held for mark in members)
    return Mark(
        name=_name([mark.name for mark in members], taken),
        kind=members[0].kind,
        state=states[0] if len(set(states)) == 1 else "",
        controls=("hold",) if held else (),
        expected=sum(mark.expected for mark in members),
        ok=sum(mark.ok for mark in members),
        failed=sum(mark.failed for mark in members),
        jobs=sum(mark.jobs for mark in members),
        jobs_ok=sum(mark.jobs_ok for mark in members),
        jobs_failed=sum(mark.jobs_failed for mark in members),
        count=len(members),
        states=scene.counted(map(_word, members)) if any(states) else {},
    )


def _word(mark: Mark) -> str:
    """Its state; held, where it could move otherwise."""
    return "held" if mark.held and mark.state not in ENDED else mark.state


def _name(names: Sequence[str], taken: set[str]) -> str:
    """What the names have in common with a star for the rest, as a selection has it; else first and last."""
    parts = [name.split(JOINT) for name in names]
    heads, tails = {part[0] for part in parts}, {part[-1] for part in parts}
    if len(heads) == 1 and all(len(part) > 1 for part in parts):
        name = f"{parts[0][0]}{JOINT}*"
        if len(tails) == 1 and all(len(part) > 2 for part in parts):
            name += JOINT + parts[0][-1]
        if name not in taken:
            return name
    return f"{names[0]} … {names[-1]}"


def _flows(flows: Iterable[Flow], name_of: Mapping[str, str]) -> list[Flow]:
    """The flows between groups: those of one source and one type are one."""
    made: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        source = name_of[flow.source]
        targets = dict.fromkeys((name_of[name], aside) for name, aside in flow.targets)
        outer = tuple(target for target in targets if target[0] != source)
        if outer or not targets:
            made.setdefault((source, flow.type), []).append(replace(flow, source=source, targets=outer))
    return [group[0] if len(group) == 1 else _merged(group) for group in made.values()]


def _merged(group: Sequence[Flow]) -> Flow:
    memberships = scene.counted(flow.membership for flow in group if flow.membership)
    known = all(flow.expected or not flow.available for flow in group)
    unknown = any(not flow.expected for flow in group)
    return Flow(
        source=group[0].source,
        type=group[0].type,
        targets=tuple(dict.fromkeys(target for flow in group for target in flow.targets)),
        membership=next(iter(memberships)) if len(memberships) == 1 else "",
        available=sum(flow.available for flow in group),
        expected=sum(flow.expected for flow in group) if known else 0,
        estimated=unknown or any(flow.estimated for flow in group),
        lost=sum(flow.lost for flow in group),
        count=len(group),
        memberships=memberships,
    )
