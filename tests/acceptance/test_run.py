"""From an empty folder to finished data: `deft run`, and asking afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.scene import Place, Task, graph
from tests.support.postgres import Cluster
from tests.support.repository import ROOT

HELLO = ROOT / "docs" / "examples" / "hello.graphml"
GREETINGS = "".join(f"Hello from number {number}\n" for number in range(1, 5))


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, place: Place) -> Iterator[Place]:
    """A place whose database is embedded, or a PostgreSQL by URL."""
    if request.param == "sqlite":
        yield place
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    cluster.create_database("acceptance")
    place.environ["DEFT_DATABASE__URL"] = cluster.url("acceptance")
    yield place
    cluster.drop_database("acceptance")


def test_one_command_runs_a_file_to_finished_data_and_a_second_has_nothing_to_do(anywhere: Place) -> None:
    first = anywhere.run(HELLO)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("default/hello is done after ")
    (named,) = [line for line in first.stdout.splitlines() if line.startswith("  gather ")]
    made = named.removeprefix("  gather data: ").partition("  (")[0]
    assert anywhere.text("data/*gather*/*") == GREETINGS
    assert made.startswith(str(anywhere.work / "data"))
    second = anywhere.run(HELLO)
    assert second.returncode == 0
    assert second.stdout.startswith("default/hello is done already; nothing to do\n")
    assert made in second.stdout
    assert "password" not in first.stderr + second.stderr


def test_progress_goes_to_stderr_and_the_answer_to_stdout(place: Place) -> None:
    ran = place.run(HELLO)
    assert [line.split()[:2] for line in ran.stderr.splitlines()[1:]] == [
        ["greet", "running"], ["greet", "done"], ["gather", "running"], ["gather", "done"],
    ]  # fmt: skip
    assert ran.stderr.startswith("running default/hello: 2 tasks, in ")
    assert "running" not in ran.stdout


def test_quiet_says_only_the_end(place: Place) -> None:
    ran = place.run(HELLO, "--quiet")
    assert ran.stderr == ""
    assert "is done after" in ran.stdout


def test_json_is_an_event_a_line_and_ends_with_state_results_and_the_next_commands(place: Place) -> None:
    ran = place.run(HELLO, "--json")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.stderr == ""
    states = [(event["task"], event["state"]) for event in events if event["event"] == "state"]
    assert states == [("greet", "running"), ("greet", "done"), ("gather", "running"), ("gather", "done")]
    answer = events[-1]
    assert answer["event"] == "end"
    assert answer["status"]["state"] == "done"
    assert [len(result["files"]) for result in answer["results"]] == [1]
    assert (answer["interrupted"], answer["next"]) == (False, [])


def test_a_small_dataset_is_named_file_by_file_and_a_large_one_by_its_folder(place: Place) -> None:
    two = {
        "few": Task("echo {unit.key} > {output}", jobs=2),
        "many": Task("echo {unit.key} > {output}", jobs=4),
    }
    ran = place.run(graph(place.folder, two))
    few = [line for line in ran.stdout.splitlines() if line.startswith("  few ")]
    (many,) = [line for line in ran.stdout.splitlines() if line.startswith("  many ")]
    assert [line.rpartition("/")[2] for line in few] == ["000001", "000002"]
    assert many.endswith("/  (4 files, 8 B)")


def test_a_new_work_folder_has_settings_so_that_commands_inside_it_find_it(place: Place) -> None:
    place.run(HELLO)
    deeper = place.work / "data"
    asked = Place(deeper, place.environ).deft("status", "hello", DEFT_WORKDIR="")
    assert (place.work / "deft.toml").is_file()
    assert asked.returncode == 0, asked.stderr


def test_settings_of_a_work_folder_are_left_as_they_are(place: Place) -> None:
    place.ok("init")
    (place.work / "deft.toml").write_text("[jedi]\nslots = 1\n")
    place.ok("init")
    place.run(HELLO)
    assert (place.work / "deft.toml").read_text() == "[jedi]\nslots = 1\n"


def test_a_file_of_settings_holds_for_the_executor_too(place: Place) -> None:
    (place.folder / "mine.toml").write_text(f'[database]\nurl = "sqlite:///{place.folder}/elsewhere.db"\n')
    ran = place.deft("--config", "mine.toml", "run", str(HELLO), "--workdir", "W")
    assert ran.returncode == 0, ran.stderr
    assert (place.folder / "elsewhere.db").is_file()
    assert not (place.work / "deft.db").exists()


def test_a_failure_ends_with_the_reason_and_the_exact_next_commands(place: Place) -> None:
    path = graph(place.folder, {"a": "echo oh no >&2; exit 3", "b": "cat {inputs} > {output}"}, [("a", "b")])
    ran = place.run(path)
    assert ran.returncode == 1
    assert "  a is failed: 0 of 1 units ok; job 1 failed: exit code 3: oh no\n" in ran.stdout
    commands = [line.partition(": ")[2].strip() for line in ran.stdout.splitlines()[-4:]]
    assert commands == [
        "deft jobs default/m/a --workdir W",
        "deft logs 1 --stderr --workdir W",
        "deft retry default/m --workdir W",
        f"deft run {path} --workdir W",
    ]
    for command in commands[:3]:
        given = place.deft(*command.split()[1:], DEFT_WORKDIR="")
        assert given.returncode == 0, given.stderr
    assert "oh no" in place.ok("logs", "1", "--stderr")


def test_what_failed_runs_again_after_a_retry_and_what_was_done_does_not(place: Place) -> None:
    good = place.folder / "good"
    tasks = {
        "a": f"echo a >> {place.folder}/ran; echo 1 > {{output}}",
        "b": f"test -e {good} && cat {{inputs}} > {{output}}",
    }
    path = graph(place.folder, tasks, [("a", "b")])
    assert place.run(path).returncode == 1
    good.touch()
    assert "1 set to run again (b)" in place.ok("retry", "m")
    assert place.run(path).returncode == 0
    assert (place.folder / "ran").read_text() == "a\n"


def test_a_task_that_is_not_armed_is_named_with_the_command_that_arms_it(place: Place) -> None:
    ran = place.run(
        graph(place.folder, {"a": "echo 1 > {output}", "b": Task("echo 2 > {output}", armed=False)})
    )
    assert ran.returncode == 1
    assert "  b is defined: it is not armed\n" in ran.stdout
    assert "deft start default/m/b --workdir W" in ran.stdout


def test_different_values_are_refused_with_the_difference_and_a_way_out(place: Place) -> None:
    place.ok("init")
    place.ok("import", "census", "--set", "top=5")
    ran = place.run("census", "--set", "top=7")
    assert ran.returncode == 4
    assert "param.top: stored 5, given 7" in ran.stderr
    assert "--name NEW" in ran.stderr


@pytest.mark.slow
def test_the_readme_s_tour_works_word_for_word(place: Place) -> None:
    place.environ["DEFT_WORKDIR"] = str(place.work)
    assert place.run("census").returncode == 0
    assert "report" in place.ok("status", "census")
    assert json.loads(place.ok("status", "census", "--json"))["state"] == "done"
    assert "census/map" in place.ok("jobs", "census")
    place.ok("logs", "7")
    assert "finalize-done" in place.ok("history", "census")
    assert place.ok("export", "census").startswith("<?xml")
    assert "ok" in place.ok("doctor")
