"""A drawing that is long and thin, broken into rows like a text: few lines lead from one row to the next.

Such a line leaves its row at the end, runs back between the rows, and goes on at the beginning of the next
one at the height at which it left. Lanes are nested, so that no two of them cross.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from deft.authoring.layout.layered import Layered, Point, Size

PAGE: Size = (1600.0, 900.0)
MOST_LANES = 4
LANE, EDGE = 9.0, 14.0  # between lanes, and from the outermost lane to what it passes
LEAD = 40.0  # from the beginning of a row's lines to its first layer
GAIN = 1.4  # a drawing is folded where that lets it be so much larger on a page


@dataclass(frozen=True, slots=True)
class _Row:
    """By how much the layers of a row move along and across; where it ends; where lines leave it, across."""

    along: float
    across: float
    end: float
    bottom: float
    lanes: tuple[float, ...]


def fold(found: Layered, sizes: Sequence[Size]) -> Layered:
    """The drawing in as many rows as make it largest on a page; as it is where one row does."""
    if _scale(found.size) >= 1.0 or len(found.columns) < 4 or not all(map(_is_plain, found.routes)):
        return found
    ends = {end: layer for layer, (_, end) in enumerate(found.columns)}
    begins = {begin: layer for layer, (begin, _) in enumerate(found.columns)}
    routes = [(ends[route[1][0]], route) if route else (0, route) for route in found.routes]
    if any(len(route) != 2 * (begins[route[-2][0]] - first + 1) for first, route in routes if route):
        return found  # a link without points on its way
    best = found
    for count in range(2, len(found.columns) // 2 + 1):
        made = _folded(found, sizes, routes, found.size[0] / count)
        if made is None or _scale(made.size) <= _scale(best.size):
            break
        best = made
    return best if _scale(best.size) > GAIN * _scale(found.size) else found


def _scale(size: Size) -> float:
    return min(PAGE[0] / max(size[0], 1.0), PAGE[1] / max(size[1], 1.0))


def _is_plain(route: Sequence[Point]) -> bool:
    """Whether a link runs forward."""
    return not route or route[0][0] <= route[-1][0]


_Route = tuple[int, Sequence[Point]]  # with the layer that it begins in; two points in each layer


def _folded(found: Layered, sizes: Sequence[Size], routes: Sequence[_Route], width: float) -> Layered | None:
    """The drawing in rows of about this width; None where too many lines would lead from row to row."""
    last_of_rows = list(_breaks(found, width))
    crossing: dict[int, set[float]] = {last: set() for last in last_of_rows}
    for first, route in routes:
        for n in range(1, len(route) - 1, 2):
            if first + n // 2 in crossing:
                crossing[first + n // 2].add(route[n][1])
    if any(len(lanes) > MOST_LANES for lanes in crossing.values()):
        return None
    rows = _rows(found, sizes, routes, crossing)
    centres = [
        (x + rows[layer].along, y + rows[layer].across)
        for (x, y), layer in zip(found.centres, found.layers, strict=True)
    ]
    wide = max(row.end + EDGE + LANE * len(row.lanes) for row in rows.values())
    high = max(row.bottom for row in rows.values())
    moved = [tuple(_moved(first, route, rows)) for first, route in routes]
    return replace(found, centres=centres, routes=moved, size=(wide, high))


def _breaks(found: Layered, width: float) -> Iterator[int]:
    """The last layer of each row but the last one."""
    begin = found.columns[0][0]
    for layer, (_, end) in enumerate(found.columns):
        if layer and end - begin > width:
            yield layer - 1
            begin = found.columns[layer][0]


def _rows(
    found: Layered, sizes: Sequence[Size], routes: Sequence[_Route], crossing: dict[int, set[float]]
) -> dict[int, _Row]:
    """The row of each layer."""
    extents = _extents(found, sizes, routes)
    margin = LEAD + EDGE + LANE * max((len(lanes) for lanes in crossing.values()), default=0)
    made: dict[int, _Row] = {}
    first, top = 0, 0.0
    entering: set[float] = set()
    for last in [*crossing, len(found.columns) - 1]:
        places = [place for layer in range(first, last + 1) for place in extents[layer]] + list(entering)
        along, across = margin - found.columns[first][0], top - min(places)
        lanes = tuple(sorted(crossing.get(last, ())))
        bottom = across + max(places)
        row = _Row(along, across, found.columns[last][1] + along, bottom, lanes)
        made |= dict.fromkeys(range(first, last + 1), row)
        first, top, entering = last + 1, bottom + 2 * EDGE + LANE * len(lanes), set(lanes)
    return made


def _extents(found: Layered, sizes: Sequence[Size], routes: Sequence[_Route]) -> list[list[float]]:
    """For each layer how far it reaches across."""
    made: list[list[float]] = [[] for _ in found.columns]
    for (_, y), layer, (_, high) in zip(found.centres, found.layers, sizes, strict=True):
        made[layer] += (y - high / 2, y + high / 2)
    for first, route in routes:
        for n, (_, y) in enumerate(route):
            made[first + n // 2].append(y)
    return [[min(places), max(places)] if places else [] for places in made]


def _moved(first: int, route: Sequence[Point], rows: dict[int, _Row]) -> Iterator[Point]:
    for n, (x, y) in enumerate(route):
        layer = first + n // 2
        row = rows[layer]
        yield x + row.along, y + row.across
        if n % 2 and n < len(route) - 1 and rows[layer + 1] is not row:
            yield from _lane(row, rows[layer + 1], y)


def _lane(row: _Row, below: _Row, y: float) -> Iterator[Point]:
    """From the end of a row to the beginning of the next; every second piece runs along, as in any route."""
    inner = row.lanes.index(y)
    outer = len(row.lanes) - inner
    right, left = row.end + LANE * outer, EDGE + LANE * (len(row.lanes) - 1 - inner)
    between = row.bottom + EDGE + LANE * (outer - 1)
    begin = EDGE + LANE * len(row.lanes)
    yield right, y + row.across
    yield right, between
    yield left, between
    yield left, y + below.across
    yield begin, y + below.across
    yield begin, y + below.across
