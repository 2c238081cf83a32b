"""A Meta-Task loaded into memory enables the very rows that SQL finds, on every database."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from deft.base.database import writing
from deft.model import board, net
from deft.model.board import Board
from deft.model.net import Row
from deft.model.verbs import VERBS
from deft.store import guards, snapshot
from deft.store.snapshot import Snapshot
from deft.store.tables import deft_node
from tests.support import build

SHAPES = {
    "chain": {"entry": "", "a": "entry", "b": "a", "c": "b"},
    "diamond": {"a": "", "b": "a", "c": "a", "d": "b c"},
    "fan_in": {"a": "", "b": "", "entry": "", "c": "a b entry", "d": "c a"},
}
TABLES = {"automatic": net.AUTOMATIC, **{name: verb.rows for name, verb in VERBS.items()}}


def in_sql(conn: Connection, ids: list[int], rows: tuple[Row, ...]) -> dict[int, str]:
    return {task.id: row.name for row, task in guards.first_enabled(conn, ids, rows)}


def in_memory(loaded: Snapshot, rows: tuple[Row, ...]) -> dict[int, str]:
    named = {}
    for task in loaded.whole:
        row = loaded.structure.enabled(loaded.marking, task, rows)
        same = board.enabled(loaded.structure, Board.of(loaded.marking), task, rows)
        assert row is same
        if row is not None:
            named[loaded.tasks[task].id] = row.name
    return named


@pytest.mark.parametrize("seed", range(8))
def test_memory_and_sql_find_the_same_first_row_of_every_table(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    session = build.session_on(engine, tmp_path)
    worlds = [
        build.World.of(session, build.metatask(f"{name}{number}", **shape), start=False)
        for name, shape in SHAPES.items()
        for number in range(4)
    ]
    with writing(engine) as conn:
        build.randomize(conn, random.Random(seed))
        for world in worlds:
            n = deft_node.c
            query = sa.select(n.id).where(n.metatask_id == world.metatask_id, n.kind == "task")
            ids = list(conn.execute(query).scalars())
            loaded = snapshot.load(conn, world.metatask_id)
            for name, rows in TABLES.items():
                assert in_memory(loaded, rows) == in_sql(conn, ids, rows), name


@pytest.mark.parametrize("seed", range(4))
def test_a_task_loaded_with_what_is_above_it_is_seen_as_in_the_whole(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    session = build.session_on(engine, tmp_path)
    worlds = [
        build.World.of(session, build.metatask(name, **shape), start=False) for name, shape in SHAPES.items()
    ]
    with writing(engine) as conn:
        build.randomize(conn, random.Random(seed))
        for world in worlds:
            whole = snapshot.load(conn, world.metatask_id)
            for facts in whole.tasks:
                part = snapshot.load_above(conn, world.metatask_id, [facts.id])
                assert facts.id in {part.tasks[task].id for task in part.whole}
                for rows in TABLES.values():
                    expected = in_memory(whole, rows)
                    here = {part.tasks[task].id for task in part.whole}
                    assert in_memory(part, rows) == {k: v for k, v in expected.items() if k in here}
