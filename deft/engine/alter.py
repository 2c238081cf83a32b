"""Change the settings of tasks that are stored and do not run: parameters, resources, policies, the command.

The whole Meta-Task is checked as at import. A task that JEDI knows is told to it anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.authoring import assignments
from deft.base.database import AnyRow
from deft.base.errors import BadInput, NotFound, Refused
from deft.engine import commands, refusals
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, perform
from deft.model import graph, keys, rules
from deft.model.graph import Ends, MetaTask
from deft.model.keys import Value
from deft.model.net import Row
from deft.model.tasks import Task
from deft.model.verbs import VERBS
from deft.store import edits, graphs, guards, marking
from deft.store.edits import Edited
from deft.store.selection import Selected
from deft.store.session import Session

_VERB = VERBS["set"]
_Enabled = list[tuple[Row, AnyRow]]


@dataclass(frozen=True, slots=True)
class SetRequest:
    """Set keys of the tasks of a selection, and take others away.

    `edge`: keys of the edges by which these tasks take data of the node of that name, instead.
    """

    actor: Actor
    selection: str
    given: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    edge: str | None = None
    reason: str | None = None
    dry_run: bool = False
    key: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Altered:
    """One task and what became of its settings, in words."""

    task: str
    change: str


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """What changed, how many tasks had these values already, and how many run and were passed over."""

    metatasks: tuple[str, ...]
    altered: tuple[Altered, ...]
    already: int
    passed_over: int
    dry_run: bool = False


def set_keys(session: Session, request: SetRequest) -> SetAnswer:
    """Change settings; where each task was named, of all or none, else those that run are passed over.

    Raises BadInput with every finding, Refused for a task that runs, NotFound, NotAllowed.
    """
    commands.check_reason(request.reason)
    if not (request.given or request.unset):
        raise BadInput("nothing to set: write NAME=VALUE")
    values = assignments.typed("node" if request.edge is None else "edge", request.given, request.unset)
    said: dict[str, object] = {"set": dict(sorted(request.given.items())), "unset": sorted(request.unset)}
    said |= {n: text for n in ("reason", "where", "edge") if (text := getattr(request, n)) is not None}
    command = Command(request.actor, "set", request.selection, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> SetAnswer:
        parts = commands.choose(session, conn, note, request.selection, request.where)
        done = [_Part(conn, session, request, part).alter(values) for part in parts]
        note.tasks += sum(len(one.altered) for one in done)
        return _joined(done)

    return commands.give(session, command, SetAnswer, act)


def _joined(answers: Sequence[SetAnswer]) -> SetAnswer:
    return SetAnswer(
        metatasks=tuple(name for one in answers for name in one.metatasks),
        altered=tuple(altered for one in answers for altered in one.altered),
        already=sum(one.already for one in answers),
        passed_over=sum(one.passed_over for one in answers),
        dry_run=answers[0].dry_run,
    )


class _Part:
    """The tasks of one Meta-Task that get new settings."""

    def __init__(self, conn: Connection, session: Session, request: SetRequest, chosen: Selected) -> None:
        self._conn, self._session, self._request, self._chosen = conn, session, request, chosen
        self._stored = graphs.load(conn, chosen.metatask_id)

    def alter(self, values: Mapping[str, Value]) -> SetAnswer:
        """Change them."""
        enabled, passed_over = self._enabled()
        ids = [task.id for _, task in enabled]
        names = dict(zip(ids, refusals.names(self._conn, ids), strict=True))
        if self._request.edge is None:
            changes = self._alter_tasks(values, enabled, names)
        else:
            changes = self._alter_edges(self._request.edge, values, names)
        cause = Cause(self._request.actor.name, self._request.reason)
        record(self._conn, enabled, changes, cause, self._session.clock.now())
        altered = tuple(Altered(names[node_id], changes[node_id]) for node_id in sorted(changes))
        return SetAnswer(
            (self._stored.full_name,), altered, len(ids) - len(altered), passed_over, self._request.dry_run
        )

    def _enabled(self) -> tuple[_Enabled, int]:
        ids = list(self._chosen.node_ids)
        enabled = guards.first_enabled(self._conn, ids, _VERB.rows)
        fitting = {task.id for _, task in enabled}
        refused = [one for one in ids if one not in fitting]
        if refused and (self._chosen.named or not fitting):
            raise Refused(refusals.of(self._conn, _VERB, refused))
        return enabled, len(refused)

    def _alter_tasks(
        self, values: Mapping[str, Value], enabled: _Enabled, names: Mapping[int, str]
    ) -> dict[int, str]:
        tasks = {node_id: self._stored.task(name) for node_id, name in names.items()}
        whole = {**values, **self._parameters(values, list(tasks.values()))}
        new = {one: self._new(task.settings, whole) for one, task in tasks.items()}
        new = {one: settings for one, settings in new.items() if settings != tasks[one].settings}
        if not new:
            return {}
        made = self._checked({names[one]: settings for one, settings in new.items()}, {})
        started = {task.id: bool(task.started) for _, task in enabled}
        edited = [Edited(one, made.task(names[one]), started[one]) for one in new]
        edits.write(self._conn, self._chosen.metatask_id, made, edited)
        return {one: in_words(tasks[one].settings, new[one]) for one in new}

    def _parameters(self, values: Mapping[str, Value], tasks: Sequence[Task]) -> Mapping[str, Value]:
        """The parameters among the values, by the types the Meta-Task gives them."""
        command = values.get("command")
        with_it = tasks if command is None else [Task("new", settings={"command": command}), *tasks]
        return assignments.check_parameters(self._stored, with_it, self._request.given)

    def _new(self, old: Mapping[str, Value], values: Mapping[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in {**old, **values}.items() if name not in self._request.unset}

    def _alter_edges(
        self, producer: str, values: Mapping[str, Value], names: Mapping[int, str]
    ) -> dict[int, str]:
        known = edits.edges_into(self._conn, sorted(names), producer)
        if not known:
            near = sorted({edge.source for name in names.values() for edge in self._stored.inputs(name)})
            hint = f"their data come from {', '.join(near[:8])}" if near else "they have no edge in"
            raise NotFound(f"no edge leads from {producer!r} to these tasks; {hint}")
        new: dict[Ends, dict[str, Value]] = {}
        told: dict[int, list[str]] = {}
        for one in known:
            ends = (producer, names[one.target_id], one.document_id)
            old = self._stored.graph.edges[ends]["edge"].settings
            if (settings := self._new(old, values)) != old:
                new[ends] = settings
                told.setdefault(one.target_id, []).append(f"{producer}: {in_words(old, settings)}")
        made = self._checked({}, new)
        for one in known:
            ends = (producer, names[one.target_id], one.document_id)
            edits.write_edge(self._conn, one.id, made.graph.edges[ends]["edge"])
        return {node_id: "; ".join(dict.fromkeys(texts)) for node_id, texts in told.items()}

    def _checked(
        self, tasks: Mapping[str, Mapping[str, Value]], edges: Mapping[Ends, Mapping[str, Value]]
    ) -> MetaTask:
        made = graph.with_settings(self._stored, tasks, edges)
        findings = rules.errors(rules.validate(made))
        if findings:
            raise BadInput(
                f"{made.full_name} with these settings is not valid; nothing was changed:", findings
            )
        return made


def record(
    conn: Connection, enabled: _Enabled, changes: Mapping[int, str], cause: Cause, now: datetime
) -> None:
    """One firing for all tasks that changed alike, so that the history has old and new values."""
    for told in dict.fromkeys(changes.values()):
        why = f"{told} ({cause.reason})" if cause.reason else told
        alike = [one for one in enabled if changes.get(one[1].id) == told]
        perform(conn, alike, Cause(cause.actor, why), now)
    marking.mark_dirty(conn, sorted(changes))


def in_words(old: Mapping[str, Value], new: Mapping[str, Value]) -> str:
    """What differs, in words."""
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return "; ".join(f"{name}: {_shown(old, name)} -> {_shown(new, name)}" for name in changed)


def _shown(settings: Mapping[str, Value], name: str) -> str:
    return keys.render(settings[name]) if name in settings else "nothing"
