"""Long edges cut into pieces from layer to layer, by points between: what the other steps work on.

Links of one net that leave a node for layers further down share one trunk of points, which gives off a branch
at each layer; so do long links of different nets into one node. A dataset that a hundred tasks use is
then one line with a hundred ends, and the number of points stays small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_POINTS = 100_000


@dataclass(slots=True)
class Proper:
    """Items from 0: the nodes, then the points. Neighbours are in the layer just above or below.

    `paths[n]`: the items along link n, from its upper end to its lower one; only these two where there was
    no room for points.
    """

    nodes: int
    layers: list[list[int]]
    rank: list[int]
    above: list[list[int]]
    below: list[list[int]]
    paths: list[list[int]]


def cut(rank: Sequence[int], links: Sequence[tuple[int, int, int]]) -> Proper:
    """The layers with all points in them; links as upper node, lower node, net."""
    made = Proper(len(rank), [], list(rank), [], [], [])
    long = [link for link in links if rank[link[1]] - rank[link[0]] > 1]
    leaving = Counter((upper, net) for upper, _, net in long)
    entering = Counter(lower for _, lower, _ in long)
    trunks: dict[tuple[int, int, int], list[int]] = {}
    pairs: set[tuple[int, int]] = set()
    for upper, lower, net in links:
        span = rank[lower] - rank[upper]
        if span > 1 and len(made.rank) + span > MOST_POINTS + made.nodes:
            made.paths.append([upper, lower])
            continue
        path = [upper]
        if span > 1:
            down = leaving[upper, net] >= entering[lower]
            trunk = trunks.setdefault((0, upper, net) if down else (1, lower, -1), [])
            points = _points(made, trunk, span - 1, rank[upper] + 1 if down else rank[lower] - 1, down=down)
            path += points if down else reversed(points)
        path.append(lower)
        made.paths.append(path)
        pairs.update(pairwise(path))
    _join(made, pairs)
    return made


def _points(made: Proper, trunk: list[int], count: int, first: int, *, down: bool) -> list[int]:
    """The first `count` points of a trunk that begins in layer `first`; those that it lacks are made."""
    step = 1 if down else -1
    while len(trunk) < count:
        made.rank.append(first + step * len(trunk))
        trunk.append(len(made.rank) - 1)
    return trunk[:count]


def _join(made: Proper, pairs: set[tuple[int, int]]) -> None:
    made.layers = [[] for _ in range(max(made.rank, default=-1) + 1)]
    for item, at in enumerate(made.rank):
        made.layers[at].append(item)
    made.above = [[] for _ in made.rank]
    made.below = [[] for _ in made.rank]
    for upper, lower in sorted(pairs):
        made.below[upper].append(lower)
        made.above[lower].append(upper)
