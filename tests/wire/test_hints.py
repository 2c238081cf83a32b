"""Bells: rung they wake, unrung they let sleep, broken they hurt nobody."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy.engine import Engine

from deft.wire import hints


def test_a_bell_rung_before_the_wait_ends_it_at_once(engine: Engine) -> None:
    waiting, ringing = hints.bell(engine, hints.DEFT), hints.bell(engine, hints.DEFT)
    waiting.wait(0)  # listening from here on
    ringing.ring()
    began = time.monotonic()
    waiting.wait(30)
    assert time.monotonic() - began < 10
    waiting.close()
    ringing.close()


def test_the_two_sides_have_bells_of_their_own(engine: Engine) -> None:
    deft, jedi = hints.bell(engine, hints.DEFT), hints.bell(engine, hints.JEDI)
    deft.wait(0)
    deft.wait(0)
    jedi.ring()
    began = time.monotonic()
    deft.wait(0.2)
    assert time.monotonic() - began >= 0.2
    deft.close()
    jedi.close()


def test_a_wait_tells_which_other_descriptor_is_readable(engine: Engine) -> None:
    bell = hints.bell(engine, hints.DEFT)
    reader, writer = os.pipe()
    os.write(writer, b"x")
    assert bell.wait(30, also=[reader]) == [reader]
    os.close(reader)
    os.close(writer)
    bell.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_bell_that_nobody_hears_never_blocks(engine: Engine) -> None:
    bell = hints.bell(engine, hints.DEFT)
    for _ in range(100_000):  # more than a FIFO holds
        bell.ring()
    bell.close()


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_bell_outlives_a_lost_connection(engine: Engine) -> None:
    bell = hints.bell(engine, hints.DEFT)
    bell.wait(0)
    with engine.connect() as conn:
        conn.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
    bell.wait(0.05)
    bell.ring()
    bell.wait(0.05)
    bell.close()
