"""The folder of an archive: written under another name, synced, renamed; and read back to the last byte.

PROJECT.NAME.m00000017/
    NAME.graphml             the graph with its state
    deft_node.jsonl.gz …     the rows of each table, an object of all columns a line
    manifest.json            what is in it: rows, bytes and SHA-256 of every file; written last
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from deft.authoring.graphml import reader
from deft.base import faults, records
from deft.base.errors import BadInput, DeftError
from deft.model.graph import MetaTask

FORMAT = "deft-archive/1"
MANIFEST = "manifest.json"
_LINES = 1000  # a write


@dataclass(frozen=True, slots=True)
class File:
    """One file: its rows (of the graph: nodes and edges), its bytes on disk, and their SHA-256."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds, of which Meta-Task, taken when, by whom and with what.

    `counts`: rows by table; `stamp`: numbers that change whenever the Meta-Task does. `folders`: where its
    files lay, none of which is in the archive.
    """

    metatask: str
    id: int
    state: str
    owner: str
    created: str
    archived: str
    actor: str
    program: str
    schema: str
    database: str
    graph: str
    counts: Mapping[str, int]
    stamp: Mapping[str, int]
    files: tuple[File, ...]
    folders: tuple[str, ...] = ()
    format: str = FORMAT


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which gets its name at the end; gone where anything fails.

    Raises BadInput where it cannot be written, or is there already.
    """
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.mkdir(parents=True)
        try:
            yield partial
            _sync(partial)
            faults.point("archive.before-rename")
            partial.rename(folder)
            _sync(folder.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as fault:
        raise BadInput(
            f"cannot write the archive {folder}: {fault.strerror or fault}; nothing was deleted"
        ) from None


def write_rows(folder: Path, table: str, rows: Iterable[Mapping[str, Any]]) -> File:
    """Write rows as compressed JSON lines."""
    name, count, lines = f"{table}.jsonl.gz", 0, map(_ENCODER.encode, rows)
    # No name and no time in it: the same rows give the same bytes.
    with new_file(folder / name) as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        while some := list(islice(lines, _LINES)):
            packed.write(("\n".join(some) + "\n").encode())
            count += len(some)
    return described(folder / name, count)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it, as the last file of an archive."""
    with new_file(folder / MANIFEST) as raw:
        raw.write(json.dumps(asdict(manifest), indent=2, ensure_ascii=False).encode() + b"\n")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which is on the disk when it is closed."""
    with path.open("xb") as raw:
        yield raw
        raw.flush()
        os.fsync(raw.fileno())


def described(path: Path, rows: int) -> File:
    """What the manifest says of a file, as it lies on disk."""
    with path.open("rb") as raw:
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    return File(path.name, rows, path.stat().st_size, digest)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# --- reading back ------------------------------------------------------------------------------------------


def read(folder: Path) -> Manifest:
    """The manifest of an archive. Raises BadInput where there is none that can be read."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if found.get("format") != FORMAT:
            raise ValueError(f"its format is {found.get('format')!r}, not {FORMAT!r}")
        return records.restored(Manifest, found)
    except (OSError, ValueError, TypeError, AttributeError) as fault:
        raise BadInput(f"{folder} is no archive that can be read: {MANIFEST}: {fault}") from None


def verify(folder: Path) -> Manifest:
    """Read every file of an archive to its end. Raises BadInput where one is not what the manifest says."""
    manifest = read(folder)
    for file in manifest.files:
        path = folder / file.name
        try:
            rows = _graph_rows(path) if file.name == manifest.graph else _rows(path)
            found = described(path, rows)
        except (OSError, EOFError, ValueError, zlib.error, DeftError) as fault:
            raise BadInput(f"the archive {folder} is damaged: {file.name}: {fault}") from None
        if found != file:
            raise BadInput(f"the archive {folder} is damaged: {file.name} is not what was written")
    return manifest


def _rows(path: Path) -> int:
    with gzip.open(path, "rb") as lines:
        return sum(isinstance(json.loads(line), dict) for line in lines)


def _graph_rows(path: Path) -> int:
    return size_of(reader.read(path).metatask)


def size_of(metatask: MetaTask) -> int:
    """How many nodes and edges it has."""
    return metatask.graph.number_of_nodes() + metatask.graph.number_of_edges()
