"""Every statement of the code, as Oracle would get it: recorded while the suites run, then judged.

No Oracle takes part. What a parser and rules cannot know is said in docs/how-to/oracle.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.sql import ClauseElement

from deft.base import holdings, space
from deft.base.journal import Journal
from deft.store import archive, locks
from deft.store.tables import deft_dirty
from tests.oracle import trees
from tests.oracle.places import Place, all_places
from tests.oracle.recorder import RECORD
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow

# Between them they pass every place; what needs processes of its own is left out.
SUITES = (
    "tests/wire", "tests/store", "tests/engine", "tests/observe", "tests/jedi", "tests/net/test_guards.py",
    "tests/oracle/test_faces.py",
)  # fmt: skip
# It compares rows as they are stored, empty strings and all.
LEFT_OUT = ("tests/store/test_schema_upgrades.py",)

# Places that SQLite never comes to, or not with a statement for Oracle, and why none is missing.
PASSED_BY = {
    "deft/store/locks.py": "SQLite has one writer; both statements are below",
    "deft/wire/hints.py": "LISTEN and NOTIFY are PostgreSQL's; on Oracle a bell only sleeps",
    "deft/store/ddl.py": "SQLite keeps no comments; Oracle's are among the statements of schema.sql",
    "deft/store/numbering.py": "SQLite alone does not count by itself",
    "deft/base/space.py": "each database has words of its own; Oracle's are below",
    "deft/store/archive.py: exec_driver_sql(how)": "SQLite needs no such words; Oracle's are below",
}
# What Oracle does not get: the place, what is wrong there, why it is right all the same.
EXCUSED = (
    ("deft/base/journal.py", "FOR UPDATE of a query with LIMIT", "Oracle gets a query of its own, below"),
    ("deft/store/lineage.py", "a recursive query", "Oracle is asked level by level"),
    ("deft/base/holdings.py", "rowid is", "only SQLite deletes some rows at once; what Oracle gets is below"),
    ("deft/store/schema.py", "", "it reads sql/<dialect>/schema.sql; test_tables.py judges Oracle's"),
    ("deft/base/space.py", "", "each database has words of its own; Oracle's are below"),
    ("deft/store/numbering.py", "", "SQLite alone does not count by itself"),
)
FOR_OTHERS: dict[str, ClauseElement] = {
    "journal": Journal(deft_dirty)._within,
    "lock": locks._LOCK,
    "lock of": locks._OF,
    "one state": sa.text(archive._AS_ONE["oracle"]),
    "space": sa.text(space._WHOLE["oracle"]),
    "space by table": sa.text(space._BY_TABLE["oracle"]),
    **{
        f"delete {room.room} {number}": sa.delete(part.table).where(part.where)
        for room in holdings.of_all_rooms()
        for number, part in enumerate(room.parts)
    },
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the run left: its own outcome, and each statement."""

    code: int
    said: str
    statements: Sequence[dict[str, list[str]]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The suites once more, in a process that records."""
    path = tmp_path_factory.mktemp("oracle") / "statements.jsonl"
    options = ("-n", "0", "-q", "--no-header", "-p", "tests.oracle.recorder", "-p", "no:cacheprovider",
               *(f"--ignore={path}" for path in LEFT_OUT))  # fmt: skip
    command = [sys.executable, "-m", "pytest", *options, *SUITES]
    environ = {**os.environ, RECORD: str(path)}
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return Recorded(
        ran.returncode, ran.stdout[-4000:] + ran.stderr[-2000:], [json.loads(one) for one in lines]
    )


def test_the_suites_pass_where_an_empty_string_is_null(recorded: Recorded) -> None:
    assert recorded.code == 0, recorded.said


def test_oracle_takes_every_statement(recorded: Recorded) -> None:
    wrong = [
        f"{', '.join(one['places'])}: {fault}\n    {one['text']}"
        for one in recorded.statements
        for fault in one["faults"]
        if not _excused(one["places"], fault)
    ]
    assert not wrong, "\n".join(wrong)
    assert len(recorded.statements) > 200


def _excused(places: Sequence[str], fault: str) -> bool:
    return all(
        any(place.startswith(f"{path}:") and fault.startswith(says) for path, says, _ in EXCUSED)
        for place in places
    )


def test_every_place_that_gives_a_statement_was_passed(recorded: Recorded) -> None:
    passed = {place for one in recorded.statements for place in one["places"]}
    unseen = [
        str(place)
        for place in all_places()
        if not any(f"{place.path}:{line}" in passed for line in range(place.first, place.last + 1))
        and not _passed_by(place)
    ]
    assert not unseen, f"no test of {', '.join(SUITES)} passes there: {unseen}"


def _passed_by(place: Place) -> bool:
    """By the whole file, or by what stands at the place."""
    lines = (ROOT / place.path).read_text(encoding="utf-8").splitlines()[place.first - 1 : place.last]
    told = (one.partition(": ") for one in PASSED_BY)
    return any(path == place.path and code in "".join(lines) for path, _, code in told)


@pytest.mark.parametrize("name", FOR_OTHERS)
def test_oracle_takes_what_sqlite_does_not_get(name: str) -> None:
    text, faults = trees.judged(FOR_OTHERS[name], [])
    assert not faults, text
