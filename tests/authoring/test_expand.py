"""Expansion: copies for each value, grids, nested templates, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import pairwise, product
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deft.authoring import graphml_reader, graphml_writer, instantiate, skeleton, templates
from deft.authoring.expand import expand
from deft.authoring.limits import Limits
from deft.base.errors import BadInput
from deft.model import rules
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task
from deft.wire import placeholders

FACTS = {"python": "/py", "python.stdlib": "/lib", "template": "/t", "workdir": "/w"}
Settings = Mapping[str, Value]
Ends = set[tuple[str, str]]


def drawn(
    nodes: Mapping[str, Settings],
    edges: Mapping[tuple[str, str], Settings],
    *,
    folder: str = "",
    name: str = "m",
    **params: str,
) -> MetaTask:
    """A document as it was read; a setting `kind` makes another node; `params` with `__` for a dot."""
    own: Settings = {f"param.{key.replace('__', '.')}": value for key, value in params.items()}
    made = MetaTask(name, settings=own, origin=f"{folder}/{name}.graphml" if folder else "", folder=folder)
    for node, facts in nodes.items():
        kind = NodeKind(str(facts.get("kind", "task")))
        command: Settings = {"command": "true > {output}"} if kind is NodeKind.TASK else {}
        said = {key: value for key, value in {**command, **facts}.items() if key != "kind"}
        made.add(Task(node, kind, said))
    for number, ((source, target), facts) in enumerate(edges.items()):
        made.join(Edge(source, target, facts, id=f"e{number}"))
    return made


def stored(folder: Path, metatask: MetaTask) -> Path:
    """The document as a file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{metatask.name}.graphml"
    with path.open("wb") as stream:
        graphml_writer.write(metatask, stream)
    return path


def expanded(metatask: MetaTask, values: Mapping[str, str] | None = None, *folders: Path) -> MetaTask:
    return expand(metatask, values or {}, FACTS, folders=folders).metatask


def names(metatask: MetaTask) -> list[str]:
    return [node.name for node in metatask.nodes]


def ends(metatask: MetaTask) -> Ends:
    return {(edge.source, edge.target) for edge in metatask.edges}


def codes(metatask: MetaTask, values: Mapping[str, str] | None = None, *folders: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        expanded(metatask, values, *folders)
    return [finding.code for finding in caught.value.findings if finding.severity == "error"]


EACH: Settings = {"foreach": "sample"}


# --- copies ------------------------------------------------------------------------------------------------


def test_a_node_is_copied_for_each_value() -> None:
    made = expanded(drawn({"simul": EACH}, {}, sample="ttbar, zmumu"))
    assert names(made) == ["simul--ttbar", "simul--zmumu"]
    assert made.task("simul--ttbar").settings == {"command": "true > {output}", "param.sample": "ttbar"}


def test_a_json_list_holds_values_with_commas() -> None:
    made = expanded(drawn({"a": EACH}, {}, sample='["x, y", 13.5]'))
    assert [node.settings["param.sample"] for node in made.tasks] == ["x, y", "13.5"]


def test_a_copy_is_filled_with_its_own_value_and_never_twice() -> None:
    node = {"foreach": "sample", "command": "run ${param.sample}", "attr.x": "<${param.sample}>"}
    made = expanded(
        drawn({"a": node, "b": {"attr.x": "${param.sample}"}}, {}, sample="u"), {"sample": "u, ${python}"}
    )
    assert [node.settings.get("attr.x") for node in made.tasks] == ["<u>", "<${python}>", "u, ${python}"]
    assert [placeholders.fill(node.command, {}) for node in list(made.tasks)[:2]] == [
        "run u",
        "run '${python}'",
    ]


def test_a_node_of_its_own_parameter_is_filled_with_it() -> None:
    made = expanded(drawn({"a": {"param.n": "${param.n}0", "attr.x": "${param.n}"}}, {}, n="1"))
    assert made.task("a").settings["attr.x"] == "10"


def test_nodes_over_one_parameter_pair_up() -> None:
    made = expanded(drawn({"a": EACH, "b": EACH}, {("a", "b"): {"type": "hits"}}, sample="x,y"))
    assert ends(made) == {("a--x", "b--x"), ("a--y", "b--y")}
    assert {edge.type for edge in made.edges} == {"hits"}
    assert [edge.id for edge in made.edges] == ["e0--x", "e0--y"]


def test_a_plain_node_fans_out_and_in() -> None:
    made = expanded(
        drawn({"a": {}, "b": EACH, "c": {}}, {("a", "b"): {}, ("b", "c"): {"reduce": True}}, sample="x,y")
    )
    assert ends(made) == {("a", "b--x"), ("a", "b--y"), ("b--x", "c"), ("b--y", "c")}
    assert [edge.settings for edge in made.inputs("c")] == [{"reduce": True}] * 2


def test_nodes_over_different_parameters_meet_in_every_combination() -> None:
    made = expanded(
        drawn({"a": EACH, "b": {"foreach": "energy"}}, {("a", "b"): {}}, sample="x,y", energy="7,13")
    )
    assert ends(made) == set(product(["a--x", "a--y"], ["b--7", "b--13"]))


def test_a_grid_joins_where_the_shared_values_are_equal() -> None:
    made = expanded(
        drawn({"a": {"foreach": "sample,energy"}, "b": EACH}, {("a", "b"): {}}, sample="x,y", energy="7,13")
    )
    assert names(made)[:4] == ["a--x--7", "a--x--13", "a--y--7", "a--y--13"]
    assert ends(made) == {(f"a--{s}--{e}", f"b--{s}") for s in "xy" for e in ("7", "13")}
    assert made.task("a--x--13").family("param.") == {"sample": "x", "energy": "13"}


def test_an_edge_is_filled_with_what_its_ends_stand_for() -> None:
    nodes: dict[str, Settings] = {"files": {"kind": "entry", **EACH}, "a": EACH}
    made = expanded(drawn(nodes, {("files", "a"): {"source": "/d/${param.sample}/*.root"}}, sample="x,y"))
    assert [edge.sources for edge in made.edges] == [("/d/x/*.root",), ("/d/y/*.root",)]
    assert rules.validate(made) == []


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("13.6 TeV, ttbar", ["13-6-TeV", "ttbar"]),
        ("a b,a/b", ["a-b-c8687a", "a-b-c14cdd"]),
        ("a-b,a b", ["a-b", "a-b-c8687a"]),
        ("é,--x--", ["e", "x"]),
        ("w" * 60, ["w" * 33 + "-" + "e0bd8d"]),
    ],
)
def test_a_value_that_is_no_name_is_made_one(values: str, labels: list[str]) -> None:
    made = expand(drawn({"s": EACH}, {}, sample=values), {}, FACTS)
    assert [name.removeprefix("s--") for name in names(made.metatask)] == labels
    assert [finding.code for finding in made.findings] == ["foreach-renamed"]


def test_type_and_choices_hold_for_each_value_of_a_list() -> None:
    facts = {"energy": "7,13", "energy__type": "int", "energy__choices": "7,8,13"}
    made = expanded(drawn({"a": {"foreach": "energy"}}, {}, **facts))
    assert (names(made), made.settings["param.energy.type"]) == (["a--7", "a--13"], "int list")
    assert codes(drawn({"a": {"foreach": "energy"}}, {}, **facts), {"energy": "7,9"}) == ["bad-parameter"]
    assert codes(drawn({"a": {"foreach": "energy"}}, {}, **facts), {"energy": "[7"}) == ["bad-parameter"]


@pytest.mark.parametrize(
    ("nodes", "params", "code"),
    [
        ({"a": {"foreach": "sampel"}}, {"sample": "x"}, "unknown-parameter"),
        ({"a": EACH}, {"sample": ""}, "bad-foreach"),
        ({"a": EACH}, {"sample": "x,x"}, "duplicate-task"),
        ({"a": EACH}, {"sample": "x,日本"}, "bad-foreach-value"),
        ({"a": EACH, "a--x": {}}, {"sample": "x"}, "duplicate-task"),
        ({"a": {**EACH, "param.sample": "z"}}, {"sample": "x"}, "bad-foreach"),
        ({"a": EACH}, {"sample__help": "which"}, "missing-parameter"),
    ],
)
def test_a_bad_foreach_is_told(nodes: dict[str, Settings], params: dict[str, str], code: str) -> None:
    assert code in codes(drawn(nodes, {}, **params))


def test_too_many_copies_are_refused_before_any_is_made() -> None:
    many = ",".join(f"v{n}" for n in range(1000))
    grid = drawn({"a": {"foreach": "p,q,r,s"}}, {}, p=many, q=many, r=many, s=many)
    assert codes(grid) == ["too-many-nodes"]
    wide = drawn({"a": {"foreach": "p,q"}, "b": {"foreach": "r"}}, {("a", "b"): {}}, p=many, q=many, r=many)
    assert codes(wide) == ["too-many-edges"]


# --- shapes ------------------------------------------------------------------------------------------------

STEPS = st.lists(st.sampled_from(["gen", "sim", "dig", "rec", "ana"]), min_size=3, max_size=5, unique=True)


@given(steps=STEPS, width=st.integers(1, 12), topology=st.sampled_from(skeleton.TOPOLOGIES))
@settings(max_examples=60, deadline=None)
def test_every_topology_has_the_right_nodes_and_edges(steps: list[str], width: int, topology: str) -> None:
    made = expanded(skeleton.skeleton("m", topology, steps, 1 if topology == "chain" else width))
    copies = [f"b{n:0{len(str(width))}d}" for n in range(1, width + 1)]
    bag = {f"{step}--{copy}" for step in steps for copy in copies}
    chains = {(f"{a}--{copy}", f"{b}--{copy}") for a, b in pairwise(steps) for copy in copies}
    first, *middle, last = steps
    inner = {f"{step}--{copy}" for step in middle for copy in copies}
    sides = {(first, f"{middle[0]}--{copy}") for copy in copies} | {
        (f"{middle[-1]}--{copy}", last) for copy in copies
    }
    wanted: dict[str, tuple[set[str], Ends]] = {
        "chain": (set(steps), set(pairwise(steps))),
        "bag": (bag, set()),
        "bag-of-chains": (bag, chains),
        "diamond": ({first, last} | inner, sides | {pair for pair in chains if set(pair) <= inner}),
    }
    assert (set(names(made)), ends(made)) == wanted[topology]
    assert [finding for finding in rules.validate(made) if finding.severity == "error"] == []


LETTERS = "abcdef"
DAG = st.sets(st.sampled_from([(s, t) for s in LETTERS for t in LETTERS if s < t]), max_size=10)
OVER = st.dictionaries(st.sampled_from(LETTERS), st.sets(st.sampled_from(["p", "q"]), min_size=1))


@given(pairs=DAG, over=OVER, p=st.integers(1, 4), q=st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_any_graph_expands_to_the_join_of_its_copies(
    pairs: Ends, over: dict[str, set[str]], p: int, q: int
) -> None:
    lists = {"p": [f"p{n}" for n in range(p)], "q": [f"q{n}" for n in range(q)]}
    nodes: dict[str, Settings] = {
        letter: {"foreach": ",".join(sorted(over[letter]))} if letter in over else {} for letter in LETTERS
    }
    edges: dict[tuple[str, str], Settings] = {pair: {} for pair in sorted(pairs)}
    made = expanded(drawn(nodes, edges, **{name: ",".join(values) for name, values in lists.items()}))

    points = [dict(zip("pq", point, strict=True)) for point in product(lists["p"], lists["q"])]

    def called(letter: str, point: dict[str, str]) -> str:
        return "--".join((letter, *(point[name] for name in sorted(over.get(letter, ())))))

    assert set(names(made)) == {called(letter, point) for letter in LETTERS for point in points}
    assert ends(made) == {(called(s, point), called(t, point)) for s, t in pairs for point in points}
    assert len(list(made.edges)) == len(ends(made))
    assert nx.is_directed_acyclic_graph(made.graph)


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
    document = graphml_reader.read(tmp_path / "a.graphml").metatask
    with pytest.raises(BadInput, match=r"a.graphml -> b.graphml -> a.graphml") as caught:
        expanded(document)
    assert [finding.code for finding in caught.value.findings] == ["template-recursion"]


@pytest.mark.parametrize(("depth", "fits"), [(8, True), (9, False)])
def test_templates_are_nested_to_a_limit(tmp_path: Path, depth: int, fits: bool) -> None:
    stored(tmp_path, drawn({"n": {}}, {}, name=f"t{depth}"))
    for level in range(depth):
        node: Settings = {"kind": "metatask", "template": f"./t{level + 1}.graphml"}
        stored(tmp_path, drawn({"n": node}, {}, name=f"t{level}"))
    document = graphml_reader.read(tmp_path / "t0.graphml").metatask
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
    document = graphml_reader.read(tmp_path / "t0.graphml").metatask
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
    read = graphml_reader.read_stream(io.BytesIO(once), origin=Path("m.graphml"))
    assert written(expanded(read.metatask)) == once


def written(metatask: MetaTask) -> bytes:
    stream = io.BytesIO()
    graphml_writer.write(instantiate.protect(metatask), stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", templates.names())
def test_a_shipped_template_expands_to_the_same_again(name: str) -> None:
    path, folder = templates.open_source(name)
    facts = instantiate.facts_here(template=str(folder), workdir="/w")
    once = written(expand(graphml_reader.read(path).metatask, {}, facts).metatask)
    again = graphml_reader.read_stream(io.BytesIO(once), origin=path).metatask
    assert written(expand(again, {}, facts).metatask) == once
