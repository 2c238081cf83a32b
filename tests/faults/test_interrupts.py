"""A signal to stop interrupts a wait and nothing else: it never comes between two steps of a transaction."""

from __future__ import annotations

import select
import signal

import pytest

from deft.base.interrupts import Interrupts


def _rings(fd: int) -> bool:
    return select.select([fd], [], [], 0)[0] == [fd]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_counted_and_ends_a_wait(number: signal.Signals) -> None:
    with Interrupts() as interrupts:
        assert not _rings(interrupts.fd)
        signal.raise_signal(number)
        assert (interrupts.count, _rings(interrupts.fd)) == (1, True)
        interrupts.take()
        assert not _rings(interrupts.fd)
        interrupts.take()


def test_the_third_one_means_what_it_meant_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) != before
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == before
        assert interrupts.count == 2
    assert signal.getsignal(signal.SIGINT) == before
