"""Where in its layer each item stands: near its neighbours, long lines straight, nothing on top of another.

Layer by layer every item is given the mean place of its neighbours, as near as the order and the room of the
layer allow: a least-squares fit under an order, which pooling adjacent violators solves exactly in linear
time (Barlow and others, "Statistical inference under order restrictions", 1972). Pieces of long lines weigh
more, as in Gansner and others, "A technique for drawing directed graphs", 1993. At last long lines, and links
that are nearly straight, are made straight where there is room. Aligned blocks (Brandes and Köpf, 2001) were
tried: in dense graphs the drawing became five times as wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from deft.authoring.layout.proper import Proper

ROUNDS = 4
# Of a link between two nodes, between a node and a point, between two points; times the last one where it is
# the only one on both sides, as in a chain.
WEIGHTS = (1.0, 2.0, 8.0)
ALONE = 4.0
ASIDE = 0.02  # in layers that are held to the middle: lines that pass give way
NO_WEIGHT = 0.01  # of an item that nothing pulls
NEARLY = 9.0  # a link this far from straight is made straight


def assign(
    graph: Proper, half: Sequence[float], gap: float, narrow: float, anchor: float = 0.0
) -> list[float]:
    """The place of every item across the direction of the links, from 0.

    `half` is half the room that each item takes. `gap` lies between two nodes, `narrow` beside a point. By
    `anchor` every layer is held to the middle: the weight of a link to where its items would stand alone.
    """
    reach = [room + (gap if item < graph.nodes else narrow) / 2 for item, room in enumerate(half)]
    fit = _Fit(graph, reach, anchor)
    down = range(len(graph.layers))
    for _ in range(ROUNDS):
        fit.pull(down, above=True)
        fit.pull(reversed(down), below=True)
    fit.pull(down, above=True, below=True)
    fit.pull(reversed(down), above=True, below=True)
    fit.straighten_lines()
    fit.straighten_links()
    least = min((at - room for at, room in zip(fit.at, half, strict=True)), default=0.0)
    return [at - least for at in fit.at]


class _Fit:
    """Places of items, never nearer to each other than their `reach`."""

    def __init__(self, graph: Proper, reach: Sequence[float], anchor: float) -> None:
        self.graph = graph
        self.anchor = anchor
        self.reach = reach
        self.at = [0.0] * len(reach)
        self.place = [0] * len(reach)
        self._offsets = [self._packed(layer) for layer in graph.layers]
        for layer, offsets in zip(graph.layers, self._offsets, strict=True):
            for number, (item, offset) in enumerate(zip(layer, offsets, strict=True)):
                self.at[item], self.place[item] = offset - offsets[-1] / 2, number
        self.alone = self._alone() if anchor else self.at
        self._above = [
            [(other, self._weight(other, item, item)) for other in near]
            for item, near in enumerate(graph.above)
        ]
        self._below = [
            [(other, self._weight(item, other, item)) for other in near]
            for item, near in enumerate(graph.below)
        ]

    def _alone(self) -> list[float]:
        """Where each node would stand if its layer held nothing else and were in the middle."""
        found = [0.0] * len(self.reach)
        for layer in self.graph.layers:
            nodes = [item for item in layer if item < self.graph.nodes]
            offsets = self._packed(nodes)
            for item, offset in zip(nodes, offsets, strict=True):
                found[item] = offset - offsets[-1] / 2
        return found

    def _weight(self, upper: int, lower: int, pulled: int) -> float:
        graph = self.graph
        points = (upper >= graph.nodes) + (lower >= graph.nodes)
        alone = len(graph.below[upper]) == len(graph.above[lower]) == 1
        aside = self.anchor and (points == 1 or pulled >= graph.nodes)
        return WEIGHTS[points] * (ALONE if alone else 1.0) * (ASIDE if aside else 1.0)

    def _packed(self, layer: Sequence[int]) -> list[float]:
        """How far each item is from the first one, packed tightly."""
        reach = self.reach
        found: list[float] = []
        at = before = 0.0
        for item in layer:
            at += before + reach[item] if found else 0.0
            before = reach[item]
            found.append(at)
        return found

    def pull(self, layers: Iterable[int], *, above: bool = False, below: bool = False) -> None:
        """Move the items of these layers, one after the other, to their neighbours on these sides."""
        at, anchor, nodes = self.at, self.anchor, self.graph.nodes
        sides = [side for side, wanted in ((self._above, above), (self._below, below)) if wanted]
        for number in layers:
            wanted, weights = [], []
            for item in self.graph.layers[number]:
                weight = anchor if item < nodes else 0.0
                total = weight * self.alone[item]
                for side in sides:
                    for other, pull in side[item]:
                        total += pull * at[other]
                        weight += pull
                wanted.append(total / weight if weight else at[item])
                weights.append(weight or NO_WEIGHT)
            self._settle(number, wanted, weights)

    def _settle(self, number: int, wanted: Sequence[float], weights: Sequence[float]) -> None:
        """The places nearest to those wanted: pools of items that stand as tightly as they may."""
        offsets = self._offsets[number]
        pools: list[tuple[float, float, int]] = []  # sum of weight x place, weight, items
        for want, weight, offset in zip(wanted, weights, offsets, strict=True):
            total, heavy, count = weight * (want - offset), weight, 1
            while pools and pools[-1][0] * heavy >= total * pools[-1][1]:
                before = pools.pop()
                total, heavy, count = total + before[0], heavy + before[1], count + before[2]
            pools.append((total, heavy, count))
        placed = zip(self.graph.layers[number], offsets, strict=True)
        for total, heavy, count in pools:
            mean = total / heavy
            for item, offset in islice(placed, count):
                self.at[item] = mean + offset

    def straighten_lines(self) -> None:
        """Give the points of each long line one place, as far down as all of them find room there."""
        nodes, below, above = self.graph.nodes, self.graph.below, self.graph.above
        for first in range(nodes, len(self.at)):
            if any(other >= nodes for other in above[first]):
                continue
            run: list[int] = []
            low, high = float("-inf"), float("inf")
            item: int | None = first
            while item is not None:
                least, most = self._room(item)
                if run and max(low, least) > min(high, most):
                    self._put(run, low, high)
                    run, low, high = [], float("-inf"), float("inf")
                run.append(item)
                low, high = max(low, least), min(high, most)
                item = next((other for other in below[item] if other >= nodes), None)
            self._put(run, low, high)

    def straighten_links(self) -> None:
        """Put nodes exactly behind the middle one above them where they nearly are."""
        at, place = self.at, self.place
        for layer in self.graph.layers:
            for item in layer:
                near = self.graph.above[item]
                if not near or item >= self.graph.nodes:
                    continue
                other = near[0] if len(near) == 1 else sorted(near, key=place.__getitem__)[len(near) // 2]
                if 0 < abs(at[other] - at[item]) <= NEARLY:
                    least, most = self._room(item)
                    if least <= at[other] <= most:
                        at[item] = at[other]

    def _room(self, item: int) -> tuple[float, float]:
        """How far an item may move, its neighbours staying where they are."""
        layer = self.graph.layers[self.graph.rank[item]]
        number, at, reach = self.place[item], self.at, self.reach
        least = (
            float("-inf") if not number else at[layer[number - 1]] + reach[layer[number - 1]] + reach[item]
        )
        if number + 1 == len(layer):
            return least, float("inf")
        after = layer[number + 1]
        return least, at[after] - reach[after] - reach[item]

    def _put(self, run: Sequence[int], low: float, high: float) -> None:
        middle = sorted(self.at[item] for item in run)[len(run) // 2]
        place = min(max(middle, low), high)
        for item in run:
            self.at[item] = place
