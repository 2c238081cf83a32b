"""Ctrl-C and SIGTERM without a shock: counted, and told to whoever waits.

An exception raised by a signal handler may come between two steps of the database driver, of its pool or of
a lock of theirs, and leave that lock taken for ever; so may a handler that uses the database itself. Here
the handler adds one and writes a byte to a pipe, nothing else.
"""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

IMPATIENT = 3  # from this one on the signals mean what they meant before: the program does not listen


class Interrupts:
    """SIGINT and SIGTERM as a count, and as a descriptor that ends a wait."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Interrupts:
        self.fd, self._writer = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._writer, False)
        self._old = {one: signal.signal(one, self._note) for one in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        os.close(self.fd)
        os.close(self._writer)

    def take(self) -> None:
        """Read what woke us, so that the next wait sleeps until the next signal."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 4096)

    def _note(self, _signum: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count + 1 == IMPATIENT:
            self._restore()
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def _restore(self) -> None:
        for one, handler in self._old.items():
            signal.signal(one, handler)
