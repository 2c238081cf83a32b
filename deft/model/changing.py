"""A stored Meta-Task and a changed graph: what they make together, with a verdict on every item. Pure.

New tasks and edges come, settings of tasks that have not started and policies of edges change, labels and
positions at any time. Nothing goes, and nothing changes that was made or run (`model.judging`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise

from deft.model import diff, graph, joining, judging
from deft.model.diff import Change, Item, What
from deft.model.graph import Ends, MetaTask
from deft.model.judging import Case, Judged, Verdict
from deft.model.keys import PARAM_FACTS, Value
from deft.model.tasks import Dataset, Edge, NodeKind, Task
from deft.wire import placeholders

Settings = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Plan:
    """The Meta-Task as it will be, the judged items, and what of it is new or other than it was.

    `nodes` and `edges` are new; `tasks`, `policies` and `eye` (labels and positions) are stored pieces as
    they will be; `consumers` the stored tasks that get another input.
    """

    whole: MetaTask
    judged: tuple[Judged, ...]
    nodes: tuple[Task, ...]
    edges: tuple[Edge, ...]
    tasks: tuple[Task, ...]
    policies: tuple[Edge, ...]
    eye: tuple[Task, ...]
    consumers: tuple[str, ...]

    @property
    def refused(self) -> list[Judged]:
        """What cannot be."""
        return [one for one in self.judged if one.verdict is Verdict.REFUSED]

    @property
    def applied(self) -> list[Judged]:
        """What is to be done."""
        return [one for one in self.judged if one.verdict is Verdict.APPLIED]


def plan(case: Case, part: MetaTask, said: MetaTask) -> Plan:
    """What becomes of `case.stored` by `part`: another version of it, or (unless `case.whole`) a part.

    `said`: the document of the part as it was read, whose own parameters and folder new tasks take along.
    """
    found = diff.compare(case.stored, part, layout=True, part=not case.whole)
    judged = [one for item in found.items if (one := judging.judge(item, case)) is not None]
    nodes = [_new_node(node, case.stored, said) for node in part.nodes if node.name not in case.stored.graph]
    edges = list(_new_edges(case.stored, part))
    made = _changed(case.stored, part, [one.item for one in judged if one.verdict is Verdict.APPLIED])
    whole = graph.copy_with(made, [*made.nodes, *nodes], [*made.edges, *edges])
    return Plan(
        whole=whole,
        judged=tuple(map(_Whole(case, whole).check, judged)),
        nodes=tuple(nodes),
        edges=tuple(edges),
        tasks=tuple(made.task(node.name) for node in case.stored.nodes
                    if made.task(node.name).settings != node.settings),
        policies=tuple(_other_edges(case.stored, made)),
        eye=tuple(made.task(node.name) for node in case.stored.nodes
                  if made.task(node.name).foreign != node.foreign),
        consumers=tuple(_consumers(case.stored, edges)),
    )  # fmt: skip


# --- what is there, as it will be --------------------------------------------------------------------------


def _changed(stored: MetaTask, part: MetaTask, items: Sequence[Item]) -> MetaTask:
    """The stored Meta-Task with those items that are of its own pieces."""
    of_tasks, of_edges, looks = defaultdict[str, set[str]](set), defaultdict[Ends, set[str]](set), set[str]()
    for item in items:
        if item.what is What.LAYOUT:
            looks.add(item.task)
        elif item.what is What.EDGE and item.key and item.edge is not None:
            of_edges[item.edge].add(item.key)
        elif item.what is What.TASK and item.key:
            of_tasks[item.task].add(item.key)
    now = {(old.source, old.target, old.id): new for old, new in diff.pairs(stored, part) if old and new}
    tasks = {
        name: _with(stored.task(name).settings, names, part.task(name)) for name, names in of_tasks.items()
    }
    edges = {
        ends: _with(stored.graph.edges[ends]["edge"].settings, names, now[ends])
        for ends, names in of_edges.items()
    }
    made = graph.with_settings(stored, tasks, edges)
    if looks:
        nodes = (replace(n, foreign=part.task(n.name).foreign) if n.name in looks else n for n in made.nodes)
        made = graph.copy_with(made, nodes, made.edges)
    own = {item.key for item in items if item.what is What.SETTING}
    made.settings, made.foreign = _with(stored.settings, own, part), part.foreign
    return made


def _with(settings: Settings, names: Collection[str], piece: MetaTask | Task | Edge) -> dict[str, Value]:
    """The settings with those of these names as the piece has them, or has them not."""
    kept = {name: value for name, value in settings.items() if name not in names}
    return kept | {name: value for name, value in piece.settings.items() if name in names}


def _other_edges(stored: MetaTask, made: MetaTask) -> Iterator[Edge]:
    for edge in stored.edges:
        now: Edge = made.graph.edges[edge.source, edge.target, edge.id]["edge"]
        if now.settings != edge.settings:
            yield now


# --- what is new -------------------------------------------------------------------------------------------


def _new_node(node: Task, stored: MetaTask, said: MetaTask) -> Task:
    """A new node with what its own document says of all nodes: parameters, labels, the payload's folder."""
    if node.kind is not NodeKind.TASK:
        return node
    common: dict[str, Value] = {
        name: value
        for name, value in said.settings.items()
        if name.startswith(judging.COMMON)
        and not name.endswith(PARAM_FACTS)
        and stored.settings.get(name) != value
    }
    if "template" in placeholders.used(node.command) and said.folder != stored.folder:
        common["folder"] = said.folder
    return replace(node, settings={**common, **node.settings}) if common else node


def _new_edges(stored: MetaTask, part: MetaTask) -> Iterator[Edge]:
    """The edges that are not there yet, under ids that are free."""
    taken = {edge.id for edge in stored.edges}
    free = (id for number in count() if (id := f"e{number}") not in taken)
    for old, new in diff.pairs(stored, part):
        if old is None and new is not None:
            edge = new if new.id not in taken else replace(new, id=next(free))
            taken.add(edge.id)
            yield edge


def _consumers(stored: MetaTask, edges: Iterable[Edge]) -> Iterator[str]:
    targets = dict.fromkeys(edge.target for edge in edges if edge.target in stored.graph)
    return (name for name in targets if stored.task(name).kind is NodeKind.TASK)


# --- what only the whole shows -----------------------------------------------------------------------------


class _Whole:
    """The Meta-Task as it would be: which new edges close a circle, or would change data that are there."""

    def __init__(self, case: Case, whole: MetaTask) -> None:
        self._case = case
        self._path = whole.cycle() or []
        self._circle = set(pairwise(self._path))
        self._before = {joining.made_by(dataset): dataset for dataset in case.stored.datasets()}
        self._after = {joining.made_by(dataset): dataset for dataset in whole.datasets()}

    def check(self, one: Judged) -> Judged:
        """The verdict, or a refusal."""
        item = one.item
        is_new = item.what is What.EDGE and item.change is Change.ADDED and not item.key
        if one.verdict is not Verdict.APPLIED or not is_new or item.edge is None:
            return one
        why = self._fault(item.edge, item.type)
        return one if why is None else judging.refused(item, why)

    def _fault(self, ends: Ends, type: str) -> str | None:
        source = ends[0]
        if ends[:2] in self._circle:
            return f"the tasks would go round in a circle: {' -> '.join(self._path)}"
        known, new = self._before.get((source, type)), self._after.get((source, type))
        if known is not None and new is not None and _facts(known) != _facts(new):
            facts = "give dataset, format, source and open as they are"
            return f"the data {type} of {source} are there already, with other facts; {facts}"
        stored = self._case.stored
        is_task = source in stored.graph and stored.task(source).kind is NodeKind.TASK
        if known is None and is_task and not self._case.standing(source).is_new:
            types = ", ".join(sorted(type for node, type in self._before if node == source))
            return f"{source} makes no data of the type {type!r}; it makes {types}"
        return None


def _facts(dataset: Dataset) -> tuple[str, str, tuple[str, ...], bool]:
    return dataset.name, dataset.format, dataset.sources, dataset.open
