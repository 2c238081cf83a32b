"""The job wrapper, as a process of its own."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deft.jedi import claims, wrapper
from tests.jedi.bench import until


class Serving:
    """A wrapper that waits for folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", wrapper.__file__, "--serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.number = 0

    def make(self, command: str, **job: Any) -> Path:
        self.number += 1
        folder = self.root / str(self.number)
        (folder / "out").mkdir(parents=True)
        content = {"command": command, "env": {}, "kill_grace_s": 0.2, "outputs": [], **job}
        (folder / "job.json").write_text(json.dumps(content))
        return folder

    def give(self, *folders: Path) -> None:
        self.stdin.write("".join(f"{folder}\n" for folder in folders))
        self.stdin.flush()

    def event(self, kind: str = "ended") -> dict[str, Any]:
        while True:
            line = json.loads(self.stdout.readline())
            if line["event"] == kind:
                return dict(line)

    def run(self, command: str, **job: Any) -> dict[str, Any]:
        self.folder = self.make(command, **job)
        self.give(self.folder)
        return dict(self.event()["result"])


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path)
    yield made
    made.stdin.close()
    made.process.wait(10)
    made.stdout.close()


def _target(folder: Path, *, required: bool = True) -> dict[str, Any]:
    return {"dataset": "7", "type": "dat", "file": "out/x", "target": str(folder / "data" / "x"),
            "required": required}  # fmt: skip


def test_a_success_is_recorded_with_what_it_used(serving: Serving) -> None:
    result = serving.run("echo hello")
    assert (result["class"], result["exit_code"]) == ("ok", 0)
    assert result["wall_s"] > 0
    assert result["max_rss_mb"] > 0
    assert (serving.folder / "stdout").read_text() == "hello\n"
    assert json.loads((serving.folder / "attempt.json").read_text()) == result


def test_an_exit_code_comes_with_the_last_line_of_stderr(serving: Serving) -> None:
    result = serving.run("printf 'first\\nla\\033st\\n\\n' >&2; exit 3")
    assert (result["class"], result["exit_code"], result["message"]) == ("exit", 3, "la?st")


def test_a_signal_is_told_from_an_exit(serving: Serving) -> None:
    result = serving.run("kill -SEGV $$")
    assert (result["class"], result["signal"]) == ("signal", signal.SIGSEGV)


def test_a_payload_that_runs_too_long_is_stopped(serving: Serving) -> None:
    result = serving.run("sleep 60", walltime_s=0.1)
    assert (result["class"], result["message"]) == ("timeout", "longer than the walltime of 0.1 s")


def test_a_payload_that_ignores_the_request_is_killed(serving: Serving) -> None:
    result = serving.run("trap '' TERM; while :; do sleep 0.05; done", walltime_s=0.1)
    assert (result["class"], result["signal"]) == ("timeout", signal.SIGKILL)


def test_endless_output_is_cut_in_the_middle(serving: Serving) -> None:
    result = serving.run("yes start | head -c 3000000; echo end", log_max_bytes=100_000)
    text = (serving.folder / "stdout").read_bytes()
    assert len(text) < 101_000
    assert text.startswith(b"start\n")
    assert text.endswith(b"end\n")
    assert b"bytes cut by DEFT" in text
    assert result["cut"] > 2_800_000


def test_endless_output_does_not_fill_the_disk_meanwhile(serving: Serving) -> None:
    folder = serving.make("yes", log_max_bytes=100_000, walltime_s=2)
    serving.give(folder)
    result = serving.event()["result"]
    assert (result["class"], (folder / "stdout").stat().st_size < 101_000) == ("timeout", True)


def test_an_output_appears_in_its_place_by_rename(serving: Serving, tmp_path: Path) -> None:
    result = serving.run("echo data > out/x", outputs=[_target(tmp_path)])
    assert result["outputs"] == {"7": {"path": str(tmp_path / "data" / "x"), "bytes": 5}}
    assert (tmp_path / "data" / "x").read_text() == "data\n"


def test_an_output_replaces_what_was_there_even_a_folder(serving: Serving, tmp_path: Path) -> None:
    for text in ("one", "two"):
        serving.run(f"mkdir out/x; echo {text} > out/x/f", outputs=[_target(tmp_path)])
    assert (tmp_path / "data" / "x" / "f").read_text() == "two\n"


def test_a_missing_output_fails_the_attempt(serving: Serving, tmp_path: Path) -> None:
    result = serving.run("true", outputs=[_target(tmp_path)])
    assert (result["class"], "wrote no output dat" in result["message"]) == ("no-output", True)


def test_an_output_that_nobody_asked_for_may_be_missing(serving: Serving, tmp_path: Path) -> None:
    result = serving.run("true", outputs=[_target(tmp_path, required=False)])
    assert (result["class"], result["outputs"]) == ("ok", {})


def test_a_failure_publishes_nothing(serving: Serving, tmp_path: Path) -> None:
    serving.run("echo half > out/x; exit 1", outputs=[_target(tmp_path)])
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("how", ["sleep 77 &", "setsid sleep 77 &", "(setsid sh -c 'sleep 77 & sleep 78' &)"])
def test_what_a_payload_leaves_behind_is_killed(serving: Serving, how: str) -> None:
    mark = str(serving.root)
    result = serving.run(f"{how}\nsleep 0.1; echo done", env={"DEFT_MARK": mark})
    assert result["class"] == "ok"
    assert result["leftovers"] >= 1
    assert not [text for text in _environments() if f"DEFT_MARK={mark}" in text]


def _environments() -> Iterator[str]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                yield Path(f"/proc/{name}/environ").read_text(errors="replace")
            except OSError:
                continue


def test_a_full_disk_is_a_class_of_its_own(serving: Serving) -> None:
    result = serving.run("/bin/echo x > /dev/full")
    assert result["class"] == "no-space"


def test_a_command_longer_than_an_argument_may_be_runs_from_a_file(serving: Serving) -> None:
    result = serving.run("echo " + "x" * 200_000 + " | wc -c")
    assert result["class"] == "ok"
    assert (serving.folder / "stdout").read_text().strip() == "200001"


def test_the_payload_sees_its_environment_and_no_descriptors_of_ours(serving: Serving) -> None:
    serving.run("echo $A; ls /proc/self/fd | wc -l", env={"A": "b c"})
    assert (serving.folder / "stdout").read_text().split("\n")[:2] == ["b c", "4"]


def test_who_claims_first_runs(serving: Serving) -> None:
    mine, free = serving.make("touch ran"), serving.make("true")
    assert claims.revoke(mine)
    serving.give(mine, free)
    assert serving.event("skipped")["folder"] == str(mine)
    assert serving.event()["folder"] == str(free)
    assert not (mine / "ran").exists()


def test_a_claimed_attempt_cannot_be_taken_back(serving: Serving) -> None:
    serving.run("true")
    assert not claims.revoke(serving.folder)


def test_a_claim_names_wrapper_and_payload(serving: Serving) -> None:
    result = serving.run("true")
    claim = claims.read_claim(serving.folder)
    assert claim is not None
    assert (claim.pid, claim.payload) == (serving.process.pid, result["pid"])
    assert claims.is_alive(claim.pid, claim.start)


def test_one_attempt_is_cancelled_and_the_next_one_runs(serving: Serving) -> None:
    long, next_one = serving.make("sleep 60"), serving.make("true")
    serving.give(long, next_one)
    serving.event("started")
    serving.stdin.write(f"!{long}\n")
    serving.stdin.flush()
    assert serving.event()["result"]["class"] == "cancelled"
    assert serving.event()["result"]["class"] == "ok"


def test_sigterm_ends_the_payload_politely_and_the_wrapper(serving: Serving) -> None:
    folder = serving.make("trap 'echo bye; exit 0' TERM; sleep 60 & wait")
    serving.give(folder, serving.make("true"))
    serving.event("started")
    serving.process.terminate()
    assert serving.event()["result"]["class"] == "cancelled"
    assert serving.process.wait(10) == 0
    assert (folder / "stdout").read_text() == "bye\n"


def test_when_the_reader_dies_what_runs_is_finished_and_nothing_else_begins(serving: Serving) -> None:
    running, waiting = serving.make("sleep 0.3; echo ok"), serving.make("touch ran")
    serving.give(running, waiting)
    until((running / "claim").exists)
    serving.stdin.close()
    serving.stdout.close()
    assert serving.process.wait(10) == 0
    assert json.loads((running / "attempt.json").read_text())["class"] == "ok"
    assert not (waiting / "claim").exists()


def test_a_folder_without_a_job_is_our_fault_not_the_payloads(serving: Serving) -> None:
    folder = serving.root / "nothing"
    serving.give(folder)
    assert serving.event()["result"]["class"] == "wrapper"


def test_a_long_payload_beats(serving: Serving) -> None:
    serving.run("sleep 0.5", beat_s=0.1)
    assert (serving.folder / "beat").exists()


def test_the_wrapper_is_python_3_6_and_stands_alone() -> None:
    tree = ast.parse(Path(wrapper.__file__).read_text(), feature_version=(3, 6))
    imported = {n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)}
    assert imported <= set(sys.stdlib_module_names)
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom | ast.NamedExpr)]
