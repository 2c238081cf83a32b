"""The layered layout: nothing lies on anything else, lines keep clear of boxes, and it is always the same."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deft.authoring import layout
from deft.authoring.layout import Layout, arranging, crossings, proper, ranks, topology
from deft.authoring.layout.layered import Point, Size
from deft.authoring.layout.topology import Link, Topology
from deft.model.graph import MetaTask
from tests.bench import graphs
from tests.support.build import metatask, with_edge
from tests.support.repository import ROOT

Box = tuple[float, float, float, float]  # left, top, right, bottom
SLACK = 0.6  # positions are rounded to tenths


def graph(*edges: tuple[str, str], alone: Sequence[str] = ()) -> Topology:
    """A graph of these edges, each of a net of its own, and of nodes that nothing joins."""
    names = dict.fromkeys((*itertools.chain.from_iterable(edges), *alone))
    return Topology(tuple(names), tuple(Link(*edge, str(n)) for n, edge in enumerate(edges)))


@st.composite
def drawings(draw: st.DrawFn) -> tuple[Topology, dict[str, Size], str, bool]:
    """Any acyclic graph with boxes of any sizes, a direction, and whether it may be folded."""
    count = draw(st.integers(1, 24))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.integers(0, 1))
    found = draw(st.lists(pairs, max_size=40))
    links = tuple(Link(f"n{one}", f"n{other}", f"net{net}") for one, other, net in found if one < other)
    sizes = draw(
        st.lists(st.tuples(st.integers(20, 300), st.integers(20, 120)), min_size=count, max_size=count)
    )
    made = Topology(tuple(f"n{n}" for n in range(count)), links)
    named = {name: (float(w), float(h)) for name, (w, h) in zip(made.nodes, sizes, strict=True)}
    return made, named, draw(st.sampled_from((arranging.RIGHT, arranging.DOWN))), draw(st.booleans())


@st.composite
def long_drawings(draw: st.DrawFn) -> tuple[Topology, dict[str, Size], str, bool]:
    """A chain that is too long for a page, with shortcuts and side branches: it is folded."""
    count = draw(st.integers(8, 40))
    ends = st.tuples(st.integers(0, count - 3), st.integers(2, 4), st.booleans())
    links = [Link(f"n{n}", f"n{n + 1}") for n in range(count - 1)]
    for n, (start, span, branch) in enumerate(draw(st.lists(ends, max_size=6))):
        links.append(
            Link(f"n{start}", f"side{n}" if branch else f"n{min(start + span, count - 1)}", f"net{n}")
        )
    names = tuple(dict.fromkeys(end for link in links for end in (link.source, link.target)))
    heights = draw(st.lists(st.integers(20, 120), min_size=len(names), max_size=len(names)))
    sizes = {name: (250.0, float(high)) for name, high in zip(names, heights, strict=True)}
    return (
        Topology(names, tuple(links)),
        sizes,
        draw(st.sampled_from((arranging.RIGHT, arranging.DOWN))),
        True,
    )


def boxes(found: Layout, sizes: dict[str, Size]) -> dict[str, Box]:
    return {
        name: (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        for name, (x, y) in found.positions.items()
        for wide, high in (sizes.get(name, arranging.BOX),)
    }


def overlap(one: Box, other: Box) -> bool:
    """Whether they share more than an edge."""
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > SLACK
        and min(one[3], other[3]) - max(one[1], other[1]) > SLACK
    )


def pieces(found: Layout) -> Iterator[Box]:
    """The room that each piece of each line takes; a straight one is a little thick."""
    for route in found.routes:
        for (x0, y0), (x1, y1) in itertools.pairwise(route):
            left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
            yield left - SLACK, top - SLACK, right + SLACK, bottom + SLACK


# --- what holds of every drawing ---------------------------------------------------------------------------


@given(st.one_of(drawings(), long_drawings()))
@settings(max_examples=300, deadline=None)
def test_nothing_lies_on_anything_else(drawing: tuple[Topology, dict[str, Size], str, bool]) -> None:
    made, sizes, direction, folded = drawing
    found = layout.arrange(made, sizes=sizes, direction=direction, folded=folded)
    placed = boxes(found, sizes)
    assert [(a, b) for a, b in itertools.combinations(placed, 2) if overlap(placed[a], placed[b])] == []
    # A curve keeps within the corners of its piece, so this is no box on any line.
    inner = {name: (x0 + 1.5, y0 + 1.5, x1 - 1.5, y1 - 1.5) for name, (x0, y0, x1, y1) in placed.items()}
    assert [name for piece in pieces(found) for name, box in inner.items() if overlap(piece, box)] == []


@given(st.one_of(drawings(), long_drawings()))
@settings(max_examples=200, deadline=None)
def test_all_of_it_is_inside(drawing: tuple[Topology, dict[str, Size], str, bool]) -> None:
    made, sizes, direction, folded = drawing
    found = layout.arrange(made, sizes=sizes, direction=direction, folded=folded)
    whole = [*boxes(found, sizes).values(), *((x, y, x, y) for route in found.routes for x, y in route)]
    assert min(box[0] for box in whole) >= -SLACK
    assert min(box[1] for box in whole) >= -SLACK
    assert max(box[2] for box in whole) <= found.width + SLACK
    assert max(box[3] for box in whole) <= found.height + SLACK


@given(st.one_of(drawings(), long_drawings()))
@settings(max_examples=200, deadline=None)
def test_a_line_leads_from_its_source_to_its_target(
    drawing: tuple[Topology, dict[str, Size], str, bool],
) -> None:
    made, sizes, direction, folded = drawing
    found = layout.arrange(made, sizes=sizes, direction=direction, folded=folded)
    placed = boxes(found, sizes)
    along, across = (0, 1) if direction == arranging.RIGHT else (1, 0)
    for link, route in zip(made.links, found.routes, strict=True):
        source, target = placed[link.source], placed[link.target]
        assert found.layers[link.source] < found.layers[link.target]
        assert route[0][along] == pytest.approx(source[along + 2], abs=SLACK)
        assert route[-1][along] == pytest.approx(target[along], abs=SLACK)
        assert source[across] <= route[0][across] <= source[across + 2]
        assert target[across] <= route[-1][across] <= target[across + 2]
        assert len(route) % 2 == 0


def test_it_is_the_same_in_every_process() -> None:
    program = (
        "from tests.bench import graphs; from deft.authoring import layout; "
        "made = graphs.wide(60); print(layout.positions(made), layout.topology_key(made))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


# --- what a topology is ------------------------------------------------------------------------------------


def test_the_key_is_that_of_the_topology_alone() -> None:
    made, renamed = metatask(a="", b="a"), metatask("other", a="", b="a")
    assert layout.topology_key(made) == layout.topology_key(renamed)
    assert layout.topology_key(made) == layout.topology_key(with_edge(renamed, "a", "b", on_loss="proceed"))


@pytest.mark.parametrize(
    "other",
    [
        metatask(b="", a="b"),
        metatask(a="", b="a", c=""),
        metatask(a="", b=""),
        with_edge(metatask(a="", b="a"), "a", "b", role="secondary"),
    ],
)
def test_another_topology_has_another_key(other: MetaTask) -> None:
    assert layout.topology_key(other) != layout.topology_key(metatask(a="", b="a"))


def test_every_node_has_a_position() -> None:
    made = metatask(entry="", a="entry", b="a", c="")
    assert layout.positions(made).keys() == {"entry", "a", "b", "c"}


def test_a_graph_of_nothing_has_no_size() -> None:
    assert layout.arrange(Topology((), ())).width == 0


def test_a_link_to_nowhere_is_not_drawn() -> None:
    assert layout.arrange(Topology(("a",), (Link("a", "b"),))).routes == ((),)


# --- layers ------------------------------------------------------------------------------------------------


def test_a_source_stands_just_before_what_needs_it() -> None:
    found = layout.arrange(graph(("a", "b"), ("b", "c"), ("x", "c")))
    assert found.layers == {"a": 0, "b": 1, "c": 2, "x": 1}


def test_a_chain_follows_its_end() -> None:
    found = layout.arrange(graph(("a", "b"), ("b", "c"), ("c", "d"), ("x", "y"), ("y", "d")))
    assert (found.layers["x"], found.layers["y"]) == (1, 2)


def test_a_graph_that_goes_in_a_circle_is_drawn_too() -> None:
    found = layout.arrange(graph(("a", "b"), ("b", "c"), ("c", "a"), ("c", "c")))
    assert sorted(found.layers.values()) == [0, 1, 2]
    assert [len(route) > 0 for route in found.routes] == [True, True, True, False]


def test_a_narrowed_graph_keeps_chains_together() -> None:
    below = [[1], [2], [], [4], [5], [], [7], [8], []]  # three chains of three
    assert ranks.narrowed(below, 2) == [0, 1, 2, 0, 1, 2, 3, 4, 5]


def test_a_graph_that_is_too_high_is_broken_into_columns() -> None:
    names = [f"w{n}" for n in range(60)]
    wide = graph(*(("split", name) for name in names), *((name, "merge") for name in names))
    found = layout.arrange(wide)
    assert 1 < found.width / found.height < 3
    assert max(found.layers.values()) > 2


def test_a_long_chain_is_broken_into_rows_where_it_may() -> None:
    chain = topology.of(graphs.chain(40))
    flat, folded = layout.arrange(chain), layout.arrange(chain, folded=True)
    assert flat.height < 50 < folded.height
    assert folded.width < 1600
    assert folded.layers == flat.layers


def test_lanes_between_rows_do_not_cross() -> None:
    rows = [(f"n{row}{n}", f"n{row}{n + 1}") for row in "ab" for n in range(20)]
    found = layout.arrange(graph(*rows, ("n" + "a0", "nb1"), ("na20", "nb20")), folded=True)
    straight = [
        (one, other)
        for route in found.routes
        for one, other in itertools.pairwise(route)
        if one != other and (one[0] == other[0] or one[1] == other[1])
    ]
    assert found.crossings == 0
    assert [pair for pair in itertools.combinations(straight, 2) if cross(*pair)] == []


def cross(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether an upright line and a level one cross."""
    for (a, b), (c, d) in ((one, other), (other, one)):
        if a[0] == b[0] and c[1] == d[1]:
            inside = min(c[0], d[0]) < a[0] < max(c[0], d[0])
            if inside and min(a[1], b[1]) < c[1] < max(a[1], b[1]):
                return True
    return False


def test_parts_that_nothing_joins_fill_a_page() -> None:
    found = layout.arrange(graph(alone=[f"n{n}" for n in range(500)]))
    assert 1.2 < found.width / found.height < 2.2
    filled = 500 * arranging.BOX[0] * arranging.BOX[1] / (found.width * found.height)
    assert filled > 0.4


def test_thousands_in_a_row_are_no_matter_of_recursion() -> None:
    assert layout.arrange(topology.of(graphs.chain(5000))).crossings == 0


# --- lines -------------------------------------------------------------------------------------------------


def test_long_lines_of_one_dataset_run_together() -> None:
    rank = [0, 1, 2, 3, 4]
    shared = proper.cut(rank, [(0, n, 0) for n in (2, 3, 4)])
    apart = proper.cut(rank, [(0, n, n) for n in (2, 3, 4)])
    assert (len(shared.rank), len(apart.rank)) == (5 + 3, 5 + 1 + 2 + 3)


def test_long_lines_of_many_datasets_into_one_task_run_together() -> None:
    made = proper.cut([0, 0, 0, 3], [(n, 3, n) for n in range(3)])
    assert len(made.rank) == 4 + 2


def test_there_are_never_too_many_points() -> None:
    made = proper.cut([0] * 400 + [300] * 400, [(n, 400 + n, n) for n in range(400)])
    assert len(made.rank) <= 800 + proper.MOST_POINTS + 300
    assert len(made.paths) == 400


def test_a_tree_has_no_crossings() -> None:
    draw = random.Random(3)
    found = layout.arrange(graph(*((f"n{draw.randrange(n)}", f"n{n}") for n in range(1, 200))))
    assert found.crossings == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(6, 11)), min_size=1, max_size=20, unique=True))
@settings(max_examples=100, deadline=None)
def test_crossings_are_counted_as_one_by_one(links: list[tuple[int, int]]) -> None:
    made = proper.cut([0] * 6 + [1] * 6, [(*link, n) for n, link in enumerate(links)])
    place = [item % 6 for item in range(12)]
    pairs = itertools.combinations([(place[upper], place[lower]) for upper, lower in links], 2)
    assert crossings.count(made, place) == sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs)


def test_no_item_stands_where_another_place_of_its_layer_were_better() -> None:
    made = proper.cut([n // 6 for n in range(24)], [(n, 6 * (n // 6 + 1) + k, 0) for n, k in pairs_of(18)])
    left = crossings.arrange(made)
    assert crossings.count(made, places(made)) == left
    for layer in made.layers:
        for item, to in itertools.product(tuple(layer), range(len(layer))):
            before = list(layer)
            layer.remove(item)
            layer.insert(to, item)
            assert crossings.count(made, places(made)) >= left
            layer[:] = before


def pairs_of(count: int) -> list[tuple[int, int]]:
    """For each of these items three others, drawn by lot."""
    draw = random.Random(5)
    return [(n, k) for n in range(count) for k in draw.sample(range(6), 3)]


def places(made: proper.Proper) -> list[int]:
    found = [0] * len(made.rank)
    for layer in made.layers:
        for number, item in enumerate(layer):
            found[item] = number
    return found


def test_crossings_are_about_as_few_as_those_of_graphviz() -> None:
    # dot 2.43 leaves 3938 of them with the same layers: tests/bench/draw.py.
    assert layout.arrange(topology.of(graphs.layers(20, 15))).crossings < 1.1 * 3938
