"""Parts of a drawing that nothing joins, put beside one another."""

from __future__ import annotations

from collections.abc import Sequence

Size = tuple[float, float]
Point = tuple[float, float]


def pack(sizes: Sequence[Size], gap: float, aspect: float) -> tuple[list[Point], Size]:
    """The corner of each part and the size of the whole, about `aspect` times as wide as high.

    Parts are stacked in columns in their order, large ones first, so that equal ones make a table.
    """
    if not sizes:
        return [], (0.0, 0.0)
    ordered = sorted(range(len(sizes)), key=lambda n: (-round(sizes[n][1]), -round(sizes[n][0]), n))
    area = sum((wide + gap) * (high + gap) for wide, high in sizes)
    least = max(high for _, high in sizes)
    heights = {max(least, (area / aspect) ** 0.5 * factor) for factor in (0.7, 0.85, 1.0, 1.2, 1.4)}
    tried = [_columns(sizes, ordered, gap, height) for height in sorted(heights)]
    return min(tried, key=lambda found: max(found[1][0] / aspect, found[1][1]))


def _columns(
    sizes: Sequence[Size], ordered: Sequence[int], gap: float, most: float
) -> tuple[list[Point], Size]:
    corners: list[Point] = [(0.0, 0.0)] * len(sizes)
    left = top = width = deepest = 0.0
    for n in ordered:
        wide, high = sizes[n]
        if top and top + high > most + 0.5:
            left, top, width = left + width + gap, 0.0, 0.0
        corners[n] = (left, top)
        top += high + gap
        width, deepest = max(width, wide), max(deepest, top - gap)
    return corners, (left + width, deepest)
