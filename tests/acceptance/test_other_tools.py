"""A stored Meta-Task goes to another tool as a file and comes back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import igraph  # type: ignore[import-untyped]
import pytest

from tests.acceptance.scene import Place
from tests.support.tools import cytoscape, gephi, yed

TOOLS: dict[str, Callable[[bytes], bytes]] = {"gephi": gephi.trip, "yed": yed.trip, "plain": cytoscape.trip}


@pytest.fixture
def stored(place: Place) -> Place:
    """A place with mc_chain in its database."""
    place.said("init")
    assert place.said("import", "mc_chain").code == 0
    return place


def exported(place: Place, flavour: str) -> Path:
    path = place.folder / f"{flavour}.graphml"
    assert place.said("export", "mc_chain", "--for", flavour, "-o", str(path)).code == 0
    return path


@pytest.mark.parametrize("flavour", TOOLS)
def test_after_the_trip_nothing_differs(flavour: str, stored: Place) -> None:
    path = exported(stored, flavour)
    path.write_bytes(TOOLS[flavour](path.read_bytes()))
    compared = stored.said("diff", "mc_chain", str(path))
    assert compared.code == 0, compared.out + compared.err
    assert stored.said("augment", "mc_chain", "--graph", str(path), "--whole", "--yes").code == 0


def test_after_igraph_one_changed_value_differs(stored: Place) -> None:
    path = exported(stored, "networkx")
    graph = igraph.Graph.Read_GraphML(str(path))
    graph.vs.find(task="evgen")["resources.memory_mb"] = 400
    graph.write_graphml(str(path))
    compared = stored.said("diff", "mc_chain", str(path), "--json")
    assert compared.code == 1
    assert [item["key"] for item in json.loads(compared.out)["items"]] == ["resources.memory_mb"]


def test_an_export_goes_to_the_screen_to_a_file_and_packed(stored: Place) -> None:
    shown = stored.said("export", "mc_chain").out
    plain, packed = stored.folder / "a.graphml", stored.folder / "a.graphml.gz"
    for path in (plain, packed):
        assert stored.said("export", "mc_chain", "-o", str(path)).out == ""
    assert plain.read_text(encoding="utf-8") == shown
    assert gzip.decompress(packed.read_bytes()).decode() == shown
    assert stored.said("validate", str(packed)).code == 0
    first = packed.read_bytes()
    stored.said("export", "mc_chain", "-o", str(packed))
    assert packed.read_bytes() == first


def test_json_has_the_document_or_says_where_it_is(stored: Place) -> None:
    answer = json.loads(stored.said("export", "mc_chain", "--json").out)
    assert answer.pop("document") == stored.said("export", "mc_chain").out
    assert answer == {"metatask": "default/mc_chain", "for": "plain", "tasks": 5, "edges": 6}
    written = json.loads(stored.said("export", "mc_chain", "-o", "a.graphml", "--json").out)
    assert written == {**answer, "file": "a.graphml"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("mc_chain", "--for", "gephy"), 2, "is not one of 'plain', 'gephi', 'yed', 'networkx'"),
        (("mc_chian",), 3, "mc_chain"),
        (("mc_chain/evgen",), 6, "whole Meta-Task"),
        (("mc_chain", "-o", "no/such/folder/a.graphml"), 6, "cannot write no/such/folder/a.graphml"),
        (("mc_chain", "-o", "."), 2, "is a directory"),
    ],
)
def test_what_cannot_be_exported_is_said(words: tuple[str, ...], code: int, says: str, stored: Place) -> None:
    said = stored.said("export", *words)
    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert not [path for path in stored.folder.iterdir() if path.name != "W"]
