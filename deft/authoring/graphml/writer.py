"""GraphML out: the same Meta-Task gives the same bytes.

Keys first (ours by id, then foreign ones), the graph's data, nodes, edges; data by name, then what is
foreign as it came. What this writes reads back as an equal Meta-Task, and writes the same again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import BinaryIO, TypeVar

from deft.authoring.graphml import foreign
from deft.authoring.graphml.prologue import GRAPHML
from deft.base.errors import BadInput, Finding
from deft.model import keys
from deft.model.graph import MetaTask
from deft.model.keys import Key, Kind, Scope, Value
from deft.model.tasks import Foreign

State = Mapping[tuple[Scope, str], Mapping[str, Value]]  # (scope, task name or edge id) -> state.* values

_T = TypeVar("_T")
_BATCH = 2000  # elements a write
_TYPES: dict[Kind, str] = {"string": "string", "int": "long", "double": "double", "boolean": "boolean"}
_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP = re.compile('[&<>"\t\n\r\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write(metatask: MetaTask, stream: BinaryIO, *, state: State | None = None) -> None:
    """Write the Meta-Task as UTF-8; `state` adds keys that an import ignores.

    Raises BadInput for a text that XML cannot hold and for a setting that is no key of the profile.
    """
    lines = _document(_Plan(metatask, state or {}))
    while batch := "".join(islice(lines, _BATCH)):
        stream.write(batch.encode())


@dataclass(frozen=True, slots=True)
class _Item:
    """One holder of data, ready to be spelled."""

    settings: Mapping[str, Value]
    foreign: Foreign


class _Plan:
    """What is to be written: ids that are unique, settings with what stands on the element itself."""

    def __init__(self, metatask: MetaTask, state: State) -> None:
        self.metatask = metatask
        self._state = state
        self.node_ids = _unique(((node.name, node.id or node.name) for node in metatask.nodes), "n")
        self._edge_ids = _unique((((e.source, e.target, e.id), e.id) for e in metatask.edges), "e")

    @property
    def graph(self) -> _Item:
        found = self.metatask
        own: dict[str, Value] = {"deft.version": keys.VERSION, "name": found.name, "project": found.project}
        return _Item({**found.settings, **own, **self._more("graph", "")}, found.foreign)

    @property
    def nodes(self) -> Iterator[tuple[str, _Item]]:
        """The opening of each node, and its data."""
        belongs = self.metatask.full_name
        for node in self.metatask.nodes:
            own = {"task": node.name, "kind": node.kind.value, "metatask": belongs}
            settings = {**node.settings, **own, **self._more("node", node.name)}
            yield f'node id="{_attribute(self.node_ids[node.name])}"', _Item(settings, node.foreign)

    @property
    def edges(self) -> Iterator[tuple[str, _Item]]:
        """The opening of each edge, and its data."""
        ends = {name: _attribute(id) for name, id in self.node_ids.items()}
        for edge in self.metatask.edges:
            id = _attribute(self._edge_ids[edge.source, edge.target, edge.id])
            more = self._more("edge", edge.id)
            item = _Item({**edge.settings, **more} if more else edge.settings, edge.foreign)
            yield f'edge id="{id}" source="{ends[edge.source]}" target="{ends[edge.target]}"', item

    def settings(self, scope: Scope) -> Iterator[Mapping[str, Value]]:
        """All that nodes or edges hold, in no order: which keys there are, and of which types."""
        if scope == "node":
            yield dict.fromkeys(("task", "kind", "metatask"), "")
            yield from (node.settings for node in self.metatask.nodes)
        else:
            yield from (edge.settings for edge in self.metatask.edges)
        yield from (values for (holder, _), values in self._state.items() if holder == scope)

    def _more(self, scope: Scope, name: str) -> Mapping[str, Value]:
        return self._state.get((scope, name), {}) if self._state else {}


def _unique(wanted: Iterable[tuple[_T, str]], prefix: str) -> dict[_T, str]:
    """An id for each thing: the wanted one where it is still free, else the next free number."""
    pairs = list(wanted)
    asked = {id for _, id in pairs}
    free = (id for n in count() if (id := f"{prefix}{n}") not in asked)
    given: dict[_T, str] = {}
    used: set[str] = set()
    for thing, id in pairs:
        given[thing] = id if id and id not in used else next(free)
        used.add(given[thing])
    return given


def _document(plan: _Plan) -> Iterator[str]:
    graph = plan.graph
    spellers: dict[Scope, _Speller] = {
        "graph": _Speller("graph", [graph.settings], "    "),
        "node": _Speller("node", plan.settings("node"), "      "),
        "edge": _Speller("edge", plan.settings("edge"), "      "),
    }
    kept = graph.foreign.fragments
    root = [(slot[1:], text) for slot, text in kept if slot.startswith("/")]
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="{GRAPHML}"{_attributes(root)}>\n'
    yield from sorted(chain.from_iterable(speller.declarations for speller in spellers.values()))
    yield from (f"  {text}\n" for slot, text in kept if slot.startswith("#"))
    yield f'  <graph edgedefault="directed"{_attributes(kept)}>\n'
    yield spellers["graph"].data(graph)
    yield from _elements(plan.nodes, spellers["node"])
    yield from _elements(plan.edges, spellers["edge"])
    yield "  </graph>\n"
    yield "".join(f"  {child}\n" for child in _children(root))
    yield "</graphml>\n"


def _elements(items: Iterator[tuple[str, _Item]], speller: _Speller) -> Iterator[str]:
    for opening, item in items:
        kept = item.foreign.fragments
        start = f"    <{opening}{_attributes(kept)}" if kept else f"    <{opening}"
        data = speller.data(item)
        yield f"{start}>\n{data}    </{opening[:4]}>\n" if data else f"{start}/>\n"


class _Speller:
    """Spells the data of one scope; a key with `${...}` left in a value is declared as string."""

    def __init__(self, scope: Scope, held: Iterable[Mapping[str, Value]], indent: str) -> None:
        self._scope = scope
        self._indent = indent
        texts: set[str] = set()
        others: set[str] = set()
        for settings in held:
            for name, value in settings.items():
                (texts if type(value) is str else others).add(name)
        self._keys = {name: self._key(name) for name in sorted(texts | others)}
        self._kinds: dict[str, Kind] = {
            name: "string" if name in texts else key.kind for name, key in self._keys.items()
        }
        spell: dict[Kind, Callable[[Value], str]] = {
            "string": _text, "int": _integer, "double": _double, "boolean": _boolean
        }  # fmt: skip
        self._data = {
            name: (f'{indent}<data key="{_attribute(key.id)}">', spell[self._kinds[name]])
            for name, key in self._keys.items()
        }

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
            f'  <key id="{_attribute(key.id)}" for="{key.scope}" attr.name="{_attribute(key.name)}" '
            f'attr.type="{_TYPES[self._kinds[name]]}"/>\n'
            for name, key in self._keys.items()
        ]

    def data(self, item: _Item) -> str:
        """The data of one element, a line each."""
        spell = self._data
        lines = []
        settings = item.settings
        for name in sorted(settings):
            opening, spelled = spell[name]
            lines.append(f"{opening}{spelled(settings[name])}</data>\n")
        if item.foreign.fragments:
            lines += [f"{self._indent}{child}\n" for child in _children(item.foreign.fragments)]
        return "".join(lines)


def _children(fragments: Iterable[tuple[str, str]]) -> Iterator[str]:
    for slot, text in fragments:
        if slot.startswith("="):
            yield f'<data key="{_attribute(slot[1:])}">{_text(text)}</data>'
        elif slot.startswith("<"):
            yield text


def _attributes(fragments: Iterable[tuple[str, str]]) -> str:
    """The foreign attributes; one of another namespace brings a prefix of its own."""
    spelled = []
    for number, (slot, text) in enumerate(pair for pair in fragments if pair[0].startswith("@")):
        namespace, _, name = slot[1:].rpartition("}")
        if namespace[1:] == foreign.XML:
            name = f"xml:{name}"
        elif namespace:
            spelled.append(f' xmlns:a{number}="{_attribute(namespace[1:])}"')
            name = f"a{number}:{name}"
        spelled.append(f' {name}="{_attribute(text)}"')
    return "".join(spelled)


def _text(value: Value) -> str:
    text = value if type(value) is str else keys.render(value)
    return _escaped(text) if _SPECIAL.search(text) else text


def _escaped(text: str) -> str:
    _legal(text)
    return foreign.text(text)


def _attribute(text: str) -> str:
    if not _MARKUP.search(text):
        return text
    _legal(text)
    return foreign.attribute(text)


def _legal(text: str) -> None:
    bad = _ILLEGAL.search(text)
    if bad:
        message = f"{text[:40]!r} holds the character {bad[0]!r}, which XML cannot hold"
        raise BadInput(message, [Finding("illegal-character", message, hint="remove it")])


def _integer(value: Value) -> str:
    return str(int(value))


def _double(value: Value) -> str:
    return repr(float(value))


def _boolean(value: Value) -> str:
    return "true" if value else "false"
