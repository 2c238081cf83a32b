"""A Meta-Task goes through another tool and comes back: it is recognised, and what the tool did is undone."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import igraph  # type: ignore[import-untyped]
import networkx as nx
import pytest
import rustworkx
from hypothesis import given, settings

from deft.authoring.graphml import flavours, reader, writer
from deft.authoring.graphml.recognise import GRAPH, Recognised, Restored, recognise
from deft.base.errors import BadInput
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, Task
from tests.support.metatasks import everything, metatasks
from tests.support.tools import boost, cytoscape, gephi, yed

Tool = Callable[[bytes], bytes]
Graph: TypeAlias = "nx.MultiDiGraph[str]"


def exported(metatask: MetaTask, flavour: str = "plain") -> bytes:
    """As `deft export --for FLAVOUR` writes it."""
    stream = io.BytesIO()
    writer.write(flavours.flavoured(metatask, flavour), stream)
    return stream.getvalue()


def read(document: bytes) -> MetaTask:
    return reader.read_stream(io.BytesIO(document), origin=Path("/x/back.graphml")).metatask


def through(tool: Tool, stored: MetaTask, flavour: str = "plain") -> Recognised:
    """Exported, opened and saved by the tool, and read again."""
    return recognise(stored, read(tool(exported(stored, flavour))))


def meaning(made: MetaTask) -> tuple[object, ...]:
    """All that a Meta-Task says, ids of the document too; not what tools keep on it."""
    nodes = [(node.name, node.kind, node.id, dict(node.settings)) for node in made.nodes]
    edges = {(e.source, e.target, e.id): dict(e.settings) for e in made.edges}
    return made.full_name, dict(made.settings), nodes, edges


def drawing(made: MetaTask) -> dict[str, dict[str, str]]:
    """What tools keep on nodes, as far as it was there at first."""
    return {node.name: {k: v for k, v in node.foreign.fragments if k in ("=label", "=x", "=y")}
            for node in made.nodes}  # fmt: skip


# --- the real ones -----------------------------------------------------------------------------------------


def by_networkx(document: bytes) -> bytes:
    graph = nx.read_graphml(io.BytesIO(document), force_multigraph=True)
    stream = io.BytesIO()
    nx.write_graphml(graph, stream)
    return stream.getvalue()


def by_networkx_renumbered(document: bytes) -> bytes:
    """Nodes called by numbers, as many algorithms want them; keys by names, not numbers."""
    graph = nx.convert_node_labels_to_integers(nx.read_graphml(io.BytesIO(document), force_multigraph=True))
    stream = io.BytesIO()
    nx.write_graphml_xml(graph, stream, named_key_ids=True)
    return stream.getvalue()


def by_igraph(document: bytes, folder: Path) -> bytes:
    (folder / "in.graphml").write_bytes(document)
    igraph.Graph.Read_GraphML(str(folder / "in.graphml")).write_graphml(str(folder / "out.graphml"))
    return (folder / "out.graphml").read_bytes()


def by_rustworkx(document: bytes, folder: Path) -> bytes:
    (folder / "in.graphml").write_bytes(document)
    (graph,) = rustworkx.read_graphml(str(folder / "in.graphml"))
    rustworkx.write_graphml(graph, str(folder / "out.graphml"))
    return (folder / "out.graphml").read_bytes()


TOOLS: dict[str, Callable[[bytes, Path], bytes]] = {
    "networkx": lambda document, _: by_networkx(document),
    "networkx, renumbered": lambda document, _: by_networkx_renumbered(document),
    "igraph": by_igraph,
    "rustworkx": by_rustworkx,
    "gephi": lambda document, _: gephi.trip(document, merge=False),
    "yed": lambda document, _: yed.trip(document),
    "cytoscape": lambda document, _: cytoscape.trip(document),
    "an older cytoscape": lambda document, _: cytoscape.trip(document, namespace=False),
}


# rustworkx reads no file of yEd: its keys have no attr.type.
TRIPS = [(tool, flavour) for tool in TOOLS for flavour in flavours.FLAVOURS
         if (tool, flavour) != ("rustworkx", "yed")]  # fmt: skip


@pytest.mark.parametrize(("tool", "flavour"), TRIPS)
def test_after_a_trip_it_is_the_same_meta_task(tool: str, flavour: str, tmp_path: Path) -> None:
    stored = everything(blank=tool != "rustworkx")
    back = through(lambda document: TOOLS[tool](document, tmp_path), stored, flavour)
    assert meaning(back.metatask) == meaning(stored)
    # NetworkX takes label, x and y from a drawing of yEd, whatever the node says itself.
    if not (tool.startswith("networkx") and flavour == "yed"):
        assert drawing(back.metatask) == drawing(stored)


@pytest.mark.parametrize("tool", TOOLS)
def test_what_came_back_is_written_as_before_but_for_what_the_tool_added(tool: str, tmp_path: Path) -> None:
    stored = everything(blank=tool != "rustworkx")
    back = through(lambda document: TOOLS[tool](document, tmp_path), stored)
    before, after = exported(stored).splitlines(), exported(back.metatask).splitlines()
    assert [line for line in before if line not in after and b"<graph" not in line] == []


@settings(deadline=None)  # four tools in turn
@given(metatasks())
def test_any_meta_task_comes_back(random: MetaTask) -> None:
    stored = read(exported(random))  # edge ids may be made unique
    for tool in (yed.trip, cytoscape.trip, lambda document: gephi.trip(document, merge=False)):
        assert meaning(through(tool, stored).metatask) == meaning(stored)
    assert meaning(through(by_networkx, stored, "networkx").metatask) == meaning(stored)


def test_two_trips_are_as_one(tmp_path: Path) -> None:
    stored = everything()  # of yEd's keys d3 and d7, Gephi takes one for a label
    once = through(lambda document: gephi.trip(yed.trip(document), merge=False), stored)
    again = recognise(stored, read(by_igraph(exported(once.metatask), tmp_path)))
    assert meaning(once.metatask) == meaning(again.metatask) == meaning(stored)


# --- what is told ------------------------------------------------------------------------------------------


def test_nothing_is_restored_where_nothing_was_lost() -> None:
    assert through(lambda document: document, everything()).restored == ()
    assert through(lambda document: document, everything()).findings == ()


def test_gephi_loses_the_graphs_values_and_it_is_told() -> None:
    back = through(lambda document: gephi.trip(document, merge=False), everything())
    assert [finding.code for finding in back.findings] == ["graph-lost"]
    assert Restored(GRAPH, "param.events", "lost") in back.restored
    assert Restored("simul", "attr.note", "lost") in back.restored
    assert Restored("evgen", "y", "rounded") in back.restored


def test_igraph_fills_and_shortens_and_it_is_told(tmp_path: Path) -> None:
    back = through(lambda document: by_igraph(document, tmp_path), everything())
    assert Restored("simul", "armed", "filled") in back.restored
    assert Restored(GRAPH, "goal", "rounded") in back.restored
    assert back.findings == ()


def test_edges_that_gephi_merged_come_back_and_it_is_told() -> None:
    back = through(gephi.trip, everything())
    assert meaning(back.metatask) == meaning(everything())
    assert Restored("evgen -> simul log", "", "merged") in back.restored
    (merged,) = (finding for finding in back.findings if finding.code == "merged-edge")
    assert "evgen -> simul log (log) was merged" in merged.message


def test_the_flavour_for_gephi_keeps_parallel_edges_apart() -> None:
    stored = everything()
    assert len(list(read(gephi.trip(exported(stored, "gephi"))).edges)) == 4
    assert len(list(read(gephi.trip(exported(stored))).edges)) == 3


# --- what a person did -------------------------------------------------------------------------------------


def edited(change: Callable[[Graph], None], stored: MetaTask) -> Recognised:
    """Changed by a script with NetworkX."""
    graph = nx.read_graphml(io.BytesIO(exported(stored)), force_multigraph=True)
    assert isinstance(graph, nx.MultiDiGraph)
    change(graph)
    stream = io.BytesIO()
    nx.write_graphml(graph, stream)
    return recognise(stored, read(stream.getvalue()))


def test_a_changed_value_stays_changed() -> None:
    def change(graph: Graph) -> None:
        graph.nodes["evgen"].update({"resources.cores": 8, "goal": 0.2, "param.tune": "8"})
        del graph.nodes["evgen"]["priority"]

    made = edited(change, everything()).metatask.task("evgen").settings
    assert (made["resources.cores"], made["goal"], made["param.tune"]) == (8, 0.2, "8")
    assert "priority" not in made


def test_a_new_task_comes_last_and_a_removed_one_is_gone() -> None:
    def change(graph: Graph) -> None:
        graph.remove_node("plots")
        graph.add_node("fit", command="fit {input}")
        graph.add_edge("simul", "fit", "fits", type="fits")
        graph.add_edge("evgen", "fit", "first")

    made = edited(change, everything()).metatask
    assert [node.name for node in made.nodes] == ["raw", "evgen", "simul", "fit"]
    new = [edge for edge in made.edges if edge.target == "fit"]
    assert sorted((edge.source, edge.type) for edge in new) == [("evgen", "data"), ("simul", "fits")]
    assert len({edge.id for edge in made.edges}) == 5


def test_one_of_two_datasets_taken_away_after_a_trip_is_gone() -> None:
    """The keys of Gephi are still there, but it did not write this document."""
    first = through(lambda document: gephi.trip(document, merge=False), everything()).metatask
    back = edited(lambda graph: graph.remove_edge("evgen", "simul", key="log"), first)
    assert [edge.id for edge in back.metatask.edges] == ["e7", "hits", "e9"]


def test_one_of_two_datasets_taken_away_without_gephi_is_gone() -> None:
    back = edited(lambda graph: graph.remove_edge("evgen", "simul", key="log"), everything())
    assert [edge.id for edge in back.metatask.edges] == ["e7", "hits", "e9"]
    assert back.findings == ()


def test_datasets_between_the_same_tasks_are_known_by_their_type_where_ids_are_new() -> None:
    stored = everything()
    turned = MetaTask("mixed", project="lab", settings=stored.settings)
    for node in stored.nodes:
        turned.add(node)
    for number, edge in enumerate(reversed(list(stored.edges))):
        turned.join(Edge(edge.source, edge.target, edge.settings, f"e{number}"))
    assert meaning(recognise(stored, turned).metatask) == meaning(stored)


def test_a_shortened_number_is_restored_and_another_one_is_not() -> None:
    stored = MetaTask("m")
    stored.add(Task("a", settings={"goal": 0.123456789}))
    for text, restored in (("0.123457", True), ("0.12345679", True), ("0.1235", False), ("0.123456", False)):
        came = MetaTask("m")
        came.add(Task("a", settings={"goal": float(text)}))
        goal = recognise(stored, came).metatask.task("a").settings["goal"]
        assert (goal == 0.123456789) is restored, text


def test_false_and_zero_that_a_person_gave_are_kept(tmp_path: Path) -> None:
    def change(document: bytes) -> bytes:
        (tmp_path / "in.graphml").write_bytes(document)
        graph = igraph.Graph.Read_GraphML(str(tmp_path / "in.graphml"))
        graph.vs.find(task="simul")["priority"] = 0
        graph.write_graphml(str(tmp_path / "out.graphml"))
        return (tmp_path / "out.graphml").read_bytes()

    assert through(change, everything()).metatask.task("simul").settings["priority"] == 0
    came = everything()
    simul = came.task("simul")
    new = {**simul.settings, "armed": False, "attr.new": ""}
    came.graph.nodes["simul"]["task"] = Task("simul", simul.kind, new, simul.id, foreign=simul.foreign)
    made = recognise(everything(), came).metatask.task("simul").settings
    assert (made["armed"], made["attr.new"]) == (False, "")


def test_very_many_datasets_between_two_tasks_are_matched_at_once() -> None:
    def made(order: range, id: str) -> MetaTask:
        found = MetaTask("m")
        for name in ("a", "b"):
            found.add(Task(name, settings={"command": "x"}))
        for n in order:
            found.join(Edge("a", "b", {"type": f"t{n}"}, f"{id}{n}"))
        return found

    stored = made(range(20_000), "x")
    assert meaning(recognise(stored, made(range(19_999, -1, -1), "y")).metatask) == meaning(stored)


# --- names that were lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "flavour"),
    [(yed.trip, "yed"), (cytoscape.trip, "plain"), (gephi.trip, "gephi")],
    ids=["yed", "cytoscape", "gephi"],
)
def test_without_the_key_task_it_is_known_by_what_the_tool_kept(tool: Tool, flavour: str) -> None:
    def drop(document: bytes) -> bytes:
        lines = tool(document).splitlines(keepends=True)
        declared = next(line for line in lines if b'"task"' in line)
        id = declared.partition(b'id="')[2].partition(b'"')[0]
        return b"".join(line for line in lines if b'"%s"' % id not in line)

    stored = everything()
    back = through(drop, stored, flavour)
    assert {node.name for node in back.metatask.nodes} == {node.name for node in stored.nodes}
    assert "no-task-key" in [finding.code for finding in back.findings]
    assert meaning(back.metatask) == meaning(stored)


# --- Boost and graph-tool ----------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [6, 17], ids=["boost", "graph-tool"])
def test_where_every_value_is_given_it_comes_back_from_boost_and_graph_tool(digits: int) -> None:
    stored = MetaTask("dense", settings={"goal": 1 / 3})
    for name in ("a", "b"):
        stored.add(Task(name, settings={"command": "x", "resources.cores": 2, "goal": 2 / 3}))
    stored.add(Task("c", settings={"command": "y", "resources.cores": 1, "armed": False, "attr.note": "n"}))
    stored.join(Edge("a", "b", {"type": "t", "reduce": True}))
    stored.join(Edge("b", "c", {"type": "t"}))
    back = through(lambda document: boost.trip(document, digits=digits), stored)
    assert meaning(back.metatask) == meaning(stored)
    assert Restored("a", "armed", "filled") in back.restored
    assert Restored("c", "goal", "filled") in back.restored


def test_a_number_that_boost_made_up_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"resources\.cores = '0' is below 1"):
        read(boost.trip(exported(everything())))
