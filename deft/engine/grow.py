"""Let a Meta-Task that lives take a changed graph: `deft augment META --graph FILE`.

New tasks and edges join it, and what may still change is changed; one item that cannot be refuses all. The
result is checked as at import. What is new is armed where the Meta-Task was started, unless it says
armed=false, and then moves by itself: every guard looks at what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.access.roles import Actor
from deft.authoring import assignments
from deft.authoring.graphml import recognise
from deft.authoring.graphml.recognise import Restored
from deft.authoring.templates import checking, parameters
from deft.base.errors import BadInput, DeftError, Finding, Refused
from deft.engine import alter, commands, either, refusals
from deft.engine.commands import Command, Note
from deft.engine.perform import Cause, order_listing, perform
from deft.model import changing, diff, graph, keys, rules
from deft.model.changing import Plan
from deft.model.graph import MetaTask
from deft.model.judging import Case, Judged
from deft.model.tasks import NodeKind, State
from deft.model.verbs import VERBS
from deft.store import edits, graphs, growth, guards, history, marking
from deft.store.edits import Edited
from deft.store.session import Session
from deft.store.tables import deft_node


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """Let a Meta-Task take what `source` (a file, a template's name) has; `given`: values of its parameters.

    Parameters that are not given have the values of the Meta-Task's own, where it has them. `whole`: what the
    source leaves out is to go; else it is a part, and means what it says alone.
    """

    actor: Actor
    metatask: str
    source: str
    given: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    dry_run: bool = False
    key: str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """Every item with its verdict, the tasks and edges that came, what of it was armed.

    `restored`: what a tool had lost of the file on its trip, and stays as it was. `warnings`: of the reader.
    """

    metatask: str
    tasks: tuple[str, ...] = ()
    edges: int = 0
    armed: tuple[str, ...] = ()
    warnings: tuple[Finding, ...] = ()
    dry_run: bool = False
    items: tuple[Judged, ...] = ()
    restored: tuple[Restored, ...] = ()


def augment_graph(session: Session, request: GraphRequest) -> GraphAnswer:
    """Take it all, or nothing of it.

    Raises Refused where the state of tasks forbids an item, BadInput where it never may be, both with the
    answer; BadInput where the whole would not be valid, NotFound, NotAllowed.
    """
    commands.check_reason(request.reason)
    said: dict[str, object] = {"graph": request.source, "given": dict(sorted(request.given.items()))}
    said |= {"reason": request.reason} if request.reason is not None else {}
    said |= {"whole": True} if request.whole else {}
    command = Command(request.actor, "augment-graph", request.metatask, said, request.key, request.dry_run)

    def act(conn: Connection, note: Note) -> GraphAnswer:
        parts = commands.choose(session, conn, note, request.metatask, None)
        if len(parts) != 1 or not parts[0].whole:
            raise BadInput(f"{request.metatask!r} is not one whole Meta-Task; augment --graph takes one")
        return _Growth(session, conn, request, parts[0].metatask_id).take(note)

    return commands.give(session, command, GraphAnswer, act)


class _Growth:
    """One Meta-Task, and what it is to take."""

    def __init__(self, session: Session, conn: Connection, request: GraphRequest, metatask_id: int) -> None:
        self._session, self._conn, self._request, self._id = session, conn, request, metatask_id
        self._stored = graphs.load(conn, metatask_id)
        self._standings = growth.standings(conn, metatask_id)
        self._now = session.clock.now()

    def take(self, note: Note) -> GraphAnswer:
        """Judge it, and take it."""
        request = self._request
        # A file that is the whole says its own parameters.
        said, warnings = either.beside(
            self._session, request.source, request.given, self._stored, own_first=not request.whole
        )
        part, restored, noticed = _recognised(self._stored, said, whole=request.whole)
        case = Case(self._stored, self._standings, request.whole)
        plan = changing.plan(case, part, said)
        answer = GraphAnswer(
            self._stored.full_name, warnings=(*warnings, *noticed), dry_run=request.dry_run,
            items=plan.judged, restored=restored,
        )  # fmt: skip
        _refuse(request.source, plan, answer)
        checked = self._checked(plan)
        if not plan.applied:
            return answer
        armed = self._apply(plan, note)
        new = tuple(node.name for node in plan.nodes if node.kind is NodeKind.TASK)
        mine = tuple(one for one in checked if one.subject in new)
        return replace(
            answer, tasks=new, edges=len(plan.edges), armed=armed, warnings=(*answer.warnings, *mine)
        )

    def _checked(self, plan: Plan) -> list[Finding]:
        """The findings on the whole; raises BadInput with those that forbid it."""
        checked = [*rules.validate(plan.whole), *checking.missing_folders(plan.whole)]
        for task in plan.tasks:
            before = self._stored.task(task.name).settings
            given = {
                name: keys.render(value)
                for name, value in task.settings.items()
                if name.startswith(parameters.PREFIX) and before.get(name) != value
            }
            try:
                assignments.check_parameters(self._stored, [task], given)
            except BadInput as fault:
                checked += fault.findings
        errors = rules.errors(checked)
        if errors:
            message = f"{self._request.source} cannot be added to {self._stored.full_name}:"
            raise BadInput(message, errors)
        return checked

    def _apply(self, plan: Plan, note: Note) -> tuple[str, ...]:
        """Write all of it; the names of the new tasks that were armed."""
        conn, whole = self._conn, plan.whole
        was_started = _is_started(conn, self._id)
        ids = growth.add(conn, self._id, self._stored, whole, (plan.nodes, plan.edges), self._now)
        if plan.tasks:
            edits.write(conn, self._id, whole, [Edited(ids[one.name], one, False) for one in plan.tasks])
        edits.write_edges(conn, self._id, plan.policies)
        if plan.eye or whole.foreign != self._stored.foreign:
            edits.write_looks(conn, self._id, whole, [node.name for node in plan.eye])
        if whole.settings != self._stored.settings:
            edits.write_graph(conn, self._id, whole)
        self._remember(plan, ids, note)
        new = {node.name: ids[node.name] for node in plan.nodes if node.kind is NodeKind.TASK}
        marking.mark_dirty(conn, sorted([*new.values(), *(ids[name] for name in plan.consumers)]))
        # Those look at their input already: their external data must be listed.
        waiting = [ids[name] for name in plan.consumers if self._standings[name].state is State.WAITING]
        order_listing(conn, waiting, self._now, again=False)
        cause = Cause(self._request.actor.name, self._request.reason)
        arms = [new[node.name] for node in plan.nodes if node.name in new and node.armed and was_started]
        perform(conn, guards.first_enabled(conn, arms, VERBS["start"].rows), cause, self._now)
        return tuple(refusals.names(conn, arms))

    def _remember(self, plan: Plan, ids: Mapping[str, int], note: Note) -> None:
        """The history: of the Meta-Task, of each task that changed, of each that gets another input."""
        changed = {name: text for name, text in _changes(self._stored, plan).items()
                   if self._stored.task(name).kind is NodeKind.TASK}  # fmt: skip
        of_tasks = {ids[name]: text for name, text in changed.items()}
        cause = Cause(self._request.actor.name, self._request.reason)
        enabled = guards.first_enabled(self._conn, sorted(of_tasks), VERBS["set"].rows)
        alter.record(self._conn, enabled, of_tasks, cause, self._now)
        told = _summary(plan, len(changed), self._request.source)
        why = f"{told} ({cause.reason})" if cause.reason else told
        lines = [history.Change(self._id, None, "augment", reason=why)]
        for name in plan.consumers:
            sources = ", ".join(edge.source for edge in plan.edges if edge.target == name)
            lines.append(history.Change(self._id, ids[name], "augment", reason=f"takes data of {sources}"))
        history.record(self._conn, lines, cause.actor, self._now)
        note.tasks += len(of_tasks) + sum(node.kind is NodeKind.TASK for node in plan.nodes)


def _changes(stored: MetaTask, plan: Plan) -> dict[str, str]:
    """What changes of each stored task and of the edges into it, in words."""
    found: dict[str, list[str]] = {}
    for task in plan.tasks:
        old = stored.task(task.name).settings
        found.setdefault(task.name, []).append(alter.in_words(old, task.settings))
    for edge in plan.policies:
        old = stored.graph.edges[edge.source, edge.target, edge.id]["edge"].settings
        text = f"{edge.source}: {alter.in_words(old, edge.settings)}"
        found.setdefault(edge.target, []).append(text)
    return {name: "; ".join(texts) for name, texts in found.items()}


def _summary(plan: Plan, changed: int, source: str) -> str:
    tasks = sum(node.kind is NodeKind.TASK for node in plan.nodes)
    said = [f"{tasks} tasks and {len(plan.edges)} edges"] * bool(plan.nodes or plan.edges)
    said += [f"{changed} tasks changed"] * bool(changed)
    said += [f"labels and positions of {len(plan.eye)}"] * bool(plan.eye)
    return f"{', '.join(said) or 'the graph'}: from {source}"


def _recognised(
    stored: MetaTask, said: MetaTask, *, whole: bool
) -> tuple[MetaTask, tuple[Restored, ...], tuple[Finding, ...]]:
    """What was read in the terms of the stored Meta-Task; what a tool had lost on a trip of the whole."""
    if whole:
        found = recognise.recognise(stored, said)
        return found.metatask, found.restored, found.findings
    # A part that names no task of it is no other version of it: nothing of it is to be found again.
    known = any(node.name in stored.graph for node in said.nodes)
    found = recognise.recognise(stored if known else graph.copy_with(stored, (), ()), said)
    return found.metatask, (), tuple(one for one in found.findings if one.code == "merged-edge")


def _refuse(source: str, plan: Plan, answer: GraphAnswer) -> None:
    """Raise where an item is refused; with all such items, and how many others there are."""
    if not plan.refused:
        return
    others = len(plan.applied)
    rest = f" ({others} other item{'s' * (others != 1)} could be applied)" if others else ""
    message = f"{source} cannot be added to {answer.metatask}; nothing was changed{rest}:"
    fault: DeftError
    if all(one.by_state for one in plan.refused):
        lines = "\n  ".join(f"{diff.title(one.item)}: {one.why}" for one in plan.refused)
        fault = Refused(f"{message}\n  {lines}")
    else:
        fault = BadInput(
            message,
            [
                Finding("changes-task", f"{diff.title(one.item)}: {one.why}", subject=one.item.task)
                for one in plan.refused
            ],
        )
    fault.answer = answer
    raise fault


def _is_started(conn: Connection, metatask_id: int) -> bool:
    n = deft_node.c
    begun = sa.or_(n.armed == 1, n.state != "defined")
    query = sa.select(n.id).where(n.metatask_id == metatask_id, n.kind == "task", begun).limit(1)
    return conn.execute(query).first() is not None
