"""WfFormat documents that are wrong are refused with a code and a place, and what is odd is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deft.authoring.graphml.limits import Limits
from deft.authoring.importers import wfformat
from deft.authoring.importers.registry import Options
from deft.base.errors import BadInput, Finding
from tests.support import montage
from tests.support.repository import ROOT

DATA = ROOT / "tests" / "data" / "importers"
Document = dict[str, Any]


def findings(folder: Path, document: object, *, limits: Limits | None = None) -> dict[str, Finding]:
    """What refuses a document, by code."""
    path = folder / "bad.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        wfformat.read(str(path), Options(limits=limits or Limits()))
    return {finding.code: finding for finding in refused.value.findings}


def changed(place: str, value: object) -> Document:
    """The sample `words` with something else at that pointer; GONE: with nothing there."""
    document: Document = json.loads((DATA / "words-1.6.json").read_text())
    *path, last = place.strip("/").split("/")
    holder: Any = document
    for name in path:
        holder = holder[int(name)] if isinstance(holder, list) else holder[name]
    if value is GONE:
        del holder[last]
    elif isinstance(holder, list):
        holder.insert(int(last), value)
    else:
        holder[last] = value
    return document


GONE = object()
TASKS, FILES = "/workflow/specification/tasks", "/workflow/specification/files"
RAN = "/workflow/execution/tasks"


@pytest.mark.parametrize(
    ("code", "place", "value"),
    [
        ("missing-key", "/workflow", GONE),
        ("missing-key", "/schemaVersion", GONE),
        ("missing-key", "/name", GONE),
        ("missing-key", "/name", ""),
        ("missing-key", TASKS, GONE),
        ("missing-key", TASKS, []),
        ("missing-key", f"{TASKS}/0/name", GONE),
        ("bad-type", "/workflow", []),
        ("bad-type", f"{TASKS}/1", "x"),
        ("bad-type", f"{TASKS}/0/parents", "a"),
        ("bad-type", f"{TASKS}/0/parents/0", 1),
        ("bad-type", f"{RAN}/0/runtimeInSeconds", "1"),
        ("bad-type", f"{RAN}/0/runtimeInSeconds", True),
        ("bad-type", f"{RAN}/0/command/program", {}),
        ("bad-value", f"{RAN}/0/runtimeInSeconds", -1),
        ("bad-value", f"{RAN}/0/readBytes", 10**30),
        ("bad-value", f"{FILES}/0/sizeInBytes", -5),
        ("bad-type", "/workflow/execution/machines", "node1"),
        ("bad-type", "/runtimeSystem", 5),
        ("illegal-character", "/workflow/execution/machines/0", {"nodeName": "\ud800"}),
        ("unknown-version", "/schemaVersion", "2.0"),
        ("unknown-version", "/schemaVersion", "latest"),
        ("duplicate-task", f"{TASKS}/1/id", "split"),
        ("duplicate-task", f"{RAN}/1/id", "split"),
        ("duplicate-file", f"{FILES}/1/id", "texts/all.txt"),
        ("dangling-edge", f"{TASKS}/3/parents/0", "count:3"),
        ("self-loop", f"{TASKS}/3/parents/0", "join"),
        ("cycle", f"{TASKS}/4/children", ["split"]),
        ("illegal-character", f"{TASKS}/0/name", "a\x00b"),
        ("illegal-character", f"{TASKS}/0/inputFiles/0", "\ud800"),
        ("text-too-long", "/description", "x" * 2**21),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, code: str, place: str, value: object) -> None:
    found = findings(tmp_path, changed(place, value))
    assert next(iter(found)) == code
    told = found[code].subject or ""
    assert place.startswith(told) or code == "cycle"
    assert told in found[code].message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    document = changed(f"{RAN}/0/runtimeInSeconds", -1)
    document["workflow"]["specification"]["tasks"][3]["parents"] = ["count:3"]
    document["name"] = ""
    assert findings(tmp_path, document).keys() == {"bad-value", "dangling-edge", "missing-key"}


def test_a_dangling_parent_is_told_with_near_names(tmp_path: Path) -> None:
    found = findings(tmp_path, changed(f"{TASKS}/3/parents/0", "count:3"))
    assert "near: count:" in str(found["dangling-edge"])


def test_the_path_of_a_circle_is_shown(tmp_path: Path) -> None:
    parents = {"a": "c", "b": "a", "c": "b"}
    tasks = [{"name": name, "id": name, "parents": [parent]} for name, parent in parents.items()]
    workflow = {"specification": {"tasks": tasks}}
    found = findings(tmp_path, {"name": "round", "schemaVersion": "1.5", "workflow": workflow})
    assert "-> " in found["cycle"].message
    assert {"a", "b", "c"} <= set(found["cycle"].message.replace(" -> ", " ").split())


def test_a_document_above_the_limits_is_refused(tmp_path: Path) -> None:
    document = montage.instance(30)
    assert "too-many-nodes" in findings(tmp_path, document, limits=Limits(nodes=29))
    assert "too-many-edges" in findings(tmp_path, document, limits=Limits(edges=29))
    assert "too-many-values" in findings(tmp_path, document, limits=Limits(fragments=29))
    assert "too-large" in findings(tmp_path, document, limits=Limits(bytes=1000))


def test_a_recorded_file_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(changed(f"{TASKS}/0/outputFiles/0", "../../x")))
    with pytest.raises(BadInput) as refused:
        wfformat.read(str(path), Options(given={"commands": "recorded"}))
    assert [one.code for one in refused.value.findings] == ["bad-path"]


@pytest.mark.parametrize(
    ("code", "place", "value"),
    [
        ("newer-version", "/schemaVersion", "1.9"),
        ("unused-file", f"{FILES}/0", {"id": "x", "sizeInBytes": 1}),
        ("unknown-task", f"{RAN}/0", {"id": "x", "runtimeInSeconds": 1}),
        ("stand-in", "/name", "words"),
    ],
)
def test_what_is_left_out_is_a_warning_and_an_error_where_strict(
    tmp_path: Path, code: str, place: str, value: object
) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(changed(place, value)))
    told = wfformat.read(str(path), Options()).findings
    assert code in {finding.code for finding in told}
    with pytest.raises(BadInput) as refused:
        wfformat.read(str(path), Options(strict=True))
    assert code in {finding.code for finding in refused.value.findings}
