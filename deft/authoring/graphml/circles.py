"""Whether edges run in a circle, on arrays of node numbers: linear in time, some bytes an edge."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate


def circle(nodes: int, sources: Sequence[int], targets: Sequence[int]) -> list[int] | None:
    """The nodes of one circle in the order of its edges, the least number first; None where there is none.

    Nodes without an edge into them are taken away until none is left (A. B. Kahn, "Topological sorting of
    large networks", CACM 5 (1962) 558).
    """
    left = _indegrees(nodes, targets)
    starts, ends = _by_source(nodes, sources, targets)
    free = [node for node in range(nodes) if not left[node]]
    taken = 0
    while free:
        node = free.pop()
        taken += 1
        for end in ends[starts[node] : starts[node + 1]]:
            left[end] -= 1
            if not left[end]:
                free.append(end)
    return None if taken == nodes else _walk_back(left, sources, targets)


def _indegrees(nodes: int, targets: Sequence[int]) -> array[int]:
    counts = array("i", bytes(4 * nodes))
    for target in targets:
        counts[target] += 1
    return counts


def _by_source(nodes: int, sources: Sequence[int], targets: Sequence[int]) -> tuple[array[int], array[int]]:
    """(where the edges of each node begin, the target of each edge), the edges sorted by source."""
    starts = array("i", accumulate(_indegrees(nodes, sources), initial=0))
    ends = array("i", bytes(4 * len(targets)))
    next_of = array("i", starts)
    for source, target in zip(sources, targets, strict=True):
        ends[next_of[source]] = target
        next_of[source] += 1
    return starts, ends


def _walk_back(left: Sequence[int], sources: Sequence[int], targets: Sequence[int]) -> list[int]:
    """Each node that is left has an edge from another one that is left: going back must come round."""
    before = {end: begin for begin, end in zip(sources, targets, strict=True) if left[begin] and left[end]}
    node = next(iter(before))
    place: dict[int, int] = {}
    path: list[int] = []
    while node not in place:
        place[node] = len(path)
        path.append(node)
        node = before[node]
    found = path[place[node] :][::-1]
    first = found.index(min(found))
    return found[first:] + found[:first]
