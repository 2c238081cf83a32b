"""Reading GraphML: what is understood, what is coerced, and what is refused with which code."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from deft.authoring.graphml import reader
from deft.authoring.graphml.limits import Limits
from deft.authoring.graphml.reader import Reading
from deft.base.errors import BadInput, NotFound
from deft.model.tasks import NodeKind

DATA = Path(__file__).parents[1] / "data" / "graphml"
NS = "http://graphml.graphdrawing.org/xmlns"
KEYS = """
<key id="n.command" for="node" attr.name="command" attr.type="string"/>
<key id="n.resources.cores" for="node" attr.name="resources.cores" attr.type="int"/>
<key id="n.armed" for="node" attr.name="armed" attr.type="boolean"/>
<key id="n.goal" for="node" attr.name="goal" attr.type="double"/>
<key id="n.task" for="node" attr.name="task" attr.type="string"/>
<key id="n.kind" for="node" attr.name="kind" attr.type="string"/>
<key id="e.role" for="edge" attr.name="role" attr.type="string"/>
"""


def document(graph: str, *, keys: str = KEYS, namespace: str = NS) -> str:
    """A document whose one graph holds `graph`."""
    return f'<graphml xmlns="{namespace}">{keys}<graph edgedefault="directed">{graph}</graph></graphml>'


def read(text: str | bytes, *, limits: Limits | None = None, strict: bool = False) -> Reading:
    """Read a document that stands in no file."""
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    origin = Path("/somewhere/my graph.graphml")
    return reader.read_stream(stream, origin=origin, limits=limits or Limits(), strict=strict)


def codes(text: str | bytes, *, limits: Limits | None = None, strict: bool = False) -> set[str]:
    """The codes a document is refused with."""
    with pytest.raises(BadInput) as caught:
        read(text, limits=limits, strict=strict)
    return {finding.code for finding in caught.value.findings}


def node(data: str = "", id: str = "a") -> str:
    return f'<node id="{id}">{data}</node>'


def group(inside: str, data: str = "") -> str:
    return f'<node id="g">{data}<graph id="g:" edgedefault="directed">{inside}</graph></node>'


TWO = node() + node(id="b")

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "empty"),
    "blank": ("  \n ", "empty"),
    "words": ("hello", "not-xml"),
    "cut off": (document(TWO)[:-5], "not-xml"),
    "a page": ("<html><body/></html>", "not-graphml"),
    "another namespace": ('<graphml xmlns="http://elsewhere.org/"/>', "not-graphml"),
    "a doctype": ("<!DOCTYPE graphml>" + document(TWO), "doctype"),
    "a remote doctype": ('<!DOCTYPE graphml SYSTEM "http://x.test/g.dtd">' + document(TWO), "doctype"),
    "a doctype in UTF-16": (("<!DOCTYPE graphml>" + document(TWO)).encode("utf-16"), "doctype"),
    "UTF-7": ('<?xml version="1.0" encoding="UTF-7"?>' + document(TWO), "encoding"),
    "a control character": (document(node("<data key='n.command'>\x01</data>")), "not-xml"),
    "no graph": (f'<graphml xmlns="{NS}"/>', "no-graph"),
    "two graphs": (
        f'<graphml xmlns="{NS}"><graph edgedefault="directed"/><graph edgedefault="directed"/></graphml>',
        "two-graphs",
    ),
    "a graph in an edge": (
        document(TWO + '<edge source="a" target="b"><graph edgedefault="directed"/></edge>'), "nested-graph"
    ),
    "a node in a node": (document(node("<node id='b'/>")), "misplaced"),
    "an edge to a group": (
        document(TWO + group(node(id="c")) + '<edge source="a" target="g"/>'), "edge-to-group"
    ),
    "a group with a command": (
        document(group(node(id="c"), "<data key='n.command'>x</data>")), "group-with-settings"
    ),
    "an undirected graph": (document(TWO).replace('"directed"', '"undirected"'), "undirected"),
    "an undirected edge": (
        document(TWO + '<edge source="a" target="b" directed="false"/>'), "undirected-edge"
    ),
    "a hyperedge": (document(TWO + '<hyperedge><endpoint node="a"/></hyperedge>'), "hyperedge"),
    "a locator": (document(node('<locator href="http://x.test/"/>')), "locator"),
    "a dangling edge": (document(TWO + '<edge source="a" target="c"/>'), "dangling-edge"),
    "an edge without end": (document(TWO + '<edge source="a"/>'), "dangling-edge"),
    "a self loop": (document(TWO + '<edge source="a" target="a"/>'), "self-loop"),
    "the same node twice": (document(node() + node()), "duplicate-node"),
    "the same task twice": (
        document(node("<data key='n.task'>t</data>") + node("<data key='n.task'>t</data>", "b")),
        "duplicate-task",
    ),
    "the same edge twice": (
        document(TWO + '<edge id="e" source="a" target="b"/><edge id="e" source="a" target="b"/>'),
        "duplicate-edge",
    ),
    "a node without id": (document("<node/>"), "no-id"),
    "a key twice": (document(TWO, keys=KEYS + '<key id="n.goal" for="node"/>'), "duplicate-key"),
    "a value twice": (document(node("<data key='n.goal'>1</data>" * 2)), "duplicate-value"),
    "a key for nothing": (document(TWO, keys='<key id="k" for="tree"/>'), "bad-key"),
    "a reserved key": (
        document(TWO, keys='<key id="n.command" for="node" attr.name="foo"/>'), "reserved-key"
    ),
    "an undeclared key": (document(node("<data key='n.foo'>1</data>")), "undeclared-key"),
    "a node's key on an edge": (
        document(TWO + '<edge source="a" target="b"><data key="n.goal">1</data></edge>'), "undeclared-key"
    ),
    "data without key": (document(node("<data>1</data>")), "no-key"),
    "a word for a number": (document(node("<data key='n.resources.cores'>four</data>")), "bad-value"),
    "a part of a core": (document(node("<data key='n.resources.cores'>1.5</data>")), "bad-value"),
    "no cores": (document(node("<data key='n.resources.cores'>0</data>")), "bad-value"),
    "a million digits": (document(node(f"<data key='n.resources.cores'>{'9' * 10**6}</data>")), "bad-value"),
    "infinity": (document(node("<data key='n.goal'>1e999</data>")), "bad-value"),
    "a number in Python's spelling": (document(node("<data key='n.goal'>0.1_0</data>")), "bad-value"),
    "Arabic digits": (document(node("<data key='n.resources.cores'>\u0661</data>")), "bad-value"),
    "a zip": (b"PK\x03\x04" + b"x" * 50, "archive"),
    "maybe": (document(node("<data key='n.armed'>maybe</data>")), "bad-value"),
    "no such kind": (document(node("<data key='n.kind'>robot</data>")), "bad-value"),
    "markup in a command": (document(node("<data key='n.command'>a <b>b</b></data>")), "bad-value"),
    "a path": (document(node(id="../a")), "bad-id"),
    "a dot": (document(node(id="..")), "bad-id"),
    "a backslash": (document(node(id="a\\b")), "bad-id"),
    "a new line": (document(node(id="a&#10;b")), "bad-id"),
    "a turned text": (document(node(id="a\u202eb")), "bad-id"),
    "a hidden sign": (document(node(id="a\u200bb")), "bad-id"),
    "a decomposed letter": (document(node(id="u\u0308")), "bad-id"),
    "an endless id": (document(node(id="a" * 256)), "bad-id"),
    "a turned task": (document(node("<data key='n.task'>\u202ex</data>")), "bad-id"),
    "a turned edge": (document(TWO + '<edge id="\u202e" source="a" target="b"/>'), "bad-id"),
    "a newer profile": (
        document("<data key='v'>2</data>" + TWO, keys='<key id="v" for="graph" attr.name="deft.version"/>'),
        "newer-profile",
    ),
    "a deep pit": (document("<x>" * 100 + "</x>" * 100 + TWO), "too-deep"),
    "a deeper pit": (document("<x>" * 400 + "</x>" * 400 + TWO), "too-deep"),
    "half a gzip": (gzip.compress(document(TWO).encode())[:-20], "bad-gzip"),
    "a false gzip": (b"\x1f\x8b" + b"x" * 50, "bad-gzip"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_a_bad_document_is_refused_by_its_code(text: str | bytes, code: str) -> None:
    assert codes(text) == {code}


@pytest.mark.parametrize(("name", "code"), [("doctype", "doctype"), ("laughs", "doctype")])
def test_a_hostile_file_is_refused_before_it_is_parsed(name: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        reader.read(DATA / f"{name}.graphml")
    assert [finding.code for finding in caught.value.findings] == [code]
    assert "hostname" not in str(caught.value)


def test_all_faults_of_a_file_come_in_one_list_with_their_lines() -> None:
    with pytest.raises(BadInput) as caught:
        reader.read(DATA / "many_faults.graphml")
    assert [(finding.line, finding.code) for finding in caught.value.findings] == [
        (5, "bad-value"),
        (6, "duplicate-node"),
        (7, "bad-id"),
        (8, "undeclared-key"),
        (8, "cycle"),
        (10, "dangling-edge"),
        (11, "self-loop"),
        (14, "duplicate-edge"),
        (15, "hyperedge"),
    ]


def test_a_cycle_is_shown_with_its_path() -> None:
    circle = "".join(f'<edge source="{s}" target="{t}"/>' for s, t in ("ab", "bc", "ca"))
    with pytest.raises(BadInput, match="a -> b -> c -> a"):
        read(document(TWO + node(id="c") + circle))


@pytest.mark.parametrize(
    ("limits", "text", "code"),
    [
        (Limits(bytes=100), document(TWO), "too-large"),
        (Limits(element=50_000), document(TWO) + " " * 300_000, "element-too-large"),
        (Limits(element=50_000), document(node(id="a" * 300_000)), "element-too-large"),
        (Limits(element=50_000), document("<x/>" * 50_000), "element-too-large"),
        (Limits(text=10), document(node("<data key='n.command'>12345678901</data>")), "text-too-long"),
        (Limits(attributes=2), document('<node id="a" b="" c="" d=""/>'), "too-many-attributes"),
        (Limits(keys=3), document(TWO), "too-many-keys"),
        (Limits(keys=3), f'<graphml xmlns="{NS}">{"<graph/>" * 4}</graphml>', "too-many-graphs"),
        (Limits(fragments=3), document(TWO + "<x/>" * 4), "too-many-fragments"),
        (Limits(values=3), document(node("<data key='a'/>" * 4)), "too-many-values"),
        (Limits(token=10_000), document(TWO + f"<!--{'a' * 300_000}-->"), "token-too-large"),
        (Limits(nodes=1), document(TWO), "too-many-nodes"),
        (Limits(edges=0), document(TWO + '<edge source="a" target="b"/>'), "too-many-edges"),
        (Limits(depth=3), document(node("<x><x><x><x/></x></x></x>")), "too-deep"),
    ],
)
def test_a_document_over_a_limit_is_refused(limits: Limits, text: str, code: str) -> None:
    assert code in codes(text, limits=limits)


def test_a_gzip_bomb_is_refused() -> None:
    bomb = gzip.compress(document(node() + " " * 2_000_000).encode())
    assert "gzip-bomb" in codes(bomb, limits=Limits(ratio=50, ratio_from=10_000))


def test_a_gzip_file_is_known_by_its_content() -> None:
    text = document(TWO).encode()
    packed = gzip.compress(text[:100]) + gzip.compress(text[100:])  # several members make one stream
    assert [task.name for task in read(packed).metatask.nodes] == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "ascii"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>' + document(node("<data key='n.command'>x</data>"))
    assert read(text.encode(encoding)).metatask.task("a").command == "x"


@pytest.mark.parametrize("namespace", [NS, NS + "/1.0rc", NS + "/graphml", ""])
def test_old_namespaces_and_none_are_read(namespace: str) -> None:
    text = document(node("<data key='n.command'>x</data>"), namespace=namespace)
    assert read(text).metatask.task("a").command == "x"


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        reader.read(tmp_path / "none.graphml")


def test_a_folder_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        reader.read(tmp_path)
    assert [finding.code for finding in caught.value.findings] == ["unreadable"]


def test_a_strange_path_is_unreadable() -> None:
    with pytest.raises(BadInput):
        reader.read(Path("a\0b"))


def test_values_get_the_type_of_their_key() -> None:
    data = "<data key='n.resources.cores'> 4 </data><data key='n.goal'>.5</data><data key='n.armed'>0</data>"
    reading = read(document(node(data)))
    assert reading.metatask.task("a").settings == {"resources.cores": 4, "goal": 0.5, "armed": False}
    assert reading.findings == ()


def test_the_task_key_wins_over_the_node_id() -> None:
    text = document(
        node("<data key='n.task'>make</data>", "n7") + node(id="b") + '<edge source="n7" target="b"/>'
    )
    made = read(text).metatask
    assert [(edge.source, edge.target) for edge in made.edges] == [("make", "b")]
    assert made.task("make").id == "n7"


def test_kind_is_no_setting() -> None:
    task = read(document(node("<data key='n.kind'>entry</data>"))).metatask.task("a")
    assert (task.kind, task.settings) == (NodeKind.ENTRY, {})


def test_coercions_are_told_once_a_key() -> None:
    floats = "".join(node("<data key='n.resources.cores'>4.0</data>", id) for id in "abc")
    reading = read(document(floats))
    assert reading.metatask.task("c").settings == {"resources.cores": 4}
    assert [(f.code, f.line, f.severity) for f in reading.findings] == [("coerced", 9, "warning")]
    assert "3 times" in reading.findings[0].message


def test_strict_makes_coercions_faults() -> None:
    assert codes(document(node("<data key='n.armed'>True</data>")), strict=True) == {"coerced"}


def test_an_empty_number_is_left_out_with_a_warning() -> None:
    reading = read(document(node("<data key='n.goal'></data>")))
    assert reading.metatask.task("a").settings == {}
    assert [finding.code for finding in reading.findings] == ["empty-value"]


def test_a_missing_edgedefault_is_read_as_directed() -> None:
    reading = read(document(TWO).replace(' edgedefault="directed"', ""))
    assert [finding.code for finding in reading.findings] == ["no-edgedefault"]


def test_a_placeholder_waits_unparsed() -> None:
    made = read(document(node("<data key='n.resources.cores'>${param.cores}</data>"))).metatask
    assert made.task("a").settings == {"resources.cores": "${param.cores}"}


def test_the_default_of_a_key_is_applied() -> None:
    keys = KEYS + '<key id="p" for="node" attr.name="priority" attr.type="int"><default>5</default></key>'
    made = read(document(node("<data key='p'>7</data>") + node(id="b"), keys=keys)).metatask
    assert [task.settings["priority"] for task in made.nodes] == [7, 5]


def test_keys_may_follow_the_graph_and_edges_may_precede_nodes() -> None:
    edge = '<edge source="a" target="b"><data key="e.role">secondary</data></edge>'
    late = document(edge + node("<data key='n.goal'>1</data>") + node(id="b"), keys="")
    made = read(late.replace("</graphml>", KEYS + "</graphml>")).metatask
    assert made.task("a").settings == {"goal": 1.0}
    assert [edge.settings for edge in made.edges] == [{"role": "secondary"}]


@pytest.mark.parametrize(
    "key",
    [
        '<key id="d0" for="node" attr.name="goal"/>',
        '<key id="d0" for="node" attr.name="Goal" attr.type="string"/>',
        '<key id="d0" for="all" attr.name="goal"/>',
        '<key id="d0" attr.name="goal"/>',
        '<key id="d0" for="edge" attr.name="goal"/><key id="d0" for="node" attr.name="goal"/>',
    ],
)
def test_a_key_is_known_by_its_name_in_its_scope(key: str) -> None:
    made = read(document(node("<data key='d0'>0.5</data>"), keys=key)).metatask
    assert made.task("a").settings == {"goal": 0.5}


@pytest.mark.parametrize("id", ["goal", "n.goal", "N.goal", "n.GOAL"])
def test_a_key_without_a_name_is_known_by_its_id(id: str) -> None:
    made = read(document(node(f"<data key='{id}'>0.5</data>"), keys=f'<key id="{id}" for="node"/>')).metatask
    assert made.task("a").settings == {"goal": 0.5}


def test_a_member_of_a_family_keeps_its_case() -> None:
    keys = '<key id="k" for="node" attr.name="ENV.Path"/>'
    made = read(document(node("<data key='k'>/bin</data>"), keys=keys)).metatask
    assert made.task("a").settings == {"env.Path": "/bin"}


def test_edges_without_id_get_the_next_free_one() -> None:
    ids = ['id="e1"', "", ""]
    edges = "".join(f'<edge {id} source="a" target="b"/>' for id in ids)
    assert [edge.id for edge in read(document(TWO + edges)).metatask.edges] == ["e1", "e0", "e2"]


def test_exported_state_is_ignored() -> None:
    keys = KEYS + '<key id="n.state.state" for="node" attr.name="state.state"/>'
    reading = read(document(node("<data key='n.state.state'>done</data>"), keys=keys))
    assert (reading.metatask.task("a").settings, reading.metatask.foreign.fragments) == ({}, ())


def test_a_meta_task_without_name_is_called_after_its_file() -> None:
    made = read(document(TWO)).metatask
    assert (made.name, made.project, made.folder) == ("my-graph", "default", "/somewhere")


def test_name_and_project_survive_a_tool_that_drops_graph_data() -> None:
    made = reader.read(DATA / "gephi.graphml").metatask
    assert made.full_name == "lab/trip"
    assert [task.command for task in made.nodes] == ["make < in", ""]
    assert [edge.type for edge in made.edges] == ["root", "log"]


def test_many_faults_are_counted_not_listed() -> None:
    text = document("".join(node("<data key='n.goal'>7</data>", f"n{i}") for i in range(500)))
    with pytest.raises(BadInput) as caught:
        read(text)
    assert (len(caught.value.findings), caught.value.findings[-1].message) == (101, "and 400 more")
