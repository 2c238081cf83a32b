"""Two transactions that hold what the other wants: the database undoes one, and it is done again."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.again import PAUSES_S, again
from deft.base.database import writing
from deft.base.errors import Contended, Stale
from deft.store.tables import deft_metatask
from tests.support.build import World, metatask, session_on


def _rename(engine: Engine, order: list[int], met: threading.Barrier, tries: list[str]) -> None:
    """Touch two rows in an order; wait in between until the other one holds its first row, too."""

    def act() -> None:
        tries.append(threading.current_thread().name)
        with writing(engine) as conn:
            for row_id in order:
                touch = sa.update(deft_metatask).where(deft_metatask.c.id == row_id)
                conn.execute(touch.values(owner=threading.current_thread().name))
                # Where it is broken, the other one has been through already.
                with contextlib.suppress(threading.BrokenBarrierError):
                    met.wait(2)

    again(act)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_deadlock_costs_one_of_two_a_second_try(engine: Engine, tmp_path: Path) -> None:
    for name in ("one", "two"):
        World.of(session_on(engine, tmp_path), metatask(name=name, a=""))
    with engine.connect() as conn:
        ids = list(conn.execute(sa.select(deft_metatask.c.id)).scalars())
    met, tries = threading.Barrier(2), list[str]()
    threads = [
        threading.Thread(target=_rename, args=(engine, order, met, tries), name=str(order))
        for order in (ids, ids[::-1])
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert len(tries) > len(threads)
    with engine.connect() as conn:  # both came through, one after the other
        assert len(set(conn.execute(sa.select(deft_metatask.c.owner)).scalars())) == 1


def test_it_is_given_up_after_some_tries() -> None:
    tries = []

    def lose() -> None:
        tries.append(1)
        raise (Stale if len(tries) % 2 else Contended)("no luck")

    with pytest.raises(Contended):
        again(lose)
    assert len(tries) == len(PAUSES_S) + 1
