"""Whether the pieces make a graph of tasks: ids and names, the ends of edges, circles.

It keeps an index of the ids and a few numbers for each node and edge, so that a million of them fit.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain, compress, islice

from deft.authoring import slugs
from deft.authoring.graphml.circles import circle
from deft.authoring.graphml.collector import MOST, Collector
from deft.authoring.graphml.declarations import shown
from deft.authoring.graphml.limits import Limits, refusal
from deft.authoring.graphml.spool import Piece, Spool
from deft.model.tasks import is_name

PLAIN_ID = re.compile(r"[A-Za-z0-9_:-][A-Za-z0-9_.:-]*\Z")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # control, format and bidi signs, no characters at all
_PARTS = 64  # hashes of edge ids are looked through in so many parts, to use little memory
_LONGEST_NAME = 64
_SHOWN = 12  # nodes of a circle that are shown
_FEW = 1000  # nodes among which near ones are looked for
_MOST_REPEATED = 100_000
_DIGITS = 6  # of a hash that keeps two names apart


def called(edge: str) -> str:
    """An edge as a message names it."""
    return f"the edge {shown(edge)}" if edge else "an edge"


def ids_fault(id: str, longest: int) -> str:
    """Why a text may not be an id; empty where it may."""
    if PLAIN_ID.match(id) and len(id) <= longest:
        return ""
    if not id.strip():
        return "is empty"
    if len(id) > longest:
        return f"is longer than {longest} characters"
    if id in (".", "..") or "/" in id or "\\" in id:
        return "could be taken for a path"
    if any(unicodedata.category(sign) in _HIDDEN for sign in id):
        return "has control, format or direction characters"
    return "" if unicodedata.is_normalized("NFC", id) else "is not in Unicode's normal form C"


class Judge:
    """Takes nodes and edges one by one, and judges the whole at the end.

    A node has an index by which all is kept; an edge may name a node before it is declared.
    """

    def __init__(self, found: Collector, limits: Limits) -> None:
        self._found = found
        self._limits = limits
        self.index: dict[str, int] = {}
        self._lines = array("i")  # by index; 0 where a node was only named so far
        self._awaited: dict[int, None] = {}  # indexes of nodes that edges named and nobody declared yet
        self._named: dict[str, int] = {}  # names that are not their node's id
        self._renamed = bytearray()  # by index: 1 where the name is not the id
        self._made: dict[str, str] = {}  # names made of ids, by name: they give way
        self.names: dict[int, str] = {}  # those that gave way
        self._groups: dict[str, int] = {}
        self._sources, self._targets, self._edge_lines = array("i"), array("i"), array("i")
        self._hashes = array("q")  # of the ids of edges; 0 where there is none
        self._is_ordered = True  # every edge so far leads to a higher index: no circle is possible

    # --- nodes ---------------------------------------------------------------------------------------------

    def node(self, id: str, line: int, *, is_plain: bool = False) -> int:
        """The index of a new node; -1, and a finding, where it cannot be one. `is_plain`: a task's name."""
        new = len(self.index)
        at = self.index.setdefault(id, new)
        if at == new:
            self._lines.append(line)
            self._renamed.append(0)
        elif at in self._awaited:
            del self._awaited[at]
            self._lines[at] = line
        else:
            self._found.error("duplicate-node", f"two nodes have the id {shown(id)}", line, subject=id,
                              hint=f"the first is in line {self._lines[at]}")  # fmt: skip
            return -1
        return at if is_plain or self.accepts(id, "node id", line) else -1

    def accepts(self, id: str, what: str, line: int) -> bool:
        """Whether a text may be an id; a finding where it may not."""
        fault = ids_fault(id, self._limits.id)
        if fault:
            self._found.error("bad-id", f"the {what} {id[:40]!a} {fault}", line)
        return not fault

    def name(self, at: int, name: str, line: int) -> bool:
        """Take a name that is not the node's id; False, and a finding, where it is taken."""
        first = self._named.setdefault(name, at)
        if first != at:
            if name not in self._made:
                self._twice(name, line, self._lines[first])
                return False
            self._give_way(name, first)
            self._named[name] = at
        self._renamed[at] = 1
        return True

    def make_name(self, at: int, id: str, line: int) -> str:
        """A name for a node whose id is no name of a task; it gives way to one that somebody wrote."""
        name = _made_of(id)
        if name in self._named or name in self.index:
            name = _apart(id, name)
        message = f"the node id {shown(id)} is no name of a task: it is called {name!r}"
        self._found.warning("task-renamed", message, line, subject="task")
        self._named[name] = at
        self._made[name] = id
        self._renamed[at] = 1
        return name

    def _give_way(self, name: str, at: int) -> None:
        other = _apart(self._made.pop(name), name)
        self._named[other] = at
        self.names[at] = other

    def _twice(self, name: str, line: int, first: int) -> None:
        self._found.error("duplicate-task", f"two nodes are the task {shown(name)}", line, subject=name,
                          hint=f"the first is in line {first}")  # fmt: skip

    def group(self, id: str, line: int) -> None:
        """A node that only holds others: no edge may name it."""
        at = self.index.get(id)
        if id in self._groups or (at is not None and at not in self._awaited):
            self._found.error("duplicate-node", f"two nodes have the id {shown(id)}", line, subject=id)
        self._groups[id] = line

    # --- edges ---------------------------------------------------------------------------------------------

    def ends(self, id: str, source: str, target: str, line: int) -> tuple[int, int] | None:
        """The indexes of its ends; None, and a finding, where they are one."""
        index = self.index
        begin, end = index.get(source, -1), index.get(target, -1)
        if begin < 0:
            begin = self._await(source)
        if end < 0:
            end = self._await(target)
        if begin >= end:
            if begin == end:
                message = f"{called(id)} leads from {shown(source)} to itself"
                self._found.error("self-loop", message, line, subject=id)
                return None
            self._is_ordered = False
        return begin, end

    def keep_edges(self, pieces: Sequence[Piece]) -> None:
        """Keep what is asked of edges in the end; `pieces` are all that were taken since the last time."""
        if not pieces:
            return
        ids, lines, begins, ends, *_ = zip(*pieces, strict=True)
        self._sources.extend(begins)
        self._targets.extend(ends)
        self._edge_lines.extend(lines)
        self._hashes.extend([(hash(id) or 1) if id else 0 for id in ids])

    def _await(self, id: str) -> int:
        """The index of a node that nobody declared so far."""
        at = self.index.setdefault(id, len(self.index))
        if at == len(self._lines):
            if len(self._awaited) >= self._limits.nodes:
                raise refusal("too-many-nodes", f"its edges name more than {self._limits.nodes:,} nodes")
            self._lines.append(0)
            self._renamed.append(0)
            self._awaited[at] = None
        return at

    # --- the whole -----------------------------------------------------------------------------------------

    def settle(self, edges: Spool) -> None:
        """Judge what only the whole shows; `edges` are the pieces of all that were taken, in their order."""
        self._settle_names()
        self._settle_ids(edges)
        if self._awaited:
            self._settle_strangers(edges)
        if not self._is_ordered:
            self._settle_circles()

    def _settle_names(self) -> None:
        """A name that is not its node's id may be the id of another node that keeps it as its name."""
        for name, at in list(self._named.items()):
            other = self.index.get(name, at)
            if other == at or self._renamed[other] or other in self._awaited:
                continue
            if name in self._made:
                self._give_way(name, at)
            else:
                self._twice(name, *sorted((self._lines[at], self._lines[other]), reverse=True))

    def _settle_ids(self, edges: Spool) -> None:
        """Edges with one id: NetworkX counts anew for each pair of nodes; between one pair it is a fault."""
        shared = _repeated(self._hashes)
        if not shared:
            return
        places = array("i", (place for place, number in enumerate(self._hashes) if number in shared))
        _, (id, *_) = next(edges.pick(places[:1]))
        ends = [hash((self._hashes[at], self._sources[at], self._targets[at])) for at in places]
        twice = _repeated(ends)
        if len(twice) < len(shared) or len(places) > 2 * len(twice):
            message = f"{len(places)} edges share ids, such as {shown(id)}: their ends tell them apart"
            self._found.warning("shared-id", message, self._edge_lines[places[0]], subject="id")
        self._tell_twice(edges, [at for at, number in zip(places, ends, strict=True) if number in twice])

    def _tell_twice(self, edges: Spool, places: Sequence[int]) -> None:
        """Tell the equal ones among edges that look equal."""
        first: dict[tuple[str, int, int], int] = {}
        for done, (place, (id, line, begin, end, *_)) in enumerate(edges.pick(places), 1):
            known = first.setdefault((id, begin, end), place)
            if known == place:
                continue
            hint = f"the first is in line {self._edge_lines[known]}"
            message = f"two edges between the same tasks have the id {shown(id)}"
            self._found.error("duplicate-edge", message, line, subject=id, hint=hint)
            if self._found.is_full:
                self._found.more(len(places) - done)
                return

    def _settle_strangers(self, edges: Spool) -> None:
        """Edges whose ends nobody declared."""
        strangers = {at: id for id, at in self.index.items() if at in self._awaited}
        ends = zip(self._sources, self._targets, strict=True)
        places = [n for n, (begin, end) in enumerate(ends) if begin in strangers or end in strangers]
        for place, piece in edges.pick(places[:MOST]):
            begin, end = self._sources[place], self._targets[place]
            self._tell_stranger(piece[0], strangers.get(begin) or strangers[end], self._edge_lines[place])
        self._found.more(len(places[MOST:]))

    def _tell_stranger(self, edge: str, node: str, line: int) -> None:
        what = called(edge)
        if node in self._groups:
            message = f"{what} begins or ends at {shown(node)}, which is a group"
            self._found.error("edge-to-group", message, line, subject=edge)
        else:
            message = f"{what} names a node {shown(node)} that does not exist"
            near = get_close_matches(node, self.index, 2) if len(self.index) <= _FEW else []
            known = [repr(one) for one in near if one != node and self._lines[self.index[one]]]
            hint = f"near: {', '.join(known)}" if known else None
            self._found.error("dangling-edge", message, line, subject=edge, hint=hint)

    def _settle_circles(self) -> None:
        sources, targets = self._sources, self._targets
        if self._awaited:
            ends = zip(sources, targets, strict=True)
            known = [b not in self._awaited and e not in self._awaited for b, e in ends]
            sources = array("i", compress(sources, known))
            targets = array("i", compress(targets, known))
        found = circle(len(self.index), sources, targets)
        if found is None:
            return
        names = self._names_of(set(found))
        path = [names[at] for at in (*found, found[0])]
        listed = " -> ".join(path if len(path) <= _SHOWN else [*path[:6], "…", *path[-5:]])
        message, line = f"the edges run in a circle: {listed}", self._lines[found[0]]
        self._found.error("cycle", message, line, subject=path[0])

    def _names_of(self, wanted: set[int]) -> dict[int, str]:
        found = {at: id for id, at in self.index.items() if at in wanted}
        return found | {at: name for name, at in self._named.items() if at in wanted}


def _repeated(hashes: Sequence[int]) -> set[int]:
    """The numbers other than 0 that come more than once; of very many, some."""
    parts = [array("q") for _ in range(_PARTS)]
    add = [part.append for part in parts]
    for number in hashes:
        add[number % _PARTS](number)
    parts[0] = array("q", (number for number in parts[0] if number))
    uneven = (part for part in parts if len(set(part)) != len(part))
    return set(islice(chain.from_iterable(map(_twice, uneven)), _MOST_REPEATED))


def _twice(numbers: Iterable[int]) -> Iterator[int]:
    seen: set[int] = set()
    told: set[int] = set()
    for number in numbers:
        if number in seen and number not in told:
            told.add(number)
            yield number
        seen.add(number)


def _made_of(id: str) -> str:
    """A name of a task that looks like an id: n2::n0 is n2--n0, 17 is n17."""
    name = "--".join(part for part in map(slugs.slug, id.split("::")) if part)
    if not name or not name[0].isalpha():
        name = f"n{name}"
    return name if is_name(name) else _apart(id, name)


def _apart(id: str, name: str) -> str:
    """The name with something of a hash of the id."""
    told = hashlib.sha256(id.encode()).hexdigest()[:_DIGITS]
    return f"{name[: _LONGEST_NAME - _DIGITS - 1].rstrip('-')}-{told}"
