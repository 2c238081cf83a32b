"""Pieces -> Meta-Task: ids and names, the ends of edges, cycles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from deft.authoring.graphml.collector import Collector
from deft.model import keys
from deft.model.graph import DEFAULT_PROJECT, MetaTask
from deft.model.keys import Value
from deft.model.tasks import NO_FOREIGN, Edge, Foreign, NodeKind, Task

_PLAIN_ID = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9_.:-]*\Z")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control, format and bidi signs, no characters at all
_FALLBACK = "metatask"


class Piece:
    """A node, an edge or the graph as it was read: text ids, settings by the profile, what is foreign."""

    __slots__ = ("foreign", "id", "line", "settings", "source", "target")

    def __init__(self, id: str, line: int) -> None:
        self.id = id
        self.line = line
        self.settings: dict[str, Value] = {}
        self.foreign: list[tuple[str, str]] = []
        self.source: str | None = None
        self.target: str | None = None

    def take(self, name: str) -> str:
        """A setting as text without blanks around it, no longer among the settings."""
        return str(self.settings.pop(name, "")).strip() if name in self.settings else ""

    @property
    def kept(self) -> Foreign:
        """The fragments, frozen."""
        return Foreign(tuple(self.foreign)) if self.foreign else NO_FOREIGN


def metatask(
    graph: Piece,
    nodes: list[Piece],
    edges: list[Piece],
    found: Collector,
    *,
    origin: Path,
    id_length: int,
) -> MetaTask:
    """The Meta-Task of these pieces. Raises BadInput with all that `found` holds by then."""
    made = _head(graph, nodes, found, origin)
    check = _Ids(found, id_length)
    names = _add_nodes(made, nodes, found, check)
    _add_edges(made, edges, names, found, check)
    cycle = made.cycle()
    if cycle is not None:
        found.error("cycle", f"the edges run in a circle: {_path(cycle)}", made.task(cycle[0]).line,
                    subject=cycle[0], hint="a Meta-Task is acyclic: remove one of these edges")  # fmt: skip
    found.close(str(origin))
    return made


def _path(cycle: list[str]) -> str:
    shown = cycle if len(cycle) <= 12 else [*cycle[:6], "…", *cycle[-5:]]
    return " -> ".join(shown)


def _head(graph: Piece, nodes: list[Piece], found: Collector, origin: Path) -> MetaTask:
    """Name and project: the graph's own, else the nodes' (some tools drop graph data), else the file's."""
    version = graph.settings.pop("deft.version", keys.VERSION)
    if not isinstance(version, int) or version > keys.VERSION:
        message = f"it follows profile deft/{version}; this DEFT knows deft/{keys.VERSION}"
        found.error("newer-profile", message, graph.line, hint="use a newer DEFT")
    said = next((text for node in nodes if (text := str(node.settings.get("metatask", "")).strip())), "")
    project, _, name = said.rpartition("/")
    return MetaTask(
        graph.take("name") or name or slug(origin.name.split(".")[0]),
        project=graph.take("project") or project or DEFAULT_PROJECT,
        settings=graph.settings,
        foreign=graph.kept,
        origin=str(origin),
        folder=str(origin.absolute().parent),
    )


def slug(text: str) -> str:
    """A legal name made of any text."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]+", "-", plain)).strip("-")[:64]
    if name and not name[0].isalpha():
        name = f"m-{name.lstrip('_-')}"[:64]
    return name or _FALLBACK


class _Ids:
    """Whether a text may be an id."""

    def __init__(self, found: Collector, longest: int) -> None:
        self._found = found
        self._longest = longest

    def accepts(self, id: str, what: str, line: int) -> bool:
        if _PLAIN_ID.match(id) and len(id) <= self._longest:
            return True
        fault = self._fault(id)
        if fault:
            shown = ascii(id[:40])
            hint = "use letters, digits, - and _"
            self._found.error("bad-id", f"the {what} {shown} {fault}", line, hint=hint)
        return not fault

    def _fault(self, id: str) -> str:
        if not id.strip():
            return "is empty"
        if len(id) > self._longest:
            return f"is longer than {self._longest} characters"
        if id in (".", "..") or "/" in id or "\\" in id:
            return "could be taken for a path"
        if any(unicodedata.category(sign) in _HIDDEN for sign in id):
            return "has control, format or direction characters"
        return "" if unicodedata.is_normalized("NFC", id) else "is not in Unicode's normal form C"


def _add_nodes(made: MetaTask, nodes: Iterable[Piece], found: Collector, check: _Ids) -> dict[str, str]:
    """Add the tasks; the name of each by its id."""
    names: dict[str, str] = {}
    lines: dict[str, int] = {}
    for piece in nodes:
        id, name = piece.id, piece.take("task") or piece.id
        if id in names:
            found.error("duplicate-node", f"two nodes have the id {id!r}", piece.line, subject=id)
            continue
        if not id:
            found.error("no-id", "a <node> has no id", piece.line)
            continue
        names[id] = name
        if not check.accepts(id, "node id", piece.line):
            continue
        if name != id and not check.accepts(name, "task name", piece.line):
            continue
        if name in lines:
            found.error("duplicate-task", f"two nodes are the task {name!r}", piece.line, subject=name,
                        hint=f"the first is in line {lines[name]}")  # fmt: skip
            continue
        lines[name] = piece.line
        made.add(_task(name, piece, found))
    return names


def _task(name: str, piece: Piece, found: Collector) -> Task:
    settings = piece.settings
    settings.pop("metatask", None)
    kind = str(settings.pop("kind", NodeKind.TASK))
    if kind not in _KINDS:
        found.error("bad-value", f"{name}: kind = {kind!r} must be plain", piece.line, subject=name)
    return Task(name, _KINDS.get(kind, NodeKind.TASK), settings, piece.id, piece.line, piece.kept)


_KINDS = {kind.value: kind for kind in NodeKind}


def _add_edges(
    made: MetaTask, edges: list[Piece], names: dict[str, str], found: Collector, check: _Ids
) -> None:
    given = {piece.id for piece in edges if piece.id}
    free = (id for n in count() if (id := f"e{n}") not in given)
    lines: dict[str, int] = {}
    for piece in edges:
        if not piece.id:
            piece.id = next(free)
        elif piece.id in lines:
            found.error("duplicate-edge", f"two edges have the id {piece.id!r}", piece.line, subject=piece.id,
                        hint=f"the first is in line {lines[piece.id]}")  # fmt: skip
            continue
        elif not check.accepts(piece.id, "edge id", piece.line):
            continue
        lines[piece.id] = piece.line
        ends = _ends(piece, names, found)
        if ends and ends[0] in made.graph and ends[1] in made.graph:
            made.join(Edge(*ends, piece.settings, piece.id, piece.line, piece.kept))


def _ends(piece: Piece, names: dict[str, str], found: Collector) -> tuple[str, str] | None:
    """The tasks it joins; None, and a finding, where it does not join two."""
    source, target = names.get(piece.source or ""), names.get(piece.target or "")
    if source is None or target is None:
        missing = piece.source if source is None else piece.target
        found.error("dangling-edge", f"the edge {piece.id!r} names a node {missing!r} that does not exist",
                    piece.line, subject=piece.id)  # fmt: skip
        return None
    if piece.source == piece.target:
        found.error("self-loop", f"the edge {piece.id!r} leads from {source!r} to itself", piece.line,
                    subject=piece.id)  # fmt: skip
        return None
    return source, target
