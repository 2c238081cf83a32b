"""WfFormat documents become Meta-Tasks: real ones, odd ones, and broken ones."""

from __future__ import annotations

import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from deft.authoring.graphml import writer
from deft.authoring.templates import instantiate
from deft.engine import intake
from deft.model.graph import MetaTask
from deft.model.tasks import Edge
from tests.support import montage
from tests.support.repository import ROOT, deft

DATA = ROOT / "tests" / "data" / "importers"
Document = dict[str, Any]


def read(name: str, **given: str) -> MetaTask:
    """A sample, filled and found right."""
    return intake.read_source(str(DATA / name), given, Path("/nowhere"))[0]


def edges(made: MetaTask) -> set[tuple[str, str, str, str]]:
    """Its edges: source, target, type and role."""
    return {(one.source, one.target, one.type, one.text("role", "primary")) for one in made.edges}


def edge(made: MetaTask, source: str, target: str) -> Edge:
    (found,) = (one for one in made.edges if (one.source, one.target) == (source, target))
    return found


# --- what becomes of it ------------------------------------------------------------------------------------


def test_files_that_one_task_makes_and_the_same_tasks_read_are_one_dataset() -> None:
    made = read("fork-1.5.json")
    assert edges(made) == {
        ("inputs", "make_ID1", "seed-dat", "secondary"),
        ("make_ID1", "left_ID2", "shared-dat-and-1-more", "primary"),
        ("make_ID1", "right_ID3", "shared-dat-and-1-more", "primary"),
        ("make_ID1", "left_ID2", "only-left-dat", "secondary"),
        ("left_ID2", "join_ID4", "left-out", "primary"),
        ("right_ID3", "join_ID4", "right-out", "secondary"),
        ("join_ID4", "results", "result-h5", "primary"),
    }
    (shared,) = (one for one in made.datasets() if one.type.startswith("shared"))
    assert [one.target for one in shared.edges] == ["left_ID2", "right_ID3"]


def test_what_nobody_makes_lies_beside_the_document_or_where_data_says() -> None:
    assert edge(read("fork-1.5.json"), "inputs", "make_ID1").sources == (str(DATA / "seed.dat"),)
    elsewhere = read("fork-1.5.json", data="/data/run7")
    assert edge(elsewhere, "inputs", "make_ID1").sources == ("/data/run7/seed.dat",)


def test_what_was_measured_is_kept() -> None:
    made = read("words-1.6.json")
    labels = made.task("split").family("attr.")
    files = json.loads(str(labels.pop("files.json")))
    assert labels.pop("command").startswith("sh -c 'head -n 1")  # type: ignore[union-attr]
    assert labels == {
        "id": "split", "name": "split", "runtime_s": "1.5", "core_count": "1.5", "avg_cpu": "93.5",
        "read_bytes": "24", "written_bytes": "29", "memory_bytes": "1048576", "energy_kwh": "0.001",
        "power_w": "4.5", "machine": "node1 node2",
    }  # fmt: skip
    assert files["split-log-txt"] == {"split log.txt": 5}
    assert (made.task("split").settings["resources.cores"], made.task("split").settings["priority"]) == (
        2,
        20,
    )
    assert edge(made, "count-1", "join").settings["attr.bytes"] == "2"
    assert made.settings["attr.makespan_s"] == "2.5"
    assert json.loads(str(made.settings["attr.machines.json"]))[1] == {"nodeName": "node2"}


def test_an_order_without_files_is_an_empty_dataset() -> None:
    assert ("join", "after", "done", "secondary") in edges(read("words-1.6.json"))


def test_tasks_of_the_old_shape_name_each_other_by_name() -> None:
    made = read("chain-1.4.json")
    assert ("evgen_ID0000001", "simul_ID0000002", "events-lhe", "primary") in edges(made)
    assert made.task("evgen_ID0000001").settings["resources.cores"] == 2
    assert made.task("evgen_ID0000001").settings["attr.memory_bytes"] == "14800000"


def test_before_1_3_tasks_were_jobs_and_kilobytes_were_meant() -> None:
    made = read("jobs-1.2.json")
    assert ("cat_ID1", "sort_ID2", "out", "primary") in edges(made)
    labels = made.task("cat_ID1").family("attr.")
    assert [labels[name] for name in ("memory_bytes", "read_bytes", "written_bytes")] == [
        "12000",
        "5000",
        "7000",
    ]


@pytest.mark.parametrize("version", ["1.3", "1.4", "1.5", "1.6"])
def test_montage_is_the_same_in_every_version(tmp_path: Path, version: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(montage.instance(50, version=version)))
    made = intake.read_source(str(path), {}, tmp_path)[0]
    assert len(list(made.tasks)) == 50
    shape = {(a.split("_")[0], b.split("_")[0], role) for a, b, _, role in edges(made)}
    assert shape == {
        ("inputs", "mProject", "secondary"), ("inputs", "mDiffFit", "secondary"),
        ("inputs", "mConcatFit", "secondary"), ("inputs", "mBgModel", "secondary"),
        ("inputs", "mImgtbl", "secondary"), ("inputs", "mAdd", "secondary"),
        ("mProject", "mDiffFit", "primary"), ("mProject", "mDiffFit", "secondary"),
        ("mDiffFit", "mConcatFit", "primary"), ("mDiffFit", "mConcatFit", "secondary"),
        ("mConcatFit", "mBgModel", "primary"), ("mProject", "mBackground", "primary"),
        ("mBgModel", "mBackground", "secondary"), ("mBackground", "mImgtbl", "primary"),
        ("mBackground", "mImgtbl", "secondary"), ("mImgtbl", "mAdd", "secondary"),
        ("mBackground", "mAdd", "primary"), ("mBackground", "mAdd", "secondary"),
        ("mAdd", "mShrink", "primary"), ("mAdd", "results", "primary"),
        ("mShrink", "mViewer", "primary"), ("mViewer", "results", "primary"),
    }  # fmt: skip


def test_an_exported_import_is_imported_again_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(montage.instance(30)))
    first = intake.read_source(str(path), {}, tmp_path)[0]
    (tmp_path / "m.graphml").write_bytes(_graphml(first))
    again = intake.read_source(str(tmp_path / "m.graphml"), {}, tmp_path)[0]
    assert _graphml(again) == _graphml(first)


def _graphml(made: MetaTask) -> bytes:
    stream = io.BytesIO()
    writer.write(instantiate.protect(made), stream)
    return stream.getvalue()


def test_ids_that_are_no_names_become_names_and_stay_as_labels(tmp_path: Path) -> None:
    ids = ["1.5 a", "1.5/a", "NF:STEP:" + "long" * 30 + "__1", "NF:STEP:" + "long" * 30 + "__2", "ü", "ok"]
    tasks = [{"name": id, "id": id, "parents": [], "children": []} for id in ids]
    made = _made(
        tmp_path, {"name": "1 odd", "schemaVersion": "1.6", "workflow": {"specification": {"tasks": tasks}}}
    )
    named = {task.settings["attr.id"]: task.name for task in made.tasks}
    assert list(named) == ids
    assert (named["ok"], made.name, len(set(named.values()))) == ("ok", "m-1-odd", len(ids))
    assert all(len(name) <= 64 for name in named.values())


def test_nothing_in_a_document_is_taken_for_a_parameter_or_a_placeholder(tmp_path: Path) -> None:
    odd = "${param.x} {output} $${y} {{input}} ${HOME}"
    task = {
        "name": odd,
        "id": "a",
        "parents": [],
        "children": [],
        "inputFiles": [odd],
        "outputFiles": [f"{odd}.o"],
    }
    run = {"id": "a", "runtimeInSeconds": 1, "command": {"program": "echo", "arguments": [odd]}}
    document = {"name": "m", "description": odd, "schemaVersion": "1.6", "workflow": {
        "specification": {"tasks": [task]}, "execution": {"tasks": [run]}}}  # fmt: skip
    for given in ({}, {"commands": "recorded"}):
        made = _made(tmp_path, document, **given)
        (found,) = made.tasks
        assert (found.settings["attr.name"], made.settings["description"]) == (odd, odd)
        assert found.settings["attr.command"] == f"echo {odd}"
        assert edge(made, "inputs", found.name).sources == (str(tmp_path / odd),)


def _made(folder: Path, document: Document, **given: str) -> MetaTask:
    path = folder / "made.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return intake.read_source(str(path), given, folder, form="wfformat")[0]


def test_a_task_that_writes_over_its_input_reads_what_was_there_before(tmp_path: Path) -> None:
    document = _tasks(a=([], ["f"], []), b=(["a"], ["f"], ["f"]), c=(["b"], ["f"], []))
    assert edges(_made(tmp_path, document)) == {
        ("inputs", "a", "f", "secondary"), ("inputs", "b", "f", "secondary"), ("a", "b", "done", "secondary"),
        ("b", "c", "f", "primary"),
    }  # fmt: skip


def test_of_several_tasks_that_write_a_file_the_parent_is_meant(tmp_path: Path) -> None:
    document = _tasks(a=([], [], ["f"]), b=([], [], ["f"]), c=(["b"], ["f"], []))
    assert edges(_made(tmp_path, document)) == {("b", "c", "f", "primary"), ("a", "results", "f", "primary")}


def _tasks(**tasks: tuple[list[str], list[str], list[str]]) -> Document:
    """A document of tasks given as name=(parents, input files, output files)."""
    made = [
        {
            "name": name,
            "id": name,
            "parents": parents,
            "children": [],
            "inputFiles": read,
            "outputFiles": written,
        }
        for name, (parents, read, written) in tasks.items()
    ]
    return {"name": "made", "schemaVersion": "1.5", "workflow": {"specification": {"tasks": made}}}


# --- running it --------------------------------------------------------------------------------------------


def test_stand_ins_run_without_any_data_and_say_what_they_are(tmp_path: Path) -> None:
    ran = deft("run", str(DATA / "words-1.6.json"), "--workdir", "W", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "stand-ins run for all tasks, 4 with a recorded command" in ran.stderr
    assert "stand-in for what join made" in ran.stdout
    again = deft("run", str(DATA / "words-1.6.json"), "--workdir", "W", cwd=tmp_path)
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True), again.stderr


def test_stand_ins_sleep_the_recorded_time_as_it_is_scaled(tmp_path: Path) -> None:
    words = ("--set", "runtime_scale=0.2", "--set", "commands=stand-in", "--workdir", "W", "--json")
    ran = deft("run", str(DATA / "words-1.6.json"), *words, cwd=tmp_path)
    at = {event["state"]: event["at"][17:-6] for event in map(json.loads, ran.stdout.splitlines())
          if event["event"] == "state" and event["task"] == "split"}  # fmt: skip
    assert (float(at["done"]) - float(at["running"])) % 60 >= 0.25  # 1.5 s x 0.2, less what a sweep takes


def test_recorded_commands_run_among_their_files(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "all.txt").write_text("one two three\nfour five\n")
    words = ("--set", "commands=recorded", "--set", "data=.", "--workdir", "W")
    ran = deft("run", str(DATA / "words-1.6.json"), *words, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (counts,) = tmp_path.glob("W/data/default.words.join.words-txt.*/*")
    (log,) = tmp_path.glob("W/data/default.words.split.split-log-txt.*/*")
    assert (counts.read_text(), log.read_text()) == ("3\n2\n", "{done} x\n")


def test_a_recorded_command_writes_over_a_copy_of_its_input(tmp_path: Path) -> None:
    document = _tasks(a=([], [], ["log"]), b=(["a"], ["log"], ["log"]))
    run = {"a": "echo a > log", "b": "echo b >> log"}
    document["workflow"]["execution"] = {
        "tasks": [{"id": id, "runtimeInSeconds": 1, "command": {"program": text}} for id, text in run.items()]
    }
    (tmp_path / "log.json").write_text(json.dumps(document))
    ran = deft("run", "log.json", "--set", "commands=recorded", "--workdir", "W", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = {path.parent.name.split(".")[2]: path.read_text() for path in tmp_path.glob("W/data/*/*")}
    assert made == {"a": "a\n", "b": "a\nb\n"}


def test_a_recorded_command_without_its_input_fails_and_names_it(tmp_path: Path) -> None:
    words = ("--set", "commands=recorded", "--workdir", "W")
    ran = deft("run", str(DATA / "words-1.6.json"), *words, cwd=tmp_path)
    assert ran.returncode == 1
    assert "the input texts/all.txt is not there" in ran.stdout + ran.stderr


def test_a_packed_document_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "fork.json"
    path.write_bytes(gzip.compress((DATA / "fork-1.5.json").read_bytes()))
    assert len(list(intake.read_source(str(path), {}, tmp_path)[0].tasks)) == 4


@pytest.mark.slow
def test_ten_thousand_tasks_take_seconds(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(montage.instance(10_000)))
    began = time.process_time()
    made = intake.read_source(str(path), {}, tmp_path)[0]
    assert len(list(made.tasks)) == 10_000
    assert time.process_time() - began < 15  # it takes 3; what grows with the square, minutes
