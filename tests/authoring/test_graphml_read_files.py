"""Files as other tools and other people write them: what is read, and what is refused, where and why."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from deft.authoring.graphml import reader, writer
from deft.authoring.graphml.codes import CODES
from deft.base.errors import BadInput, Finding
from deft.model import rules
from deft.model.graph import MetaTask
from tests.support.hostile import HOSTILE

DATA = Path(__file__).parents[1] / "data" / "graphml"
LATER = "save it again in the tool that wrote it, or mend that line"
ID = "use letters, digits, - and _"
DOCTYPE = "remove the line; GraphML needs no DTD and no entities"
ROOT = 'the root must be <graphml xmlns="http://graphml.graphdrawing.org/xmlns">'

# The name of a file begins with bad_ and its code; then the line, and what to do.
BAD: dict[str, tuple[int | None, str]] = {
    "bad_archive.graphml.gz": (None, "unpack it first; of packed files only gzip is read"),
    "bad_bad-gzip.graphml.gz": (None, "pack or copy it again"),
    "bad_bad-id_backslash": (9, ID),
    "bad_bad-id_bidi": (9, ID),
    "bad_bad-id_dots": (9, ID),
    "bad_bad-id_empty": (9, ID),
    "bad_bad-id_hidden": (9, ID),
    "bad_bad-id_long": (9, ID),
    "bad_bad-id_newline": (9, ID),
    "bad_bad-id_nfc": (9, ID),
    "bad_bad-id_path": (9, ID),
    "bad_bad-key": (7, 'write for="node", "edge" or "graph"'),
    "bad_bad-value_boolean": (9, "true or false"),
    "bad_bad-value_digits": (9, "a whole number from 1"),
    "bad_bad-value_fraction": (9, "a whole number from 1"),
    "bad_bad-value_infinite": (9, "a number from 0 to 1"),
    "bad_bad-value_markup": (9, "the reference of the profile lists the values of each key"),
    "bad_bad-value_overflow": (9, "a number from 0 to 1"),
    "bad_bad-value_python": (9, "a whole number from 1"),
    "bad_bad-value_range": (9, "a whole number from 1"),
    "bad_bad-value_word": (9, "a whole number from 1"),
    "bad_cycle": (8, "a Meta-Task is acyclic: remove one of these edges"),
    "bad_dangling-edge": (11, "add the node, or remove the edge"),
    "bad_doctype_attlist": (2, DOCTYPE),
    "bad_doctype_parameter": (2, DOCTYPE),
    "bad_doctype_quadratic": (2, DOCTYPE),
    "bad_duplicate-edge": (11, "the first is in line 10"),
    "bad_duplicate-key": (7, "the first is in line 5"),
    "bad_duplicate-node": (9, "the first is in line 8"),
    "bad_duplicate-task": (10, "the first is in line 9"),
    "bad_duplicate-value": (11, "remove one"),
    "bad_edge-to-group": (14, "draw it to a task in the group"),
    "bad_empty": (None, "save it again in the tool that wrote it"),
    "bad_encoding": (1, "save it as UTF-8"),
    "bad_entity": (8, "GraphML needs no entities; write the sign itself, or &amp; for &"),
    "bad_group-with-settings": (9, "give them to the tasks in it, or ungroup it"),
    "bad_hyperedge": (11, "draw one edge for each producer and consumer"),
    "bad_locator": (9, "put the content here"),
    "bad_misplaced": (9, "move it out"),
    "bad_nested-graph": (11, "move it out"),
    "bad_newer-profile": (8, "use a newer DEFT"),
    "bad_no-graph": (None, 'add <graph edgedefault="directed">'),
    "bad_no-id": (8, "give it one"),
    "bad_no-key": (9, 'write <data key="…">'),
    "bad_not-graphml": (2, ROOT),
    "bad_not-graphml_namespace": (1, ROOT),
    "bad_not-xml": (1, LATER),
    "bad_not-xml_control": (8, LATER),
    "bad_not-xml_cut": (10, LATER),
    "bad_reserved-key": (7, "give it another id"),
    "bad_self-loop": (11, "remove it"),
    "bad_too-deep": (8, "raise `depth` in the section [graphml] of deft.toml, if you trust the file"),
    "bad_too-many-attributes": (
        8, "raise `attributes` in the section [graphml] of deft.toml, if you trust the file"
    ),
    "bad_two-graphs": (12, "one file holds one Meta-Task"),
    "bad_undeclared-key": (9, 'declare it: <key id="d7" for="node" .../>'),
    "bad_undeclared-key_scope": (11, 'declare it: <key id="n.goal" for="edge" .../>'),
    "bad_undirected": (7, 'a Meta-Task is directed: write edgedefault="directed"'),
    "bad_undirected-edge": (10, 'remove directed="false"'),
    "doctype": (2, DOCTYPE),
    "laughs": (2, DOCTYPE),
}  # fmt: skip
# Of all codes, those that no file here has: they need a folder, or very many of something.
ELSEWHERE = {"unreadable", "too-many-faults"} | {hostile.code for hostile in HOSTILE}


def path(name: str) -> Path:
    """A file, by its name without the usual suffix."""
    return DATA / (name if "." in name else f"{name}.graphml")


def code_of(name: str) -> str:
    """The code in a file's name."""
    _, code, *_ = name.partition(".")[0].split("_")
    return code


def refusal(name: str) -> tuple[Finding, ...]:
    """The findings a file is refused with."""
    with pytest.raises(BadInput) as caught:
        reader.read(path(name))
    return caught.value.findings


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_by_its_code_with_its_line_and_what_to_do(name: str) -> None:
    line, hint = BAD[name]
    code = code_of(name) if name.startswith("bad_") else "doctype"
    assert [(one.code, one.line, one.hint) for one in refusal(name)] == [(code, line, hint)]


def test_every_bad_file_is_known_here() -> None:
    assert {found.name for found in DATA.glob("bad_*")} == {path(name).name for name in BAD if "bad_" in name}


def test_every_code_has_a_file_or_is_made_on_demand() -> None:
    shown = {code_of(name) for name in BAD if name.startswith("bad_")}
    refused = {code for code, said in CODES.items() if said.effect == "refused"}
    assert refused - shown - ELSEWHERE == set()


@pytest.mark.parametrize("name", ["bad_cycle", "bad_bad-value_word", "bad_duplicate-task", "many_faults"])
def test_nothing_is_built_of_a_document_that_is_refused(name: str) -> None:
    built: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.endswith("deft/model/graph.py"):
            built.append(frame.f_code.co_name)

    sys.setprofile(watch)
    try:
        refusal(name)
    finally:
        sys.setprofile(None)
    assert built == []


def test_a_meta_task_is_built_when_it_is_asked_for() -> None:
    reading = reader.read(path("tool_boost"))
    assert reading.document is not None
    assert [task.name for task in reading.document.read_tasks()] == ["n0", "n1"]
    assert reading.metatask is reading.metatask


# --- what looks dangerous, and is a text like any other ----------------------------------------------------


def test_instructions_to_other_programs_are_passed_over() -> None:
    assert [task.name for task in reader.read(path("odd_instructions")).metatask.nodes] == ["a", "b"]


def test_an_include_is_kept_and_never_followed() -> None:
    (task,) = reader.read(path("odd_include")).metatask.nodes
    ((slot, text),) = task.foreign.fragments
    assert (slot, text.partition(" ")[0]) == ("<", "<xi:include")
    assert 'href="file:///etc/hostname"' in text


def test_texts_in_the_words_of_other_languages_are_texts() -> None:
    (task,) = reader.read(path("odd_texts")).metatask.nodes
    assert task.command.startswith("echo $(id) {output} && printf '#SBATCH")
    assert dict(task.foreign.fragments) == {
        "=d0": "gASVHgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==",
        "=d1": "<script>alert(1)</script>",
        "=d2": "{{ config.items() }} %s {0.__class__}",
        "=d3": "=cmd|' /C calc'!A0",
    }


def test_a_ladder_of_two_to_the_forty_paths_is_read_at_once() -> None:
    assert reader.read(path("odd_ladder")).metatask.graph.number_of_edges() == 156


def test_a_count_that_is_not_so_is_told_and_not_believed() -> None:
    (finding,) = reader.read(path("odd_hints")).findings
    assert (finding.code, finding.effect, finding.line) == ("parse-count", "coerced", 7)


# --- what tools write --------------------------------------------------------------------------------------

# Tasks, edges, and what was told: (code, line).
TOOLS: dict[str, tuple[str, str, list[tuple[str, int]]]] = {
    "gephi": ("make use", "make>use:0 make>use:1", [("default-ignored", 8)]),
    "yed": ("n0 n1", "n0>n1:e0", []),
    "tool_boost": ("n0 n1", "n0>n1:e0", []),
    "tool_cytoscape": ("make use", "make>use:e0", []),
    "tool_cytoscape_old": (
        "n1 n2", "n1>n2:e0", [("same-key", 5), ("task-renamed", 8), ("other-scope", 10), ("other-scope", 10)]
    ),
    "tool_defaults": ("a b", "a>b:e0", []),
    "tool_graphtool": ("n0 n1", "n0>n1:e0", []),
    "tool_igraph": (
        "make use", "make>use:e0",
        [("coerced", 19), ("filled-in", 20), ("empty-value", 25), ("empty-value", 26), ("empty-value", 31)],
    ),
    "tool_keys_last": ("a b", "a>b:e0", []),
    "tool_networkx": ("a b c", "a>b:0 a>b:1 b>c:0", [("coerced", 13), ("shared-id", 21), ("coerced", 22)]),
    "tool_prefix": ("a b", "a>b:e0", []),
    "tool_rustworkx": ("n0 n1", "n0>n1:e0", []),
    "tool_tinkerpop": ("n1 n2", "n1>n2:7", [("task-renamed", 1)]),
    "tool_yed_groups": (
        "n0 n1--n0 n1--n1--n0", "n0>n1--n0:e0 n1--n0>n1--n1--n0:n1::e0", [("task-renamed", 17), ("group", 18)]
    ),
}  # fmt: skip


def written(metatask: MetaTask) -> bytes:
    stream = io.BytesIO()
    writer.write(metatask, stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_s_file_is_read(name: str) -> None:
    tasks, edges, told = TOOLS[name]
    reading = reader.read(path(name))
    made = reading.metatask
    assert " ".join(task.name for task in made.nodes) == tasks
    assert " ".join(f"{edge.source}>{edge.target}:{edge.id}" for edge in made.edges) == edges
    assert [(finding.code, finding.line) for finding in reading.findings] == told
    assert rules.errors(rules.validate(made)) == []


@pytest.mark.parametrize("name", TOOLS)
def test_strict_refuses_what_was_coerced_or_dropped(name: str) -> None:
    told = [code for code, _ in TOOLS[name][2]]
    if not told:
        assert reader.read(path(name), strict=True).findings == ()
        return
    with pytest.raises(BadInput) as caught:
        reader.read(path(name), strict=True)
    assert [finding.code for finding in caught.value.findings] == told


@pytest.mark.parametrize("name", TOOLS)
def test_the_export_of_an_import_comes_back_as_it_is(name: str) -> None:
    first = written(reader.read(path(name)).metatask)
    again = reader.read_stream(io.BytesIO(first), origin=Path("/somewhere/else.graphml"))
    assert {finding.code for finding in again.findings} <= {"other-scope"}  # the key stays declared as it was
    assert written(again.metatask) == first


def test_every_file_of_a_tool_is_known_here() -> None:
    assert {found.stem for found in DATA.glob("tool_*")} <= TOOLS.keys()


def test_a_group_of_yed_is_kept_with_its_drawing_and_without_its_nodes() -> None:
    made = reader.read(path("tool_yed_groups")).metatask
    groups = [text for slot, text in made.foreign.fragments if slot == "<"]
    assert groups == [
        '<node id="n1::n1" yfiles.foldertype="folder">'
        '<graph edgedefault="directed" id="n1::n1:"/></node>',
        '<node id="n1" yfiles.foldertype="group"><data key="d4" xml:space="preserve"/>'
        '<data key="d6">\n        <y:ProxyAutoBoundsNode xmlns:y="http://www.yworks.com/xml/graphml">'
        '<y:Realizers active="0"><y:GroupNode><y:NodeLabel>outer</y:NodeLabel></y:GroupNode></y:Realizers>'
        "</y:ProxyAutoBoundsNode>\n      </data>"
        '<graph edgedefault="directed" id="n1:"/></node>',
    ]  # fmt: skip


def test_integers_and_floats_of_one_name_are_one_key() -> None:
    made = reader.read(path("tool_networkx")).metatask
    assert [task.settings.get("goal") for task in made.nodes] == [0.5, 1.0, None]


def test_what_igraph_fills_in_is_taken_as_absent() -> None:
    reading = reader.read(path("tool_igraph"))
    assert reading.metatask.task("use").settings == {"armed": False}
    assert [edge.settings for edge in reading.metatask.edges] == [{}]
    assert reading.metatask.task("make").settings == {
        "command": "make {output}", "resources.cores": 4, "armed": False
    }  # fmt: skip


def test_defaults_hold_where_nothing_is_said() -> None:
    made = reader.read(path("tool_defaults")).metatask
    assert [dict(task.settings) for task in made.nodes] == [
        {"command": "true", "priority": 5},
        {"command": "true", "priority": 7},
    ]
    assert [edge.settings for edge in made.edges] == [{"reduce": True}]


def test_ids_that_are_counted_anew_for_edges_are_told_apart() -> None:
    made = reader.read(path("tool_rustworkx")).metatask
    assert made.task("n0").settings == {"command": "make", "goal": 0.5}
    assert [edge.settings for edge in made.edges] == [{"format": "root", "reduce": True}]


def test_types_of_other_tools_are_texts() -> None:
    task = reader.read(path("tool_graphtool")).metatask.task("n0")
    assert task.settings == {"command": "make", "priority": 7}
    assert task.foreign.fragments == (("=key1", "0, 0.33333333333333331"), ("=key2", "gANdcQAu"))
