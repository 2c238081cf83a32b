"""Commands that other tests give to a process of its own, given in this one, where a recorder listens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import Engine

from deft.base.database import writing
from deft.base.errors import Refused
from deft.cli.root import cli
from deft.engine.sweep import SweepRequest, sweep
from deft.jedi import catalog, planning, store
from deft.jedi.jobs import Fed
from deft.observe import progress, status
from deft.store import archive, commands, growth
from deft.store.session import Session
from deft.store.tables import deft_count
from tests.support import build
from tests.support.build import OPERATOR, metatask
from tests.support.repository import ROOT

ASKED = (
    "list", "list --where 'state == waiting'", "status hello", "status hello/greet", "show hello",
    "show hello/greet", "history hello", "commands hello", "explain hello", "simulate hello", "jedi status",
    "jobs hello", "doctor", "db check", "db upgrade", "db size", "db vacuum",
)  # fmt: skip
HELLO = ROOT / "docs" / "examples" / "hello.graphml"


@pytest.fixture
def session(engine: Engine, tmp_path: Path) -> Session:
    return build.session_on(engine, tmp_path)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with a Meta-Task that was started."""
    made = tmp_path_factory.mktemp("faces")
    given(made, "init")
    given(made, f"import {HELLO} --start")
    given(made, "sweep")
    return made


def given(workdir: Path, command: str) -> str:
    result = CliRunner().invoke(cli, f"--workdir {workdir} {command}", catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.mark.parametrize("command", ASKED)
def test_a_question_is_answered(workdir: Path, command: str) -> None:
    assert given(workdir, command)


def test_what_still_runs_is_not_deleted(workdir: Path) -> None:
    with pytest.raises(Refused, match="1 running"):
        given(workdir, "db delete hello --yes")


def test_a_metatask_runs_and_is_archived_and_another_deleted(tmp_path: Path) -> None:
    given(tmp_path, f"run {HELLO}")
    assert "done" in given(tmp_path, "status hello")
    assert "archived" in given(tmp_path, f"db archive hello --to {tmp_path / 'archive'}")
    given(tmp_path, f"import {HELLO} --name other")
    assert "would be deleted" in given(tmp_path, "db delete other --dry-run")
    assert "deleted" in given(tmp_path, "db delete other --yes --with-data")


def test_what_clusters_and_growing_data_need(engine: Engine) -> None:
    with writing(engine) as conn:
        planning._Sheet(arrays=[_ARRAY]).write(conn)
        store.save_submissions(conn, [{"id": 1, "job_id": "77"}])
        assert [row["job_id"] for row in store.submissions(conn, [1])] == ["77"]
        catalog.feed_units(conn, 1, [1], Fed.READY)


_ARRAY = {"id": 1, "cluster": "far", "token": "x", "size": 2, "created": datetime(2026, 1, 1, tzinfo=UTC)}


def test_how_a_metatask_stands_and_moves(session: Session) -> None:
    world = build.World.of(session, metatask(entry="", a="entry", b="a"))
    sweep(session, SweepRequest(OPERATOR))
    assert len(status.list_metatasks(session, OPERATOR, limit=1)) == 1
    assert status.holds_of(session, OPERATOR, "default/m") == []
    assert set(status.lines_of(session, [1, 2])) <= {"a", "b"}
    assert status.datasets(session, OPERATOR, "m")
    assert progress.Meter(session, OPERATOR, "m").look().tasks
    with session.reading() as conn:
        assert archive.exists(conn, world.metatask_id)
        assert not commands.redefined(conn, world.metatask_id)
    with writing(session.engine) as conn:  # as of one that never had a task
        conn.execute(sa.delete(deft_count))
        growth._count(conn, world.metatask_id, 1)
        assert conn.execute(sa.select(deft_count.c.tasks)).scalar_one() == 1
