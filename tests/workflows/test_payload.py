"""A workflow as the payload of a job: where its values come from, and where they go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deft import MetaTask
from deft.model.keys import Value
from tests.support.repository import deft
from tests.workflows.conftest import Write

ONE = "def make(): return of(Add(name='A'))"
CHAIN = """
def make():
    a, b = Add(name="A"), Add(name="B")
    b.inputs.x = a.outputs.z
    return of(a)
"""
MANY = "def make(): return of(Total(name='T'))"


def payload(folder: Path, target: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it as a job does."""
    command = (sys.executable, "-m", "deft.authoring.pyutilib.payload", str(folder), target, *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def made(folder: Path, target: str, *options: str) -> object:
    """What it writes as JSON."""
    ran = payload(folder, target, *options, "--output", "data", str(folder / "out"))
    assert ran.returncode == 0, ran.stderr
    return json.loads((folder / "out").read_text())


def file(folder: Path, name: str, content: object) -> str:
    """A JSON file; its path."""
    (folder / name).write_text(json.dumps(content))
    return str(folder / name)


def test_words_beat_files_and_files_beat_parameters(tmp_path: Path, write: Write) -> None:
    module = write(ONE)
    offered = file(tmp_path, "in.json", {"x": 10, "y": 20, "other": 0})
    options = ("--param", "x=1", "--param", "y=2", "--param", "unknown=3")
    assert made(tmp_path, f"{module}:make", *options) == {"z": 3}
    assert made(tmp_path, f"{module}:make", *options, "--offer", "data", offered) == {"z": 30}
    assert made(tmp_path, f"{module}:make", *options, "--offer", "data", offered, "--value", "y=5") == {
        "z": 15
    }


def test_one_task_is_run_alone(tmp_path: Path, write: Write) -> None:
    module = write(CHAIN)
    taken = ("--files", "x", "z", file(tmp_path, "a.json", {"z": 7}))
    assert made(tmp_path, f"{module}:make:B", *taken, "--value", "y=10") == {"z": 17}


def test_the_results_are_printed(tmp_path: Path, write: Write) -> None:
    ran = payload(tmp_path, f"{write(CHAIN)}:make", "--value", "x=1", "--value", "y=3")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "z: 7\n", "")


def test_a_file_that_holds_a_bare_value_is_for_the_input_of_its_type(tmp_path: Path, write: Write) -> None:
    offered = ("--offer", "x", file(tmp_path, "x", 4), "--offer", "y", file(tmp_path, "y", 5))
    assert made(tmp_path, f"{write(ONE)}:make", *offered) == {"z": 9}


def test_an_input_that_appends_gathers_files_of_a_list(tmp_path: Path, write: Write) -> None:
    paths = [file(tmp_path, f"{n}.json", {"all": n}) for n in (1, 2, 3)]
    (tmp_path / "list").write_text("\n".join(paths) + "\n")
    offered = ("--offer-list", "data", str(tmp_path / "list"))
    assert made(tmp_path, f"{write(MANY)}:make", *offered) == {"sum": 6}


def test_an_input_that_takes_one_value_refuses_several(tmp_path: Path, write: Write) -> None:
    paths = [file(tmp_path, f"{n}.json", {"x": n, "y": n}) for n in (1, 2)]
    ran = payload(tmp_path, f"{write(ONE)}:make", "--offer", "data", *paths)
    assert ran.returncode == 6
    assert "the input x gets 2 values and takes one; declare it with action='append'" in ran.stderr


def test_a_text_stays_a_text_and_json_is_read(tmp_path: Path, write: Write) -> None:
    module = write(ONE)
    assert made(tmp_path, f"{module}:make", "--value", "x=a", "--value", 'y="1"') == {"z": "a1"}
    assert made(tmp_path, f"{module}:make", "--value", "x=[1]", "--value", "y=[2]") == {"z": [1, 2]}


def test_inputs_without_a_value_are_named(tmp_path: Path, write: Write) -> None:
    ran = payload(tmp_path, f"{write(CHAIN)}:make", "--param", "x=1")
    assert ran.returncode == 6
    assert "no value for y; give" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_optional_input_without_a_value_is_none(tmp_path: Path, write: Write) -> None:
    optional = "def make():\n    a = Add(name='A'); a.inputs.x.optional = a.inputs.y.optional = True\n"
    body = "    a.execute = lambda: setattr(a, 'z', [a.x, a.y]); return of(a)"
    assert made(tmp_path, f"{write(optional + body)}:make", "--value", "y=2") == {"z": [None, 2]}


def test_an_input_that_does_not_exist_is_refused(tmp_path: Path, write: Write) -> None:
    ran = payload(tmp_path, f"{write(ONE)}:make", "--value", "q=1")
    assert (ran.returncode, "there is no input q; there are x, y" in ran.stderr) == (6, True)


def test_a_task_that_does_not_exist_is_refused(tmp_path: Path, write: Write) -> None:
    ran = payload(tmp_path, f"{write(CHAIN)}:make:C")
    assert (ran.returncode, "has no task 'C'; it has A, B" in ran.stderr) == (3, True)


def test_a_fault_of_the_workflow_leaves_its_traceback(tmp_path: Path, write: Write) -> None:
    ran = payload(tmp_path, f"{write(ONE)}:make", "--value", "x=1", "--value", "y=a")
    assert ran.returncode == 1
    assert "self.z = self.x + self.y" in ran.stderr


def test_a_fault_of_the_module_leaves_its_traceback_and_says_which(tmp_path: Path, write: Write) -> None:
    module = write("def make(): return 1 / 0")
    ran = payload(tmp_path, f"{module}:make")
    assert ran.returncode == 6
    assert f"{module}:make() failed: ZeroDivisionError: division by zero" in ran.stderr
    assert "return 1 / 0" in ran.stderr


def test_an_output_that_json_cannot_hold_is_named(tmp_path: Path, write: Write) -> None:
    odd = "def make():\n    a = Add(name='A'); a.execute = lambda: setattr(a, 'z', {1}); return of(a)"
    ran = payload(tmp_path, f"{write(odd)}:make", "--value", "x=1", "--value", "y=1")
    assert "the output z cannot travel as JSON: it is or holds a set" in ran.stderr


@pytest.mark.parametrize("command", ["pyutilib:{}:make", "pyutilib:{}:make x={{param.x}} y=3"])
def test_a_task_takes_parameters_and_writes_its_output(tmp_path: Path, write: Write, command: str) -> None:
    params: dict[str, Value] = {"x": 1, "y": 3}
    production = MetaTask("m", params=params, folder=str(tmp_path))
    production.task("sum", command.format(write(ONE)))
    production.run(tmp_path / "W")
    (found,) = (tmp_path / "W").glob("data/default.m.sum.data.*/*")
    assert json.loads(found.read_text()) == {"z": 4}


def test_a_task_takes_the_files_of_its_inputs(tmp_path: Path, write: Write) -> None:
    for number in (1, 2):
        file(tmp_path, f"{number}.json", {"x": number})
    file(tmp_path, "shift", 10)
    production = MetaTask("m", folder=str(tmp_path))
    (runs, shift) = (
        production.external("runs", str(tmp_path / "?.json")),
        production.external("s", str(tmp_path / "shift")),
    )
    add = production.task("add", f"pyutilib:{write(ONE)}:make")
    runs.feeds(add, type="runs")
    shift.feeds(add, type="y", role="secondary")
    add.then("gather", f"pyutilib:{write(MANY)}:make all={{inputs}}:z", type="z", format="json", reduce=True)
    production.run(tmp_path / "W")
    (found,) = (tmp_path / "W").glob("data/default.m.gather.data.*/*")
    assert json.loads(found.read_text()) == {"sum": 23}


def test_export_gives_the_command_back_as_it_was_written(tmp_path: Path, write: Write) -> None:
    command = f"pyutilib:{write(ONE)}:make  x='{{param.x}}'   y=3"
    production = MetaTask("m", params={"x": 1}, folder=str(tmp_path))
    production.task("sum", command)
    production.write(tmp_path / "m.graphml")
    documents = []
    for number, source in enumerate(("./m.graphml", "./0.graphml")):
        folder = ("--workdir", f"W{number}")
        for words in (("init",), ("import", source), ("export", "m", "-o", f"{number}.graphml")):
            ran = deft(*words, *folder, cwd=tmp_path)
            assert ran.returncode == 0, ran.stderr
        documents.append((tmp_path / f"{number}.graphml").read_bytes())
    assert documents[0] == documents[1]
    assert command.encode() in documents[0]
