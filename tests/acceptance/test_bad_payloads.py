"""Payloads that misbehave: each ends its job with the reason, leaves nothing running, and harms no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.scene import Place, Task, graph, surroundings

LIMITS = {"DEFT_JEDI__LOG_MAX_MB": "1", "DEFT_JEDI__KILL_GRACE_S": "1"}
# One run of all of them: name -> (task, what the end says of it, or nothing where it is done)
PAYLOADS = {
    "nonzero": (Task("echo 'no luck' >&2; exit 3"), "exit code 3: no luck"),
    "missing": (Task("/no/such/program > {output}"), "exit code 127"),
    "silent": (Task(": {output}"), "wrote no output data"),
    "killed": (Task("kill -9 $$; : {output}"), "killed by SIGKILL"),
    "hanging": (Task("sleep 1000; : {output}", walltime_s=1), "longer than the walltime of 1 s"),
    "stubborn": (
        Task("trap '' TERM; while :; do sleep 0.2; done; : {output}", walltime_s=1),
        "longer than the walltime of 1 s",
    ),
    "full": (Task("echo x > /dev/full && echo x > {output}"), "exit code"),
    "chatty": (Task("head -c 8000000 /dev/zero | tr '\\0' x; echo x > {output}"), None),
    "parent": (Task("sleep 1001 & echo x > {output}"), None),
    "daemon": (Task("setsid sleep 1002 & sleep 0.3; echo x > {output}"), None),
    "decent": (Task("echo x > {output}"), None),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, int, str]:
    """All of them in one run: the place, the exit code and what it said at its end."""
    folder = tmp_path_factory.mktemp("payloads")
    place = Place(folder, surroundings(folder) | LIMITS | {"DEFT_JEDI__SLOTS": "4"})
    done = place.run(graph(folder, {name: task for name, (task, _) in PAYLOADS.items()}))
    return place, done.returncode, done.stdout


@pytest.mark.parametrize("name", PAYLOADS)
def test_each_payload_ends_its_task_as_it_should(ran: tuple[Place, int, str], name: str) -> None:
    _, code, said = ran
    reason = PAYLOADS[name][1]
    assert code == 1
    if reason is None:
        assert f"  {name} data: " in said
    else:
        (line,) = [line for line in said.splitlines() if line.startswith(f"  {name} is failed: ")]
        assert reason in line
        assert f"  {name} data: " not in said


def test_the_next_commands_are_exact(ran: tuple[Place, int, str]) -> None:
    place, _, said = ran
    assert "deft jobs default/m/nonzero --workdir W" in said
    assert "deft logs 1 --stderr --workdir W" in said
    assert "no luck" in place.said("logs", "1", "--stderr").out


@pytest.mark.parametrize("words", ["sleep\x001000", "sleep\x001001", "sleep\x001002"])
def test_no_process_is_left_behind(ran: tuple[Place, int, str], words: str) -> None:
    running = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            running.append(process.read_text())
        except OSError:
            continue  # it has just ended
    assert not [command for command in running if command.startswith(words)]


def test_of_a_flood_of_words_the_beginning_and_the_end_are_kept(ran: tuple[Place, int, str]) -> None:
    place, _, _ = ran
    kept = sum(path.stat().st_size for path in place.work.glob("jobs/*/chatty/*/*/stdout*"))
    assert 0 < kept <= 1_100_000


def test_what_failed_published_nothing(ran: tuple[Place, int, str]) -> None:
    place, _, _ = ran
    files = [path for path in place.work.glob("data/*/*") if path.is_file()]
    published = {path.parent.name.split(".")[2] for path in files}
    assert published == {name for name, (_, reason) in PAYLOADS.items() if reason is None}


def test_a_payload_that_fails_once_is_tried_again(place: Place) -> None:
    command = f"test -e {place.folder}/seen || {{ touch {place.folder}/seen; exit 1; }}; echo x > {{output}}"
    done = place.run(graph(place.folder, {"a": Task(command, attempts=3)}))
    assert done.returncode == 0, done.stdout
    assert place.said("jobs", "m").out.splitlines()[1].split()[4] == "2"


def test_a_large_output_that_meets_its_limit_fails_with_the_payload_s_words(place: Place) -> None:
    command = "ulimit -f 100; head -c 10000000 /dev/zero > {output}"
    done = place.run(graph(place.folder, {"a": command}))
    assert done.returncode == 1
    assert "a is failed" in done.stdout
    assert not list(place.work.glob("data/*/*"))
