"""One connected graph in layers: positions of its nodes and routes of its links, along and across.

Along is the direction in which the links run, across the other one; `arranging` turns that into x and y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deft.authoring.layout import coordinates, crossings, proper, ranks
from deft.authoring.layout.proper import Proper

Size = tuple[float, float]
Point = tuple[float, float]
ANCHOR = 4.0  # of layers that were broken for their length: they stand side by side


@dataclass(frozen=True, slots=True)
class Gaps:
    """Room between nodes of a layer, beside a line that passes between them, and between layers at least.

    Between layers with many or steep links there is more, up to `most`.
    """

    node: float = 18.0
    line: float = 10.0
    layer: float = 44.0
    most: float = 260.0


@dataclass(frozen=True, slots=True)
class Layered:
    """Centres by node, layers by node, routes by link, all as (along, across); and the whole's size.

    `columns`: where each layer begins and ends along.
    """

    centres: list[Point]
    layers: list[int]
    routes: list[tuple[Point, ...]]
    size: Size
    crossings: int
    columns: list[tuple[float, float]]


def arrange(
    sizes: Sequence[Size], links: Sequence[tuple[int, int, int]], gaps: Gaps, most: int | None = None
) -> Layered:
    """Arrange nodes of these sizes; links as source, target, net; at most `most` nodes in a layer."""
    below: list[list[int]] = [[] for _ in sizes]
    for source, target in dict.fromkeys((source, target) for source, target, _ in links):
        below[source].append(target)
    straight = ranks.without_cycles(below)
    rank = ranks.ranks(straight) if most is None else ranks.narrowed(straight, most)
    upright = [
        (source, target, net) if rank[source] <= rank[target] else (target, source, net)
        for source, target, net in links
        if source != target
    ]
    graph = proper.cut(rank, upright)
    left = crossings.arrange(graph)
    half = [size[1] / 2 for size in sizes] + [1.0] * (len(graph.rank) - len(sizes))
    anchor = 0.0 if most is None else ANCHOR
    across = coordinates.assign(graph, half, gaps.node, gaps.line, anchor)
    columns = _columns(graph, sizes, across, gaps)
    centres = [(columns[rank[n]][0] + sizes[n][0] / 2, across[n]) for n in range(len(sizes))]
    paths = iter(graph.paths)
    routes = [
        _route(next(paths), link, columns, graph, across, sizes) if link[0] != link[1] else ()
        for link in links
    ]
    high = max((at + room for at, room in zip(across, half, strict=True)), default=0.0)
    return Layered(centres, rank, routes, (columns[-1][1] if columns else 0.0, high), left, columns)


def _columns(
    graph: Proper, sizes: Sequence[Size], across: Sequence[float], gaps: Gaps
) -> list[tuple[float, float]]:
    """Where each layer begins and ends."""
    found: list[tuple[float, float]] = []
    at = 0.0
    for layer in graph.layers:
        width = max((sizes[item][0] for item in layer if item < graph.nodes), default=0.0)
        found.append((at, at + width))
        slopes = [abs(across[other] - across[item]) for item in layer for other in graph.below[item]]
        wanted = 0.1 * max(slopes, default=0.0) + 4.0 * sum(slope > 1 for slope in slopes) ** 0.5
        at += width + min(gaps.most, gaps.layer + wanted)
    return found


def _route(
    path: Sequence[int],
    link: tuple[int, int, int],
    columns: Sequence[tuple[float, float]],
    graph: Proper,
    across: Sequence[float],
    sizes: Sequence[Size],
) -> tuple[Point, ...]:
    """From the edge of the source to that of the target; every second piece, from the first, runs along."""
    points: list[Point] = []
    for number, item in enumerate(path):
        begin, end = columns[graph.rank[item]]
        if item < graph.nodes:
            end = begin + sizes[item][0] if number == 0 else end
        if number > 0:
            points.append((begin, across[item]))
        if number == 0:
            points.append((end, across[item]))
            end = columns[graph.rank[item]][1]
        points.append((end if number < len(path) - 1 else begin, across[item]))
    return tuple(points if path[0] == link[0] else reversed(points))
