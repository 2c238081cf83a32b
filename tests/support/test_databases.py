"""The databases that tests stand on are real, fresh, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine, make_url

from deft.base import database
from tests.support import postgres as server
from tests.support.needs import need

DEADLINE_S = 30.0


def test_a_database_is_empty_until_the_engine_is_asked_for(database_url: str) -> None:
    made = database.open_engine(database_url)
    tables = sa.inspect(made).get_table_names()
    made.dispose()
    assert tables == []


def test_the_engine_has_every_table_on_the_same_database(engine: Engine, database_url: str) -> None:
    found = set(sa.inspect(engine).get_table_names())
    assert found >= set(database.metadata.tables)
    assert engine.url == make_url(database_url)


@pytest.mark.parametrize("round", [1, 2])
def test_no_test_sees_what_another_one_wrote(engine: Engine, round: int) -> None:
    with database.writing(engine) as conn:
        before = conn.scalar(sa.text("SELECT count(*) FROM wire_changed"))
        conn.execute(sa.text("INSERT INTO wire_changed (task_id) VALUES (1)"))
    assert before == 0


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_what_was_committed_survives_a_crash_of_the_server(engine: Engine, postgres: server.Cluster) -> None:
    with database.writing(engine) as conn:
        conn.execute(sa.text("INSERT INTO wire_changed (task_id) VALUES (7)"))
    engine.dispose()
    postgres.restart("immediate")
    with database.reading(engine) as conn:
        assert conn.scalar(sa.text("SELECT task_id FROM wire_changed")) == 7


def test_the_server_ends_with_a_process_that_is_killed() -> None:
    need("PostgreSQL (the server's programs)", server.find_programs(), server.HOW)
    program = (
        "from tests.support import postgres as p; import time\n"
        "cluster = p.open_cluster(p.find_programs())\n"
        "print(cluster.folder, flush=True); time.sleep(600)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().strip())
        pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        child.send_signal(signal.SIGKILL)
    assert _true_in_time(lambda: not folder.exists() and not _lives(pid))


def test_a_server_that_cannot_start_says_why_in_its_own_words(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    fake = programs / "initdb"
    fake.write_text("#!/bin/sh\necho no space left on the moon >&2\nexit 3\n")
    fake.chmod(0o755)
    tmp_path.chmod(0o755)
    cluster = server.Cluster(programs, tmp_path, user=None)
    with pytest.raises(server.NoCluster, match="no space left on the moon"):
        cluster._run("initdb")


def _true_in_time(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
