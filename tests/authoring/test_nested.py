"""Templates inside templates, and that what was expanded is exported and read again."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from deft.authoring.graphml import reader
from deft.authoring.graphml.limits import Limits
from deft.authoring.templates import instantiate, search
from deft.authoring.templates.expand import expand
from deft.base.errors import BadInput
from deft.model import rules
from deft.model.graph import MetaTask
from deft.model.tasks import Edge
from tests.support.drawn import (
    EACH,
    FACTS,
    Settings,
    codes,
    drawn,
    ends,
    expanded,
    names,
    stored,
    written,
)

# --- nested templates --------------------------------------------------------------------------------------


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A folder of templates with `chain`: in -> gen -> rec -> out, and a side product of gen."""
    nodes: dict[str, Settings] = {
        "in": {"kind": "entry"},
        "gen": {"command": "cat {inputs} {template}/x > {output.hits} ; echo {param.events} > {output.side}"},
        "rec": {"command": "true > {output}", "attr.y": "${param.events}"},
        "out": {"kind": "exit"},
    }
    edges: dict[tuple[str, str], Settings] = {
        ("in", "gen"): {"source": "here/*.txt", "start_when": "any"},
        ("gen", "rec"): {"type": "hits"},
        ("rec", "out"): {"type": "tracks", "format": "root"},
    }
    made = drawn(nodes, edges, name="chain", events="5", events__type="int")
    made.join(Edge("gen", "out", {"type": "side"}, id="side"))
    made.settings["attr.z"] = "z"
    stored(tmp_path / "lib" / "chain", made)
    return tmp_path / "lib"


def outer(node: Settings, edges: Mapping[tuple[str, str], Settings], **params: str) -> MetaTask:
    nodes: dict[str, Settings] = {
        "first": {},
        "mc": {"kind": "metatask", "template": "chain", **node},
        "last": {},
    }
    return drawn(nodes, edges, **params)


def test_a_template_is_put_in_the_place_of_its_node(chain: Path) -> None:
    made = expanded(
        outer({"attr.risk": "7"}, {("first", "mc"): {"type": "raw"}, ("mc", "last"): {"type": "tracks"}}),
        {},
        chain,
    )
    assert names(made) == ["first", "mc--gen", "mc--rec", "mc--out", "last"]
    assert ends(made) == {
        ("first", "mc--gen"),
        ("mc--gen", "mc--rec"),
        ("mc--gen", "mc--out"),
        ("mc--rec", "last"),
    }
    assert made.inputs("mc--gen")[0].settings == {"type": "raw", "start_when": "any"}
    assert made.inputs("last")[0].settings == {"type": "tracks", "format": "root"}
    assert made.task("mc--rec").settings == {
        "command": "true > {output}", "attr.y": "5", "attr.z": "z", "attr.risk": "7"
    }  # fmt: skip
    assert [finding for finding in rules.validate(made) if finding.severity == "error"] == []


def test_tasks_of_a_template_find_their_own_payload_and_parameters(chain: Path) -> None:
    made = expanded(outer({"param.events": "${param.n}"}, {}, n="9", events="other"), {}, chain)
    assert made.task("mc--gen").settings["folder"] == str((chain / "chain").resolve())
    assert made.task("mc--gen").settings["param.events"] == "9"
    assert "folder" not in made.task("mc--rec").settings
    assert next(made.edges).sources == (str((chain / "chain").resolve() / "here" / "*.txt"),)


def test_an_edge_without_a_type_takes_everything_that_comes_out(chain: Path) -> None:
    made = expanded(outer({}, {("mc", "last"): {"role": "secondary"}}), {}, chain)
    assert sorted((edge.source, edge.type, edge.text("role")) for edge in made.inputs("last")) == [
        ("mc--gen", "side", "secondary"), ("mc--rec", "tracks", "secondary")
    ]  # fmt: skip


def test_a_template_without_exits_gives_what_its_last_tasks_make(tmp_path: Path) -> None:
    stored(tmp_path / "chain", drawn({"a": {}, "b": {}}, {("a", "b"): {}}, name="chain"))
    made = expanded(outer({}, {("mc", "last"): {"type": "hits"}}), {}, tmp_path)
    assert ends(made) == {("mc--a", "mc--b"), ("mc--b", "last")}
    assert made.inputs("last")[0].type == "hits"


def test_a_template_is_copied_too_and_pairs_up(chain: Path) -> None:
    nodes: dict[str, Settings] = {
        "first": EACH,
        "mc": {"kind": "metatask", "template": "chain", "param.events": "${param.sample}", **EACH},
        "more": {"kind": "metatask", "template": "chain", **EACH},
    }
    edges: dict[tuple[str, str], Settings] = {("first", "mc"): {}, ("mc", "more"): {"type": "tracks"}}
    made = expanded(drawn(nodes, edges, sample="10,20"), {}, chain)
    assert made.task("mc--20--rec").settings["attr.y"] == "20"
    assert {("first--10", "mc--10--gen"), ("mc--20--rec", "more--20--gen")} <= ends(made)
    assert ("mc--10--rec", "more--20--gen") not in ends(made)


def test_templates_are_nested_and_found_beside_the_document(tmp_path: Path) -> None:
    stored(tmp_path / "sub", drawn({"leaf": {"command": "{template}/run"}}, {}, name="inner"))
    nest: Settings = {"kind": "metatask", "template": "inner.graphml"}
    stored(tmp_path / "sub", drawn({"mid": nest}, {}, name="middle"))
    top: Settings = {"kind": "metatask", "template": "sub/middle.graphml"}
    made = expanded(drawn({"top": top}, {}, folder=str(tmp_path)))
    assert names(made) == ["top--mid--leaf"]
    assert made.task("top--mid--leaf").settings["folder"] == str((tmp_path / "sub").resolve())


def test_a_template_that_contains_itself_is_told_with_the_path(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        stored(tmp_path, drawn({"n": {"kind": "metatask", "template": f"./{other}.graphml"}}, {}, name=name))
    document = reader.read(tmp_path / "a.graphml").metatask
    with pytest.raises(BadInput, match=r"a.graphml -> b.graphml -> a.graphml") as caught:
        expanded(document)
    assert [finding.code for finding in caught.value.findings] == ["template-recursion"]


@pytest.mark.parametrize(("depth", "fits"), [(8, True), (9, False)])
def test_templates_are_nested_to_a_limit(tmp_path: Path, depth: int, fits: bool) -> None:
    stored(tmp_path, drawn({"n": {}}, {}, name=f"t{depth}"))
    for level in range(depth):
        node: Settings = {"kind": "metatask", "template": f"./t{level + 1}.graphml"}
        stored(tmp_path, drawn({"n": node}, {}, name=f"t{level}"))
    document = reader.read(tmp_path / "t0.graphml").metatask
    if fits:
        assert names(expanded(document)) == ["--".join("n" * (depth + 1))]
    else:
        assert codes(document) == ["nested-too-deep"]


def test_a_bomb_of_templates_is_refused(tmp_path: Path) -> None:
    for level in range(8):
        node: Settings = {"foreach": f"p{level}", "kind": "metatask", "template": f"./t{level + 1}.graphml"}
        stored(
            tmp_path,
            drawn({"n": node if level < 7 else {}}, {}, name=f"t{level}", **{f"p{level}": "1,2,3,4,5,6"}),
        )
    document = reader.read(tmp_path / "t0.graphml").metatask
    with pytest.raises(BadInput, match="too many nodes"):
        expand(document, {}, FACTS, limits=Limits(nodes=1000))


@pytest.mark.parametrize(
    ("node", "edges", "code"),
    [
        ({"template": ""}, {}, "no-template"),
        ({"template": "chian"}, {}, "unknown-template"),
        ({"template": "a b"}, {}, "bad-template-name"),
        ({"template": "../chain/chain.graphml"}, {}, "bad-template-name"),
        ({"template": "/etc/passwd.graphml"}, {}, "bad-template-name"),
        ({"template": "./none.graphml"}, {}, "unknown-template"),
        ({"param.evts": "5"}, {}, "unknown-parameter"),
        ({"param.events": "many"}, {}, "bad-parameter"),
        ({}, {("mc", "last"): {"type": "nothing"}}, "no-exit"),
    ],
)
def test_a_bad_nested_template_is_told(
    chain: Path, node: Settings, edges: dict[tuple[str, str], Settings], code: str
) -> None:
    made = outer(node, edges)
    made.folder = str(chain)
    assert codes(made, {}, chain) == [code]


def test_an_edge_into_a_template_without_an_entry_is_told(tmp_path: Path) -> None:
    stored(tmp_path / "chain", drawn({"a": {}}, {}, name="chain"))
    assert codes(outer({}, {("first", "mc"): {}}), {}, tmp_path) == ["no-entry"]


def test_a_fault_inside_a_template_says_where_it_is(tmp_path: Path) -> None:
    stored(tmp_path / "chain", drawn({"a": {"attr.x": "${param.nope}"}}, {}, name="chain"))
    with pytest.raises(
        BadInput, match=r"in chain.graphml, line \d+, which mc stands for: a: unknown placeholder"
    ):
        expanded(outer({}, {}), {}, tmp_path)


def test_a_name_that_becomes_too_long_is_told() -> None:
    assert "bad-name" in [
        finding.code for finding in rules.validate(expanded(drawn({"x" * 40: EACH}, {}, sample="y" * 40)))
    ]


# --- round trip --------------------------------------------------------------------------------------------


def test_an_expanded_graph_is_exported_and_read_again_byte_identical(chain: Path) -> None:
    node: Settings = {"foreach": "sample,energy", "param.events": "${param.energy}"}
    document = outer(node, {("first", "mc"): {}, ("mc", "last"): {}}, sample='["a,b","${x}"]', energy="1,2",
                     energy__type="int", energy__choices="1,2")  # fmt: skip
    once = written(expanded(document, {}, chain))
    read = reader.read_stream(io.BytesIO(once), origin=Path("m.graphml"))
    assert written(expanded(read.metatask)) == once


@pytest.mark.parametrize("name", search.names())
def test_a_shipped_template_expands_to_the_same_again(name: str) -> None:
    path, folder = search.open_source(name)
    facts = instantiate.facts_here(template=str(folder), workdir="/w")
    once = written(expand(reader.read(path).metatask, {}, facts).metatask)
    again = reader.read_stream(io.BytesIO(once), origin=path).metatask
    assert written(expand(again, {}, facts).metatask) == once
