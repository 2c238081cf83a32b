"""What `deft export --for` adds and leaves out."""

from __future__ import annotations

import io
from pathlib import Path

import networkx as nx
import pytest
from lxml import etree

from deft.authoring import layout
from deft.authoring.graphml import flavours, labels, reader, writer
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, Foreign, NodeKind, Task
from tests.support.metatasks import everything

DATA = Path(__file__).parents[1] / "data" / "graphml"
NAMES = {"g": "http://graphml.graphdrawing.org/xmlns", "y": labels.YED}


def exported(metatask: MetaTask, flavour: str) -> bytes:
    stream = io.BytesIO()
    writer.write(flavours.flavoured(metatask, flavour), stream)
    return stream.getvalue()


def read(document: bytes) -> MetaTask:
    return reader.read_stream(io.BytesIO(document), origin=Path("/x/back.graphml")).metatask


def by_networkx(document: bytes) -> nx.MultiDiGraph[str]:
    """As NetworkX reads it."""
    graph = nx.read_graphml(io.BytesIO(document), force_multigraph=True)
    assert isinstance(graph, nx.MultiDiGraph)
    return graph


def found(document: bytes, path: str) -> list[str]:
    """Texts and attributes by XPath."""
    told = etree.fromstring(document).xpath(path, namespaces=NAMES)
    assert isinstance(told, list)
    return [str(one) for one in told]


def plain() -> MetaTask:
    """Two tasks with two datasets of one type between them, and an exit."""
    made = MetaTask("m")
    made.add(Task("a", settings={"command": "x"}))
    made.add(Task("b & c", settings={"command": "y"}))
    made.add(Task("out", NodeKind.EXIT))
    made.join(Edge("a", "b & c", {"type": "t"}, "one"))
    made.join(Edge("a", "b & c", {"type": "t", "dataset": "d"}, "two"))
    made.join(Edge("a", "b & c", {"type": "t", "dataset": "d", "role": "secondary"}, "three"))
    made.join(Edge("b & c", "out", {"format": "png"}, "four"))
    return made


@pytest.mark.parametrize("flavour", flavours.FLAVOURS)
def test_it_reads_back_as_it_was_written_and_writes_the_same(flavour: str) -> None:
    for made in (plain(), everything(), reader.read(DATA / "yed.graphml").metatask):
        shown = flavours.flavoured(made, flavour)
        back = read(exported(made, flavour))
        assert [node.foreign for node in back.nodes] == [node.foreign for node in shown.nodes]
        assert exported(back, "plain") == exported(made, flavour)


@pytest.mark.parametrize("flavour", flavours.FLAVOURS)
def test_a_flavour_of_a_flavour_is_the_same(flavour: str) -> None:
    first = exported(everything(), flavour)
    assert exported(read(first), flavour) == first


def test_what_is_stored_is_not_changed() -> None:
    made = everything()
    before = exported(made, "plain")
    for flavour in flavours.FLAVOURS:
        flavours.flavoured(made, flavour)
    assert exported(made, "plain") == before


def test_gephi_gets_labels_places_and_kinds() -> None:
    document = exported(plain(), "gephi")
    assert found(document, "//g:data[@key='label']/text()") == ["a", "b & c", "out"]
    assert found(document, "//g:edge/@label") == ["t", "t d", "t d three", "png"]
    assert found(document, "//g:data[@key='edgelabel']/text()") == ["t", "t d", "t d three", "png"]
    assert found(document, "//g:data[@key='weight']/text()") == ["1.0"] * 4
    x, y = (list(map(float, found(document, f"//g:data[@key='{key}']/text()"))) for key in "xy")
    centres = layout.positions(plain()).values()
    assert list(zip(x, (-one for one in y), strict=True)) == list(centres)


def test_yed_gets_shapes_whose_centres_are_those_of_the_layout() -> None:
    document = exported(plain(), "yed")
    assert found(document, "//y:NodeLabel/text()") == ["a", "b & c", "out"]
    assert found(document, "//y:EdgeLabel/text()") == ["t", "t d", "t d three", "png"]
    assert labels.stored_positions(read(document)) == layout.positions(plain())
    assert found(document, "//g:key[@yfiles.type='nodegraphics']/@for") == ["node"]


def test_what_a_person_has_drawn_stays() -> None:
    drawn = reader.read(DATA / "yed.graphml").metatask
    document = exported(drawn, "yed")
    assert found(document, "//y:ShapeNode/y:Geometry/@x")[0] == "385.0"
    assert found(document, "//g:key[@yfiles.type='nodegraphics']/@id") == ["d6"]
    assert len(found(document, "//y:ShapeNode/y:NodeLabel/text()")) == 2


def test_places_go_from_one_tool_to_another() -> None:
    drawn = reader.read(DATA / "yed.graphml").metatask
    first = read(exported(drawn, "gephi"))
    ids = dict(first.task("n0").foreign.fragments)
    assert (ids["=x"], ids["=y"]) == ("400.0", "-16.0")


def test_keys_that_a_document_has_under_other_ids_are_taken() -> None:
    made = plain()
    made.foreign = Foreign((("#d0", '<key attr.name="X" attr.type="double" for="node" id="d0"/>'),))
    shown = flavours.flavoured(made, "gephi")
    assert [slot for slot, _ in shown.foreign.fragments if slot in ("#x", "#d0")] == ["#d0"]


def test_an_id_that_means_something_else_is_not_taken() -> None:
    made = plain()
    made.foreign = Foreign((("#Label", '<key attr.name="other" attr.type="int" for="node" id="Label"/>'),))
    document = exported(made, "gephi")
    assert found(document, "//g:key[@attr.name='label']/@id") == ["label_2"]


def test_networkx_reads_what_it_could_not_read_before() -> None:
    made = plain()
    made.foreign = Foreign((
        ("#bare", '<key for="node" id="bare"/>'),
        ("#flag", '<key attr.name="flag" attr.type="boolean" for="node" id="flag"/>'),
        ("#n", '<key attr.name="n" attr.type="short" for="node" id="n"/>'),
        ("#n", '<key attr.name="weight" attr.type="int" for="edge" id="n"/>'),
    ))  # fmt: skip
    kept = Foreign((("=bare", "b"), ("=flag", "perhaps"), ("=n", "3"), ("<", "<port name='p'/>")))
    made.graph.nodes["a"]["task"] = Task("a", settings={"command": "x"}, foreign=kept)
    edge = made.graph.edges["a", "b & c", "one"]
    edge["edge"] = Edge("a", "b & c", {"type": "t"}, "one", foreign=Foreign((("=n", "4"),)))
    graph = by_networkx(exported(made, "networkx"))
    a = graph.nodes["a"]
    assert (a["bare"], a["flag"], a["n"]) == ("b", "perhaps", "3")
    assert graph.edges["a", "b & c", "one"]["weight"] == 4


def test_ids_that_networkx_would_take_for_one_number_are_kept_apart() -> None:
    made = MetaTask("m")
    for name in ("a", "b"):
        made.add(Task(name, settings={"command": "x"}))
    for id in ("7", "007", "e0", "12"):
        made.join(Edge("a", "b", {"type": f"t{id}"}, id))
    graph = by_networkx(exported(made, "networkx"))
    assert sorted(data["type"] for *_, data in graph.edges(data=True)) == ["t007", "t12", "t7", "te0"]
    assert graph.has_edge("a", "b", 12)
    assert graph.has_edge("a", "b", "e0")
