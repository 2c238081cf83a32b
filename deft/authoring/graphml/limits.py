"""A binary reader that holds to the limits of a document, gzip or not.

It counts bytes after decompression, the ratio of a gzip stream, and the bytes since the parser last finished
an element: so a bomb, a huge attribute and a gigabyte of blanks all end at once.
"""

from __future__ import annotations

import zlib
from typing import BinaryIO

from deft.authoring.graphml import codes
from deft.base.errors import BadInput, Finding
from deft.base.limits import GIB, KIB, MIB, Limits, Upload

__all__ = ["CLI", "GIB", "KIB", "MIB", "UPLOAD", "CappedReader", "Limits", "refusal"]

CHUNK = 256 * KIB  # a parser looks at an unfinished token again with each chunk: few, large ones
_GZIP_MAGIC = b"\x1f\x8b"
_MEMBERS = 1000  # of gzip; below it they may be as small as they like
_GZIP_WINDOW = 31  # zlib's sign for a gzip header

CLI = Limits()
UPLOAD = Upload()


def refusal(code: str, message: str, line: int | None = None, hint: str | None = None) -> BadInput:
    """A document that is not read any further."""
    return BadInput("the document is refused:", [Finding(code, message, line, hint=hint or codes.hint(code))])


class CappedReader:
    """Reads `stream` for the parser; raises BadInput where a limit is passed.

    Whoever consumes the elements sets `quiet` to 0 when one has ended.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._raw = 0
        self._given = 0
        self._buffer = stream.read(CHUNK)
        self._raw += len(self._buffer)
        self._gzip = zlib.decompressobj(_GZIP_WINDOW) if self._buffer.startswith(_GZIP_MAGIC) else None
        self._size = max(min(CHUNK, limits.element), 1)
        self._members = 1
        self.quiet = 0

    def read(self, size: int = CHUNK) -> bytes:
        """The next bytes, at most `size`, empty at the end."""
        size = max(min(size, self._size), 1)
        chunk = self._inflate(size) if self._gzip else self._plain(size)
        self._given += len(chunk)
        self.quiet += len(chunk)
        self._check()
        return chunk

    def _plain(self, size: int) -> bytes:
        if not self._buffer:
            self._fetch()
        chunk, self._buffer = self._buffer[:size], self._buffer[size:]
        return chunk

    def _fetch(self) -> None:
        self._buffer = self._stream.read(CHUNK)
        self._raw += len(self._buffer)

    def _inflate(self, size: int) -> bytes:
        """As much as was asked for: a parser that is fed crumbs looks at a long token again with each."""
        content = bytearray()
        try:
            while len(content) < size and self._more():
                content += self._gzip.decompress(self._buffer, size - len(content))  # type: ignore[union-attr]
                self._buffer = self._gzip.unconsumed_tail  # type: ignore[union-attr]
        except zlib.error as fault:
            raise refusal("bad-gzip", f"the gzip stream is broken ({fault})") from None
        return bytes(content)

    def _more(self) -> bool:
        """Make sure that there is something to decompress; False at the end of the file."""
        assert self._gzip is not None
        if self._gzip.eof:
            self._buffer = self._gzip.unused_data
        if not self._buffer:
            self._fetch()
        if self._gzip.eof and self._buffer:
            self._gzip = zlib.decompressobj(_GZIP_WINDOW)
            self._members += 1
            if self._members > _MEMBERS and self._given < self._members * KIB:
                raise refusal("bad-gzip", "the gzip stream has many members and little in them")
        elif not self._buffer and not self._gzip.eof:
            raise refusal("bad-gzip", "the gzip stream ends too early")
        return bool(self._buffer)

    def _check(self) -> None:
        limits = self._limits
        if self._given > limits.bytes:
            raise refusal("too-large", f"it has more than {limits.bytes:,} bytes")
        if self._gzip and self._given > limits.ratio_from and self._given > limits.ratio * self._raw:
            raise refusal("gzip-bomb", f"it grows more than {limits.ratio} times when unpacked")
        if self.quiet > limits.element:
            raise refusal("element-too-large", f"no element ended for more than {limits.element:,} bytes")
