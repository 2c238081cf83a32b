"""What people see while it moves: bars, events, a watch that ends."""

from __future__ import annotations

import io
import json

from rich.console import Console

from deft.base.clock import ManualClock
from deft.cli import live
from deft.observe.progress import Progress, TaskProgress
from deft.observe.status import TaskLine
from tests.acceptance.scene import Place
from tests.support.repository import ROOT

HELLO = ROOT / "docs" / "examples" / "hello.graphml"

NOW = ManualClock().now()


def drawn(found: Progress, room: int = 20) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(live.picture(found, room))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def progress(name: str, state: str, *, ok: int = 0, expected: int = 10, waits_for: str = "") -> TaskProgress:
    line = TaskLine(name, state, (), None, expected, 0.0, None, NOW, ok=ok)
    return TaskProgress(line, 0.0, 2.0 if state == "running" else None, 4.0, waits_for)


def test_a_picture_says_how_far_how_fast_and_what_waits() -> None:
    text = drawn(
        Progress("p/m", "running", (progress("a", "running", ok=4), progress("b", "waiting", waits_for="a")))
    )
    assert "p/m is running: 0 of 2 tasks ended" in text
    assert "4/10" in text
    assert "4.0 s" in text
    assert "waits for a" in text


def test_what_has_no_room_is_counted() -> None:
    tasks = tuple(progress(f"t{n:03}", "done" if n < 90 else "running") for n in range(100))
    text = drawn(Progress("p/m", "running", tasks), room=12)
    assert "t090" in text
    assert "t050" not in text
    assert "and 88 more: 88 done" in text


def test_a_watch_ends_when_nothing_moves_and_says_how(place: Place) -> None:
    place.run(HELLO, "--quiet")
    ran = place.deft("status", "hello", "--watch")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1] == "default/hello is done"
    (line,) = place.deft("status", "hello", "--watch", "--json").stdout.splitlines()
    assert json.loads(line)["state"] == "done"


def test_a_clone_is_run_by_its_name(place: Place) -> None:
    place.run(HELLO, "--quiet")
    place.ok("clone", "hello", "again")
    ran = place.deft("run", "again", "--quiet")
    assert "default/again is done" in ran.stdout


def test_a_small_result_is_shown_where_it_is_named(place: Place) -> None:
    assert "    Hello" in place.run(HELLO, "--quiet").stdout
