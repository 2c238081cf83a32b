"""Verbs that end or undo work, with real jobs under them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.scene import Leash, Place, Task, graph


@pytest.fixture
def served(place: Place) -> Iterator[Place]:
    """A work folder with both services, two slots."""
    place.ok("init")
    with place.started("jedi", "run"), place.started("sweep", "--every", "1h"):
        yield place


def napping(place: Place, leash: Leash) -> None:
    """Four jobs, of which two run, and one that joins what they made."""
    tasks = {"nap": Task(leash.command, jobs=4), "join": Task("cat {inputs} > {output}")}
    place.ok("import", str(graph(place.folder, tasks, [("nap", "join")])), "--start")
    leash.wait(2)


def test_finish_lets_running_jobs_end_and_skips_the_rest(served: Place, leash: Leash) -> None:
    napping(served, leash)
    said = served.said("finish", "m/nap", "--yes", "--reason", "enough")
    assert said.out == "default/m: 1 told to finish (nap)\n"
    leash.release(2)
    served.until("default/m is finished", "status", "m")
    assert sorted(leash.ran) == ["begin 1", "begin 2", "end 1", "end 2"]
    assert served.text("data/default.m.join.*/*").splitlines() == ["1", "2"]
    assert "2 of 4 units ok" in served.said("status", "m").out
    leash.let_all_go()
    assert "1 set to run again (nap)" in served.said("retry", "m/nap").out
    served.until("default/m is done", "status", "m")
    assert len(leash.ran) == 8


def test_finish_hard_stops_running_jobs_too(served: Place, leash: Leash) -> None:
    napping(served, leash)
    leash.release()
    leash.wait()
    assert served.said("finish", "m/nap", "--hard", "--yes").code == 0
    served.until("default/m is finished", "status", "m")
    assert sum(line.startswith("end") for line in leash.ran) == 1
    assert "1 of 4 units ok" in served.said("status", "m").out
    leash.let_all_go()


def test_reset_throws_away_and_the_next_run_makes_data_of_other_names(served: Place) -> None:
    tasks = {"make": Task("echo {unit.key} > {output}", jobs=3), "join": Task("cat {inputs} > {output}")}
    served.ok("import", str(graph(served.folder, tasks, [("make", "join")])), "--start")
    served.until("default/m is done", "status", "m")
    shown = served.said("reset", "m/make", "--discard", "--dry-run").out
    assert "2 tasks would begin anew (make, join)" in shown
    assert "default.m.make.txt.t00000001_r01" in shown
    assert served.said("status", "m").out.startswith("default/m is done")
    assert served.said("reset", "m/make", "--yes").code == 6
    assert served.said("reset", "m/make", "--discard", "--yes", "--reason", "again").code == 0
    served.until("default/m is done", "status", "m")
    made = {path.name for path in served.work.glob("data/*")}
    assert {name.rpartition("_")[2] for name in made} == {"r01", "r02"}
    assert len(made) == 4
    assert served.text("data/default.m.join.*_r02/*").split() == ["1", "2", "3"]
    assert "3 units of default.m.make.txt.t00000001_r01 discarded" in served.said("history", "m").out
    assert "_r02" in served.said("show", "m").out
    assert ".txt.t00000001_r01" not in served.said("show", "m").out


def test_commands_are_listed_with_their_outcome_and_a_key_is_used_once(place: Place) -> None:
    place.ok("init")
    place.ok("import", str(graph(place.folder, {"a": "echo 1 > {output}"})))
    first = place.said("start", "m", "--key", "monday")
    assert place.said("start", "m", "--key", "monday") == first
    other = place.said("disarm", "m/a", "--key", "monday")
    assert (other.code, "was given with another command" in other.err) == (4, True)
    refused = place.said("retry", "m/a")
    assert (refused.code, "a is defined: it was never started; `deft start`" in refused.err) == (4, True)
    told = place.said("commands", "m").out.splitlines()
    assert "import default/m origin=" in told[1]
    assert [" ".join(line.split()[3:6]) for line in told[2:]] == [
        "start m done:", "disarm m/a refused:", "retry m/a refused:"]  # fmt: skip
    assert '"key": "monday"' in place.said("commands", "--json").out


def test_set_and_set_state_say_what_they_do(place: Place) -> None:
    place.ok("init")
    path = graph(
        place.folder, {"a": "echo {unit.key} > {output}", "b": "cat {inputs} > {output}"}, [("a", "b")]
    )
    place.ok("import", str(path))
    said = place.said("set", "m", "resources.memory_mb=2000", "command=echo 'one two' > {output}")
    assert said.out.startswith("default/m: 2 tasks changed\n  a: command: echo {unit.key}")
    assert "n.resources.memory_mb" in place.said("export", "m").out
    wrong = place.said("set", "m/a", "resource.memory=1")
    assert (wrong.code, "near: resources.memory_mb" in wrong.err) == (6, True)
    shown = place.said("set-state", "m/a", "aborted", "--dry-run").out
    assert shown.splitlines() == [
        "default/m: abort would be done to 1 task (a)",
        "  then by itself: b: defined -> aborted (propagate)",
        "  tasks that take their data: b",
    ]
    assert place.said("set-state", "m/a", "done", "--yes").code == 4
    assert place.said("set-state", "m/a", "idle", "--yes").code == 2
    assert place.said("set-state", "m", "waiting", "--yes").out == "default/m: start done to 2 tasks (a, b)\n"


def test_tasks_join_a_metatask_that_has_run(place: Place) -> None:
    place.run(graph(place.folder, {"a": Task("echo {unit.key} > {output}", jobs=2)}), "--quiet")
    part = graph(place.folder, {"a": "", "sum": "cat {inputs} > {output}"}, [("a", "sum")], name="part")
    refused = place.said("augment", "m", "--graph", str(part))
    assert (refused.code, "makes no data of the type 'txt'" in refused.err) == (6, True)
    text = part.read_text().replace('<data key="e.format">txt</data>', "")
    for setting in ('resources.walltime_s">600', 'retry.max_attempts">1'):
        text = text.replace(f'<data key="n.{setting}</data>', "")
    part.write_text(text)
    assert (
        "1 task (sum) and 1 edge would be added"
        in place.said("augment", "m", "--graph", str(part), "--dry-run").out
    )
    assert "added; 1 of them armed" in place.said("augment", "m", "--graph", str(part)).out
    assert "default/m is done" in place.ok("run", "m", "--quiet")
    assert place.text("data/default.m.sum.*/*").split() == ["1", "2"]
    assert place.said("augment", "m").code == 2
