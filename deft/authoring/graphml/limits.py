"""How large a document may be, and a binary reader that holds to it, gzip or not.

The reader counts bytes after decompression, the ratio of a gzip stream, and the bytes since the parser last
finished an element: so a bomb, a huge attribute and a gigabyte of blanks all end at once.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import BinaryIO

from deft.base.errors import BadInput, Finding

KIB, MIB, GIB = 2**10, 2**20, 2**30
_CHUNK = 64 * KIB
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's sign for a gzip header


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one document; sizes in bytes, texts in characters."""

    bytes: int = GIB
    ratio: int = 200
    ratio_from: int = 16 * MIB  # below it any ratio goes
    element: int = 4 * MIB  # bytes of one node, edge or key with all it holds
    text: int = MIB
    depth: int = 64
    attributes: int = 64
    keys: int = 1000
    fragments: int = 20_000_000  # foreign pieces, and data whose keys come later
    nodes: int = 2_000_000
    edges: int = 8_000_000
    id: int = 255


CLI = Limits()
UPLOAD = Limits(
    bytes=64 * MIB, ratio_from=4 * MIB, nodes=100_000, edges=400_000, fragments=2_000_000
)  # fmt: skip


def refusal(code: str, message: str, line: int | None = None, hint: str | None = None) -> BadInput:
    """A document that is not read any further."""
    return BadInput("the document is refused:", [Finding(code, message, line, hint=hint)])


class CappedReader:
    """Reads `stream` for the parser; raises BadInput where a limit is passed.

    Whoever consumes the elements sets `quiet` to 0 at each one.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._raw = 0
        self._given = 0
        self._buffer = stream.read(_CHUNK)
        self._raw += len(self._buffer)
        self._gzip = zlib.decompressobj(_GZIP_WINDOW) if self._buffer.startswith(_GZIP_MAGIC) else None
        self._kept = b""
        self.quiet = 0

    def push_back(self, head: bytes) -> None:
        """Give bytes that were looked at back, to be read first."""
        self._kept = head

    def read(self, size: int = _CHUNK) -> bytes:
        """The next bytes, at most `size` (whatever was pushed back comes whole), empty at the end."""
        if self._kept:
            head, self._kept = self._kept, b""
            return head
        chunk = self._inflate(max(size, 1)) if self._gzip else self._plain(max(size, 1))
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
        self._buffer = self._stream.read(_CHUNK)
        self._raw += len(self._buffer)

    def _inflate(self, size: int) -> bytes:
        assert self._gzip is not None
        try:
            while True:
                chunk = self._gzip.decompress(self._buffer, size)
                self._buffer = self._gzip.unconsumed_tail
                if chunk:
                    return chunk
                if self._gzip.eof and not self._next_member():
                    return b""
                if not self._buffer:
                    self._fetch()
                    if not self._buffer:
                        raise refusal("bad-gzip", "the gzip stream ends too early")
        except zlib.error as fault:
            raise refusal("bad-gzip", f"the gzip stream is broken ({fault})") from None

    def _next_member(self) -> bool:
        """Go on with the next gzip member; False at the end of the file."""
        assert self._gzip is not None
        self._buffer = self._gzip.unused_data
        if not self._buffer:
            self._fetch()
        if self._buffer:
            self._gzip = zlib.decompressobj(_GZIP_WINDOW)
        return bool(self._buffer)

    def _check(self) -> None:
        limits = self._limits
        if self._given > limits.bytes:
            raise refusal("too-large", f"it has more than {limits.bytes:,} bytes")
        if self._gzip and self._given > limits.ratio_from and self._given > limits.ratio * self._raw:
            raise refusal("gzip-bomb", f"it grows more than {limits.ratio} times when unpacked")
        if self.quiet > limits.element:
            raise refusal("element-too-large", f"one element has more than {limits.element:,} bytes")
