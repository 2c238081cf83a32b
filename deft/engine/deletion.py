"""Delete a Meta-Task for good, without an archive: its rows, and where that is said its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import disk
from deft.base.errors import BadInput, Refused
from deft.base.holdings import Ids
from deft.engine import commands, holding
from deft.engine.commands import Command, Note
from deft.engine.holding import Aside, Rooms
from deft.model.tasks import ENDED, State
from deft.store import archive as store
from deft.store import locks
from deft.store.session import Session

# Also what never began: nobody waits for it.
_STATES = ENDED | {State.DEFINED}


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """Delete one Meta-Task; `with_data`: the files of its data and jobs, too."""

    actor: Actor
    selection: str
    with_data: bool = False
    dry_run: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with files of it, and what becomes of it: kept, moved (to `now`), deleted, or why it stays.

    `files` and `bytes` only where somebody is to decide about them.
    """

    path: str
    fate: str
    now: str | None = None
    files: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteAnswer:
    """The rows by table, and the folders."""

    metatask: str
    rows: Mapping[str, int]
    folders: tuple[Folder, ...]
    dry_run: bool = False

    @property
    def left(self) -> list[Folder]:
        """The folders that were to go and did not."""
        return [one for one in self.folders if one.fate not in ("kept", "moved", "deleted")]


def delete(session: Session, request: DeleteRequest) -> DeleteAnswer:
    """Delete a Meta-Task that has ended or never began.

    Raises Refused where it is alive, or where others use its data and these are to go; NotFound, BadInput,
    NotAllowed.
    """
    roles.require(request.actor, "delete")
    commands.check_reason(request.reason)
    rooms, aside = holding.rooms_of(session), Aside()

    def act(conn: Connection, note: Note) -> DeleteAnswer:
        ids = _chosen(session, conn, request, rooms, note)
        name, found = f"{ids.project}/{ids.name}", holding.folders(session.settings, rooms, ids)
        if request.dry_run:
            rows = holding.count(conn, holding.deleted_parts(rooms), ids)
            planned = holding.plan(session.settings, rooms, ids)
            return DeleteAnswer(name, rows, _folders(request, found, planned), dry_run=True)
        rows = holding.delete(conn, rooms, ids)
        note.tasks = len(ids.tasks)
        note.metatask_ids.clear()  # it is not there any more
        aside.move(session.settings, rooms, ids)
        return DeleteAnswer(name, rows, _folders(request, found, aside.moved))

    try:
        answer = commands.give(session, _command(request), DeleteAnswer, act)
    except BaseException:
        aside.back(session)
        raise
    # Outside of the transaction: to look at many files takes long.
    folders = answer.folders
    if request.dry_run or request.with_data:
        folders = tuple(map(_measured, folders))
    if request.with_data and not request.dry_run:
        folders = tuple(map(_removed, folders))
    return replace(answer, folders=folders)


def _command(request: DeleteRequest) -> Command:
    said = {"reason": request.reason} if request.reason else {}
    if request.with_data:
        said["with_data"] = "yes"
    return Command(request.actor, "delete", request.selection, said, dry_run=request.dry_run)


def _chosen(session: Session, conn: Connection, request: DeleteRequest, rooms: Rooms, note: Note) -> Ids:
    parts = holding.whole(session, conn, request.selection)
    if len(parts) > 1:
        raise BadInput(f"{request.selection!r} names {len(parts)} Meta-Tasks; one is deleted at a time")
    note.metatask_ids.add(parts[0].metatask_id)
    locks.lock(conn, [parts[0].metatask_id])
    ids = store.ids_of(conn, parts[0].metatask_id)
    reasons = list(store.in_the_way(conn, ids, _STATES))
    if reasons:
        raise Refused(f"{parts[0].full_name} cannot be deleted: {'; '.join(reasons)}")
    if request.with_data:
        users = [one for room in rooms if room.users for one in room.users(conn, session.settings, ids)]
        if users:
            raise Refused(
                f"other Meta-Tasks read the data of {parts[0].full_name}: {', '.join(users[:5])}; "
                "delete those first, or leave out --with-data"
            )
    return ids


def _folders(request: DeleteRequest, found: Sequence[Path], moved: Mapping[Path, Path]) -> tuple[Folder, ...]:
    folders = []
    for path in found:
        other = moved.get(path)
        fate = "deleted" if request.with_data else "kept" if other is None else "moved"
        folders.append(Folder(str(path), fate, None if other is None else str(other)))
    return tuple(folders)


def _measured(folder: Folder) -> Folder:
    used = disk.usage(_place(folder))
    return replace(folder, files=used.files, bytes=used.bytes)


def _removed(folder: Folder) -> Folder:
    why = disk.remove(_place(folder))
    return folder if why is None else replace(folder, fate=why)


def _place(folder: Folder) -> Path:
    """Where it lies at present; in a dry run nothing was moved."""
    now = Path(folder.now or folder.path)
    return now if now.is_dir() else Path(folder.path)
