"""A disk of its own, small and real, to be filled and emptied: a tmpfs, which root may mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.needs import need

HOW = "Run as root, where a tmpfs may be mounted."


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted disk."""

    path: Path

    def fill(self, left: int) -> None:
        """Take all room but so many bytes."""
        free = shutil.disk_usage(self.path).free
        with self._ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, free - left))

    def make_room(self) -> None:
        """Give it back."""
        self._ballast.unlink()

    def remount(self, option: str) -> None:
        """`ro` or `rw`."""
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.path)], check=True)

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"


@contextmanager
def disk(path: Path, size: str) -> Iterator[Disk]:
    """Mount a disk of this size at a folder, which is made. Skips where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)]
    done = subprocess.run(mount, capture_output=True, check=False) if os.geteuid() == 0 else None
    need("a small disk (tmpfs)", done is not None and done.returncode == 0, HOW)
    try:
        yield Disk(path)
    finally:
        # Whoever still has a file open there loses nothing but its name.
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    """64 MB of a disk."""
    with disk(tmp_path / "disk", "64m") as found:
        yield found
