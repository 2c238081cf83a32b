"""`foreach`: copies for each value, grids, and what is refused."""

from __future__ import annotations

from itertools import pairwise, product

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deft.authoring.templates import skeleton
from deft.authoring.templates.expand import expand
from deft.model import rules
from deft.wire import placeholders
from tests.support.drawn import (
    EACH,
    FACTS,
    Ends,
    Settings,
    codes,
    drawn,
    ends,
    expanded,
    names,
)

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
