"""Node-link JSON of NetworkX becomes a Meta-Task, and what does not fit is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from deft.authoring.graphml.limits import Limits
from deft.authoring.importers import nodelink
from deft.authoring.importers.registry import Options
from deft.base.errors import BadInput, Finding
from deft.engine import intake
from deft.model import exchange
from deft.model.graph import MetaTask
from tests.support.repository import ROOT, deft

DATA = ROOT / "tests" / "data" / "importers"
Document = dict[str, Any]


def small(**changes: object) -> Document:
    """A graph of two tasks, with other members."""
    nodes = [{"id": "a", "command": "true"}, {"id": "b", "command": "true"}]
    document = {"directed": True, "multigraph": True, "graph": {}, "nodes": nodes,
                "edges": [{"source": "a", "target": "b", "key": 0}], **changes}  # fmt: skip
    return {name: value for name, value in document.items() if value is not GONE}


GONE = object()


def read(folder: Path, document: object, **options: Any) -> tuple[MetaTask, dict[str, Finding]]:
    """What a document becomes, and what was told, by code."""
    path = folder / "graph.json"
    path.write_text(json.dumps(document))
    reading = nodelink.read(str(path), Options(**options))
    return reading.metatask, {finding.code: finding for finding in reading.findings}


def refusals(folder: Path, document: object, **options: Any) -> dict[str, Finding]:
    with pytest.raises(BadInput) as refused:
        read(folder, document, **options)
    return {finding.code: finding for finding in refused.value.findings}


def test_names_of_the_profile_are_settings_and_others_are_labels() -> None:
    made, told = intake.read_source(str(DATA / "node-link-edges.json"), {}, Path("/nowhere"))
    assert (made.full_name, made.settings["attr.season"]) == ("demo/small", "winter")
    assert made.task("greet").settings == {
        "command": "echo {param.greeting} > {output}", "split.jobs": 3, "attr.risk": "7"
    }  # fmt: skip
    assert made.task("gather-all").settings["attr.tags.json"] == '["slow", "large"]'
    assert made.task("gather-all").settings["attr.id"] == "gather all"
    (reduced,) = made.outputs("greet")
    assert (reduced.target, reduced.settings) == ("gather-all", {"format": "txt", "reduce": True})
    assert {finding.code for finding in told} == {"kept-as-label", "dropped"}


def test_an_edge_keeps_its_source_where_its_ends_have_other_names() -> None:
    made, _ = intake.read_source(str(DATA / "node-link-edges.json"), {}, Path("/nowhere"))
    (external,) = made.outputs("texts")
    assert external.sources == (str(DATA / "*.list"),)


def test_the_older_key_links_and_numbers_as_ids_are_read() -> None:
    made, _ = intake.read_source(str(DATA / "node-link-links.json"), {}, Path("/nowhere"))
    assert made.name == "counted"
    assert [(one.source, one.target) for one in made.edges] == [("m-0", "m-1")]


def test_what_networkx_writes_of_a_meta_task_comes_back(tmp_path: Path) -> None:
    first, _ = intake.read_source(str(ROOT / "docs" / "examples" / "hello.graphml"), {}, tmp_path)
    plain = exchange.to_networkx(first)
    again, told = read(tmp_path, nx.node_link_data(plain, source="from", target="to"))
    assert told == {}
    assert nx.utils.graphs_equal(exchange.to_networkx(again), _renumbered(plain))


def _renumbered(plain: nx.MultiDiGraph[str]) -> nx.MultiDiGraph[str]:
    """The same graph with the ids that edges get anew."""
    made: nx.MultiDiGraph[str] = nx.MultiDiGraph(**plain.graph)
    made.add_nodes_from(plain.nodes(data=True))
    for number, (source, target, data) in enumerate(plain.edges(data=True)):
        made.add_edge(source, target, key=f"e{number}", **data)
    return made


def test_a_file_without_a_name_gives_its_own(tmp_path: Path) -> None:
    assert read(tmp_path, small())[0].name == "graph"


def test_lists_are_ids_too_since_networkx_writes_tuples_so(tmp_path: Path) -> None:
    nodes = [{"id": ["a", 1], "command": "true"}, {"command": "true"}]
    made, _ = read(tmp_path, small(nodes=nodes, edges=[{"source": ["a", 1], "target": 1}]))
    assert [(one.source, one.target) for one in made.edges] == [("a-1", "m-1")]


@pytest.mark.parametrize(
    ("code", "place", "changes"),
    [
        ("undirected", "/directed", {"directed": False}),
        ("undirected", "/directed", {"directed": GONE}),
        ("missing-key", "", {"nodes": GONE}),
        ("missing-key", "", {"edges": GONE}),
        ("two-lists", "/links", {"links": []}),
        ("bad-type", "/nodes", {"nodes": {}}),
        ("bad-type", "/nodes/0", {"nodes": ["a"], "edges": []}),
        ("bad-type", "/graph", {"graph": "g"}),
        ("bad-type", "/nodes/0/task", {"nodes": [{"id": "a", "task": 1}]}),
        ("duplicate-node", "/nodes/1", {"nodes": [{"id": "a"}, {"id": "a"}]}),
        ("duplicate-task", "/nodes/1", {"nodes": [{"id": "a"}, {"id": "b", "task": "a"}]}),
        ("missing-key", "/edges/0", {"edges": [{"source": "a"}]}),
        ("dangling-edge", "/edges/0", {"edges": [{"source": "a", "target": "c"}]}),
        ("dangling-edge", "/edges/0", {"edges": [{"source": 0, "target": 1}]}),
        ("self-loop", "/edges/0", {"edges": [{"source": "a", "target": "a"}]}),
        ("bad-value", "/nodes/0/split.jobs", {"nodes": [{"id": "a", "split.jobs": "many"}]}),
        ("bad-value", "/nodes/0/split.jobs", {"nodes": [{"id": "a", "split.jobs": 0}]}),
        ("bad-value", "/nodes/0/kind", {"nodes": [{"id": "a", "kind": "host"}]}),
        ("illegal-character", "/nodes/0/command", {"nodes": [{"id": "a", "command": "\x01"}]}),
        ("cycle", "", {"edges": [{"source": "a", "target": "b"}, {"source": "b", "target": "a"}]}),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, code: str, place: str, changes: dict[str, object]
) -> None:
    found = refusals(tmp_path, small(**changes))
    assert code in found
    assert (found[code].subject or "").startswith(place)
    assert place in found[code].message


@pytest.mark.parametrize("document", [[], "x", 1, None])
def test_a_document_that_is_no_object_is_refused(tmp_path: Path, document: object) -> None:
    assert "bad-type" in refusals(tmp_path, document)


def test_ends_that_are_places_in_a_list_are_told_as_such(tmp_path: Path) -> None:
    found = refusals(tmp_path, small(edges=[{"source": 0, "target": 1}]))
    assert "ends are ids, not places" in str(found["dangling-edge"])


def test_a_graph_above_the_limits_is_refused(tmp_path: Path) -> None:
    assert "too-many-nodes" in refusals(tmp_path, small(), limits=Limits(nodes=1))
    assert "too-many-edges" in refusals(tmp_path, small(edges=small()["edges"] * 3), limits=Limits(edges=2))


def test_what_is_left_out_is_an_error_where_strict(tmp_path: Path) -> None:
    nodes = [{"id": "a", "command": "true", "weight": 3}, {"id": "b", "command": "true"}]
    assert "dropped" in read(tmp_path, small(nodes=nodes))[1]
    assert "dropped" in refusals(tmp_path, small(nodes=nodes), strict=True)


def test_it_runs(tmp_path: Path) -> None:
    ran = deft("run", str(DATA / "node-link-links.json"), "--workdir", "W", cwd=tmp_path)
    assert (ran.returncode, "default/counted is done" in ran.stdout) == (0, True), ran.stderr
