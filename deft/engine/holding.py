"""All that one Meta-Task holds, in every room: rows to count and delete, folders to set aside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import Connection

from deft.base import holdings
from deft.base.config import Settings
from deft.base.errors import BadInput, DeftError, NotAllowed, Refused
from deft.base.holdings import Holdings, Ids, Part
from deft.store import archive as store
from deft.store import ddl, numbering, selection
from deft.store.selection import Selected
from deft.store.session import Session

Rooms = Sequence[Holdings]


def rooms_of(session: Session) -> Rooms:
    """What every room holds in this database.

    Raises NotAllowed where DEFT and JEDI have users of their own, of whom neither may delete what is both's;
    Refused where nobody speaks for a table.
    """
    if session.annex is not None:
        raise NotAllowed(
            "DEFT and JEDI have users of their own in this database, and this takes rows of both: give the "
            "command as the owner of the tables, in [database] url, and with [jedi] url empty"
        )
    return all_rooms()


def all_rooms() -> Rooms:
    """What every room holds. Raises Refused where nobody speaks for a table: its rows would stay behind."""
    rooms = holdings.of_all_rooms()
    silent = set(ddl.all_tables().tables) - {name for room in rooms for name in room.tables}
    if silent:
        raise Refused(
            f"no room says what of {', '.join(sorted(silent))} belongs to a Meta-Task; install deft anew"
        )
    return rooms


def whole(session: Session, conn: Connection, text: str) -> Sequence[Selected]:
    """The Meta-Tasks that a selection names. Raises BadInput where it names tasks, NotFound."""
    parts = selection.select(conn, text, where=None, now=session.clock.now()).parts
    for part in parts:
        if not part.whole:
            raise BadInput(f"this takes whole Meta-Tasks; {text!r} names tasks of {part.full_name}")
    return parts


def archived_parts(rooms: Rooms) -> Iterator[Part]:
    """The parts that an archive keeps; those of one table beside each other."""
    return (part for room in rooms for part in room.parts if part.archived)


def deleted_parts(rooms: Rooms) -> list[Part]:
    """The parts that go with the Meta-Task, in an order that breaks no reference."""
    return [part for room in rooms for part in room.parts if part.deleted][::-1]


def count(conn: Connection, parts: Iterable[Part], ids: Ids) -> dict[str, int]:
    """The rows by table."""
    found: dict[str, int] = {}
    for part in parts:
        found[part.table.name] = found.get(part.table.name, 0) + holdings.count(conn, part, ids)
    return found


def delete(conn: Connection, rooms: Rooms, ids: Ids) -> dict[str, int]:
    """Delete all that goes; part of the caller's transaction. Returns the rows by table."""
    numbering.keep(conn)
    found: dict[str, int] = {}
    for part in deleted_parts(rooms):
        found[part.table.name] = found.get(part.table.name, 0) + holdings.delete(conn, part, ids)
    return found


def folders(settings: Settings, rooms: Rooms, ids: Ids) -> list[Path]:
    """The folders of its files that are there."""
    named = (path for room in rooms if room.folders for path in room.folders(settings, ids))
    return [path for path in named if path.is_dir()]


def label(ids: Ids) -> str:
    """A name that no other Meta-Task of this database has or had."""
    return f"{ids.project}.{ids.name}.t{ids.tasks[0]:08d}"


def plan(settings: Settings, rooms: Rooms, ids: Ids) -> dict[Path, Path]:
    """The folders that a later Meta-Task of the same name would use, and the names they are to get."""
    named = (room.named(settings, ids) for room in rooms if room.named)
    return {
        path: _free(path.with_name(label(ids))) for path in named if path.is_dir() and not path.is_symlink()
    }


@dataclass(slots=True)
class Aside:
    """Folders that got another name, so that a later Meta-Task of the same name does not meet them."""

    moved: dict[Path, Path] = field(default_factory=dict)
    metatask_id: int = 0

    def move(self, settings: Settings, rooms: Rooms, ids: Ids) -> None:
        """Give them another name. Raises Refused where the file system does not let us."""
        self.metatask_id = ids.metatask
        for path, other in plan(settings, rooms, ids).items():
            self._rename(path, other)

    def _rename(self, path: Path, other: Path) -> None:
        try:
            path.rename(other)
        except OSError as fault:
            raise Refused(f"{path} cannot be renamed: {fault.strerror}; nothing was deleted") from None
        self.moved[path] = other

    def back(self, session: Session) -> None:
        """Give them their names again, if the Meta-Task is still there: it may fail after the commit, too."""
        if not self.moved:
            return
        with suppress(DeftError):
            with session.reading() as conn:
                there = store.exists(conn, self.metatask_id)
            for path, other in self.moved.items() if there else ():
                other.rename(path)


def _free(path: Path) -> Path:
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found
