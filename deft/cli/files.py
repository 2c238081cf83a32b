"""Files that commands write for people: all of one or nothing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from deft.base.errors import BadInput


def write(path: Path, content: bytes) -> None:
    """Write a file; one that is there is replaced by one that is whole. Raises BadInput."""
    if path.exists() and not path.is_file():  # such as /dev/stdout: it can be written, not replaced
        part = path
    else:
        part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        if part is not path:
            part.replace(path)
    except OSError as fault:
        if part is not path:
            with contextlib.suppress(OSError):
                part.unlink()
        raise BadInput(f"cannot write {path}: {fault.strerror}") from None
