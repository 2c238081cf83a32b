"""Why something does not move, asked while real jobs run, and what would happen."""

from __future__ import annotations

import json

from tests.acceptance.scene import Leash, Place, Task, graph


def test_a_hold_given_beside_a_run_is_explained_and_lifted(place: Place, leash: Leash) -> None:
    tasks = {"nap": Task(leash.command, jobs=4), "join": Task("cat {inputs} > {output}")}
    path = graph(place.folder, tasks, [("nap", "join")])
    with place.started("run", str(path), "--quiet") as running:
        leash.wait(2)
        held = place.said("hold", "m/nap", "--reason", "check")
        assert held.out == "default/m: 1 held (nap)\n"
        place.until("deft resume m/nap", "explain", "m")
        told = place.said("explain", "m").out
        assert told.startswith(
            "default/m is running: 0 of 2 tasks have ended\n\nWhat blocks:\n  nap is on hold"
        )
        assert (
            ": check; 2 units still run  [2 tasks]\n      deft resume m/nap\n      then nap goes on" in told
        )
        waiting = place.said("explain", "m/join").out
        assert "it needs all of the txt of nap: 0 units so far; nap is running, on hold" in waiting
        assert "then join starts" in waiting
        assert place.said("resume", "m/nap").code == 0
        place.until("nothing blocks it", "explain", "m")
        assert "nap is running: 0 of 4 units (0 %) ok, 2 running  [2 tasks]" in place.said("explain", "m").out
        leash.let_all_go()
        assert running.end()[0] == 0
    assert place.said("explain", "m").out == "default/m is done: 2 of 2 tasks have ended; nothing blocks it\n"
    assert "its input is there: nap is done" in place.said("history", "m").out


def test_a_simulation_shows_the_path_and_its_end(place: Place) -> None:
    place.ok("init")
    tasks = {"make": Task("echo 1 > {output}", jobs=3), "join": Task("cat {inputs} > {output}")}
    place.ok("import", str(graph(place.folder, tasks, [("make", "join")])))
    told = place.said("simulate", "m", "--start", "--fail", "make").out
    assert "  make: waiting -> running  (start: its input is there)\n" in told
    assert "  make: 0 units ok, 3 failed\n" in told
    assert "  join: waiting -> failed  (no-input: all its input is there, and empty)" in told
    assert "default/m would be blocked: 2 of 2 tasks have ended\n\nWhat blocks:\n  make failed" in told
    answer = json.loads(place.said("simulate", "m", "--start", "--json").out)
    assert (answer["state"], answer["states"]) == ("done", {"make": "done", "join": "done"})
    wrong = place.said("simulate", "m", "--hold", "maek")
    assert (wrong.code, "near: make" in wrong.err) == (3, True)
