"""Pictures can be read: nothing leaves its box, colours differ, large graphs are grouped, formats work."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import subprocess
from dataclasses import replace

import networkx as nx
import pytest
from lxml import etree

from deft.base.errors import BadInput, Unreachable
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, State, Task
from deft.observe import drawing
from deft.observe.drawing import DOT, PDF, PNG, Style
from deft.observe.pictures import grouping, palette, plan, raster, scene, svg
from deft.observe.pictures.raster import Tools
from tests.bench.draw import chains
from tests.support.build import metatask, with_edge
from tests.support.needs import need
from tests.support.svgs import NS, contrast, extents, root, texts, titles

GRAPHVIZ = "apt-get install graphviz"
CAIRO = "pip install 'deft[pictures]'"


def strange() -> MetaTask:
    """Names as long as they may be, and types that are markup."""
    made = MetaTask("n" * 64, project="p" * 64)
    long = ["x" + "_very" * 12, "W" * 60, "a--" + "W" * 50]
    for name in long:
        made.add(Task(name, settings={"command": "true"}))
    made.add(Task("e" * 60, NodeKind.ENTRY))
    for number, kind in enumerate(("<b>&\"'\\", "中文" * 20, "a\u202eb\x07")):
        source = "e" * 60 if number == 2 else long[number]
        made.join(Edge(source, long[(number + 1) % 3], {"type": kind, "source": "/x"}))
    return made


def live(made: MetaTask) -> scene.Scene:
    """A scene with tasks in all states, with large numbers."""
    found = scene.of_document(made)
    states = itertools.cycle(State)
    marks = [
        replace(
            mark,
            state=next(states).value,
            expected=12_345_678,
            ok=1_234_567,
            failed=99_999,
            controls=("hold",),
        )
        if mark.kind == scene.TASK
        else mark
        for mark in found.marks
    ]
    flows = [
        replace(flow, membership="closed", available=999_999, expected=1_234_567, lost=5)
        for flow in found.flows
    ]
    counts = scene.counted(mark.state for mark in marks if mark.state)
    return replace(found, state="running", marks=tuple(marks), flows=tuple(flows), states=counts)


# --- that it can be read -----------------------------------------------------------------------------------


def test_names_are_shortened_and_written_in_full_beside() -> None:
    content = drawing.draw_document(strange(), Style()).content
    assert not any("W" * 60 in text for text in texts(content))
    assert any(title.startswith("W" * 60) for title in titles(content))


def test_markup_in_a_name_stays_text() -> None:
    content = drawing.draw_document(strange(), Style()).content
    assert any("<b>&\"'" in text for text in texts(content))
    assert {etree.QName(one).localname for one in root(content).iter()} <= {
        "svg", "title", "desc", "g", "rect", "path", "text", "tspan",
    }  # fmt: skip


@pytest.mark.parametrize("direction", ["right", "down"])
@pytest.mark.parametrize("grouped", [False, True])
def test_no_text_leaves_its_box_or_lies_on_another(direction: str, grouped: bool) -> None:
    for found in (scene.of_document(strange()), live(chains(40, 3)), live(strange())):
        shown = grouping.grouped(found, 10) if grouped else found
        drawn = root(svg.draw(shown, plan.plan(shown, direction)).encode())
        boxes = [group for group in drawn.iter(f"{NS}g") if group.findtext(f"{NS}title")]
        assert len(boxes) == len(shown.marks) + len(shown.flows)
        for box in boxes:
            rect = [one for one in box if one.tag == f"{NS}rect" and one.get("rx")][-1]
            left = float(rect.get("x", "0"))
            right = left + float(rect.get("width", "0"))
            found_in = list(extents(box))
            assert [text for text in found_in if text[0] < left or text[1] > right] == []
            pairs = itertools.combinations(found_in, 2)
            assert [two for two in pairs if two[0][2] == two[1][2] and two[0][1] > two[1][0]] == []


def test_the_title_stays_within_the_picture() -> None:
    drawn = root(drawing.drawn(live(strange()), Style()).content)
    head = next(drawn.iter(f"{NS}g"))
    room = float(drawn.get("width", "0")) - 2 * svg.MARGIN
    assert max(end for _, end, *_ in extents(head)) <= room


@pytest.mark.parametrize("state", [*State, "held"])
def test_a_state_can_be_read_in_its_colours(state: str) -> None:
    look = palette.look(state)
    assert contrast(look.dark, look.tint) >= 4.5
    assert contrast("#ffffff", look.dark) >= 4.5
    assert contrast(palette.INK, look.tint) >= 4.5


def test_other_text_and_lines_can_be_seen_on_paper() -> None:
    assert min(contrast(colour, palette.PAPER) for colour in (palette.INK, palette.SOFT, palette.LOST)) >= 4.5
    assert min(contrast(colour, palette.PAPER) for colour in (palette.LINE, palette.FAINT)) >= 3


def test_every_state_has_a_sign_of_its_own() -> None:
    assert len({palette.look(state).sign for state in [*State, "held"]}) == len(State) + 1


def test_data_that_are_too_many_for_tags_share_the_last_one() -> None:
    made = metatask("m", a="", **{f"u{n}": "a" for n in range(9)})
    for n in range(9):
        with_edge(made, "a", f"u{n}", type=f"t{n}")
    content = drawing.draw_document(made, Style()).content
    said = texts(content)
    assert [f"t{n}" in said for n in (0, 4, 5)] == [True, True, False]
    assert "4 datasets" in said
    assert any("t8: from a; to u8" in title for title in titles(content))


# --- groups ------------------------------------------------------------------------------------------------


def test_above_so_many_tasks_those_of_a_step_are_one_box() -> None:
    made = chains(101, 3)
    grouped, each = (drawing.draw_document(made, Style(grouped=choice)) for choice in (None, False))
    assert (grouped.tasks, grouped.boxes, grouped.grouped) == (303, 3, True)
    assert (each.boxes, each.grouped) == (303, False)
    assert "step1--* × 101" in texts(grouped.content)


def test_a_group_says_how_many_tasks_are_in_which_state() -> None:
    found = live(chains(9, 1))
    marks = tuple(replace(mark, controls=()) for mark in found.marks)
    (group,) = grouping.grouped(replace(found, marks=marks), 300).marks
    assert group.states == {state.value: 1 for state in State}
    assert group.ok == 9 * 1_234_567


def test_tasks_without_a_step_are_grouped_where_they_stand_alike() -> None:
    names = [f"w{n}" for n in range(5)]
    made = metatask("m", split="", **dict.fromkeys(names, "split"), merge=" ".join(names), after="merge")
    found = grouping.grouped(scene.of_document(made), 300)
    assert [mark.name for mark in found.marks] == ["split", "w0 … w4", "merge", "after"]
    assert [(flow.source, flow.count) for flow in found.flows] == [
        ("split", 1), ("w0 … w4", 5), ("merge", 1), ("after", 1),
    ]  # fmt: skip


def test_steps_never_go_in_a_circle() -> None:
    made = MetaTask("m")
    for name in itertools.product("ab", "0123"):
        made.add(Task("--".join(name), settings={"command": "true"}))
    for n in range(4):
        made.join(Edge(f"a--{n}", f"b--{n}"))
        if n:
            made.join(Edge(f"b--{n - 1}", f"a--{n}"))
    found = grouping.grouped(scene.of_document(made), 300)
    assert sum(mark.count for mark in found.marks) == 8
    assert nx.is_directed_acyclic_graph(drawn_graph(found))


def test_a_step_never_needs_itself() -> None:
    made = MetaTask("m")
    for n in range(5):
        for part in ("gen", "rec", "ana"):
            made.add(Task(f"mc--s{n}--{part}", settings={"command": "true"}))
        made.join(Edge(f"mc--s{n}--gen", f"mc--s{n}--rec"))
        made.join(Edge(f"mc--s{n}--gen", f"mc--s{n}--ana"))
    found = grouping.grouped(scene.of_document(made), 300)
    assert [(mark.name, mark.count) for mark in found.marks] == [
        ("mc--*--gen", 5), ("mc--*--rec", 5), ("mc--*--ana", 5),
    ]  # fmt: skip
    assert list(drawn_graph(found).edges) == [("mc--*--gen", "mc--*--rec"), ("mc--*--gen", "mc--*--ana")]


def drawn_graph(found: scene.Scene) -> nx.DiGraph[str]:
    """Which marks lead to which."""
    made: nx.DiGraph[str] = nx.DiGraph()
    made.add_edges_from((flow.source, name) for flow in found.flows for name, _ in flow.targets)
    return made


def test_where_there_are_too_many_steps_depths_are_grouped() -> None:
    made = metatask("m", t0="", **{f"t{n}": f"t{n - 1}" for n in range(1, 120)})
    found = grouping.grouped(scene.of_document(made), 50)
    assert len(found.marks) <= 50
    assert sum(mark.count for mark in found.marks) == 120


# --- formats -----------------------------------------------------------------------------------------------


@pytest.fixture
def graphviz() -> str:
    """The folder of Graphviz' programs."""
    found = shutil.which("dot")
    need("Graphviz (dot)", found, GRAPHVIZ)
    assert found is not None
    return found.removesuffix("dot")


@pytest.mark.parametrize(
    "made", [strange(), MetaTask("empty"), chains(3, 3)], ids=["strange", "empty", "chains"]
)
@pytest.mark.parametrize("command", [("dot",), ("neato", "-n")], ids=["dot", "neato"])
def test_graphviz_takes_our_dot(made: MetaTask, command: tuple[str, ...], graphviz: str) -> None:
    text = drawing.draw_document(made, Style(format=DOT)).content
    program, *options = command
    ran = subprocess.run(
        [graphviz + program, *options, "-Tsvg"], input=text, capture_output=True, timeout=60, check=False
    )
    assert (
        ran.returncode,
        [line for line in ran.stderr.decode().splitlines() if "ontconfig" not in line],
    ) == (0, [])
    names = {
        node.findtext(f"{NS}title") for node in root(ran.stdout).iter(f"{NS}g") if node.get("class") == "node"
    }
    assert names == {node.name for node in made.nodes}


def test_graphviz_makes_png_and_pdf_where_cairosvg_is_not(graphviz: str) -> None:
    text = drawing.draw_document(chains(3, 3), Style(format=DOT)).content.decode()
    tools = Tools(None, f"{graphviz}neato")
    assert raster.converted("", lambda: text, PNG, tools).startswith(b"\x89PNG")
    assert raster.converted("", lambda: text, PDF, tools).startswith(b"%PDF")


def test_a_graphviz_that_fails_is_named(graphviz: str) -> None:
    with pytest.raises(Unreachable, match="neato made no PNG"):
        raster.converted("", lambda: "no graph", PNG, Tools(None, f"{graphviz}neato"))


@pytest.mark.parametrize(("form", "begin"), [(PNG, b"\x89PNG"), (PDF, b"%PDF")])
def test_cairosvg_makes_png_and_pdf(form: str, begin: bytes) -> None:
    need("cairosvg", importlib.util.find_spec("cairosvg"), CAIRO)
    assert drawing.draw_document(strange(), Style(format=form)).content.startswith(begin)


def test_a_huge_picture_becomes_no_huge_file_of_pixels() -> None:
    need("cairosvg", importlib.util.find_spec("cairosvg"), CAIRO)
    content = drawing.draw_document(chains(1, 3), Style(format=PNG)).content
    width = int.from_bytes(content[16:20], "big")
    assert width == round(2 * (drawing.draw_document(chains(1, 3), Style()).width + 2 * svg.MARGIN))
    document = f'<svg xmlns="{NS[1:-1]}" width="90000" height="10" viewBox="0 0 90000 10"></svg>'
    content = raster.converted(document, str, PNG)
    assert int.from_bytes(content[16:20], "big") <= raster.MOST_SIDE


def test_without_either_the_message_says_what_to_install() -> None:
    with pytest.raises(BadInput, match=r"PNG needs cairosvg or Graphviz.*deft\[pictures\]"):
        raster.converted("", str, PNG, Tools(None, None))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput, match="'jpg' is no format of a picture: svg, dot, png, pdf"):
        drawing.draw_document(chains(1, 1), Style(format="jpg"))
