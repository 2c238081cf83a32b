"""What folders hold on disk, and folders that go: nothing here follows a link out of a folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 512  # what st_blocks counts, on every file system


@dataclass(frozen=True, slots=True)
class Usage:
    """How many files a folder holds, in all its folders too, and the bytes they take on disk."""

    files: int
    bytes: int


def usage(folder: Path) -> Usage:
    """What a folder takes; what cannot be looked at counts as nothing."""
    files = size = 0
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        files += 1
                        size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
        except OSError:  # it went away meanwhile, or it is not ours to look at
            continue
    return Usage(files, size)


def remove(folder: Path) -> str | None:
    """Remove a folder with all it holds. Returns what went wrong; a link is left alone."""
    if folder.is_symlink():
        return "it is a link"
    try:
        shutil.rmtree(folder)
    except OSError as fault:
        return f"{fault.filename}: {fault.strerror}"
    return None
