"""A stored Meta-Task and a part that joins it: what they make together, and why they may not. Pure.

The part names tasks that are there by a bare node, and adds tasks and edges. Nothing that is there may
change: no task gets another setting, another input or another kind of output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from deft.base.errors import Finding
from deft.model import graph
from deft.model.graph import MetaTask
from deft.model.keys import PARAM_FACTS, Value
from deft.model.tasks import Dataset, Edge, NodeKind, Task
from deft.wire import placeholders

_COMMON = ("param.", "attr.")


@dataclass(frozen=True, slots=True)
class Joined:
    """The whole, and what of it is new, in the order of the part."""

    whole: MetaTask
    nodes: tuple[Task, ...]
    edges: tuple[Edge, ...]


def join(stored: MetaTask, part: MetaTask) -> tuple[Joined, list[Finding]]:
    """Join them. The findings are errors where something that is there would change, else warnings."""
    found = [*_changes(stored, part), *_left_out(stored, part)]
    nodes = [_new_node(node, stored, part) for node in part.nodes if node.name not in stored.graph]
    free = _free_ids(stored, part)
    edges = [edge if _is_free(edge, stored) else replace(edge, id=next(free)) for edge in part.edges]
    whole = graph.copy_with(stored, [*stored.nodes, *nodes], [*stored.edges, *edges])
    if whole.cycle() is None:
        found += _other_data(stored, whole)
    return Joined(whole, tuple(nodes), tuple(edges)), found


def _changes(stored: MetaTask, part: MetaTask) -> Iterator[Finding]:
    for node in part.nodes:
        if node.name in stored.graph:
            yield from _differs(stored.task(node.name), node)
    for edge in part.edges:
        known = stored.task(edge.target) if edge.target in stored.graph else None
        if known is not None and known.kind is NodeKind.TASK:
            message = f"the edge {edge.source} -> {edge.target} would give {edge.target} another input"
            yield Finding("changes-task", message, edge.line, edge.target,
                          "it is there already; add a task of its own, or clone")  # fmt: skip


def _differs(old: Task, new: Task) -> Iterator[Finding]:
    if new.kind not in (old.kind, NodeKind.TASK):
        yield Finding("changes-task", f"{new.name} is {old.kind} and cannot become {new.kind}", new.line,
                      new.name)  # fmt: skip
    for name, value in new.settings.items():
        if old.settings.get(name) != value:
            message = f"{new.name} is there already, with another {name}"
            hint = "leave it out here; `deft set` changes it"
            yield Finding("changes-task", message, new.line, new.name, hint)


def _left_out(stored: MetaTask, part: MetaTask) -> Iterator[Finding]:
    for name, value in part.settings.items():
        if not name.startswith(_COMMON) and stored.settings.get(name) != value:
            message = f"the graph's {name} is not taken over"
            yield Finding("graph-setting", message, subject=name, severity="warning")


def _new_node(node: Task, stored: MetaTask, part: MetaTask) -> Task:
    """A new node with what its own document says of all nodes: parameters, labels, the payload's folder."""
    if node.kind is not NodeKind.TASK:
        return node
    said: dict[str, Value] = {
        name: value
        for name, value in part.settings.items()
        if name.startswith(_COMMON) and not name.endswith(PARAM_FACTS) and stored.settings.get(name) != value
    }
    if "template" in placeholders.used(node.command) and part.folder != stored.folder:
        said["folder"] = part.folder
    return replace(node, settings={**said, **node.settings}) if said else node


def _is_free(edge: Edge, stored: MetaTask) -> bool:
    return edge.id not in {known.id for known in stored.edges}


def _free_ids(stored: MetaTask, part: MetaTask) -> Iterator[str]:
    taken = {edge.id for whole in (stored, part) for edge in whole.edges}
    return (id for number in count() if (id := f"e{number}") not in taken)


# --- data that are there -----------------------------------------------------------------------------------


def made_by(dataset: Dataset) -> tuple[str, str]:
    """The node that a dataset comes from (an implicit input: goes to), and its type: unique in a graph."""
    return (dataset.producer or dataset.consumer or dataset.edges[0].source, dataset.type)


def new_data(stored: MetaTask, whole: MetaTask) -> list[Dataset]:
    """The datasets of the whole that are not there yet."""
    known = {made_by(dataset) for dataset in stored.datasets()}
    return [dataset for dataset in whole.datasets() if made_by(dataset) not in known]


def _other_data(stored: MetaTask, whole: MetaTask) -> Iterator[Finding]:
    """Tasks that are there keep making what they make."""
    before = {made_by(dataset): dataset for dataset in stored.datasets()}
    for dataset in whole.datasets():
        source, type = made_by(dataset)
        line = next((edge.line for edge in reversed(dataset.edges)), None)
        old = before.get((source, type))
        if old is not None and _facts(old) != _facts(dataset):
            message = f"the data {type} of {source} are there already, with other facts"
            hint = "give dataset, format, source and open as they are"
            yield Finding("changes-data", message, line, source, hint)
        elif old is None and dataset.producer in stored.graph:
            known = ", ".join(sorted(type for node, type in before if node == source))
            message = f"{source} makes no data of the type {type!r}; it makes {known}"
            yield Finding("changes-data", message, line, source, "set the edge's type to one of these")


def _facts(dataset: Dataset) -> tuple[str, str, tuple[str, ...], bool]:
    return dataset.name, dataset.format, dataset.sources, dataset.open
