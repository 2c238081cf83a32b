"""A PyUtilib workflow becomes a Meta-Task: its tasks, its connectors, its inputs."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from deft.authoring.pyutilib import convert, loading
from deft.authoring.templates import instantiate, parameters
from deft.base.errors import BadInput, NotFound
from deft.model import rules
from deft.model.graph import MetaTask
from deft.model.tasks import NodeKind
from tests.support.repository import ROOT, deft
from tests.workflows.conftest import Write

EXAMPLE = ROOT / "docs" / "examples" / "pyutilib" / "sums.py"

DIAMOND = """
def make():
    a, b, c, d = Add(name="A"), Add(name="B"), Add(), Add(name="D")
    b.inputs.x = a.outputs.z
    b.inputs.y = 1
    c.inputs.x = a.outputs.z
    d.inputs.x = b.outputs.z
    d.inputs.y = c.outputs.z
    return of(a)
"""
FAN = """
def make():
    total, parts = Total(name="T"), [Add(name=f"P{n}") for n in range(5)]
    for part in parts:
        total.inputs.all = part.outputs.z
    return of(total)
"""


def read(module: str, folder: Path, factory: str = "make") -> MetaTask:
    """The Meta-Task of a workflow, which is valid once its parameters have values."""
    made = convert.read(f"pyutilib:{module}:{factory}", folder)
    given = dict.fromkeys(parameters.declared(made.settings), "1")
    assert rules.errors(rules.validate(instantiate.instantiate(made, given, {}))) == []
    return made


def edges(made: MetaTask) -> set[tuple[str, str, str, str]]:
    """Its edges: source, target, type and role."""
    return {(one.source, one.target, one.type, one.text("role", "primary")) for one in made.edges}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the module of the documentation."""
    shutil.copy(EXAMPLE, tmp_path)
    return tmp_path


def imported(folder: Path, factory: str, *options: str) -> None:
    """Import a workflow of the example into the work folder W."""
    assert deft("init", "--workdir", "W", cwd=folder).returncode == 0
    ran = deft("import", "--from-pyutilib", f"sums:{factory}", *options, "--workdir", "W", cwd=folder)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("factory", "task", "result"), [("one", "A.z", {"z": 4}), ("chain", "B.Z", {"Z": 5})]
)
def test_the_examples_run_as_meta_tasks(folder: Path, factory: str, task: str, result: object) -> None:
    imported(folder, factory, "--set", "x=1", "--set", "y=3")
    ran = deft("run", factory, "--workdir", "W", cwd=folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (found,) = folder.glob(f"W/data/default.{factory}.{task}.*/*")
    assert json.loads(found.read_text()) == result
    name, value = next(iter(json.loads(found.read_text()).items()))
    assert f"{name} = {value}" in ran.stdout


def test_run_takes_a_workflow_without_an_import(folder: Path) -> None:
    words = ("run", "pyutilib:sums:chain", "--workdir", "W")
    ran = deft(*words, "--set", "x=1", "--set", "y=3", cwd=folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Z = 5" in ran.stdout
    again = deft(*words, cwd=folder)
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)


def test_a_parameter_that_is_missing_is_named_with_its_help(folder: Path) -> None:
    assert deft("init", "--workdir", "W", cwd=folder).returncode == 0
    ran = deft("import", "--from-pyutilib", "sums:chain", "--set", "x=1", "--workdir", "W", cwd=folder)
    assert ran.returncode == 6
    assert "the parameter 'y' has no value (--set y=…; the second number)" in ran.stderr


def test_import_takes_a_file_or_a_workflow_not_both(folder: Path) -> None:
    for words in ((), ("census", "--from-pyutilib", "sums:one")):
        ran = deft("import", *words, "--workdir", "W", cwd=folder)
        assert (ran.returncode, "--from-pyutilib MODULE:FACTORY" in ran.stderr) == (2, True)


def test_an_export_imported_again_is_the_same_and_runs(folder: Path, tmp_path: Path) -> None:
    imported(folder, "chain", "--set", "x=1", "--set", "y=3")
    deft("export", "chain", "-o", "first.graphml", "--workdir", "W", cwd=folder)
    (tmp_path / "elsewhere").mkdir()
    shutil.move(folder / "first.graphml", tmp_path / "elsewhere")
    ran = deft("run", "elsewhere/first.graphml", "--workdir", "V", cwd=folder)
    assert "Z = 5" in ran.stdout, ran.stderr
    deft("export", "chain", "-o", "second.graphml", "--workdir", "V", cwd=folder)
    assert (folder / "second.graphml").read_bytes() == (tmp_path / "elsewhere/first.graphml").read_bytes()


def test_every_task_and_every_connector_is_there(tmp_path: Path, write: Write) -> None:
    made = read(write(DIAMOND), tmp_path)
    assert [task.name for task in made.tasks] == ["A", "B", "D", "Add"]
    assert edges(made) == {
        ("A", "B", "z-B-x", "primary"),
        ("A", "Add", "z-Add-x", "primary"),
        ("B", "D", "z-D-x", "primary"),
        ("Add", "D", "z-D-y", "secondary"),
        ("D", "results", "z", "primary"),
    }
    assert made.task("results").kind is NodeKind.EXIT
    assert len([one for one in made.datasets() if one.producer]) == len(list(made.edges))


def test_the_commands_say_what_comes_from_where(tmp_path: Path, write: Write) -> None:
    module = write(DIAMOND)
    made = read(module, tmp_path)
    assert made.task("A").command == f"pyutilib:{module}:make:A x={{param.x}} y={{param.y}}"
    assert made.task("D").command == f"pyutilib:{module}:make:D x={{input.z-D-x}}:z y={{input.z-D-y}}:z"


def test_inputs_are_parameters_with_what_the_factory_gave_them(tmp_path: Path, write: Write) -> None:
    body = """
def make():
    a = Add(name="A")
    a.inputs.x = "1"
    a.inputs.y.default = [1, 2]
    a.inputs.y.doc = "a list"
    return of(a)
"""
    settings = read(write(body), tmp_path).settings
    assert settings == {
        "param.x": '"1"', "param.x.help": "input of A", "param.y": "[1, 2]", "param.y.help": "a list"
    }  # fmt: skip


def test_many_connectors_into_one_input_make_one_job(tmp_path: Path, write: Write) -> None:
    made = read(write(FAN), tmp_path)
    roles = [edge.text("role", "primary") for edge in made.inputs("T")]
    assert roles == ["primary", *["secondary"] * 4]
    assert made.task("T").command.endswith(":make:T all={input.z-T-all}:z")
    source = f"pyutilib:{made.origin.split(':')[1]}:make"
    ran = deft("run", source, "--set", "x=1", "--set", "y=3", "--workdir", "W", cwd=tmp_path)
    assert "sum = 20" in ran.stdout, ran.stdout + ran.stderr


def test_a_workflow_in_a_package_is_imported_from_above_it(tmp_path: Path, write: Write) -> None:
    module = write("def make(): return of(Add(name='A'))")
    package = tmp_path / "deep" / f"pack_{module}"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.move(tmp_path / f"{module}.py", package)
    assert read(f"pack_{module}.{module}", tmp_path / "deep").folder == str(tmp_path / "deep")


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_a_module_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=f"no module 'nowhere_at_all' in {tmp_path}"):
        convert.read("pyutilib:nowhere_at_all:make", tmp_path)


def test_a_module_that_needs_another_one_says_which(tmp_path: Path, write: Write) -> None:
    with pytest.raises(
        BadInput, match="cannot be imported: ModuleNotFoundError: No module named 'moon_base'"
    ):
        convert.read(f"pyutilib:{write('import moon_base')}:make", tmp_path)


@pytest.mark.parametrize(
    ("text", "kind", "why"),
    [
        ("def made(): pass", NotFound, "has no 'make'; near: made"),
        ("make = 3", BadInput, "is a int, not a function"),
        ("def make(): return 3", BadInput, "returns a int, not a pyutilib.workflow.Workflow"),
        ("def make(): return Add()", BadInput, "returns a Add, not"),
        ("def make(x): pass", BadInput, "failed: TypeError: make.. missing 1 required"),
        ("def make(): raise KeyError('moon')", BadInput, "failed: KeyError: 'moon'"),
    ],
)
def test_a_factory_that_makes_no_workflow_is_refused(
    tmp_path: Path, write: Write, text: str, kind: type[Exception], why: str
) -> None:
    with pytest.raises(kind, match=why):
        convert.read(f"pyutilib:{write(text)}:make", tmp_path)


def test_a_source_that_is_no_workflow_is_refused(tmp_path: Path) -> None:
    for source, why in (("pyutilib:m", "is not MODULE:FACTORY"), ("pyutilib:m:f:A", "names one task")):
        with pytest.raises(BadInput, match=why):
            convert.read(source, tmp_path)


def test_what_no_graph_can_say_is_refused_all_at_once(tmp_path: Path, write: Write) -> None:
    body = """
def make():
    switch = pyutilib.workflow.TaskFactory("workflow.switch", name="S")
    a, b, c = Add(name="A"), Add(name="B"), Add(name="C")
    switch.add_branch(True, a)
    c.inputs.x.action = "store_any"
    c.inputs.x = a.outputs.z
    c.inputs.x = b.outputs.z
    return of(switch, b, c)
"""
    with pytest.raises(BadInput) as caught:
        convert.read(f"pyutilib:{write(body)}:make", tmp_path)
    found = {(one.code, one.subject) for one in caught.value.findings}
    assert found == {("pyutilib-branch", "S"), ("pyutilib-branch", "A"), ("pyutilib-action", "C")}


def test_a_task_that_nothing_holds_is_gone_and_said_so(tmp_path: Path, write: Write) -> None:
    body = "def make():\n    t = Total(); t.inputs.all = Add().outputs.z; return of(t)"
    with pytest.raises(BadInput, match="a task that is gone"):
        convert.read(f"pyutilib:{write(body)}:make", tmp_path)


def test_without_the_library_it_says_what_to_install() -> None:
    said = loading.why_missing("pyutilib", (3, 11))
    assert said == "PyUtilib is not installed here: pip install 'deft[pyutilib]'"
    assert "its part six" in loading.why_missing("six", (3, 11))


@pytest.mark.parametrize("module", ["pyutilib", "imp"])
def test_with_a_newer_python_it_says_so(module: str) -> None:
    said = loading.why_missing(module, (3, 12))
    assert "needs Python below 3.12" in said
    assert "this is Python 3.12: run DEFT with Python 3.11" in said


def test_the_path_of_modules_is_left_as_it_was(tmp_path: Path, write: Write) -> None:
    before = list(sys.path)
    read(write(DIAMOND), tmp_path)
    assert sys.path == before
