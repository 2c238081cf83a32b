"""Bells: they wake the other side, carry no content and may be lost.

A bell is a FIFO beside the embedded database: ringing it writes one byte, waiting is `select` on it. Where
the database is not embedded it is a channel of PostgreSQL's LISTEN and NOTIFY. Anywhere else, or where the
file system has no FIFOs, a bell only sleeps: the periodic sweep finds what it would have said.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

DEFT = "deft"
JEDI = "jedi"


class Bell(Protocol):
    """One side's bell."""

    def ring(self) -> None:
        """Wake whoever waits; never blocks, never fails."""

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> list[int]:
        """Sleep until rung, until one of the file descriptors in `also` is readable, or for `timeout_s`.

        Returns the descriptors of `also` that are readable.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class FifoBell:
    """A FIFO beside the embedded database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def _open(self) -> int | None:
        if self._fd is None:
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    os.mkfifo(self._path, 0o660)
                # Read and write: opening never blocks, and the FIFO never reports end of file.
                self._fd = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        return self._fd

    def ring(self) -> None:
        fd = self._open()
        if fd is not None:
            with contextlib.suppress(OSError):  # full: it has been rung often enough
                os.write(fd, b"!")

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> list[int]:
        fd = self._open()
        watched = [*also] if fd is None else [fd, *also]
        readable, _, _ = select.select(watched, [], [], max(timeout_s, 0.0))
        if fd is not None and fd in readable:
            with contextlib.suppress(OSError):
                os.read(fd, 4096)
        return [one for one in readable if one != fd]

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class NotifyBell:
    """A channel of PostgreSQL. Rings through the engine; listens on a connection of its own."""

    def __init__(self, engine: Engine, channel: str) -> None:
        self._engine = engine
        self._channel = f"deft_{channel}"
        self._listener: Any = None
        # A hint may be lost: a database that is away is no reason to fail what was committed.
        self._lost = (SQLAlchemyError, cast(Any, engine.dialect).dbapi.Error, OSError)

    def ring(self) -> None:
        with contextlib.suppress(*self._lost), self._engine.connect() as conn:
            conn.exec_driver_sql(f"NOTIFY {self._channel}")
            conn.commit()

    def _listen(self) -> Any:
        if self._listener is None or self._listener.closed:
            self.close()
            with contextlib.suppress(*self._lost):
                pooled = self._engine.raw_connection()
                listener: Any = pooled.driver_connection
                pooled.detach()  # from here on it is ours to close
                self._listener = listener
                listener.autocommit = True
                listener.execute(f"LISTEN {self._channel}")
        return self._listener

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> list[int]:
        before, listener = self._listener, self._listen()
        if listener is not before:
            timeout_s = 0.0  # what was said before we listened: look at once
        fd = None if listener is None else listener.fileno()
        watched = [*also] if fd is None else [fd, *also]
        readable, _, _ = select.select(watched, [], [], max(timeout_s, 0.0))
        if fd is not None and fd in readable:
            try:
                list(listener.notifies(timeout=0))
            except self._lost:  # the server went away: listen anew at the next wait
                self.close()
        return [one for one in readable if one != fd]

    def close(self) -> None:
        if self._listener is not None:
            with contextlib.suppress(*self._lost):
                self._listener.close()
            self._listener = None


class SilentBell:
    """No hint at all: waiting is sleeping."""

    def ring(self) -> None:
        pass

    def wait(self, timeout_s: float, also: Sequence[int] = ()) -> list[int]:
        return list(select.select(list(also), [], [], max(timeout_s, 0.0))[0])

    def close(self) -> None:
        pass


def bell(engine: Engine, name: str) -> Bell:
    """The bell of one side (`DEFT` or `JEDI`) of a database."""
    backend = engine.url.get_backend_name()
    if backend == "postgresql":
        return NotifyBell(engine, name)
    path = engine.url.database
    if backend == "sqlite" and path and path != ":memory:":
        return FifoBell(Path(path).with_suffix(".bells") / name)
    return SilentBell()
