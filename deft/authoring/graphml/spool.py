"""Where the pieces of a document wait for the verdict: packed, and beyond some megabytes in a file.

A piece is a tuple of plain values. It is packed by `marshal`, which is fast and safe here: this process
reads only what it wrote itself, into a file that has no name.
"""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import IO, Any, TypeAlias

Piece: TypeAlias = tuple[Any, ...]

_IN_MEMORY = 4 * 2**20  # bytes


class Spool:
    """Pieces in the order they were added; they may be looked through any number of times."""

    def __init__(self) -> None:
        self._batch: list[Piece] = []
        self.add = self._batch.append  # a piece; nothing in it may be changed later
        self._sizes: list[tuple[int, int]] = []  # (pieces, bytes) of each packed batch
        self._file: IO[bytes] = BytesIO()

    def pack(self) -> list[Piece]:
        """Put away what was added since the last time, which is answered: to be called now and then."""
        batch = self._batch[:]
        if batch:
            packed = marshal.dumps(batch)
            self._file.write(packed)
            self._sizes.append((len(batch), len(packed)))
            self._batch.clear()
            if isinstance(self._file, BytesIO) and self._file.tell() > _IN_MEMORY:
                self._move_out(self._file)
        return batch

    def _move_out(self, memory: BytesIO) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with this
        self._file.write(memory.getbuffer())

    def __iter__(self) -> Iterator[Piece]:
        """Every piece; none may be added meanwhile."""
        self.pack()
        at = 0
        for _, size in self._sizes:
            self._file.seek(at)  # somebody else may look through it at the same time
            yield from marshal.loads(self._file.read(size))
            at += size

    def pick(self, places: Iterable[int]) -> Iterator[tuple[int, Piece]]:
        """The pieces at these places, which ascend, each with its place."""
        self.pack()
        wanted = iter(places)
        place = next(wanted, None)
        first = at = 0
        for count, size in self._sizes:
            if place is None:
                return
            if place < first + count:
                self._file.seek(at)
                batch = marshal.loads(self._file.read(size))
                while place is not None and place < first + count:
                    yield place, batch[place - first]
                    place = next(wanted, None)
            first, at = first + count, at + size

    def close(self) -> None:
        """Let go of all of it."""
        self._batch.clear()
        self._file.close()

    def __del__(self) -> None:
        self._file.close()
