"""Take Meta-Tasks that have ended out of the database, into folders that are read back before rows go.

The rows are read in one transaction and deleted in another, which holds the Meta-Task, sees that nothing
about it has changed since, and counts what it deletes against what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.authoring.graphml import writer
from deft.authoring.templates import instantiate
from deft.base import holdings
from deft.base.errors import Refused
from deft.base.holdings import Ids
from deft.engine import archive_folder, commands, holding
from deft.engine.archive_folder import File, Manifest
from deft.engine.commands import Command, Note
from deft.engine.holding import Aside, Rooms
from deft.model import selection as language
from deft.model.tasks import ENDED
from deft.store import archive as store
from deft.store import archive_state, graphs, locks, schema, standing
from deft.store.selection import Selected
from deft.store.session import Session
from deft.version import VERSION


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """Archive Meta-Tasks into folders below `to`, and delete their rows; `keep`: delete nothing."""

    actor: Actor
    selection: str
    to: Path
    keep: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Archived:
    """One archive: where it is, what it holds, and whether the rows are gone from the database.

    `moved`: where files of jobs lie now, by where they lay.
    """

    metatask: str
    folder: str
    counts: Mapping[str, int]
    bytes: int
    deleted: bool
    moved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A Meta-Task that a glob named and that cannot be archived now."""

    metatask: str
    why: str


@dataclass(frozen=True, slots=True)
class ArchiveAnswer:
    """What was archived, and what was not."""

    archived: tuple[Archived, ...]
    passed_over: tuple[PassedOver, ...]
    dry_run: bool = False


def archive(session: Session, request: ArchiveRequest) -> ArchiveAnswer:
    """Archive every Meta-Task of a selection; one that cannot be is passed over where a glob named it.

    Raises Refused with the reason, where it was named by its name, or where it changed meanwhile; BadInput
    for a selection of tasks and for a folder that cannot be written; NotFound, NotAllowed.
    """
    roles.require(request.actor, "archive")
    rooms = holding.rooms_of(session)
    ready, passed_over = _ready(session, request.selection)
    archived = [_archive(session, request, rooms, one) for one in ready]
    return ArchiveAnswer(tuple(archived), tuple(passed_over), request.dry_run)


def _ready(session: Session, text: str) -> tuple[list[Selected], list[PassedOver]]:
    ready: list[Selected] = []
    passed_over: list[PassedOver] = []
    with session.reading() as conn:
        for part in holding.whole(session, conn, text):
            reasons = "; ".join(store.in_the_way(conn, store.ids_of(conn, part.metatask_id), ENDED))
            if not reasons:
                ready.append(part)
            elif language.is_glob(text):
                passed_over.append(PassedOver(part.full_name, reasons))
            else:
                raise Refused(f"{part.full_name} cannot be archived: {reasons}")
    return ready, passed_over


def _archive(session: Session, request: ArchiveRequest, rooms: Rooms, chosen: Selected) -> Archived:
    with store.snapshot(session) as conn:
        ids = store.ids_of(conn, chosen.metatask_id)
        folder = request.to.expanduser().absolute() / holding.label(ids)
        if request.dry_run:
            counts = holding.count(conn, holding.archived_parts(rooms), ids)
            return Archived(chosen.full_name, str(folder), counts, 0, deleted=False, moved={})
    if not folder.exists():  # else it was interrupted after the archive was made, and goes on from there
        with store.snapshot(session) as conn, archive_folder.made(folder) as partial:
            _write(session, conn, request, rooms, chosen, partial)
    manifest = archive_folder.verify(folder)
    if request.keep:
        with store.snapshot(session) as conn:
            _check_unchanged(conn, store.ids_of(conn, chosen.metatask_id), manifest, folder)
        return _answer(manifest, folder, Aside(), deleted=False)
    return _delete(session, request, rooms, manifest, folder)


def _delete(
    session: Session, request: ArchiveRequest, rooms: Rooms, manifest: Manifest, folder: Path
) -> Archived:
    """Delete the rows in one transaction, which notes the command."""
    aside = Aside()

    def act(conn: Connection, note: Note) -> Archived:
        locks.lock(conn, [manifest.id])
        ids = store.ids_of(conn, manifest.id)
        _check_unchanged(conn, ids, manifest, folder)
        _check_counts(holding.delete(conn, rooms, ids), manifest, folder)
        aside.move(session.settings, rooms, ids)
        note.tasks = len(ids.tasks)
        return _answer(manifest, folder, aside, deleted=True)

    command = Command(request.actor, "archive", manifest.metatask, {"to": str(folder)})
    try:
        return commands.give(session, command, Archived, act)
    except BaseException:
        aside.back(session)
        raise


def _answer(manifest: Manifest, folder: Path, aside: Aside, *, deleted: bool) -> Archived:
    size = sum(file.bytes for file in manifest.files)
    moved = {str(path): str(other) for path, other in aside.moved.items()}
    return Archived(manifest.metatask, str(folder), manifest.counts, size, deleted=deleted, moved=moved)


def _check_unchanged(conn: Connection, ids: Ids, manifest: Manifest, folder: Path) -> None:
    reasons = list(store.in_the_way(conn, ids, ENDED))
    if reasons:
        raise Refused(f"{manifest.metatask} cannot be archived: {'; '.join(reasons)}")
    if manifest.metatask != f"{ids.project}/{ids.name}" or store.stamp(conn, ids) != manifest.stamp:
        raise _changed(manifest, folder)


def _check_counts(deleted: Mapping[str, int], manifest: Manifest, folder: Path) -> None:
    if any(deleted.get(table, rows) != rows for table, rows in manifest.counts.items()):
        raise _changed(manifest, folder)


def _changed(manifest: Manifest, folder: Path) -> Refused:
    return Refused(
        f"{folder} holds {manifest.metatask} as it was at {manifest.archived}, and it has changed since; "
        "nothing was deleted: remove that folder, or name another one"
    )


# --- writing -----------------------------------------------------------------------------------------------


def _write(
    session: Session, conn: Connection, request: ArchiveRequest, rooms: Rooms, chosen: Selected, folder: Path
) -> None:
    ids = store.ids_of(conn, chosen.metatask_id)
    graph = _write_graph(conn, ids, folder)
    files = {}
    for table, parts in groupby(holding.archived_parts(rooms), key=lambda part: part.table.name):
        rows = chain.from_iterable(holdings.rows(conn, part, ids) for part in parts)
        files[table] = archive_folder.write_rows(folder, table, rows)
    facts = store.facts(conn, ids.metatask)
    manifest = Manifest(
        metatask=chosen.full_name,
        id=ids.metatask,
        state=standing.of(conn, [ids.metatask])[ids.metatask].state,
        owner=facts.owner,
        created=facts.created.isoformat(),
        archived=session.clock.now().isoformat(timespec="seconds"),
        actor=request.actor.name,
        program=VERSION,
        schema=schema.REVISION,
        database=conn.dialect.name,
        graph=graph.name,
        counts={table: file.rows for table, file in files.items()},
        stamp=store.stamp(conn, ids),
        files=(graph, *files.values()),
        folders=tuple(map(str, holding.folders(session.settings, rooms, ids))),
    )
    archive_folder.write_manifest(folder, manifest)


def _write_graph(conn: Connection, ids: Ids, folder: Path) -> File:
    # The one that was loaded goes before the states come: both are large.
    metatask = instantiate.protect(graphs.load(conn, ids.metatask))
    path = folder / f"{ids.name}.graphml"
    with archive_folder.new_file(path) as stream:
        writer.write(metatask, stream, state=archive_state.States(conn, ids.metatask))
    return archive_folder.described(path, archive_folder.size_of(metatask))
