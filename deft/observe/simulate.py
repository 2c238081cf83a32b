"""What would happen from here on: the net played forward in memory, and why it stops where it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy.engine import Connection

from deft.access import roles
from deft.access.roles import Actor
from deft.base.errors import BadInput, NotFound, Refused
from deft.model import standing, words
from deft.model.board import Board
from deft.model.firing import Structure
from deft.model.simulation import ALL, Player, Round
from deft.model.tasks import Membership, State
from deft.observe import explain
from deft.observe.phrases import Tongue, counted, listed
from deft.observe.survey import Cause, Survey
from deft.store import external, selection, snapshot
from deft.store.selection import Selected
from deft.store.session import Session
from deft.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """What to play, and what is to be different.

    `hold`: tasks; `fail`: TASK or TASK=UNITS; `grow`: DATASET=UNITS; `start`: as if it were started first.
    """

    actor: Actor
    metatask: str
    hold: tuple[str, ...] = ()
    fail: tuple[str, ...] = ()
    grow: tuple[str, ...] = ()
    start: bool = False
    limit: int = explain.SHOWN


@dataclass(frozen=True, slots=True)
class Move:
    """One firing: the row, the state before and after, and why, in words."""

    task: str
    row: str
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class WorkLine:
    """What JEDI would do for a task in one round: units that become ok, and units that fail."""

    task: str
    ok: int
    failed: int


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One evaluation of the net, and the work that follows."""

    moves: tuple[Move, ...]
    work: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """A path and its end: the state of the Meta-Task and of each task, and what keeps it there."""

    metatask: str
    state: str
    says: str
    rounds: tuple[RoundLine, ...]
    states: dict[str, str]
    causes: tuple[Cause, ...]
    more: int
    notes: tuple[str, ...]


def simulate(session: Session, request: SimulateRequest) -> Simulation:
    """Play a Meta-Task forward from where it stands. Nothing is written.

    Raises NotFound with near names, BadInput, Refused where a task cannot be held.
    """
    roles.require(request.actor, "read")
    with session.reading() as conn:
        chosen = selection.resolve(conn, request.metatask)
        if not chosen.whole:
            raise BadInput(f"{request.metatask}: a whole Meta-Task is played, not single tasks")
        loaded = snapshot.load(conn, chosen.metatask_id)
        player = Player.at(loaded.structure, loaded.marking)
        _wish(conn, chosen, loaded, player, request)
        pending = snapshot.pending(conn, loaded)
        rounds = tuple(_line(loaded.structure, one) for one in player.play(pending))
        tongue = explain.tongue_of(conn, chosen, loaded, player.board)
    survey = Survey(tongue)
    survey.look(range(len(loaded.tasks)))
    causes, more = survey.causes(request.limit, serving=True)
    state = _state(loaded.structure, player.board)
    return Simulation(
        metatask=chosen.full_name,
        state=state,
        says=explain.summary(player.board, state, bool(causes)),
        rounds=rounds,
        states={tongue.task(n): mark.state for n, mark in enumerate(player.board.tasks)},
        causes=tuple(causes),
        more=more,
        notes=tuple(_notes(tongue, player)),
    )


# --- what is to be different -------------------------------------------------------------------------------


def _wish(
    conn: Connection, chosen: Selected, loaded: Snapshot, player: Player, request: SimulateRequest
) -> None:
    if request.start:
        for number, facts in enumerate(loaded.tasks):
            if facts.arms:
                player.command(number, "start")
    positions = {task.name: number for number, task in enumerate(loaded.structure.tasks)}
    for name in request.hold:
        task = _find(chosen, positions, name)
        if not player.command(task, "hold") and not player.board.tasks[task].hold:
            raise Refused(f"{name} has ended; there is nothing to hold")
    for wish in request.fail:
        name, units = _numbered(wish, "--fail TASK=UNITS")
        player.fails[_find(chosen, positions, name)] = ALL if units is None else units
    datasets = {facts.id: number for number, facts in enumerate(loaded.data)}
    for wish in request.grow:
        name, units = _numbered(wish, "--grow DATASET=UNITS")
        if units is None:
            raise BadInput(f"--grow {wish}: write DATASET=UNITS")
        found = external.find(conn, chosen.metatask_id, chosen.full_name, name)
        if found.membership is Membership.RETIRED:
            raise Refused(f"{found.name} is retired, and takes nothing more")
        player.grow(datasets[found.id], units)


def _numbered(wish: str, form: str) -> tuple[str, int | None]:
    name, sign, number = wish.partition("=")
    if not sign:
        return name, None
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise BadInput(f"{wish!r} is not of the form {form}")
    return name, int(number)


def _find(chosen: Selected, positions: dict[str, int], name: str) -> int:
    short = name.rpartition("/")[2]
    if short not in positions:
        near = get_close_matches(short, list(positions), 3) or list(positions)[:8]
        raise NotFound(f"{chosen.full_name} has no task {name!r}; near: {', '.join(near)}")
    return positions[short]


# --- what came of it ---------------------------------------------------------------------------------------


def _line(structure: Structure, one: Round) -> RoundLine:
    names = structure.tasks
    moves = (
        Move(names[s.task].name, s.row.name, s.old, s.new, words.of(s.row.name).because) for s in one.steps
    )
    work = (WorkLine(names[w.task].name, w.ok, w.failed) for w in one.work)
    return RoundLine(tuple(moves), tuple(work))


def _state(structure: Structure, board: Board) -> str:
    """The state of the Meta-Task, as `store.standing` would derive it."""
    growing = {
        task
        for dataset, mark in enumerate(board.datasets)
        if structure.producers[dataset] < 0 and mark.membership in (Membership.DECLARED, Membership.OPEN)
        for task in structure.readers[dataset]
    }
    return standing.word(
        Counter(mark.state for mark in board.tasks),
        held=bool(board.metatask_hold),
        armed=any(mark.armed for mark in board.tasks),
        expecting=any(
            board.tasks[task].state == State.WAITING and not board.tasks[task].hold for task in growing
        ),
    )


def _notes(tongue: Tongue, player: Player) -> Sequence[str]:
    assumed = [tongue.dataset(dataset) for dataset in sorted(player.assumed)]
    found = []
    if assumed:
        data = tongue.snapshot.data
        units = {player.board.data_seen[one].available for one in player.assumed}
        name = data[min(player.assumed)].entry or data[min(player.assumed)].name
        what = counted(units.pop(), 0) if len(units) == 1 else "some units"
        found.append(
            f"{listed(assumed)} was never listed, and is taken to hold {what}; --grow {name}=N says how many"
        )
    if player.endless:
        found.append("it goes round and would never end; this is a fault of the net, please report it")
    return found
