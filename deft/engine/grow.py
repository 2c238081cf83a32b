"""Add tasks and edges to a Meta-Task that lives: `deft augment META --graph PART.graphml`.

Nothing that is there changes; the whole is checked as at import. What is new is armed where the Meta-Task was
started, unless it says armed=false, and then moves by itself: every guard looks at what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.authoring.templates import checking, expand, instantiate, parameters, search, sources
from deft.base.errors import BadInput, Finding
from deft.engine import commands, intake, refusals
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, perform
from deft.model import joining, rules
from deft.model.graph import MetaTask
from deft.model.joining import Joined
from deft.model.verbs import VERBS
from deft.store import graphs, growth, guards, history, marking
from deft.store.session import Session
from deft.store.tables import deft_node


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """Add what `source` (a file, a template's name) has to a Meta-Task; `given` are values of its parameters.

    Parameters that are not given have the values of the Meta-Task's own, where it has them.
    """

    actor: Actor
    metatask: str
    source: str
    given: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    dry_run: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """What was added, what of it was armed, and what the reader noticed."""

    metatask: str
    tasks: tuple[str, ...]
    edges: int
    armed: tuple[str, ...]
    warnings: tuple[Finding, ...] = ()
    dry_run: bool = False


def augment_graph(session: Session, request: GraphRequest) -> GraphAnswer:
    """Add tasks and edges; nothing is stored unless the whole is valid and nothing that is there changes.

    Raises BadInput with every finding, NotFound, Refused, NotAllowed.
    """
    commands.check_reason(request.reason)
    said: dict[str, object] = {"graph": request.source, "given": dict(sorted(request.given.items()))}
    said |= {"reason": request.reason} if request.reason is not None else {}
    command = Command(request.actor, "augment-graph", request.metatask, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> GraphAnswer:
        parts = commands.choose(session, conn, note, request.metatask, None)
        if len(parts) != 1 or not parts[0].whole:
            raise BadInput(f"{request.metatask!r} is not one whole Meta-Task; augment --graph takes one")
        return _augment(session, conn, request, parts[0].metatask_id, note)

    return commands.give(session, command, GraphAnswer, act)


def _augment(
    session: Session, conn: Connection, request: GraphRequest, metatask_id: int, note: Note
) -> GraphAnswer:
    stored = graphs.load(conn, metatask_id)
    part, warnings = _read(session, request, stored)
    joined, findings = joining.join(stored, part)
    _refuse(stored, request.source, findings)
    checked = [*rules.validate(joined.whole), *checking.missing_folders(joined.whole)]
    _refuse(stored, request.source, checked)
    now = session.clock.now()
    was_started = _is_started(conn, metatask_id)
    node_ids = growth.add(conn, metatask_id, stored, joined, now)
    new = {node.name: node_ids[node.name] for node in joined.nodes if node.name in _tasks(joined)}
    cause = Cause(request.actor.name, request.reason)
    armed = _arm(conn, joined, new, cause, now) if was_started else []
    told = f"{len(new)} tasks and {len(joined.edges)} edges of {request.source}"
    why = f"{told} ({request.reason})" if request.reason else told
    history.record(conn, [history.Change(metatask_id, None, "augment", reason=why)], request.actor.name, now)
    marking.mark_dirty(conn, sorted(new.values()))
    note.tasks += len(new)
    mine = tuple(one for one in (*findings, *checked) if one.subject in new or one in findings)
    return GraphAnswer(
        stored.full_name, tuple(new), len(joined.edges), tuple(armed), (*warnings, *mine), request.dry_run
    )


def _tasks(joined: Joined) -> set[str]:
    return {task.name for task in joined.whole.tasks}


def _read(session: Session, request: GraphRequest, stored: MetaTask) -> tuple[MetaTask, tuple[Finding, ...]]:
    """The part, filled: parameters that it shares with the Meta-Task have the same values."""
    workdir = session.settings.workdir
    folders = search.folders(workdir)
    reading = sources.read(request.source, folders)
    bare = reading.metatask
    own = parameters.declared(bare.settings)
    shared = {name: value for name, value in intake.parameters(stored).items() if name in own}
    facts = instantiate.facts_here(template=bare.folder, workdir=str(workdir))
    expansion = expand.expand(bare, {**shared, **request.given}, facts, folders=folders)
    expansion.metatask.folder = bare.folder
    return expansion.metatask, (*reading.findings, *expansion.findings)


def _refuse(stored: MetaTask, source: str, findings: Sequence[Finding]) -> None:
    errors = rules.errors(list(findings))
    if errors:
        raise BadInput(f"{source} cannot be added to {stored.full_name}:", errors)


def _is_started(conn: Connection, metatask_id: int) -> bool:
    n = deft_node.c
    begun = sa.or_(n.armed == 1, n.state != "defined")
    query = sa.select(n.id).where(n.metatask_id == metatask_id, n.kind == "task", begun).limit(1)
    return conn.execute(query).first() is not None


def _arm(conn: Connection, joined: Joined, new: Mapping[str, int], cause: Cause, now: datetime) -> list[str]:
    ids = [new[node.name] for node in joined.nodes if node.name in new and node.armed]
    perform(conn, guards.first_enabled(conn, ids, VERBS["start"].rows), cause, now)
    return refusals.names(conn, ids)
