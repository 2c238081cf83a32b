"""The bar: after whatever died, every output exists exactly once and no finished job ran twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from deft.jedi.tables import jedi_attempt, jedi_dataset, jedi_job, jedi_task, jedi_unit
from deft.wire.tables import wire_dataset, wire_order, wire_task
from tests.faults.scenario import TASKS, UNITS, Place, until

Rows = list[dict[str, Any]]
NUMBERS = [str(number) for number in range(1, UNITS + 1)]
# Outcomes of an attempt through no fault of the payload: it is tried again and nothing is charged.
FREE = {"ok", "revoked", "lost", "cancelled", "wrapper"}


def check(place: Place, *, wrappers_died: bool = False) -> None:
    """All of it. Where no wrapper died, not even an unfinished payload may have run twice."""
    assert set(place.states().items()) == {(task, "done") for task in TASKS}, place.said()
    check_outputs(place)
    check_counters(place)
    check_attempts(place, wrappers_died=wrappers_died)
    check_log(place, wrappers_died=wrappers_died)
    until(lambda: not place.processes(), f"every process ended: {place.processes()}")


def check_outputs(place: Place) -> None:
    """Every file exists once, with the right content, and is a unit that JEDI knows."""
    folders = {folder.name.split(".")[2]: folder for folder in (place.workdir / "data").iterdir()}
    content = {task: sorted(_texts(folders[task])) for task in TASKS}
    assert content["gen"] == NUMBERS
    assert sorted(word for text in content["map"] for word in text.split()) == NUMBERS
    assert content["reduce"] == ["\n".join(NUMBERS)]
    assert content["report"] == [f"total {' '.join(NUMBERS)}"]
    on_disk = sorted(str(path) for folder in folders.values() for path in folder.iterdir())
    units = place.rows(jedi_unit)
    assert sorted(unit["path"] for unit in units if unit["path"]) == on_disk
    assert {unit["state"] for unit in units} == {"available"}


def _texts(folder: Path) -> list[str]:
    return [path.read_text().strip() for path in folder.iterdir()]


def check_counters(place: Place) -> None:
    """What JEDI counted is what there is, and DEFT was told so."""
    jobs, units = place.rows(jedi_job), place.rows(jedi_unit)
    assert {job["state"] for job in jobs} == {"ok"}
    reports = {row["task_id"]: row for row in place.rows(wire_task)}
    tasks = place.rows(jedi_task)
    expected = {"gen": UNITS, "map": UNITS, "report": 1}
    for task in tasks:
        mine = [job for job in jobs if job["task_id"] == task["id"]]
        expected["reduce"] = sum(job["task_id"] == _id(tasks, "map") for job in jobs)
        number = expected[task["name"]]
        for row in (task, reports[task["id"]]):
            assert [row[name] for name in ("ready", "running", "ok", "failed", "skipped")] == [
                0,
                0,
                number,
                0,
                0,
            ]
            assert [row[name] for name in ("jobs", "jobs_running", "jobs_ok", "jobs_failed")] == [
                len(mine), 0, len(mine), 0,
            ]  # fmt: skip
        assert sum(job["units"] for job in mine) == number
    told = {row["dataset_id"]: row for row in place.rows(wire_dataset)}
    for dataset in place.rows(jedi_dataset):
        made = [unit for unit in units if unit["dataset_id"] == dataset["id"]]
        files = [unit for unit in made if unit["path"]]
        assert dataset["available"] == told[dataset["id"]]["available"] == len(made)
        assert dataset["bytes"] == sum(Path(unit["path"]).stat().st_size for unit in files)
        assert (dataset["lost"], told[dataset["id"]]["lost"]) == (0, 0)
    assert [order["id"] for order in place.rows(wire_order) if order["pending"]] == []


def _id(tasks: Rows, name: str) -> int:
    return next(int(task["id"]) for task in tasks if task["name"] == name)


def check_attempts(place: Place, *, wrappers_died: bool) -> None:
    """Every attempt has an end; of each job the last one, and only that, was ok."""
    attempts = place.rows(jedi_attempt)
    assert [row["id"] for row in attempts if row["open"] or row["ended"] is None] == []
    outcomes = Counter(row["outcome"] for row in attempts)
    assert set(outcomes) <= (FREE if wrappers_died else {"ok", "revoked"}), outcomes
    last = {row["job_id"]: row for row in sorted(attempts, key=lambda row: row["number"])}
    assert sorted(row["id"] for row in attempts if row["outcome"] == "ok") == sorted(
        row["id"] for row in last.values()
    )
    assert {job["charged"] for job in place.rows(jedi_job)} == {0}


def check_log(place: Place, *, wrappers_died: bool) -> None:
    """What the payloads themselves wrote agrees with the books."""
    attempts = {row["token"]: row for row in place.rows(jedi_attempt)}
    good = {token for token, row in attempts.items() if row["outcome"] == "ok"}
    lines = place.lines()
    assert [line for line in lines if line[0] == "overlap"] == []
    began = Counter(token for word, _, token in lines if word == "start")
    ended = Counter(token for word, _, token in lines if word == "end")
    assert set(began.values()) == {1}  # no attempt began twice
    assert set(began) <= set(attempts)
    assert good <= set(ended)
    keys: dict[str, list[str]] = {}
    for word, key, token in lines:
        if word == "start":
            keys.setdefault(key, []).append(token)
    assert len(keys) == len(good)
    for tokens in keys.values():
        assert [token for token in tokens if token in good] == tokens[-1:]  # none ran after it was ok
        assert wrappers_died or len(tokens) == 1
