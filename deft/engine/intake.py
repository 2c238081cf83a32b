"""Meta-Tasks come in: import a file or template."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.authoring.graphml import writer
from deft.authoring.graphml.limits import CLI, Limits
from deft.authoring.templates import checking, expand, instantiate, search, sources
from deft.base import faults
from deft.base.errors import BadInput, Finding, NotFound, Refused
from deft.base.garbage import no_collection
from deft.engine.controls import arm_all
from deft.engine.perform import Cause
from deft.model import diff, rules
from deft.model.diff import Item, What
from deft.model.graph import MetaTask
from deft.model.keys import PARAM_FACTS
from deft.model.tasks import Edge, NodeKind, Task, is_name
from deft.store import commands, graphs, history, selection
from deft.store.session import Session
from deft.store.tables import deft_metatask


@dataclass(frozen=True, slots=True)
class Read:
    """A source that was read, filled with `given` and found right: it need not be read again to be stored."""

    metatask: MetaTask
    warnings: tuple[Finding, ...]
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Import `source` as `name`; `given` are values of its parameters.

    A source is a file, a template's name, `pyutilib:MODULE:FACTORY`, or what the importer `form` takes.
    `resume`: a Meta-Task of that name that is stored already goes on, where nothing about it differs.
    `read`: what `check` of the same request has read.
    """

    actor: Actor
    source: str
    name: str | None = None
    project: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    start: bool = False
    strict: bool = False
    resume: bool = False
    read: Read | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """What was imported, what the reader noticed, and whether it was there already."""

    metatask_id: int
    metatask: str
    tasks: int
    datasets: int
    resumed: bool
    warnings: tuple[Finding, ...]


@no_collection()
def read_source(
    source: str,
    given: Mapping[str, str],
    workdir: Path,
    *,
    strict: bool = False,
    form: str | None = None,
    limits: Limits = CLI,
) -> tuple[MetaTask, tuple[Finding, ...]]:
    """Read, fill and check a Meta-Task without storing it; `form` names the importer that reads it.

    Raises BadInput with every fault found, NotFound for a file or template that does not exist.
    """
    folders = search.folders(workdir)
    reading = sources.read(source, folders, strict=strict, form=form, given=given, limits=limits)
    facts = instantiate.facts_here(template=reading.metatask.folder, workdir=str(workdir))
    expansion = expand.expand(
        reading.metatask, reading.given, facts, folders=folders, strict=strict, limits=limits
    )
    metatask = expansion.metatask
    metatask.origin, metatask.folder = reading.metatask.origin, reading.metatask.folder
    metatask.written = _as_written(reading.metatask)
    findings = [
        *rules.validate(metatask),
        *checking.missing_folders(metatask),
        *checking.missing_modules(metatask),
    ]
    if rules.errors(findings):
        raise BadInput(f"{source} is not a valid Meta-Task:", rules.errors(findings))
    return metatask, (*reading.findings, *expansion.findings, *findings)


def _as_written(document: MetaTask) -> str:
    """The document itself where it is to be filled: a clone with other values begins there."""
    pieces: chain[Task | Edge] = chain(document.nodes, document.edges)
    settings = chain([document.settings], (piece.settings for piece in pieces))
    to_fill = any("${" in str(value) for given in settings for value in given.values())
    copied = any("foreach" in node.settings or node.kind is NodeKind.METATASK for node in document.nodes)
    if not (to_fill or copied):
        return ""
    stream = io.BytesIO()
    writer.write(document, stream)
    return stream.getvalue().decode("utf-8")


def check(request: ImportRequest, workdir: Path, *, limits: Limits = CLI) -> Read:
    """Raise what importing it would, as far as no database is needed: BadInput, NotFound."""
    metatask, warnings = read_source(
        request.source, request.given, workdir, strict=request.strict, form=request.form, limits=limits
    )
    rename(metatask, request.name, request.project)
    return Read(metatask, warnings, dict(request.given))


def import_metatask(session: Session, request: ImportRequest) -> ImportAnswer:
    """Import a Meta-Task; nothing is stored unless all of it is valid. With `start` it is armed at once.

    Raises BadInput, NotFound, Refused (the name is taken), NotAllowed.
    """
    roles.require(request.actor, "import")
    if request.resume and (stored_only := _stored_only(session, request)) is not None:
        return stored_only
    given = dict(request.given)
    stored = _stored(session, request) if request.resume else None
    if stored is not None:
        given = parameters(stored[1]) | given
    read = request.read
    if read is None or read.given != given:
        settings = session.settings
        read = check(replace(request, given=given), settings.workdir, limits=settings.graphml)
    return enter(
        session,
        read.metatask,
        actor=request.actor,
        start=request.start,
        resume=request.resume,
        as_left=not request.given,
        warnings=read.warnings,
    )


@no_collection()
def enter(
    session: Session,
    metatask: MetaTask,
    *,
    actor: Actor,
    start: bool = False,
    resume: bool = False,
    as_left: bool = False,
    cause: str = "import",
    warnings: tuple[Finding, ...] = (),
) -> ImportAnswer:
    """Store a valid Meta-Task, whoever made it; with `start` it is armed in the same transaction.

    `resume`: one of that name that is stored already goes on, where nothing about it differs; with `as_left`
    also where it does because operators changed what is stored, which is said as a warning.
    Raises Refused (the name is taken, or it differs), NotAllowed.
    """
    roles.require(actor, "import")
    now = session.clock.now()
    with session.writing() as conn:
        found = _find(conn, metatask) if resume else None
        if found is not None:
            changed = as_left and commands.redefined(conn, found)
            stored = graphs.load(conn, found)
            warnings += _compared(stored, metatask, as_left=changed)
            metatask = stored
        metatask_id = found or _store(conn, metatask, actor, cause, now)
        if start:
            arm_all(conn, metatask_id, Cause(actor.name), now)
        faults.point("import.before-commit")
    faults.point("import.after-commit")
    session.ring_all()
    return ImportAnswer(
        metatask_id=metatask_id,
        metatask=metatask.full_name,
        tasks=sum(1 for _ in metatask.tasks),
        datasets=len(metatask.datasets()),
        resumed=found is not None,
        warnings=warnings,
    )


def rename(metatask: MetaTask, name: str | None, project: str | None) -> None:
    """Give it another name or project. Raises BadInput for one that is not legal."""
    for what, given in (("Meta-Task", name), ("project", project)):
        if given is not None and (not is_name(given) or "--" in given):
            raise BadInput(f"{given!r} is no legal name of a {what}: a letter, then letters, digits, _ and -")
    metatask.name = name or metatask.name
    metatask.project = project or metatask.project


def _store(conn: Connection, metatask: MetaTask, actor: Actor, cause: str, now: datetime) -> int:
    metatask_id = graphs.save(conn, metatask, owner=actor.name, now=now)
    change = history.Change(metatask_id, None, cause, reason=metatask.origin)
    history.record(conn, [change], actor.name, now)
    said = {"origin": metatask.origin}
    command_id = commands.enter(
        conn, actor=actor.name, verb=cause, selection=metatask.full_name, options=said, key=None, now=now
    )
    commands.settle(conn, command_id, tasks=sum(1 for _ in metatask.tasks), answer=None)
    commands.about(conn, command_id, [metatask_id])
    return metatask_id


def _stored_only(session: Session, request: ImportRequest) -> ImportAnswer | None:
    """The stored Meta-Task of that name where there is no such file or template, such as a clone."""
    if request.form is not None or sources.is_workflow(request.source):
        return None
    try:
        search.open_source(request.source, *search.folders(session.settings.workdir))
    except NotFound:
        with session.reading() as conn:
            try:
                chosen = selection.resolve(conn, request.name or request.source)
            except NotFound:
                return None
            if not chosen.whole:
                return None
            stored = graphs.load(conn, chosen.metatask_id)
    else:
        return None
    known = parameters(stored)
    if any(known.get(name) != value for name, value in request.given.items()):
        raise Refused(f"{stored.full_name} is stored with other values; `deft clone` makes one with these")
    return enter(session, stored, actor=request.actor, start=request.start, resume=True)


# --- resuming: the same Meta-Task again --------------------------------------------------------------------


def _find(conn: Connection, metatask: MetaTask) -> int | None:
    key = graphs.name_key(metatask.project, metatask.name)
    return conn.execute(sa.select(deft_metatask.c.id).where(deft_metatask.c.name_key == key)).scalar()


def _stored(session: Session, request: ImportRequest) -> tuple[int, MetaTask] | None:
    """The stored Meta-Task that this source would become: its parameters stand for those not given."""
    folders = search.folders(session.settings.workdir)
    limits = session.settings.graphml
    bare = sources.read(
        request.source, folders, form=request.form, given=request.given, limits=limits
    ).metatask
    rename(bare, request.name, request.project)
    with session.reading() as conn:
        found = _find(conn, bare)
        return None if found is None else (found, graphs.load(conn, found))


def parameters(metatask: MetaTask) -> dict[str, str]:
    """Its parameters by name."""
    names = (key for key in metatask.settings if key.startswith("param.") and not key.endswith(PARAM_FACTS))
    return {key.removeprefix("param."): str(metatask.settings[key]) for key in names}


def _compared(stored: MetaTask, given: MetaTask, *, as_left: bool) -> tuple[Finding, ...]:
    """What to say of differences. Raises Refused, unless the stored one is to go on as it was left."""
    found = differences(stored, given)
    if not found:
        return ()
    if as_left:
        message = (
            f"it goes on as operators left it; that differs in {len(found)} from {Path(given.origin).name}"
        )
        hint = f"deft diff {stored.name} shows how"
        return (Finding("changed-since", message, subject=stored.full_name, hint=hint, severity="warning"),)
    shown = "\n  ".join(found[:20])
    more = f"\n  and {len(found) - 20} more" if len(found) > 20 else ""
    raise Refused(
        f"{stored.full_name} is stored already, and differs from what is given now:\n  {shown}{more}\n"
        "leave the values out to go on with what is stored, or give --name NEW to run it anew beside it;\n"
        "`deft set` and `deft augment --graph` change what is stored"
    )


def differences(stored: MetaTask, given: MetaTask) -> list[str]:
    """What differs, item by item; parameters alone where they do, since the rest follows from them."""
    items = [item for item in diff.compare(stored, given).items if not _is_grown(item)]
    parameters = [item for item in items if item.what is What.PARAMETER]
    return [
        f"{diff.title(one)}: stored {diff.shown(one.old)}, given {diff.shown(one.new)}"
        for one in parameters or items
    ]


def _is_grown(item: Item) -> bool:
    """Whether the stored one has all of these sources, and more: `deft augment` gave it those."""
    if item.what is not What.EDGE or item.key != "source":
        return False
    first = str(item.new).splitlines()
    return str(item.old).splitlines()[: len(first)] == first
