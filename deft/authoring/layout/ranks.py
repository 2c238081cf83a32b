"""In which layer each node of a graph stands: as few as can be, and short edges."""

from __future__ import annotations

from collections.abc import Sequence

Neighbours = Sequence[Sequence[int]]
ROUNDS = 4


def without_cycles(below: Neighbours) -> list[list[int]]:
    """The same edges, with those turned round that close a cycle: a depth-first search meets them."""
    made: list[list[int]] = [[] for _ in below]
    colour = bytearray(len(below))  # 0 new, 1 on the path, 2 left
    for root in range(len(below)):
        if colour[root]:
            continue
        colour[root] = 1
        path = [(root, iter(below[root]))]
        while path:
            node, rest = path[-1]
            for target in rest:
                if colour[target] == 1:
                    if target != node:
                        made[target].append(node)
                    continue
                made[node].append(target)
                if not colour[target]:
                    colour[target] = 1
                    path.append((target, iter(below[target])))
                    break
            else:
                colour[node] = 2
                path.pop()
    return made


def order(below: Neighbours) -> list[int]:
    """The nodes, each after those above it (Kahn's algorithm); fewer than all where there is a cycle."""
    above = [0] * len(below)
    for targets in below:
        for target in targets:
            above[target] += 1
    found = [node for node, count in enumerate(above) if not count]
    for node in found:
        for target in below[node]:
            above[target] -= 1
            if not above[target]:
                found.append(target)
    return found


def ranks(below: Neighbours) -> list[int]:
    """The layer of each node of an acyclic graph, from 0.

    The longest path to it first. Then nodes with more edges below than above move down as far as they can,
    the others up: in rounds, so that a chain follows its end. What a network simplex would gain over it is
    not worth its time.
    """
    above: list[list[int]] = [[] for _ in below]
    for node, targets in enumerate(below):
        for target in targets:
            above[target].append(node)
    ordered = order(below)
    rank = [0] * len(below)
    for node in ordered:
        for target in below[node]:
            rank[target] = max(rank[target], rank[node] + 1)
    for _ in range(ROUNDS):
        before = rank.copy()
        for node in reversed(ordered):
            if below[node] and len(below[node]) >= len(above[node]):
                rank[node] = min(rank[target] for target in below[node]) - 1
        for node in ordered:
            if above[node] and len(above[node]) >= len(below[node]):
                rank[node] = max(rank[source] for source in above[node]) + 1
        if rank == before:
            break
    least = min(rank, default=0)
    return [one - least for one in rank]


def narrowed(below: Neighbours, most: int) -> list[int]:
    """The layer of each node, with at most so many nodes in a layer: what has no room goes into the next one.

    Chains are followed to their end, one after the other, so that what hangs together stays together.
    """
    left = [0] * len(below)
    for targets in below:
        for target in targets:
            left[target] += 1
    rank = [0] * len(below)
    taken: list[int] = []
    waiting = [node for node in range(len(below) - 1, -1, -1) if not left[node]]
    full = 0  # every layer before it is full
    while waiting:
        node = waiting.pop()
        at = max(rank[node], full)
        while at < len(taken) and taken[at] >= most:
            at += 1
        taken += [0] * (at + 1 - len(taken))
        taken[at] += 1
        rank[node] = at
        while full < len(taken) and taken[full] >= most:
            full += 1
        for target in reversed(below[node]):
            rank[target] = max(rank[target], at + 1)
            left[target] -= 1
            if not left[target]:
                waiting.append(target)
    return rank
