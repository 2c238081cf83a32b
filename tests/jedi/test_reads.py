"""The read side: jobs, logs, and who serves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deft.base import plugin
from deft.base.errors import BadInput, NotFound
from deft.base.plugin import Answer, Command, Request
from deft.jedi import commands, control, lease, reads
from tests.jedi.bench import Bench, spec, synthetic


def _ask(bench: Bench, subject: str | None = None, tasks: tuple[int, ...] = (1,), **options: Any) -> Request:
    return Request("me@here", bench.engine, bench.clock, bench.settings, tasks, subject, options)


def _text(answer: Answer) -> str:
    return "".join(answer.text)


def test_jobs_are_listed_with_what_became_of_them(bench: Bench) -> None:
    bench.run(spec("test {unit.key} = 1", inputs=(synthetic(2),), settings={"retry.max_attempts": 1}))
    bench.work()
    rows = list(reads.jobs(_ask(bench)).rows)
    assert [(r["task"], r["number"], r["state"], r["exit"]) for r in rows] == [
        ("m/t1", 1, "ok", 0),
        ("m/t1", 2, "failed", 1),
    ]
    assert set(rows[0]) == {column.key for column in reads.JOB_COLUMNS}


def test_jobs_are_chosen_by_state_and_limited(bench: Bench) -> None:
    bench.run(spec("true", inputs=(synthetic(5),)))
    bench.work()
    assert len(list(reads.jobs(_ask(bench, limit=2)).rows)) == 2
    assert list(reads.jobs(_ask(bench, state="failed")).rows) == []
    assert list(reads.jobs(_ask(bench, tasks=())).rows) == []


def test_a_state_that_is_none_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInput, match="they are planned, submitting"):
        reads.jobs(_ask(bench, state="nonsense"))


def test_logs_show_what_an_attempt_wrote(bench: Bench) -> None:
    bench.run(spec("echo out; echo err >&2; exit 1", settings={"retry.max_attempts": 2}))
    bench.work()
    assert _text(reads.logs(_ask(bench, "1"))) == "out\n"
    assert _text(reads.logs(_ask(bench, "1", stderr=True, attempt=1))) == "err\n"


@pytest.mark.parametrize("job", ["99", "abc", "", None, "-1", "²"])
def test_an_unknown_job_is_not_found(bench: Bench, job: str | None) -> None:
    with pytest.raises(NotFound, match="there is no job"):
        reads.logs(_ask(bench, job))


def test_an_unknown_attempt_is_not_found(bench: Bench) -> None:
    bench.run(spec("true"))
    bench.work()
    with pytest.raises(NotFound, match="no attempt 7"):
        reads.logs(_ask(bench, "1", attempt=7))


def test_control_characters_and_broken_text_are_harmless(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\x1b[2Jb\xff\x00\r\nc\td")
    assert "".join(reads.read_log(tmp_path / "log", None)) == "a?[2Jb\ufffd?\nc\td"


def test_a_huge_log_without_a_line_shows_its_end(tmp_path: Path) -> None:
    with open(tmp_path / "log", "wb") as stream:
        stream.truncate(10**9)
        stream.seek(10**9)
        stream.write(b"the end")
    shown = "".join(reads.read_log(tmp_path / "log", None))
    assert shown.startswith("[the last 256 KB of 1000000007 bytes")
    assert shown.endswith("the end")
    assert len(shown) < 300_000


def test_the_tail_is_counted_in_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("1\n2\n3\n")
    assert "".join(reads.read_log(tmp_path / "log", 2)) == "2\n3\n"
    assert "".join(reads.read_log(tmp_path / "log", 0)) == ""


def test_status_says_who_serves(bench: Bench) -> None:
    assert "nobody serves" in _text(control.status(_ask(bench)))
    lease.take(bench.engine, bench.clock)
    assert "served by pid" in _text(control.status(_ask(bench)))


def test_once_works_until_idle_and_says_how_it_stands(bench: Bench) -> None:
    bench.run(spec("true", inputs=(synthetic(3),)))
    assert list(control.once(_ask(bench, slots=1)).rows) == [{"state": "ok", "jobs": 3}]


def test_every_command_names_a_function() -> None:
    every: list[Command] = [commands.JOBS, commands.LOGS, *commands.JEDI.commands]
    assert all(callable(plugin.function(command.run)) for command in every)


def test_declaring_the_commands_loads_nothing_of_the_executor() -> None:
    code = "import sys, deft.jedi.commands; print([m for m in sys.modules if m.startswith('deft.jedi.')])"
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['deft.jedi.commands']"
