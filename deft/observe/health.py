"""What may be wrong on this machine: the program, the settings, the work folder, the database, the disk."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from deft.base import database, urls
from deft.base.config import Settings
from deft.base.errors import DeftError
from deft.store import schema
from deft.version import VERSION

_LOW_DISK = 1_000_000_000
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "lustre", "gpfs", "beegfs", "cifs", "smb3", "fuse.sshfs"})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: how it was found, and what to do where it is not right."""

    what: str
    verdict: Literal["ok", "warning", "wrong"]
    found: str
    advice: str = ""


def examine(settings: Settings) -> list[Check]:
    """Every check, whatever the others find."""
    return [*_program(), *_settings(settings), *_folder(settings), *_database(settings)]


def _program() -> Iterator[Check]:
    yield Check(
        "program", "ok", f"deft {VERSION}, Python {sys.version.split()[0]}, SQLAlchemy {sa.__version__}"
    )
    yield Check("cores", "ok", f"{len(os.sched_getaffinity(0))} may be used")


def _settings(settings: Settings) -> Iterator[Check]:
    files = ", ".join(map(str, settings.files)) or "none; all as by default"
    yield Check("settings", "ok", files)


def _folder(settings: Settings) -> Iterator[Check]:
    folder = settings.workdir
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Check("work folder", "wrong", f"{folder} cannot be written", "give another with --workdir")
        return
    yield Check("work folder", "ok", str(folder))
    free = shutil.disk_usage(folder).free
    verdict: Literal["ok", "warning"] = "ok" if free > _LOW_DISK else "warning"
    yield Check(
        "disk",
        verdict,
        f"{free / 1e9:.1f} GB free",
        "" if verdict == "ok" else "make room: jobs fail on a full disk",
    )


def _database(settings: Settings) -> Iterator[Check]:
    try:
        engine = database.open_engine(settings.database_url, must_exist=True)
        try:
            with database.reading(engine) as conn:
                server = ".".join(map(str, conn.dialect.server_version_info or ()))
            where = urls.shown(engine.url)
            yield Check("database", "ok", f"{where}, {engine.dialect.name} {server}")
            schema.check(engine)
            yield Check("tables", "ok", f"revision {schema.REVISION}")
        finally:
            engine.dispose()
    except DeftError as fault:
        yield Check("database", "wrong", str(fault))
        return
    if settings.embedded:
        kind = _file_system(settings)
        if kind in _NETWORK_FILE_SYSTEMS:
            yield Check("file system", "warning", f"the embedded database lies on {kind}",
                        "its locks may not hold there: use a local disk, or PostgreSQL")  # fmt: skip


def _file_system(settings: Settings) -> str:
    """The type of the file system that holds the work folder: the longest mount point above it."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            known = [line.split()[1:3] for line in mounts]
    except OSError:
        return ""
    above = {str(one) for one in (settings.workdir, *settings.workdir.parents)}
    held = [(len(point), kind) for point, kind in known if point in above]
    return max(held)[1] if held else ""
