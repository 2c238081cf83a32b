"""A document that was judged -> the Meta-Task, as a whole or task by task."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from deft.authoring.graphml import foreign
from deft.authoring.graphml.spool import Spool
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import NO_FOREIGN, Edge, Foreign, NodeKind, Task

_FALLBACK = "metatask"
_FREE_ID = re.compile(r"e\d+\Z")
_KINDS = {kind.value: kind for kind in NodeKind}


@dataclass(slots=True)
class Document:
    """What is left of a document when nothing is wrong with it: the graph's own, and the pieces.

    `names` are those of nodes, by index, that their pieces do not say; `defaults` hold where a node or an
    edge says nothing.
    """

    name: str
    project: str
    settings: dict[str, Value]
    foreign: Foreign
    origin: Path
    namespace: str
    nodes: Spool
    edges: Spool
    names: Mapping[int, str]
    node_defaults: Mapping[str, Value]
    edge_defaults: Mapping[str, Value]

    def read_tasks(self) -> Iterator[Task]:
        """Every node in its order, made as it is asked for."""
        defaults = dict(self.node_defaults)
        usual = _KINDS[str(defaults.pop("kind", NodeKind.TASK))]
        names = self.names
        for id, line, index, name, kind, keys, values, slots, texts in self.nodes:
            settings = dict(zip(keys, values, strict=True))
            yield Task(
                names.get(index) or name or id,
                usual if kind is None else _KINDS[kind],
                {**defaults, **settings} if defaults else settings,
                id,
                line,
                foreign.frozen(self.namespace, zip(slots, texts, strict=True)) if slots else NO_FOREIGN,
            )

    def read_edges(self) -> Iterator[Edge]:
        """Every edge likewise; one without an id gets the next one that is free."""
        defaults = self.edge_defaults
        known = {index: self.names.get(index) or name or id for id, _, index, name, *_ in self.nodes}
        free = self._free_ids()
        for id, line, begin, end, keys, values, slots, texts in self.edges:
            settings = dict(zip(keys, values, strict=True))
            yield Edge(
                known[begin],
                known[end],
                {**defaults, **settings} if defaults else settings,
                id or next(free),
                line,
                foreign.frozen(self.namespace, zip(slots, texts, strict=True)) if slots else NO_FOREIGN,
            )

    def _free_ids(self) -> Iterator[str]:
        given = {id for id, *_ in self.edges if _FREE_ID.match(id)}
        yield from (id for n in count() if (id := f"e{n}") not in given)

    def metatask(self) -> MetaTask:
        """All of it."""
        made = MetaTask(
            self.name,
            project=self.project,
            settings=self.settings,
            foreign=self.foreign,
            origin=str(self.origin),
            folder=str(self.origin.absolute().parent),
        )
        for task in self.read_tasks():
            made.add(task)
        for edge in self.read_edges():
            made.join(edge)
        return made

    def close(self) -> None:
        """Let go of the pieces."""
        self.nodes.close()
        self.edges.close()


def slug(text: str) -> str:
    """A legal name made of any text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]+", "-", plain)).strip("-")[:64]
    if name and not name[0].isalpha():
        name = f"m-{name.lstrip('_-')}"[:64]
    return name or _FALLBACK
