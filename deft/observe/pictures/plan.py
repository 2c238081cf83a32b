"""Where the boxes, tags and lines of a picture stand.

A task is a box with its outputs as tags behind it, in the direction of the picture; together they are one
node of the layout, so that nothing can lie on anything else. Lines leave from tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deft.authoring import layout
from deft.authoring.layout import arranging, topology
from deft.authoring.layout.layered import Gaps, Point, Size
from deft.observe.pictures import lettering, scene, words
from deft.observe.pictures.scene import Flow, Mark, Scene

NAME_SIZE, SMALL = 12.0, 10.0
PAD, ROUND = 9.0, 6.0  # room beside text, and at corners
STEM = 12.0  # between a box and its tags
TASK_HEIGHT, BARE_HEIGHT, END_HEIGHT, LINE_HEIGHT = 50.0, 32.0, 28.0, 14.0
TAG_HEIGHT, TAG_GAP = 30.0, 5.0
LEAST_BOX, MOST_BOX = 112.0, 214.0
LEAST_TAG, MOST_TAG = 52.0, 138.0
MOST_TAGS = 6  # of one box; the last one stands for all that are left
AUTO = "auto"
DIRECTIONS = (AUTO, arranging.RIGHT, arranging.DOWN)
# Left to right where that can be shown so large on a screen, or downwards is not so much better.
FINE, GAIN, MOST_TRIED = 0.6, 1.5, 1000
GAPS = Gaps(node=14.0, line=9.0, layer=46.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A mark, its upper left corner and its size; `lines` of small text below its name."""

    mark: Mark
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    """A flow, its upper left corner and its size; `stem` from the box to it.

    Of a box with many flows the last tag stands for all that have none of their own.
    """

    flows: tuple[Flow, ...]
    x: float
    y: float
    width: float
    height: float
    stem: tuple[Point, Point]

    @property
    def flow(self) -> Flow:
        """The first of them."""
        return self.flows[0]


@dataclass(frozen=True, slots=True)
class Line:
    """Lines of one flow; every second piece of each, from the first, runs in the direction of the picture."""

    flow: Flow
    dashed: bool
    routes: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is drawn of a scene, from 0 to its size."""

    boxes: tuple[Box, ...]
    tags: tuple[Tag, ...]
    lines: tuple[Line, ...]
    width: float
    height: float
    direction: str


@dataclass(frozen=True, slots=True)
class _Measures:
    """Sizes that are the same all over the picture."""

    box: float
    tag: float
    down: bool

    def node(self, height: float, tags: int) -> Size:
        """The size of a box with its tags."""
        if not tags:
            return self.box, height
        if self.down:
            room = tags * (self.tag + TAG_GAP) - TAG_GAP
            return max(self.box, room), height + STEM + TAG_HEIGHT
        return self.box + STEM + self.tag, max(height, tags * (TAG_HEIGHT + TAG_GAP) - TAG_GAP)


def plan(found: Scene, direction: str = AUTO) -> Plan:
    """Arrange a scene. `auto` takes the direction in which more of it can be seen at once, or the right."""
    if direction != AUTO:
        return _plan(found, direction)
    right = _plan(found, arranging.RIGHT)
    if _scale(right) > FINE or len(found.marks) > MOST_TRIED:
        return right
    down = _plan(found, arranging.DOWN)
    return down if _scale(down) > GAIN * _scale(right) else right


def _scale(made: Plan) -> float:
    """How large it can be shown on a screen of 1600 x 900."""
    return min(1600 / max(made.width, 1), 900 / max(made.height, 1))


def _plan(found: Scene, direction: str) -> Plan:
    tags = _tags(found)
    measures = _measures(found, tags, direction)
    lines = {mark.name: _lines(mark, measures.box) for mark in found.marks}
    sizes = {
        mark.name: measures.node(_height(mark, lines[mark.name]), len(tags.get(mark.name, ())))
        for mark in found.marks
    }
    links, ends = _links(found, tags)
    graph = topology.Topology(tuple(mark.name for mark in found.marks), tuple(links))
    placed = layout.arrange(graph, sizes=sizes, direction=direction, gaps=GAPS, folded=True)
    return _Placing(found, tags, measures, lines, sizes, placed).plan(ends)


_Tags = Mapping[str, Sequence[tuple[int, ...]]]  # by box: for each tag the numbers of its flows


def _tags(found: Scene) -> _Tags:
    made: dict[str, list[tuple[int, ...]]] = {}
    for n, flow in enumerate(found.flows):
        own = made.setdefault(flow.source, [])
        if len(own) < MOST_TAGS:
            own.append((n,))
        else:
            own[-1] += (n,)
    return made


def _measures(found: Scene, tags: _Tags, direction: str) -> _Measures:
    box, tag = LEAST_BOX, LEAST_TAG
    for mark in found.marks:
        name = lettering.width(_name(mark), NAME_SIZE, bold=True)
        said = [words.state(mark), words.units(mark)]
        below = sum(lettering.width(text, SMALL) + 14 for text in said if text)
        whole = max(name, below) if mark.state or mark.states else name + below
        box = max(box, min(MOST_BOX, whole + 2 * PAD + 5))
    for meant in (one for own in tags.values() for one in own):
        kind, under = words.tag([found.flows[n] for n in meant])
        room = max(lettering.width(kind, SMALL, bold=True), lettering.width(under, SMALL))
        tag = max(tag, min(MOST_TAG, room + 2 * PAD))
    return _Measures(round(box), round(tag), direction == arranging.DOWN)


def _name(mark: Mark) -> str:
    return f"{mark.name} × {mark.count:,}" if mark.count > 1 else mark.name


def _lines(mark: Mark, box: float) -> tuple[str, ...]:
    """The states of a group that differs, as many in a line as there is room for."""
    if mark.state:
        return ()
    made: list[str] = []
    for said in words.counts(mark.states):
        joined = f"{made[-1]} · {said}" if made else said
        if made and lettering.width(joined, SMALL) <= box - 2 * PAD:
            made[-1] = joined
        else:
            made.append(said)
    return tuple(made)


def _height(mark: Mark, lines: Sequence[str]) -> float:
    if mark.kind != scene.TASK:
        return END_HEIGHT
    if not (mark.state or mark.states):
        return BARE_HEIGHT
    last = bool(mark.state or words.units(mark))
    return TASK_HEIGHT + LINE_HEIGHT * (len(lines) - (not last))


_End = tuple[int, bool]  # the first flow of a tag, and whether it is a secondary input


def _links(found: Scene, tags: _Tags) -> tuple[list[topology.Link], list[_End]]:
    """The links of the layout, and for each where it begins; flows of one tag and one role run together."""
    links: list[topology.Link] = []
    ends: list[_End] = []
    for source, own in tags.items():
        for meant in own:
            for target, aside in (one for n in meant for one in found.flows[n].targets):
                links.append(topology.Link(source, target, f"{meant[0]} {aside}"))
                ends.append((meant[0], aside))
    return links, ends


class _Placing:
    """From the layout of nodes to boxes, tags and lines."""

    def __init__(
        self, found: Scene, tags: _Tags, measures: _Measures, lines: Mapping[str, tuple[str, ...]],
        sizes: Mapping[str, Size], placed: layout.Layout,
    ) -> None:  # fmt: skip
        self._found = found
        self._tags = tags
        self._measures = measures
        self._lines = lines
        self._sizes = sizes
        self._placed = placed

    def plan(self, ends: Sequence[_End]) -> Plan:
        """The boxes, their tags, and the lines from these; `ends` says where each route begins."""
        boxes = [self._box(mark) for mark in self._found.marks]
        leaving = self._leaving(ends)
        tags: list[Tag] = []
        exits: dict[int, Point] = {}
        for box in boxes:
            own = sorted(self._tags.get(box.mark.name, ()), key=lambda meant: leaving.get(meant[0], 0.0))
            for n, meant in enumerate(own):
                tags.append(self._tag(box, meant, n, len(own)))
                exits[meant[0]] = self._exit(tags[-1])
        size = self._placed.width, self._placed.height
        return Plan(tuple(boxes), tuple(tags), self._drawn(ends, exits), *size, self._placed.direction)

    def _box(self, mark: Mark) -> Box:
        x, y = self._placed.positions[mark.name]
        wide, high = self._sizes[mark.name]
        lines = self._lines[mark.name]
        height = _height(mark, lines)
        if self._measures.down:
            return Box(mark, x - self._measures.box / 2, y - high / 2, self._measures.box, height, lines)
        return Box(mark, x - wide / 2, y - height / 2, self._measures.box, height, lines)

    def _leaving(self, ends: Sequence[_End]) -> dict[int, float]:
        """The mean place to which each flow leads, across: tags of a box are put in that order."""
        across = 0 if self._measures.down else 1
        sums: dict[int, tuple[float, int]] = {}
        for (flow, _), route in zip(ends, self._placed.routes, strict=True):
            if len(route) > 2:
                total, count = sums.get(flow, (0.0, 0))
                sums[flow] = (total + route[2][across], count + 1)
        return {flow: total / count for flow, (total, count) in sums.items()}

    def _tag(self, box: Box, meant: Sequence[int], n: int, count: int) -> Tag:
        wide = self._measures.tag
        if self._measures.down:
            middle = box.x + box.width / 2
            x = middle + (n - (count - 1) / 2) * (wide + TAG_GAP) - wide / 2
            y = box.y + box.height + STEM
            begin = min(max(x + wide / 2, box.x + ROUND), box.x + box.width - ROUND)
            stem = ((begin, box.y + box.height), (x + wide / 2, y))
        else:
            middle = box.y + box.height / 2
            x = box.x + box.width + STEM
            y = middle + (n - (count - 1) / 2) * (TAG_HEIGHT + TAG_GAP) - TAG_HEIGHT / 2
            begin = min(max(y + TAG_HEIGHT / 2, box.y + ROUND), box.y + box.height - ROUND)
            stem = ((box.x + box.width, begin), (x, y + TAG_HEIGHT / 2))
        flows = tuple(self._found.flows[one] for one in meant)
        return Tag(flows, x, y, wide, TAG_HEIGHT, stem)

    def _exit(self, tag: Tag) -> Point:
        if self._measures.down:
            return tag.x + tag.width / 2, tag.y + tag.height
        return tag.x + tag.width, tag.y + tag.height / 2

    def _drawn(self, ends: Sequence[_End], exits: dict[int, Point]) -> tuple[Line, ...]:
        made: dict[_End, list[tuple[Point, ...]]] = {}
        for end, route in zip(ends, self._placed.routes, strict=True):
            if route:
                made.setdefault(end, []).append(self._from(exits[end[0]], route))
        return tuple(
            Line(self._found.flows[flow], dashed, tuple(routes)) for (flow, dashed), routes in made.items()
        )

    def _from(self, begin: Point, route: tuple[Point, ...]) -> tuple[Point, ...]:
        """The same route from the tag's own end; the layout begins at the middle of the node."""
        second = (route[1][0], begin[1]) if not self._measures.down else (begin[0], route[1][1])
        return (begin, second, *route[2:])
