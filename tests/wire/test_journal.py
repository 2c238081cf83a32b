"""The journals: each row goes to one sweeper, and comes back where that one fails."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.database import insert_rows, writing
from deft.base.journal import Journal
from deft.wire.tables import wire_changed

JOURNAL = Journal(wire_changed)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Ten rows, about the tasks 1 to 10."""
    with writing(engine) as conn:
        insert_rows(conn, wire_changed, [{"task_id": n, "dataset_id": None} for n in range(1, 11)])
    return engine


def test_rows_are_taken_oldest_first_and_once(filled: Engine) -> None:
    with writing(filled) as conn:
        assert [row.task_id for row in JOURNAL.take(conn, 4)] == [1, 2, 3, 4]
    with writing(filled) as conn:
        assert [row.task_id for row in JOURNAL.take(conn, 100)] == [5, 6, 7, 8, 9, 10]
        assert JOURNAL.take(conn, 100) == []


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_what_another_has_taken_is_passed_over_until_it_fails(filled: Engine) -> None:
    with filled.connect() as one, filled.connect() as other:
        assert [row.task_id for row in JOURNAL.take(one, 4)] == [1, 2, 3, 4]
        other.execute(sa.text("SET LOCAL lock_timeout = '5s'"))  # it must not wait at all
        assert [row.task_id for row in JOURNAL.take(other, 4)] == [5, 6, 7, 8]
        one.rollback()
        assert [row.task_id for row in JOURNAL.take(other, 4)] == [1, 2, 3, 4]
        other.commit()
    with writing(filled) as conn:
        assert [row.task_id for row in JOURNAL.take(conn, 4)] == [9, 10]
