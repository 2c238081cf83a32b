"""The Python face: build, submit, wait, steer, ask."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

import deft
from deft.base.errors import BadInput, NotFound, Refused
from tests.support.repository import ROOT


def dice() -> deft.MetaTask:
    made = deft.MetaTask("dice", params={"faces": 6})
    throw = made.task("throw", "echo {unit.key} {param.faces} > {output}", jobs=3)
    throw.then("count", "cat {inputs} > {output}", reduce=True).feeds(made.final(), format="txt")
    return made


def test_a_metatask_built_in_python_runs_to_done(tmp_path: Path) -> None:
    run = dice().submit(tmp_path)
    assert run.status().state in ("waiting", "running")
    assert run.wait().state == "done"
    (result,) = run.results()
    (made,) = (one for one in (tmp_path / "data" / result.dataset).iterdir())
    assert made.read_text(encoding="utf-8") == "1 6\n2 6\n3 6\n"


def test_the_first_example_runs(tmp_path: Path) -> None:
    script = ROOT / "docs" / "examples" / "first.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "default/dice is done" in done.stdout


def test_a_run_is_held_resumed_and_aborted(tmp_path: Path) -> None:
    run = dice().submit(tmp_path, start=False)
    assert run.status().state == "draft"
    assert run.start().changed == ("throw", "count")
    run.hold("throw", reason="look first")
    assert "hold" in run.status("throw").tasks[0].controls
    run.resume("throw")
    assert run.abort().changed == ("throw", "count")
    with pytest.raises(Refused, match="has ended"):
        run.hold("throw")


def test_conditions_pick_tasks_and_runs(tmp_path: Path) -> None:
    run = dice().submit(tmp_path, start=False)
    assert run.start(where="downstream_of('throw')").changed == ("count",)
    assert [line.task for line in run.status(where="param.faces == 6 and not armed").tasks] == ["throw"]
    assert [one.name for one in deft.runs("armed", tmp_path)] == ["default/dice"]
    (answer,) = deft.control("hold", where="armed", workdir=tmp_path, dry_run=True)
    assert answer.changed == ("count",)
    with pytest.raises(NotFound, match="no task of default/dice matches held"):
        run.resume(where="held")


def test_submitting_the_same_again_goes_on_and_another_is_refused(tmp_path: Path) -> None:
    dice().submit(tmp_path, start=False)
    dice().submit(tmp_path, start=False)
    other = dice()
    other.task("extra", "true")
    with pytest.raises(Refused, match="differs"):
        other.submit(tmp_path)


def test_a_stored_run_is_found_by_name(tmp_path: Path) -> None:
    dice().submit(tmp_path, start=False)
    assert deft.open_run("dice", tmp_path).name == "default/dice"
    with pytest.raises(NotFound):
        deft.open_run("nothing", tmp_path)


def test_a_live_metatask_is_a_networkx_graph_and_back(tmp_path: Path) -> None:
    graph = dice().submit(tmp_path, start=False).graph()
    assert isinstance(graph, nx.MultiDiGraph)
    assert list(nx.topological_sort(graph)) == ["throw", "count", "results"]
    again = deft.from_networkx(graph)
    assert nx.utils.graphs_equal(deft.to_networkx(again), graph)


def test_written_and_read_again_it_is_the_same(tmp_path: Path) -> None:
    dice().write(tmp_path / "dice.graphml")
    again = deft.read(str(tmp_path / "dice.graphml"))
    assert nx.utils.graphs_equal(deft.to_networkx(again), deft.to_networkx(dice()))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"coers": 2}, "'coers' is no word of a task"),
        ({"cores": 0}, "resources.cores = 0 is below 1"),
        ({"settings": {"colour": "red"}}, "'colour' is no key"),
    ],
)
def test_a_wrong_word_or_value_is_refused_at_once(words: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        deft.MetaTask("m").task("a", "true", **words)  # type: ignore[arg-type]


def test_a_name_given_twice_is_refused() -> None:
    made = deft.MetaTask("m")
    made.task("a", "true")
    with pytest.raises(BadInput, match="two tasks"):
        made.task("a", "true")


def test_an_undirected_graph_is_no_metatask() -> None:
    with pytest.raises(ValueError, match="undirected"):
        deft.from_networkx(nx.path_graph(3))


def test_a_run_is_changed_grown_and_begun_anew(tmp_path: Path) -> None:
    run = dice().submit(tmp_path)
    assert run.wait().state == "done"
    (altered,) = run.set("throw", {"param.faces": 20}).altered
    assert altered.change == "param.faces: nothing -> 20"
    for _ in range(2):
        assert run.reset("throw", discard=True, key="once").changed == ("throw", "count")
    part = deft.MetaTask("part")
    part.task("extra", "echo more > {output}")
    part.write(tmp_path / "part.graphml")
    assert run.add(tmp_path / "part.graphml").armed == ("extra",)
    assert run.wait().state == "done"
    (path,) = (tmp_path / "data").glob("*count*_r02/*")
    assert path.read_text(encoding="utf-8") == "1 20\n2 20\n3 20\n"
    with pytest.raises(Refused, match="has ended"):
        run.finish("throw")
    with pytest.raises(Refused, match="`deft reset --discard`"):
        run.set_state("throw", "waiting")
    assert [one.outcome for one in run.commands()][-2:] == ["refused", "refused"]


def test_what_a_run_lost_is_made_again(tmp_path: Path) -> None:
    run = dice().submit(tmp_path)
    run.wait()
    (lost,) = (tmp_path / "data").glob("default.dice.throw.*/000002*")
    lost.unlink()
    assert run.scan().missing == 1
    assert [task.task for task in run.recover("throw").tasks] == ["throw"]
    assert run.wait().state == "done"
    assert lost.read_text(encoding="utf-8") == "2 6\n"


def test_a_run_takes_more_files(tmp_path: Path) -> None:
    (tmp_path / "1.raw").write_text("1\n")
    made = deft.MetaTask("more")
    made.external("raw", f"{tmp_path}/1.raw").feeds(made.task("copy", "cat {input} > {output}"))
    run = made.submit(tmp_path / "w")
    run.wait()
    (tmp_path / "2.raw").write_text("2\n")
    assert run.augment(tmp_path / "2.raw").new == 1
    assert run.close().already
    status = run.wait()
    assert (status.state, status.tasks[0].ok) == ("done", 2)


def test_a_run_explains_itself_and_is_played_forward(tmp_path: Path) -> None:
    run = dice().submit(tmp_path, start=False)
    (cause,) = run.explain().causes
    assert cause.command == "deft start dice"
    assert run.explain("count").needs
    assert run.simulate(start=True).state == "done"
    assert run.simulate(start=True, fail={"throw": None}).state == "blocked"
    assert run.simulate(start=True, hold=["count"]).states["count"] == "defined"
    run.wait()
