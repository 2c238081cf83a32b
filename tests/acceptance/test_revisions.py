"""Tables that are changed while services run on them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from deft.base.database import open_engine, writing
from tests.acceptance.scene import Place


@pytest.mark.parametrize(("revision", "word"), [("9999", "upgrade deft"), ("0000", "deft db upgrade")])
def test_services_stop_where_the_tables_are_changed_under_them(
    place: Place, revision: str, word: str
) -> None:
    place.ok("init")
    with place.started("sweep", "--every", "0.2s") as sweep, place.started("jedi", "run") as jedi:
        place.until("served by pid", "jedi", "status")
        engine = open_engine(f"sqlite:///{place.work / 'deft.db'}")
        with writing(engine) as conn:
            conn.execute(sa.text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
        engine.dispose()
        for service in (sweep, jedi):
            code, _, err = service.end()
            assert code == 7, err
            assert f"of revision {revision}" in err
            assert word in err
            assert "Traceback" not in err
