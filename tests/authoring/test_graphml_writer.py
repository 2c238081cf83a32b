"""Writing GraphML: the same bytes again, and what others wrote comes back."""

from __future__ import annotations

import io
import re
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from lxml import etree

from deft.authoring.graphml import reader, writer
from deft.authoring.graphml.writer import State
from deft.base.errors import BadInput
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, Task
from tests.support.metatasks import metatasks

DATA = Path(__file__).parents[1] / "data" / "graphml"
NS = "http://graphml.graphdrawing.org/xmlns"
TEMPLATE = Path(__file__).parents[2] / "templates" / "census" / "census.graphml"


def written(metatask: MetaTask, state: State | None = None) -> bytes:
    stream = io.BytesIO()
    writer.write(metatask, stream, state=state)
    return stream.getvalue()


def read_back(document: bytes) -> MetaTask:
    reading = reader.read_stream(io.BytesIO(document), origin=Path("/x/back.graphml"))
    assert reading.findings == ()
    return reading.metatask


def small() -> MetaTask:
    made = MetaTask("small", project="lab", settings={"goal": 0.5})
    made.add(Task("files", NodeKind.ENTRY))
    made.add(Task("work", settings={"command": "a < b && c", "resources.cores": 4, "armed": False}))
    made.join(Edge("files", "work", {"source": "/data/*.txt"}))
    return made


@given(metatasks())
def test_what_is_written_reads_back_and_writes_the_same(made: MetaTask) -> None:
    first = written(made)
    again = read_back(first)
    assert written(again) == first
    assert content(again) == content(made)


def content(made: MetaTask) -> tuple[object, ...]:
    """All that must survive; edge ids may be made unique."""
    nodes = [(node.name, node.kind, node.settings, node.foreign) for node in made.nodes]
    edges = [(edge.source, edge.target, edge.settings) for edge in made.edges]
    return made.full_name, made.settings, made.foreign, nodes, edges


@pytest.mark.parametrize("path", [DATA / "gephi.graphml", DATA / "yed.graphml", TEMPLATE])
def test_the_second_export_is_the_first(path: Path) -> None:
    first = written(reader.read(path).metatask)
    assert written(read_back(first)) == first


def test_every_node_says_its_task_and_its_meta_task() -> None:
    text = written(small()).decode()
    assert text.count('<data key="n.task">') == text.count('<data key="n.metatask">lab/small<') == 2


def test_type_and_dataset_are_written_only_if_given() -> None:
    assert not re.search("e\\.(type|dataset)", written(small()).decode())


def test_other_tools_read_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "small.graphml"
    path.write_bytes(written(small()))
    found = nx.read_graphml(path, force_multigraph=True)
    assert found.nodes["work"]["resources.cores"] == 4
    assert found.nodes["work"]["armed"] is False
    assert found.nodes["work"]["command"] == "a < b && c"


def test_a_yed_drawing_comes_back() -> None:
    root = etree.fromstring(written(reader.read(DATA / "yed.graphml").metatask))
    names = {"g": "http://graphml.graphdrawing.org/xmlns", "y": "http://www.yworks.com/xml/graphml"}

    def count(path: str) -> int:
        found = root.xpath(path, namespaces=names)
        assert isinstance(found, list)
        return len(found)

    assert count("g:graph/g:node/g:data[@key='d6']/y:ShapeNode/y:Geometry[@x='385.0']") == 1
    assert count("g:graph/g:node/g:data/y:ShapeNode/y:NodeLabel[.='make & do']") == 1
    assert count("g:graph/g:edge[@sourceport='north']/g:data[@key='d10']/y:PolyLineEdge/y:Path") == 1
    assert count("g:graph/g:node[@yfiles.foldertype='none']/g:desc[.='first']") == 1
    assert count("g:graph/g:node/g:port[@name='north']") == 1
    assert count("g:graph/g:node/g:data[@key='d11'][.='http://example.org/?a&b']") == 1
    assert count("g:data[@key='d7']/y:Resources") == 1
    assert count("g:key[@for='port'][@yfiles.type='portgraphics']") == 1
    assert count("g:graph[@id='G']/g:data[@key='g.description'][.='drawn by hand']") == 1


FOREIGN = {
    "a default namespace": '<f xmlns="u:1"><g xmlns="u:2" a="1"/><h xmlns=""/></f>',
    "a shadowed prefix": '<a:f xmlns:a="u:1" xmlns:b="u:1"><a:g xmlns:a="u:2" b:k="1"/></a:f>',
    "two namespaces of attributes": '<f xmlns:a="u:1" xmlns:b="u:2" b:k="1" a:k="&lt;&#10;&quot;"/>',
    "a swapped prefix": '<a:f xmlns:a="u:1"><x xmlns:a="u:2" xmlns:b="u:1" a:k="" b:k=""/></a:f>',
    "mixed text": '<f xml:space="preserve"> a <!-- gone --> &amp; <b/>\n&#13; </f>',
    "our own namespace by prefix": '<q:desc xmlns:q="http://graphml.graphdrawing.org/xmlns">x</q:desc>',
}


@pytest.mark.parametrize("namespace", ["http://graphml.graphdrawing.org/xmlns", "u:old", ""])
@pytest.mark.parametrize("fragment", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_element_comes_back_with_the_same_meaning(fragment: str, namespace: str) -> None:
    space = namespace.replace("u:old", "http://graphml.graphdrawing.org/xmlns/1.0rc")
    graph = f'<graph edgedefault="directed"><node id="a">{fragment}</node></graph>'
    text = f'<graphml xmlns="{space}">{graph}</graphml>'
    first = written(read_back(text.encode()))
    assert written(read_back(first)) == first
    meant = [_meaning(etree.fromstring(f'<r xmlns="{NS}">{fragment}</r>')[0])]
    kept = next(etree.fromstring(first).iter(f"{{{NS}}}node"))
    assert [_meaning(child) for child in kept if not str(child.tag).endswith("}data")] == meant


def _meaning(element: etree._Element) -> tuple[object, ...]:
    """Names with namespaces, attributes and texts, without prefixes and comments."""
    parts = list(element)
    tag = str(element.tag) if "}" in str(element.tag) else f"{{{NS}}}{element.tag}"
    text = "".join(str(piece) for piece in element.itertext() if piece.strip())
    return tag, sorted(element.items()), text, [_meaning(one) for one in parts if isinstance(one.tag, str)]


def test_positions_and_labels_of_gephi_come_back() -> None:
    text = written(reader.read(DATA / "gephi.graphml").metatask).decode()
    assert text.count('<data key="x">-107.73</data>') == text.count('<data key="label">make</data>') == 1
    assert text.count('<data key="weight">1.0</data>') == 2
    assert '<key attr.name="Edge Label" attr.type="string" for="edge" id="edgelabel"/>' in text


def test_state_is_written_on_demand_and_ignored_on_the_way_back() -> None:
    made = small()
    with_state = written(made, {("node", "work"): {"state.state": "done", "state.ok": 7}})
    assert b'<data key="n.state.state">done</data>' in with_state
    assert written(read_back(with_state)) == written(read_back(written(made)))


def test_a_character_that_xml_cannot_hold_is_refused() -> None:
    made = MetaTask("m")
    made.add(Task("a", settings={"command": "echo \x01"}))
    with pytest.raises(BadInput) as caught:
        written(made)
    assert [finding.code for finding in caught.value.findings] == ["illegal-character"]


def test_a_setting_that_is_no_key_is_refused() -> None:
    made = MetaTask("m")
    made.add(Task("a", settings={"no.such.key": 1}))
    with pytest.raises(BadInput):
        written(made)


def test_equal_edge_ids_between_other_tasks_are_made_unique() -> None:
    made = MetaTask("m")
    for name in "abc":
        made.add(Task(name))
    made.join(Edge("a", "b", id="0"))
    made.join(Edge("b", "c", id="0"))
    assert [edge.id for edge in read_back(written(made)).edges] == ["0", "e0"]


def test_names_that_differ_in_case_alone_have_ids_that_differ_in_more() -> None:
    made = MetaTask("m")
    made.add(Task("a", settings={"param.N": "1", "param.n": "2", "param.n_2": "3"}))
    text = written(made).decode()
    ids = re.findall('<key id="([^"]*)"', text)
    assert len({id.lower() for id in ids}) == len(ids)
    assert read_back(written(made)).task("a").settings == made.task("a").settings
