"""Questions, their answers, their exit codes; help that tells the truth."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.acceptance.scene import Place, graph, surroundings

STEERING = ("start", "disarm", "hold", "resume", "abort", "retry")
LOOKING = ("list", "status", "show", "explain", "simulate", "history", "jobs", "logs", "doctor")
COMMANDS = ("run", "init", "import", "export", "validate", "sweep", "db", "jedi", *STEERING, *LOOKING)
ANSWERS = (
    "list", "status m", "show m", "history m", "jobs m", "logs 1", "doctor", "jedi status", "sweep",
    "explain m", "explain m/b", "simulate m",
    "db check", "db upgrade", "init", "start m --dry-run", "validate ./m.graphml",
    "import ./m.graphml --name n",
)  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place where the Meta-Task m is done, for questions."""
    place = Place(tmp_path_factory.mktemp("done"), surroundings(tmp_path_factory.getbasetemp()))
    ran = place.run(
        graph(
            place.folder, {"a": "echo 1 > {output}; echo said", "b": "cat {inputs} > {output}"}, [("a", "b")]
        )
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


def test_every_answer_is_there_as_json(done: Place) -> None:
    for command in ANSWERS:
        said = done.said(*command.split(), "--json")
        assert said.code == 0, said.err
        assert said.err == ""
        json.loads(said.out)


def test_every_command_has_help_with_its_name_in_an_example(place: Place) -> None:
    listed = place.said("--help").out
    for command in COMMANDS:
        said = place.said(command, "--help")
        assert said.code == 0
        assert f"deft {command} " in said.out + " "
        assert f"\n  {command} " in listed


def test_answers_for_people_say_what_they_should(done: Place) -> None:
    assert "default/m  done" in done.said("list").out
    assert done.said("status", "m").out.startswith("default/m is done\nTASK ")
    shown = done.said("show", "m/a").out
    assert "command = echo 1 > {output}" in shown
    assert done.said("logs", "1").out == "said\n"
    assert "finalize-done" in done.said("history", "m/b", "--limit", "1").out
    assert "JOB  TASK" in done.said("jobs", "m").out


def test_the_reader_of_an_answer_may_go_away(done: Place) -> None:
    command = f"{sys.executable} -m deft history m | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(
        ["bash", "-c", command], cwd=done.folder, env={**done.environ, "DEFT_WORKDIR": str(done.work)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.splitlines()[-1] == "0"
    assert ran.stderr == ""


@pytest.mark.parametrize("command", ["list", "status m --json", "export m"])
def test_an_answer_that_cannot_be_written_is_a_failure(done: Place, command: str) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "deft", *command.split()], stdout=full, stderr=subprocess.PIPE, text=True,
            env={**done.environ, "DEFT_WORKDIR": str(done.work)}, check=False,
        )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr == "deft: the output: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("rnu", 2, "Did you mean run?"),
        ("xyzzy", 2, "`deft --help` lists them"),
        ("status", 2, "Missing argument"),
        ("status m --colour", 2, "No such option"),
        ("jobs m --limit -3", 2, "-3 is not in the range"),
        ("sweep --every 1h --once", 2, "exclude each other"),
        ("status nope", 3, "there is no Meta-Task 'nope'; `deft list` shows them all"),
        ("status m/nope", 3, "has no task 'nope'; near: a, b"),
        ("start m/x*", 3, "x*"),
        ("logs 999", 3, "there is no job 999; `deft jobs META` lists them"),
        ("logs one", 3, "a job is named by its number"),
        ("logs 1 --attempt 7", 3, "job 1 has no attempt 7"),
        ("hold m", 4, "has ended; there is nothing to hold"),
        ("abort m --yes", 4, "a is done: it has ended"),
        ("disarm m/a", 4, "nothing was changed"),
        ("retry m", 4, "nothing to retry"),
        ("import ./m.graphml", 4, "--name NEW"),
        ("status a/b/c/d", 6, "write META, META/TASK or PROJECT/META/TASK"),
        ("jobs m --state blah", 6, "planned, submitting, queued"),
        ("sweep --every soon", 6, "write 30s, 5m or 1h"),
        ("export m/a", 6, "takes a whole Meta-Task"),
        ("export m -o /none/x", 6, "cannot write /none/x"),
    ],
)
def test_a_wrong_command_says_why_and_what_would_be_right(
    done: Place, command: str, code: int, words: str
) -> None:
    before = done.said("history", "m").out
    said = done.said(*command.split())
    assert said.code == code, said.err
    assert words in said.err
    assert said.out == ""
    assert done.said("history", "m").out == before


def test_a_fault_of_deft_itself_is_told_without_a_traceback(done: Place) -> None:
    broken = "import deft.observe.status as s; s.listing = None; from deft.__main__ import main; main()"
    environ = {**done.environ, "DEFT_WORKDIR": str(done.work)}
    command = [sys.executable, "-c", broken, "list"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "a fault of DEFT itself" in ran.stderr
    assert "Traceback" not in ran.stderr
    ran = subprocess.run(
        command, env=environ | {"DEFT_TRACEBACK": "1"}, capture_output=True, text=True, check=False
    )
    assert "Traceback" in ran.stderr


def test_no_space_for_the_database_is_told_and_nothing_is_lost(place: Place) -> None:
    path = graph(place.folder, {"a": "echo 1 > {output}"})
    limited = f"ulimit -f 20; exec {sys.executable} -m deft run {path} --workdir W"
    environ = {**place.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        ["bash", "-c", limited], cwd=place.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 7, ran.stdout + ran.stderr
    assert "the database sqlite:///" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert place.run(path).returncode == 0
