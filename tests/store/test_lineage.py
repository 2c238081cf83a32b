"""What lies above and below tasks, found in one statement and level by level."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.database import reading
from deft.store import lineage
from deft.store.tables import deft_node
from tests.support import build
from tests.support.build import metatask


@pytest.mark.parametrize("way", get_args(lineage.Way))
def test_level_by_level_as_for_oracle_finds_the_same(
    engine: Engine, tmp_path: Path, way: lineage.Way
) -> None:
    made = metatask(a="", b="a", c="a", d="b c", e="d", alone="")
    build.World.of(build.session_on(engine, tmp_path), made, start=False)
    with reading(engine) as conn:
        rows = conn.execute(sa.select(deft_node.c.name, deft_node.c.id)).all()
        ids: dict[str, int] = {row.name: row.id for row in rows}
        for begin in ({"a"}, {"d"}, {"b", "e"}, {"alone"}, set(ids)):
            asked = [ids[name] for name in begin]
            at_once = lineage.reached(conn, asked, way)
            assert lineage.by_levels(conn, asked, way) == at_once
            if begin == {"d"}:
                assert at_once == {ids[name] for name in (("e",) if way == "down" else ("a", "b", "c"))}
