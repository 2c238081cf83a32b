"""Which edge of one Meta-Task is which of another: by its two tasks, then by dataset and type, then by id."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping

from deft.model.graph import MetaTask
from deft.model.tasks import Edge

Pair = tuple[Edge | None, Edge | None]  # (stored, read); None where one side has none
_Ends = tuple[str, str]


def _all_of(edge: Edge) -> Hashable:
    return edge.group, tuple(sorted(edge.settings.items()))


# What two edges between the same tasks may have in common, most telling first: an id may have been made anew.
_LIKE: tuple[Callable[[Edge], Hashable], ...] = (
    lambda edge: (_all_of(edge), edge.id),
    _all_of,
    lambda edge: (edge.group, edge.id),
    lambda edge: edge.group,
    lambda edge: edge.id,
    lambda edge: None,
)


def pairs(stored: MetaTask, read: MetaTask, names: Mapping[str, str]) -> list[Pair]:
    """The stored edges in their order, then what is new; `names` are the stored names of nodes."""
    before = _by_ends(stored.edges, {})
    found: dict[tuple[_Ends, str], Edge] = {}
    new: list[Pair] = []
    for ends, edges in _by_ends(read.edges, names).items():
        matched, left = _matched(before.get(ends, []), edges)
        found.update({(ends, one.id): other for one, other in matched})
        new += [(None, edge) for edge in left]
    return [(edge, found.get(((edge.source, edge.target), edge.id))) for edge in stored.edges] + new


def _by_ends(edges: Iterable[Edge], names: Mapping[str, str]) -> dict[_Ends, list[Edge]]:
    found: dict[_Ends, list[Edge]] = {}
    for edge in edges:
        ends = names.get(edge.source, edge.source), names.get(edge.target, edge.target)
        found.setdefault(ends, []).append(edge)
    return found


def _matched(before: list[Edge], after: list[Edge]) -> tuple[list[tuple[Edge, Edge]], list[Edge]]:
    """Edges that are the same, and what is left of those that were read."""
    if len(before) == len(after) == 1:
        return [(before[0], after[0])], []
    found: list[tuple[Edge, Edge]] = []
    for like in _LIKE:
        waiting: defaultdict[Hashable, deque[Edge]] = defaultdict(deque)
        for edge in before:
            waiting[like(edge)].append(edge)
        left = []
        for edge in after:
            same = waiting[like(edge)]
            if same:
                found.append((same.popleft(), edge))
            else:
                left.append(edge)
        before, after = [edge for rest in waiting.values() for edge in rest], left
    return found, after
