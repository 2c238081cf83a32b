"""Why a Meta-Task or a task is where it is: what is missing, who brings it, what the net would do then."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base import plugin
from deft.base.errors import BadInput
from deft.base.plugin import Request
from deft.model.analysis import JEDIS, Finding
from deft.model.firing import Places
from deft.model.tasks import ENDED, State
from deft.observe.phrases import Tongue
from deft.observe.survey import Cause, Survey
from deft.store import holds, selection, snapshot, standing
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.snapshot import Snapshot

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a Meta-Task, or one `task` of it, is where it is.

    `needs`: what the task wants of its inputs and does not have; `once`: what it does when all came.
    `causes`: what is at the bottom of it, the one that blocks most first; `more` are not shown.
    """

    metatask: str
    task: str | None
    state: str
    says: str
    needs: tuple[str, ...]
    once: str
    causes: tuple[Cause, ...]
    more: int = 0


def explain(session: Session, actor: Actor, text: str, limit: int = SHOWN) -> Explanation:
    """Explain a Meta-Task, or one task. Raises NotFound with near names, BadInput for several."""
    roles.require(actor, "read")
    with session.reading() as conn:
        chosen = selection.resolve(conn, text)
        if not chosen.whole and len(chosen.node_ids) != 1:
            raise BadInput(f"{text} names {len(chosen.node_ids)} tasks: explain one, or the whole Meta-Task")
        if chosen.whole:
            loaded = snapshot.load(conn, chosen.metatask_id)
        else:
            loaded = snapshot.load_above(conn, chosen.metatask_id, chosen.node_ids)
        tongue = tongue_of(conn, chosen, loaded, loaded.marking)
        state = standing.of(conn, [chosen.metatask_id])[chosen.metatask_id].state
    survey = Survey(tongue)
    if chosen.whole:
        survey.look(range(len(loaded.tasks)))
        return _of_metatask(survey, chosen, state, limit, serving=_serving(session, actor, survey))
    (task,) = (n for n, facts in enumerate(loaded.tasks) if facts.id == chosen.node_ids[0])
    survey.look_above(task)
    return _of_task(survey, chosen, task, limit, serving=_serving(session, actor, survey))


def tongue_of(conn: Connection, chosen: Selected, loaded: Snapshot, places: Places) -> Tongue:
    """Words for a Meta-Task; short of its project where its name is unique."""
    in_force = holds.controls_in_force(conn, chosen.metatask_id, ("hold", "abort"))
    name = chosen.name if selection.is_unique(conn, chosen.name) else chosen.full_name
    return Tongue(name, loaded, places, in_force)


def _serving(session: Session, actor: Actor, survey: Survey) -> bool:
    """Whether a JEDI serves this database; asked only where anything waits for it."""
    if not any(one.kind in JEDIS for one in survey.groups):
        return True
    command = plugin.find("jedi", "status")
    if command is None:
        return True
    answer = plugin.function(command.run)(
        Request(actor.name, session.annex_engine, session.clock, session.settings)
    )
    return bool(answer.facts.get("served", True))


def _of_metatask(survey: Survey, chosen: Selected, state: str, limit: int, *, serving: bool) -> Explanation:
    causes, more = survey.causes(limit, serving=serving)
    says = summary(survey.tongue.places, state, any(not one.passing for one in causes))
    return Explanation(chosen.full_name, None, state, says, (), "", tuple(causes), more)


def summary(places: Places, state: str, blocked: bool) -> str:
    """A Meta-Task's state, and how many of its tasks have ended."""
    ended = sum(mark.state in ENDED for mark in places.tasks)
    free = "" if blocked else "; nothing blocks it"
    return f"{state}: {ended} of {len(places.tasks)} tasks have ended{free}"


def _of_task(survey: Survey, chosen: Selected, task: int, limit: int, *, serving: bool) -> Explanation:
    tongue = survey.tongue
    found = survey.findings[task]
    causes, more = survey.causes(limit, serving=serving)
    state = tongue.places.tasks[task].state
    return Explanation(
        metatask=chosen.full_name,
        task=tongue.task(task),
        state=state,
        says=_says(tongue, task, found),
        needs=tuple(tongue.needs(edge) for edge in found.waits[:limit]),
        once=survey.once(task) if found.waits else "",
        causes=tuple(causes),
        more=more,
    )


def _says(tongue: Tongue, task: int, found: Finding) -> str:
    state = State(tongue.places.tasks[task].state)
    if state is State.RUNNING:
        return tongue.at_work(task).partition(" is ")[2]
    if state is State.DONE:
        return "done; nothing blocks it"
    if state is State.FINISHED:
        return f"finished, within its goal{tongue.reason(task)}"
    if not found.own and not found.waits:
        return f"{state.value}{tongue.reason(task)}"
    return state.value + (tongue.reason(task) if state in ENDED or state is State.EXHAUSTED else "")
