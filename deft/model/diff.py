"""What differs between two Meta-Tasks: tasks, edges, data, parameters and settings, item by item. Pure.

Their names, the ids of a document and the order of pieces mean nothing, and a value that says what holds
anyway is no difference. Edges between the same two tasks are paired by their data, then by their ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from deft.model import joining, kept, keys
from deft.model.graph import Ends, MetaTask
from deft.model.keys import PARAM_FACTS, Value
from deft.model.tasks import Edge, NodeKind, Task
from deft.wire import placeholders

# What holds where nothing is said.
TASK_DEFAULTS: Mapping[str, Value] = {
    "armed": True, "allow_empty": False, "priority": 0, "split.jobs": 1, "split.units_per_job": 1,
}  # fmt: skip
EDGE_DEFAULTS: Mapping[str, Value] = {
    "role": "primary", "start_when": "complete", "on_growth": "process", "on_loss": "wait",
    "on_abort": "propagate", "reduce": False, "open": False,
}  # fmt: skip
_NONE: Mapping[str, Value] = {}
NO_NAMES: Mapping[str, str] = {}
Said = Value | Mapping[str, Value] | None


class What(StrEnum):
    """What an item is about."""

    PARAMETER = "parameter"
    SETTING = "setting"
    TASK = "task"
    EDGE = "edge"
    DATASET = "dataset"
    LAYOUT = "layout"


class Change(StrEnum):
    """What became of it."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Item:
    """One difference.

    `task`: the task it stands under (of an edge: the consumer; none for the graph's own). `key`: the setting;
    empty where it is the whole piece, whose settings are then `old` or `new`. `edge`: source, target and id;
    `type`: of an edge or a dataset. `used_by`: of a parameter, the tasks whose command names it. `follows`:
    it is so because the parameters are others.
    """

    what: What
    change: Change
    task: str = ""
    key: str = ""
    old: Said = None
    new: Said = None
    edge: Ends | None = None
    type: str = ""
    used_by: tuple[str, ...] = ()
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """All items, in the order of the pieces, and how many pieces keep other things that we do not read."""

    items: tuple[Item, ...]
    kept: int = 0

    @property
    def equal(self) -> bool:
        """True where nothing differs that means something."""
        return not self.items


def compare(old: MetaTask, new: MetaTask, *, layout: bool = False, part: bool = False) -> Diff:
    """What it takes to come from `old` to `new`.

    `layout`: labels, positions and colours, too. `part`: `new` is a part, and what it does not say is none.
    """
    return _Comparison(old, new, layout=layout, part=part).diff()


class _Comparison:
    """Two Meta-Tasks side by side."""

    def __init__(self, old: MetaTask, new: MetaTask, *, layout: bool, part: bool) -> None:
        self._old, self._new, self._layout, self._part = old, new, layout, part
        self._renamed = {} if part else _renamed(old, new)
        self._names = kept.names(old.foreign), kept.names(new.foreign)

    def diff(self) -> Diff:
        """All that differs."""
        items = [*self._settings(), *self._tasks(), *self._edges()]
        if not self._part and any(_may_change_data(item) for item in items):
            items += self._datasets()
        if self._layout:
            items += self._layouts()
        return Diff(tuple(self._sorted(items)), 0 if self._part else self._kept())

    def _sorted(self, items: Iterable[Item]) -> list[Item]:
        """By the graph, then by task in the order of the old and then of the new one."""
        order = {node.name: n for n, node in enumerate(self._old.nodes)}
        for node in self._new.nodes:
            order.setdefault(node.name, len(order))
        return sorted(items, key=lambda item: order.get(item.task, -1))

    # --- the graph's own ---

    def _settings(self) -> Iterator[Item]:
        for key, old, new in changes(self._old.settings, self._new.settings, part=self._part):
            parameter = key.startswith("param.") and not key.endswith(PARAM_FACTS)
            what = What.PARAMETER if parameter else What.SETTING
            name = key.removeprefix("param.") if parameter else key
            used = self._used_by(key) if parameter else ()
            yield Item(what, _change(old, new), key=name, old=old, new=new, used_by=used)

    def _used_by(self, key: str) -> tuple[str, ...]:
        """The tasks of the new one whose command names a parameter of the graph."""
        return tuple(
            task.name
            for task in self._new.tasks
            if key in task.command and key in placeholders.used(task.command) and key not in task.settings
        )

    # --- tasks ---

    def _tasks(self) -> Iterator[Item]:
        came = set(self._renamed.values())
        for node in self._old.nodes:
            if node.name in self._new.graph:
                yield from self._task(node, self._new.task(node.name))
            elif node.name in self._renamed:
                now = self._renamed[node.name]
                yield Item(What.TASK, Change.RENAMED, now, "task", node.name, now)
            elif not self._part:
                yield Item(What.TASK, Change.REMOVED, node.name, old=_whole(node))
        for node in self._new.nodes:
            if node.name not in self._old.graph and node.name not in came:
                yield Item(What.TASK, Change.ADDED, node.name, new=_whole(node))

    def _task(self, old: Task, new: Task) -> Iterator[Item]:
        # A part may name a task by a bare node, whatever kind it is of.
        if new.kind is not old.kind and not (self._part and new.kind is NodeKind.TASK):
            yield Item(What.TASK, Change.CHANGED, old.name, "kind", old.kind.value, new.kind.value)
        for key, before, after in changes(old.settings, new.settings, TASK_DEFAULTS, part=self._part):
            yield Item(What.TASK, _change(before, after), old.name, key, before, after)

    # --- edges and data ---

    def _edges(self) -> Iterator[Item]:
        for old, new in pairs(self._old, self._new, self._renamed):
            if new is None:
                if old is not None and not self._part:
                    yield self._edge(old, Change.REMOVED, old=_told(old))
            elif old is None:
                yield self._edge(new, Change.ADDED, new=_told(new))
            else:
                for key, before, after in edge_changes(old, new, part=self._part):
                    yield self._edge(old, _change(before, after), key, before, after)

    def _edge(self, edge: Edge, change: Change, key: str = "", old: Said = None, new: Said = None) -> Item:
        ends = (edge.source, edge.target, edge.id)
        target = self._renamed.get(edge.target, edge.target)
        return Item(What.EDGE, change, target, key, old, new, ends, edge.type)

    def _datasets(self) -> Iterator[Item]:
        """What tasks make that are in both; what others make comes and goes with them."""
        old, new = _made(self._old), _made(self._new)
        for name in old.keys() & new.keys():
            gone = (type for type in old[name] if type not in new[name])
            yield from (Item(What.DATASET, Change.REMOVED, name, type=type) for type in gone)
            came = (type for type in new[name] if type not in old[name])
            yield from (Item(What.DATASET, Change.ADDED, name, type=type) for type in came)

    # --- for the eye, and what is only kept ---

    def _layouts(self) -> Iterator[Item]:
        for node in self._old.nodes:
            if node.name in self._new.graph:
                seen = (kept.layout(one.foreign, names) for one, names in self._nodes(node.name))
                for key, before, after in changes(*seen, part=self._part):
                    yield Item(What.LAYOUT, _change(before, after), node.name, key, before, after)

    def _nodes(self, name: str) -> Iterator[tuple[Task, Mapping[str, str]]]:
        return zip((self._old.task(name), self._new.task(name)), self._names, strict=True)

    def _kept(self) -> int:
        """Pieces of both whose kept parts differ."""
        foreign = [(self._old.foreign, self._new.foreign)]
        foreign += [
            (node.foreign, self._new.task(node.name).foreign)
            for node in self._old.nodes
            if node.name in self._new.graph
        ]
        both = ((o, n) for o, n in pairs(self._old, self._new, self._renamed) if o and n)
        foreign += [(old.foreign, new.foreign) for old, new in both]
        names = self._names
        return sum(kept.rest(old, names[0]) != kept.rest(new, names[1]) for old, new in foreign)


def title(item: Item) -> str:
    """What an item is about, in a word or two."""
    if item.what is What.EDGE and item.edge is not None:
        ends = f"the edge {item.edge[0]} -> {item.edge[1]} ({item.type})"
        return f"{ends}, {item.key}" if item.key else ends
    if item.what is What.PARAMETER:
        return f"param.{item.key}"
    if item.what is What.DATASET:
        return f"the data {item.type} of {item.task}"
    subject = item.task or "the graph"
    return f"{subject}, {item.key}" if item.key else subject


def shown(side: Said) -> str:
    """One side of an item, in a line."""
    if side is None:
        return "nothing"
    if isinstance(side, Mapping):
        return ", ".join(f"{name} = {shown(value)}" for name, value in side.items())
    return keys.render(side).replace("\n", ", ")


# --- settings ----------------------------------------------------------------------------------------------


def changes(
    old: Mapping[str, Value], new: Mapping[str, Value], defaults: Mapping[str, Value] = _NONE, *, part: bool
) -> Iterator[tuple[str, Value | None, Value | None]]:
    """Key, old and new value of what differs, by key; `part`: only of what `new` says."""
    if old == new:
        return
    for key in sorted(new if part else old.keys() | new.keys()):
        before, after = old.get(key, defaults.get(key)), new.get(key, defaults.get(key))
        if before != after:
            yield key, before, after


def edge_changes(old: Edge, new: Edge, *, part: bool) -> Iterator[tuple[str, Value | None, Value | None]]:
    """The same of an edge: its type is what it comes to, and its sources are one list."""
    if old.settings == new.settings:
        return
    told, says = _told(old), _told(new)
    if part:
        says = {key: value for key, value in says.items() if key in new.settings or key == "source"}
    yield from changes(told, says, EDGE_DEFAULTS, part=part)


def _told(edge: Edge) -> dict[str, Value]:
    said = {key: value for key, value in edge.settings.items() if key != "source.json"}
    if "source.json" in edge.settings:
        said["source"] = "\n".join(edge.legal_sources)
    return {**said, "type": edge.type}


def _whole(node: Task) -> dict[str, Value]:
    return {"kind": node.kind.value, **node.settings}


def _may_change_data(item: Item) -> bool:
    """Data follow from edges and commands."""
    return item.what is What.EDGE or item.key == "command"


def _change(old: Value | None, new: Value | None) -> Change:
    if old is None:
        return Change.ADDED
    return Change.REMOVED if new is None else Change.CHANGED


def _made(metatask: MetaTask) -> dict[str, dict[str, None]]:
    """The types of data by the task that makes them."""
    found: dict[str, dict[str, None]] = {}
    for dataset in metatask.datasets():
        if dataset.producer is not None:
            found.setdefault(dataset.producer, {})[joining.made_by(dataset)[1]] = None
    return found


# --- which edge is which -----------------------------------------------------------------------------------


def pairs(
    old: MetaTask,
    new: MetaTask,
    renamed: Mapping[str, str] = NO_NAMES,
) -> Iterator[tuple[Edge | None, Edge | None]]:
    """Every edge of the old one with what it is in the new one, then those that are new."""
    there: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in new.edges:
        there[edge.source, edge.target].append(edge)
    here: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in old.edges:
        ends = renamed.get(edge.source, edge.source), renamed.get(edge.target, edge.target)
        here[ends].append(edge)
    for ends, edges in here.items():
        yield from _paired(edges, there.pop(ends, []))
    for edges in there.values():
        yield from ((None, edge) for edge in edges)


# What says that two edges between the same tasks are one: the first that does.
_SAME: tuple[Callable[[Edge], Hashable], ...] = (
    lambda edge: (edge.group, tuple(sorted(edge.settings.items())), edge.id),
    lambda edge: (edge.group, edge.text("role", "primary"), edge.id),
    lambda edge: (edge.group, edge.text("role", "primary")),
    lambda edge: edge.type,
    lambda edge: edge.id,
    lambda edge: None,
)


def _paired(old: Sequence[Edge], new: Sequence[Edge]) -> Iterator[tuple[Edge | None, Edge | None]]:
    if len(old) == len(new) == 1:
        yield old[0], new[0]
        return
    partner: dict[int, Edge] = {}
    left, free = dict(enumerate(old)), list(new)
    for same in _SAME:
        for number, edge in list(left.items()):
            found = next((n for n, one in enumerate(free) if same(one) == same(edge)), None)
            if found is not None:
                partner[number] = free.pop(found)
                del left[number]
    yield from ((edge, partner.get(number)) for number, edge in enumerate(old))
    yield from ((None, edge) for edge in free)


# --- tasks under another name ------------------------------------------------------------------------------


def _renamed(old: MetaTask, new: MetaTask) -> dict[str, str]:
    """Tasks that are gone, by what seems to be their new name: the only one that is the same but for it."""
    gone = [node for node in old.nodes if node.name not in new.graph]
    came = [node for node in new.nodes if node.name not in old.graph]
    found: dict[str, str] = {}
    for around in (False, True):
        known, theirs = (_alike(whole, nodes, around=around) for whole, nodes in ((old, gone), (new, came)))
        for fingerprint, names in known.items():
            others = theirs.get(fingerprint, [])
            if len(names) == len(others) == 1 and names[0] not in found:
                found[names[0]] = others[0]
    return found


def _alike(whole: MetaTask, nodes: Iterable[Task], *, around: bool) -> dict[Hashable, list[str]]:
    """Nodes by what they are, and (`around`) what is around them."""
    found: dict[Hashable, list[str]] = {}
    for node in nodes:
        near: tuple[Hashable, ...] = ()
        if around:
            near = (
                frozenset((edge.source, edge.type) for edge in whole.inputs(node.name)),
                frozenset((edge.target, edge.type) for edge in whole.outputs(node.name)),
            )
        what = (node.kind, tuple(sorted(node.settings.items())), *near)
        found.setdefault(what, []).append(node.name)
    return found


def following(items: Iterable[Item], parameters: Iterable[Item]) -> tuple[Item, ...]:
    """The items, marked where the parameters alone bring them: `parameters` are what these bring."""
    brought = set(map(_fixed, parameters))
    return tuple(
        replace(item, follows=item.what is not What.PARAMETER and _fixed(item) in brought) for item in items
    )


def _fixed(item: Item) -> Hashable:
    sides = (tuple(sorted(one.items())) if isinstance(one, Mapping) else one for one in (item.old, item.new))
    edge = item.edge[:2] if item.edge else None
    return item.what, item.change, item.task, item.key, edge, item.type, *sides
