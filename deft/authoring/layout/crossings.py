"""The order of the items of each layer, so that few edges cross.

Sweeps up and down sort each layer by the mean place of the neighbours in the layer before (barycentres);
the best order seen is then sifted: every item goes to that place of its layer, or of a part of it, where its
own edges cross the fewest others. Sugiyama, Tagawa and Toda, "Methods for visual understanding of
hierarchical system structures", 1981; Matuszewski, Schönfeld and Molitor, "Using sifting for k-layer
straightline crossing minimization", 1999.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from deft.authoring.layout.proper import Proper

# Much is tried on small graphs, little on large ones: edges and items looked at.
SWEEPING, MOST_SWEEPS, LEAST_SWEEPS = 60_000, 24, 6
SIFTING, MOST_ROUNDS, LEAST_REACH = 50_000, 4, 4
PATIENCE = 4  # sweeps without a gain


def arrange(graph: Proper) -> int:
    """Put every layer of the graph in order; returns the number of crossings that are left."""
    graph.layers = _from_above(graph)
    place = [0] * len(graph.rank)
    for layer in graph.layers:
        _take_places(layer, place)
    size = sum(map(len, graph.below)) + len(graph.rank)
    sweeps = max(LEAST_SWEEPS, min(MOST_SWEEPS, SWEEPING // max(size, 1)))
    best, fewest, idle = _copy(graph.layers), count(graph, place), 0
    for number in range(sweeps):
        if not fewest or idle >= PATIENCE:
            break
        _sweep(graph, place, down=number % 2 == 0)
        found = count(graph, place)
        idle = 0 if found < fewest else idle + 1
        if found < fewest:
            best, fewest = _copy(graph.layers), found
    graph.layers = best
    for layer in best:
        _take_places(layer, place)
    if fewest:
        fewest -= _sift(graph, place)
    return fewest


def count(graph: Proper, place: Sequence[int]) -> int:
    """How many pairs of edges cross, between all layers; `place` of each item in its layer."""
    total = 0
    for layer in graph.layers:
        ends: list[int] = []
        for item in layer:
            below = sorted([place[other] for other in graph.below[item]])
            if ends and below and below[0] < ends[-1]:
                for end in below:
                    total += len(ends) - bisect_right(ends, end)
                for end in below:
                    insort(ends, end)
            else:
                ends += below
    return total


def _copy(layers: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(layer) for layer in layers]


def _take_places(layer: Sequence[int], place: list[int]) -> None:
    for number, item in enumerate(layer):
        place[item] = number


def _from_above(graph: Proper) -> list[list[int]]:
    """Every layer in the order in which a depth-first search from above meets its items."""
    made: list[list[int]] = [[] for _ in graph.layers]
    seen = bytearray(len(graph.rank))
    for layer in graph.layers:
        for root in layer:
            if graph.above[root] or seen[root]:
                continue
            seen[root] = 1
            waiting = [root]
            while waiting:
                item = waiting.pop()
                made[graph.rank[item]].append(item)
                for other in reversed(graph.below[item]):
                    if not seen[other]:
                        seen[other] = 1
                        waiting.append(other)
    return made


def _sweep(graph: Proper, place: list[int], *, down: bool) -> None:
    neighbours = graph.above if down else graph.below
    at = place.__getitem__
    for layer in graph.layers if down else reversed(graph.layers):
        joined = [item for item in layer if neighbours[item]]
        if not joined:
            continue
        means = {item: sum(map(at, neighbours[item])) / len(neighbours[item]) for item in joined}
        moved = iter(sorted(joined, key=means.__getitem__))
        # Items without neighbours there keep their places.
        layer[:] = [next(moved) if item in means else item for item in layer]
        _take_places(layer, place)


def _sift(graph: Proper, place: list[int]) -> int:
    """Move items within their layers as long as that takes crossings away; returns how many it took."""
    reach = max(LEAST_REACH, SIFTING // len(graph.rank))
    steps = sum(len(layer) * min(len(layer), 2 * reach) for layer in graph.layers)
    gained = 0
    for _ in range(max(1, min(MOST_ROUNDS, 3 * SIFTING // steps))):
        gain = sum(_sift_layer(graph, layer, place, reach) for layer in graph.layers if len(layer) > 1)
        gained += gain
        if not gain:
            break
    return gained


def _sift_layer(graph: Proper, layer: list[int], place: list[int], reach: int) -> int:
    ends = {
        item: [sorted([place[other] for other in near[item]]) for near in (graph.above, graph.below)]
        for item in layer
    }
    gained = 0
    for item in list(layer):
        here = place[item]
        best, to = 0, here
        for passed, step in (
            (range(here - 1, max(-1, here - 1 - reach), -1), -1),
            (range(here + 1, min(len(layer), here + 1 + reach)), 1),
        ):
            change = 0
            for number in passed:
                change += step * _change(ends[item], ends[layer[number]])
                if change < best:
                    best, to = change, number
        if best:
            layer.insert(to, layer.pop(here))
            for number in range(min(here, to), max(here, to) + 1):
                place[layer[number]] = number
            gained -= best
    return gained


def _change(left: Sequence[Sequence[int]], right: Sequence[Sequence[int]]) -> int:
    """By how many crossings two items that change places differ, if the left one goes to the right."""
    total = 0
    for mine, others in zip(left, right, strict=True):
        if not mine or not others:
            continue
        if mine[-1] > others[0]:
            for end in others:
                total -= len(mine) - bisect_right(mine, end)
        if others[-1] > mine[0]:
            for end in mine:
                total += len(others) - bisect_right(others, end)
    return total
