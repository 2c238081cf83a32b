"""A whole graph as a drawing: its connected parts in layers, side by side; positions as x and y."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deft.authoring.layout import folding, layered, packing, topology
from deft.authoring.layout.layered import Gaps, Layered, Point, Size
from deft.authoring.layout.topology import Topology
from deft.model.graph import MetaTask

RIGHT, DOWN = "right", "down"
ASPECT = 1.7  # of a slide or a screen
# A part so many times as high as wide is drawn with fewer nodes in a layer where that makes it so much larger
# on a page; three widths are tried, and none of a part with few or very many nodes.
TALL, GAIN = 0.8, 1.05
WIDTHS = (0.8, 1.0, 1.25)
FEW, MANY = 10, 2_000
BOX: Size = (160.0, 48.0)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where all stands: centres by name, the layer of each node, a route for each link, the size of it all.

    x grows to the right, y downwards, from 0. A route leads from the edge of its source to that of its
    target; its first piece runs in the direction of the drawing, as every second one after it does.
    """

    direction: str
    positions: dict[str, Point]
    layers: dict[str, int]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float
    crossings: int


def positions(metatask: MetaTask) -> dict[str, Point]:
    """x and y of the centre of every node of a Meta-Task, for boxes of 160 x 48: always the same."""
    return arrange(topology.of(metatask)).positions


def topology_key(metatask: MetaTask) -> str:
    """The same for Meta-Tasks whose positions are the same: the key to keep them by."""
    return topology.of(metatask).key


def arrange(
    graph: Topology,
    *,
    sizes: Mapping[str, Size] | None = None,
    direction: str = RIGHT,
    gaps: Gaps | None = None,
    folded: bool = False,
) -> Layout:
    """Arrange a graph; `sizes` of nodes as width and height (160 x 48), `direction` of the links.

    `folded`: what is long and thin is broken into rows, which takes routes that are drawn as they are.
    """
    gaps, sizes, turned = gaps or Gaps(), sizes or {}, direction == DOWN
    number = {name: n for n, name in enumerate(graph.nodes)}
    boxes = [_turned(sizes.get(name, BOX), turned) for name in graph.nodes]
    known = [
        (n, number[link.source], number[link.target], link.net)
        for n, link in enumerate(graph.links)
        if link.source in number and link.target in number
    ]
    parts = _parts(len(boxes), [(source, target) for _, source, target, _ in known])
    drawn = _drawn(parts, boxes, known, gaps)
    if folded:
        drawn = _folded(drawn, boxes)
    apart = 2 * gaps.node
    aspect = 1 / ASPECT if turned else ASPECT
    corners, size = packing.pack([found.size for _, found, _ in drawn], apart, aspect)
    positions: list[Point] = [(0.0, 0.0)] * len(boxes)
    layers = [0] * len(boxes)
    routes: list[tuple[Point, ...]] = [()] * len(graph.links)
    for (nodes, found, links), corner in zip(drawn, corners, strict=True):
        for n, centre, layer in zip(nodes, found.centres, found.layers, strict=True):
            positions[n], layers[n] = _placed(centre, corner, turned), layer
        for n, route in zip(links, found.routes, strict=True):
            routes[n] = tuple(_placed(point, corner, turned) for point in route)
    width, height = _turned(size, turned)
    return Layout(
        direction=direction,
        positions=dict(zip(graph.nodes, positions, strict=True)),
        layers=dict(zip(graph.nodes, layers, strict=True)),
        routes=tuple(routes),
        width=round(width, 1),
        height=round(height, 1),
        crossings=sum(found.crossings for _, found, _ in drawn),
    )


def _turned(pair: Size, turned: bool) -> Size:
    return (pair[1], pair[0]) if turned else pair


def _placed(point: Point, corner: Point, turned: bool) -> Point:
    along, across = round(point[0] + corner[0], 1), round(point[1] + corner[1], 1)
    return (across, along) if turned else (along, across)


def _parts(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The nodes of each connected part, in their order."""
    joined: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        joined[source].append(target)
        joined[target].append(source)
    seen = bytearray(count)
    found: list[list[int]] = []
    for root in range(count):
        if seen[root]:
            continue
        seen[root] = 1
        part = [root]
        for node in part:
            for other in joined[node]:
                if not seen[other]:
                    seen[other] = 1
                    part.append(other)
        found.append(sorted(part))
    return found


Drawn = tuple[list[int], Layered, list[int]]  # nodes of a part, their drawing, their links


def _drawn(
    parts: Sequence[list[int]], boxes: Sequence[Size], links: Sequence[tuple[int, int, int, str]], gaps: Gaps
) -> list[Drawn]:
    """Each part with its drawing and its links; parts of one shape are drawn once."""
    part_of = {node: n for n, part in enumerate(parts) for node in part}
    inside: list[list[tuple[int, int, int, str]]] = [[] for _ in parts]
    for link in links:
        inside[part_of[link[1]]].append(link)
    known: dict[tuple[object, ...], Layered] = {}
    made = []
    for part, own in zip(parts, inside, strict=True):
        local = {node: n for n, node in enumerate(part)}
        nets: dict[tuple[int, str], int] = {}
        joined = tuple(
            (local[source], local[target], nets.setdefault((source, net), len(nets)))
            for _, source, target, net in own
        )
        sizes = tuple(boxes[node] for node in part)
        found = known.get((sizes, joined))
        if found is None:
            found = known[sizes, joined] = _part(sizes, joined, gaps)
        made.append((part, found, [link[0] for link in own]))
    return made


def _folded(drawn: Sequence[Drawn], boxes: Sequence[Size]) -> list[Drawn]:
    """The parts that would make the whole longer than its page, in rows."""
    page = (ASPECT * sum(found.size[0] * found.size[1] for _, found, _ in drawn)) ** 0.5
    return [
        (nodes, folding.fold(found, [boxes[n] for n in nodes]) if found.size[0] > page else found, links)
        for nodes, found, links in drawn
    ]


def _part(sizes: Sequence[Size], links: Sequence[tuple[int, int, int]], gaps: Gaps) -> Layered:
    """One part; where its layers are too full for a page, with the nodes of one spread over several."""
    found = layered.arrange(sizes, links, gaps)
    along, across = found.size
    if across < TALL * along or not FEW <= len(sizes) <= MANY:
        return found
    pitch = along / len(found.columns) + gaps.layer
    room = across / max(Counter(found.layers).values())
    even = (len(sizes) * pitch / (ASPECT * room)) ** 0.5
    tried = [layered.arrange(sizes, links, gaps, max(2, round(even * width))) for width in WIDTHS]
    best = max(tried, key=lambda one: _fit(one.size))
    return best if _fit(best.size) > GAIN * _fit(found.size) else found


def _fit(size: Size) -> float:
    """How large it can be shown on a page."""
    return min(ASPECT / max(size[0], 1.0), 1 / max(size[1], 1.0))
