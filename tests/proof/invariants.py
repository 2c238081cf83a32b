"""What must hold in every reachable marking, at every step, and from every quiet one: I1 to I10."""

from __future__ import annotations

from deft.model.firing import Marking
from deft.model.net import AUTOMATIC
from deft.model.tasks import ENDED
from tests.proof.executor import AVAILABLE, LOST, NONE, OK, Event, Jedi
from tests.proof.search import Command, Move, State, Violation, World

_STICKY_ENDED_BY = {
    "abort": {"retry", "reset", "recover-consumers"},
    "finish": {"retry", "reset", "recover-consumers", "abort"},
}
_AUTOMATIC = {row.name for row in AUTOMATIC}
_DONE_CLEARS = {"finalize-done", "promote"}


def at_every_step(world: World, move: Move) -> None:
    """I1, I4, I6, I9, I10 of a step, and what holds in the marking after it."""
    _nothing_starts_under_hold(world, move)
    _done_after_parents(world, move)
    _controls_stick(world, move)
    _starts_were_met(world, move)
    _retired_stays(move)
    in_every_marking(world, move.after)


def steps_apart(world: World, move: Move) -> None:
    """What holds of a step even where reports lag: I4, I5, I6, I10, and no firing under hold."""
    for one in move.fired:
        if one.row.name in _AUTOMATIC and held(move.after.marking, one.task):
            raise Violation(f"I1: {one.row.name} of t{one.task} fired under hold")
    _done_after_parents(world, move)
    _controls_stick(world, move)
    _retired_stays(move)
    _open_while_running(world, move.after.marking)


def in_every_marking(world: World, state: State) -> None:
    """I2, I3, I5."""
    marking, jedi, s = state.marking, state.jedi, world.structure
    _open_while_running(world, marking)
    for t, mark in enumerate(marking.tasks):
        for e in world.machine.primaries[t]:
            for u, row in enumerate(jedi.rows[e]):
                if row == OK:
                    made = world.machine.output_unit(t, e, u)
                    if any(jedi.units[d][made] == NONE for d in s.outputs[t]):
                        raise Violation(f"I3: row {u} of t{t} is ok and has no output")
        if mark.state == "done" and not held(marking, t) and not (mark.finish or mark.abort):
            _done_is_whole(world, state, t)


def _open_while_running(world: World, marking: Marking) -> None:
    for t, mark in enumerate(marking.tasks):
        for d in world.structure.outputs[t]:
            membership = marking.datasets[d].membership
            if (membership == "open") != (mark.state == "running"):
                raise Violation(f"I5: t{t} is {mark.state} and its output {membership}")


def _done_is_whole(world: World, state: State, t: int) -> None:
    marking, s = state.marking, world.structure
    for e in s.inputs[t]:
        policies = s.policies[e]
        d = s.edges[e].dataset
        membership = marking.datasets[d].membership
        if membership == "retired" or any(marking.datasets[o].membership == "retired" for o in s.outputs[t]):
            continue
        # What an edge ignores, or an operator must ask for, may lie there unprocessed.
        if policies["on_growth"] == "process" and policies["role"] == "primary":
            if marking.edges_seen[e].reported_unfed:
                raise Violation(f"I2: t{t} is done and {marking.edges_seen[e].reported_unfed} units wait")
            if membership not in ("closed", "retired") and s.producers[d] >= 0:
                raise Violation(f"I2: t{t} is done and its input is {membership}")


def held(marking: Marking, t: int) -> bool:
    """Whether a task is on hold, by itself or with its Meta-Task."""
    return bool(marking.metatask_hold or marking.tasks[t].hold)


def _nothing_starts_under_hold(world: World, move: Move) -> None:
    for one in move.fired:
        if one.row.name in _AUTOMATIC and held(move.after.marking, one.task):
            raise Violation(f"I1: {one.row.name} of t{one.task} fired under hold")
    if isinstance(move.step, Event):
        for t in range(world.graph.tasks):
            if held(move.before.marking, t):
                if move.step.kind == "begin" and world.structure.edges[move.step.at].target == t:
                    raise Violation(f"I1: a job of t{t} starts under hold")
                if move.before.marking.tasks[t] != move.after.marking.tasks[t]:
                    raise Violation(f"I1: t{t} changes under hold: {move.before.marking.tasks[t]}")


def _done_after_parents(world: World, move: Move) -> None:
    for one in move.fired:
        if one.row.state == "done" and one.row.name != "no-input-allowed":
            for e in world.structure.inputs[one.task]:
                producer = world.structure.producers[world.structure.edges[e].dataset]
                # At the end of the evaluation: a parent that reopens in it takes its child along.
                if producer >= 0 and move.after.marking.tasks[one.task].state == "done":
                    state = move.after.marking.tasks[producer].state
                    if state != "done":
                        raise Violation(f"I4: t{one.task} became done under t{producer}, which is {state}")


def _controls_stick(world: World, move: Move) -> None:
    done = {one.task for one in move.fired if one.row.name in _DONE_CLEARS}
    for t, (old, new) in enumerate(zip(move.before.marking.tasks, move.after.marking.tasks, strict=True)):
        for control, verbs in _STICKY_ENDED_BY.items():
            by_verb = isinstance(move.step, Command) and move.step.verb in verbs
            if getattr(old, control) and not getattr(new, control) and not by_verb and t not in done:
                raise Violation(f"I6: {control} of t{t} is gone after {move.step}")


def _starts_were_met(world: World, move: Move) -> None:
    for one in move.fired:
        if one.row.start:
            forced = move.before.marking.tasks[one.task].force or (
                isinstance(move.step, Command) and move.step.verb == "force"
            )
            if not forced and not _was_met(world, move, one.task):
                raise Violation(f"I9: t{one.task} started and its start was not met")


def _was_met(world: World, move: Move, t: int) -> bool:
    """By counting units, not by the words of the net."""
    s, after = world.structure, move.after
    some_primary = False
    for e in s.inputs[t]:
        d, policies = s.edges[e].dataset, s.policies[e]
        there = after.jedi.units[d].count(AVAILABLE)
        some_primary = some_primary or (policies["role"] == "primary" and there > 0)
        producer = s.producers[d]
        state = "none" if producer < 0 else after.marking.tasks[producer].state
        whole = after.marking.datasets[d].membership == "closed" and (
            state in ("none", "done", "finished")
            or (state == "aborted" and policies["on_abort"] == "use_partial")
        )
        lost = LOST in after.jedi.units[d] and policies["on_loss"] == "wait"
        if whole and not lost:
            continue
        amount = int(policies["start_amount"])
        kind = policies["start_kind"] if policies["role"] == "primary" else "complete"
        enough = (kind == "count" and there >= amount) or (
            kind == "percent" and there * 100 >= amount * world.machine.size[d]
        )
        if not enough:
            return False
    return some_primary


def _retired_stays(move: Move) -> None:
    for old, new in zip(move.before.marking.datasets, move.after.marking.datasets, strict=True):
        if old.membership == "retired" != new.membership:
            raise Violation("I10: a retired dataset came back")


# --- quiet markings ----------------------------------------------------------------------------------------


def in_quiet(world: World, state: State) -> None:
    """I7: every task has ended, is exhausted, held, disarmed, or waits for something that has a name."""
    marking = state.marking
    for t, mark in enumerate(marking.tasks):
        if mark.state in ENDED or mark.state == "exhausted" or held(marking, t) or not mark.armed:
            continue
        if not _awaited(world, state, t):
            raise Violation(f"I7: t{t} is {mark.state}, nothing moves, and what it waits for has no name")


def _awaited(world: World, state: State, t: int) -> list[str]:
    """What a task waits for: an input that is not whole, or lost units."""
    s, marking = world.structure, state.marking
    found = []
    for e in s.inputs[t]:
        d = s.edges[e].dataset
        producer = s.producers[d]
        if marking.datasets[d].membership in ("open", "declared"):
            found.append(f"{marking.datasets[d].membership} dataset {d}")
        if LOST in state.jedi.units[d]:
            found.append(f"lost units of {d}")
        if marking.datasets[d].membership == "retired":
            found.append(f"retired dataset {d}")
        if producer >= 0 and marking.tasks[producer].state in ("failed", "aborted", "broken", "exhausted"):
            found.append(f"t{producer}, which is {marking.tasks[producer].state}")
    return found


class Recipe:
    """I8: from every quiet marking operators bring every task to done, while the data exist.

    A fixed recipe: resume all, close what is open, then again and again from the top: recover what is lost,
    retry what ended short, start what was never started; every job is ok.
    """

    def __init__(self) -> None:
        self._good: dict[int, set[tuple[Marking, Jedi]]] = {}

    def __call__(self, world: World, state: State) -> None:
        """Raise Violation where the recipe does not help."""
        in_quiet(world, state)
        good = self._good.setdefault(id(world), set())
        visited: list[tuple[Marking, Jedi]] = []
        now = state._replace(losses=0, commands=0)
        for _ in range(_ROUNDS):
            if (now.marking, now.jedi) in good or self._all_done(world, now):
                good.update(visited)
                return
            visited.append((now.marking, now.jedi))
            before = now
            now = self._round(world, now)
            if now == before:
                break
        raise Violation(f"I8: operators cannot bring it to done; they end at {now}")

    def _all_done(self, world: World, state: State) -> bool:
        return all(
            mark.state == "done" or _is_retired(world, state.marking, t)
            for t, mark in enumerate(state.marking.tasks)
        )

    def _round(self, world: World, state: State) -> State:
        for command in [Command("resume"), *(Command("resume", t) for t in range(world.graph.tasks))]:
            state = _try(world, state, command)
        state = _bring_back(world, state)
        state = run(world, state)
        for t in range(world.graph.tasks):
            for verb in ("start", "recover", "retry"):
                state = run(world, _try(world, state, Command(verb, t)))
        for d in world.structure.listed:
            state = _try(world, state, Command("close", d))
        # What neither brought to its end stands under a finish that came too soon: end it, then retry.
        for t, mark in enumerate(state.marking.tasks):
            if mark.state == "running" and mark.finish:
                state = _try(world, state, Command("abort", t))
        return run(world, state)


_ROUNDS = 10


def _is_retired(world: World, marking: Marking, t: int) -> bool:
    s = world.structure
    near = [s.edges[e].dataset for e in s.inputs[t]] + s.outputs[t]
    above = [s.producers[d] for d in near if s.producers[d] >= 0 and s.producers[d] != t]
    own = any(marking.datasets[d].membership == "retired" for d in near)
    return own or any(_is_retired(world, marking, a) for a in above)


def _try(world: World, state: State, command: Command) -> State:
    move = world.command(state, command)
    return state if move is None else move.after._replace(commands=0)


def _bring_back(world: World, state: State) -> State:
    """The files of external datasets that vanished are given again, and empty ones filled."""
    for d, units in enumerate(state.jedi.units):
        if world.structure.producers[d] < 0:
            for u, unit in enumerate(units):
                if unit == LOST:
                    state = world.happen(state, Event("return", d, u)).after
            if AVAILABLE not in units and LOST not in units:
                state = _try(world, state, Command("augment", d))
    return state


def run(world: World, state: State) -> State:
    """Let the executor work until it has nothing to do; every job is ok."""
    while True:
        events = [e for e in world.machine.events(state.jedi) if e.kind in ("begin", "succeed")]
        if not events:
            return state
        state = world.happen(state, events[0]).after
