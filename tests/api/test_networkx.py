"""A Meta-Task as a NetworkX graph and back: names, types, state, and what other tools left on it."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given

import deft
from deft.authoring import exchange
from deft.authoring.graphml import flavours, reader, writer
from deft.model.graph import MetaTask
from tests.support.metatasks import everything, metatasks
from tests.support.repository import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "networkx_tools.py"


def content(made: MetaTask) -> tuple[object, ...]:
    """All that must survive."""
    nodes = [(node.name, node.kind, dict(node.settings), set(node.foreign.fragments)) for node in made.nodes]
    edges = {(e.source, e.target, e.id): dict(e.settings) for e in made.edges}
    return made.full_name, dict(made.settings), nodes, edges


def by_networkx(document: bytes) -> nx.MultiDiGraph[Any]:
    """As NetworkX reads it."""
    found = nx.read_graphml(io.BytesIO(document), force_multigraph=True)
    assert isinstance(found, nx.MultiDiGraph)
    return found


def chain(*names: str) -> nx.DiGraph[Any]:
    graph: nx.DiGraph[Any] = nx.DiGraph()
    nx.add_path(graph, names)
    return graph


def test_everything_comes_back() -> None:
    stored = everything()
    assert content(exchange.from_networkx(exchange.to_networkx(stored))) == content(stored)


@given(metatasks())
def test_any_meta_task_comes_back(stored: MetaTask) -> None:
    graph: Any = exchange.to_networkx(stored)
    assert nx.utils.graphs_equal(graph, exchange.to_networkx(exchange.from_networkx(graph)))


def test_attributes_are_the_keys_of_the_profile_with_their_types() -> None:
    graph = exchange.to_networkx(everything())
    assert isinstance(graph, nx.MultiDiGraph)
    assert (graph.graph["name"], graph.graph["project"]) == ("mixed", "lab")
    evgen = graph.nodes["evgen"]
    assert (evgen["task"], evgen["metatask"], evgen["kind"]) == ("evgen", "lab/mixed", "task")
    assert (evgen["resources.cores"], evgen["goal"], evgen["armed"]) == (4, 0.1, False)
    assert graph.edges["evgen", "simul", "hits"] == {"type": "hits", "start_when": "20%"}


def test_what_tools_left_is_there_with_its_type() -> None:
    assert exchange.to_networkx(everything()).nodes["evgen"]["x"] == 10.3
    assert exchange.to_networkx(everything()).nodes["evgen"]["label"] == "at 10.3"


@pytest.mark.parametrize("flavour", ["plain", "networkx"])
def test_read_by_networkx_every_value_is_as_in_the_graph(flavour: str) -> None:
    stored = everything()
    stream = io.BytesIO()
    writer.write(flavours.flavoured(stored, flavour), stream)
    found, wanted = by_networkx(stream.getvalue()), exchange.to_networkx(stored)
    assert dict(found.nodes(data=True)) == {
        {"raw": "in"}.get(name, name): data for name, data in wanted.nodes(data=True)
    }
    for _, _, key, data in found.edges(keys=True, data=True):
        assert [data] == [told for *_, id, told in wanted.edges(keys=True, data=True) if id == key]
    assert {name: found.graph[name] for name in wanted.graph} == wanted.graph
    assert [type(value) for value in found.nodes["evgen"].values()] == [
        type(wanted.nodes["evgen"][name]) for name in found.nodes["evgen"]
    ]


def test_other_attributes_are_kept_for_other_tools(tmp_path: Path) -> None:
    graph = chain("a", "b")
    graph.nodes["a"].update(command="true", size=3, pos=(0.5, 1), seen=True, n=1)
    graph.nodes["b"].update(command="true", size=2.5, n=2, nothing=None)
    graph.edges["a", "b"]["weight"] = 7
    deft.from_networkx(graph, "m").write(tmp_path / "m.graphml")
    again = deft.to_networkx(deft.read(str(tmp_path / "m.graphml")))
    a, b = again.nodes["a"], again.nodes["b"]
    assert (a["size"], a["pos"], a["seen"], a["n"]) == (3.0, "[0.5, 1]", True, 1)
    assert (b["size"], b["n"], "nothing" in b) == (2.5, 2, False)
    assert again.edges["a", "b", "e0"]["weight"] == 7


def test_state_is_there_when_asked_and_stays_behind(tmp_path: Path) -> None:
    made = deft.MetaTask("m")
    made.task("a", "true")
    run = made.submit(tmp_path)
    without: Any = deft.to_networkx("m", workdir=tmp_path)
    assert "state.state" not in without.nodes["a"]
    graph: Any = deft.to_networkx("m", state=True, workdir=tmp_path)
    assert graph.nodes["a"]["state.state"] == "defined"
    assert nx.utils.graphs_equal(graph, run.graph(state=True))
    again: Any = deft.to_networkx(deft.from_networkx(graph))
    assert nx.utils.graphs_equal(again, without)


def test_nodes_called_anew_are_known_by_their_task() -> None:
    graph: Any = exchange.to_networkx(everything())
    numbered: Any = nx.convert_node_labels_to_integers(graph)
    made = exchange.from_networkx(numbered)
    assert [node.name for node in made.nodes] == ["raw", "evgen", "simul", "plots"]
    assert made.full_name == "lab/mixed"


def test_a_part_of_a_graph_knows_its_meta_task_by_its_nodes() -> None:
    graph = exchange.to_networkx(everything())
    part: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    part.add_nodes_from(graph.nodes(data=True))
    assert exchange.from_networkx(part).full_name == "lab/mixed"


@pytest.mark.parametrize("kind", [nx.DiGraph, nx.MultiDiGraph])
def test_edges_without_names_get_some(kind: type[nx.DiGraph[Any]]) -> None:
    made = exchange.from_networkx(kind(chain("a", "b", "c")))
    assert [edge.id for edge in made.edges] == ["e0", "e1"]


def test_absent_values_of_tables_are_absent() -> None:
    graph = chain("a")
    graph.add_node(
        "a", **{"resources.cores": math.nan, "goal": None, "source.json": ["/x"], "command": "true"}
    )
    assert exchange.from_networkx(graph).task("a").settings == {"command": "true"}


def test_a_list_is_json_where_the_key_wants_it() -> None:
    graph = chain("files", "a")
    graph.nodes["files"]["kind"] = "entry"
    graph.edges["files", "a"]["source.json"] = ["/x", "!/y"]
    (edge,) = exchange.from_networkx(graph).edges
    assert edge.sources == ("/x", "!/y")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"resources.cores": 0}, r"b: resources\.cores = 0 is below 1"),
        ({"kind": "tsk"}, "b: kind = 'tsk' is none of"),
        ({"task": "a"}, "two tasks are called 'a'"),
    ],
)
def test_a_value_that_cannot_be_is_refused(data: dict[str, object], says: str) -> None:
    graph = chain("a", "b")
    graph.nodes["b"].update(data)
    with pytest.raises(ValueError, match=says):
        deft.from_networkx(graph)


def test_the_example_runs(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "longest way: draw_signal -> check_signal -> compare" in ran.stdout
    assert ran.stdout.endswith("part: done\n")


def test_an_exported_file_read_by_networkx_is_the_same_meta_task_again() -> None:
    stored = everything()
    stream = io.BytesIO()
    writer.write(stored, stream)
    document = reader.read_stream(io.BytesIO(stream.getvalue()), origin=Path("/x/m.graphml")).metatask
    assert content(exchange.from_networkx(by_networkx(stream.getvalue()))) == content(document)
