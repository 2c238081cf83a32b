"""Why a task is where it is: the parts of its guard that do not hold, and who must bring each of them.

Asked of the net itself: the guard of the row that would take a task on is taken apart down to words that
people know (`met`, `held`, `armed` …); each part that does not hold is an atom, of the task or of one of its
inputs. From the atoms follow its blockers, and the producers it waits for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from deft.base.guards import (
    Among,
    Choice,
    Compare,
    Const,
    Expr,
    Junction,
    Not,
    Over,
    Sum,
    Token,
    Tokens,
    compiled,
)  # fmt: skip
from deft.model import board
from deft.model.firing import Places, Structure
from deft.model.net import AUTOMATIC, VOCABULARY, WORDS, row
from deft.model.tasks import State


class Atom(NamedTuple):
    """A part of a guard that does not hold: its word, or the token it is about; of which input or output.

    `item` is the position among the task's inputs or outputs, -1 for what is of the task itself.
    """

    word: str
    scope: str
    item: int = -1


# Words that are not taken apart further: what they lack is told from the tokens.
KNOWN = {"task": ("supplied", "order_applied"), "inputs": ("met", "spent", "order_seen"), "outputs": ()}


@cache
def _names() -> dict[Expr, tuple[str, str]]:
    return {
        VOCABULARY.parse(WORDS[scope][word], scope): (word, scope)
        for scope, words in KNOWN.items()
        for word in words
    }


Question = Callable[[Tokens, Any], Iterator[Atom]]
"""The atoms that do not hold on the tokens of a task (and of one item)."""


def missing(guard: str, tokens: Tokens) -> list[Atom]:
    """The parts of a guard that do not hold; none where it does."""
    return list(_question_of(guard)(tokens, None))


@cache
def _question_of(guard: str) -> Question:
    return _question(VOCABULARY.parse(guard), wanted=True)


def _question(expr: Expr, *, wanted: bool) -> Question:
    name = _names().get(expr)
    if name is not None:
        return _leaf(expr, *name, wanted=wanted)
    match expr:
        case Not(of):
            return _question(of, wanted=not wanted)
        case Junction(word, parts):
            asked = [_question(part, wanted=wanted) for part in parts]
            return _all(asked) if (word == "and") is wanted else _any(asked)
        case Over("every" | "some" as word, collection, body):
            inner = _question(body, wanted=wanted)
            return _each(collection, inner, all_of_them=(word == "every") is wanted)
    token = next(_tokens(expr), Token("task", "state", "word"))
    return _leaf(expr, token.name, token.scope, wanted=wanted)


def _leaf(expr: Expr, word: str, scope: str, *, wanted: bool) -> Question:
    holds = compiled(expr)

    def ask(tokens: Tokens, item: Any) -> Iterator[Atom]:
        if bool(holds(tokens, item)) is not wanted:
            yield Atom(word, scope)

    return ask


def _all(parts: Sequence[Question]) -> Question:
    def ask(tokens: Tokens, item: Any) -> Iterator[Atom]:
        for part in parts:
            yield from part(tokens, item)

    return ask


def _any(parts: Sequence[Question]) -> Question:
    """Each of them would do: none is missing where one holds, else all are."""

    def ask(tokens: Tokens, item: Any) -> Iterator[Atom]:
        found = [list(part(tokens, item)) for part in parts]
        if all(found):
            yield from (atom for atoms in found for atom in atoms)

    return ask


def _each(collection: str, inner: Question, *, all_of_them: bool) -> Question:
    def ask(tokens: Tokens, _: Any) -> Iterator[Atom]:
        found = [list(inner(tokens, item)) for item in tokens[collection]]
        if all_of_them or all(found):
            for number, atoms in enumerate(found):
                yield from (
                    atom._replace(item=number) if atom.scope == collection else atom for atom in atoms
                )
        if not all_of_them and not found:
            yield Atom(collection, "task")

    return ask


def _tokens(expr: Expr) -> Iterator[Token]:
    match expr:
        case Token():
            yield expr
        case Const():
            return
        case Not(of) | Over(_, _, of) | Among(of, _):
            yield from _tokens(of)
        case Junction(_, parts):
            for part in parts:
                yield from _tokens(part)
        case Compare(_, left, right) | Sum(_, left, right):
            yield from (*_tokens(left), *_tokens(right))
        case Choice(test, then, other):
            yield from (*_tokens(test), *_tokens(then), *_tokens(other))


# --- blockers ----------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What stands in the way of a task, or what it waits for."""

    METATASK_HOLD = "metatask-hold"
    HOLD = "hold"
    UNARMED = "not-armed"
    INCOMPLETE = "no-command"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    ABORTED = "aborted"
    BROKEN = "broken"
    RETIRED = "retired"
    LOST = "lost"
    EMPTY = "empty"
    OPEN = "open"
    SHORT = "short"
    UNLISTED = "not-listed"
    UNAPPLIED = "order-not-applied"
    WORKING = "working"
    DUE = "due"


# They go away without anybody doing anything, where JEDI and the sweep run.
PASSING = frozenset({Kind.UNLISTED, Kind.UNAPPLIED, Kind.WORKING, Kind.DUE})
JEDIS = frozenset({Kind.UNLISTED, Kind.UNAPPLIED, Kind.WORKING})


class Blocker(NamedTuple):
    """One thing that must go or come, and where it sits: a task, a dataset, or (neither) the Meta-Task."""

    kind: Kind
    task: int = -1
    dataset: int = -1


@dataclass(slots=True)
class Finding:
    """What one task lacks itself, and the edges by which it waits for a producer that has not ended well."""

    own: list[Blocker] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)


# The guards that would take a task on.
_ON = {
    State.DEFINED: row("ready").guard,
    State.WAITING: row("start").guard,
    State.RUNNING: "not held and ending",
}
_ABORTING = "not held and ready_to_end"
_ENDS = {
    State.EXHAUSTED: Kind.EXHAUSTED,
    State.FAILED: Kind.FAILED,
    State.ABORTED: Kind.ABORTED,
    State.BROKEN: Kind.BROKEN,
}
_CONTROLS = {
    "metatask_hold": Kind.METATASK_HOLD,
    "hold": Kind.HOLD,
    "armed": Kind.UNARMED,
    "complete": Kind.INCOMPLETE,
}
_AT_WORK = ("idle", "ready", "running", "seen_version")


def find(structure: Structure, places: Places, task: int) -> Finding:
    """What keeps a task where it is; nothing of one that is done, or finished within its goal."""
    state = State(places.tasks[task].state)
    if state in (State.DONE, State.FINISHED):
        return Finding()
    found = Finding()
    if state in _ENDS:
        orphaned = [edge for edge in structure.inputs[task] if _is_orphan(structure, places, edge)]
        if orphaned and not places.tasks[task].started:
            return Finding([], orphaned)
        if places.metatask_hold and state is State.EXHAUSTED:
            found.own.append(Blocker(Kind.METATASK_HOLD))
        if places.tasks[task].hold:
            found.own.append(Blocker(Kind.HOLD, task))
        found.own.append(Blocker(_ENDS[state], task))
        return found
    tokens = structure.tokens(places, task)
    guard = _ABORTING if tokens["abort"] else _ON[state]
    for atom in (atoms := missing(guard, tokens)):
        _note(found, structure, task, tokens, atom)
    lacks = {atom.word for atom in atoms}
    if "supplied" in lacks and "met" not in lacks:
        _note_supply(found, structure, task, tokens)
    if state is State.DEFINED:  # what it will wait for then
        found.waits += _unmet(structure, task, tokens)
    held = any(one.kind in (Kind.HOLD, Kind.METATASK_HOLD) for one in found.own)
    found.own = [one for one in dict.fromkeys(found.own) if not (held and one.kind is Kind.WORKING)]
    found.waits = list(dict.fromkeys(found.waits))
    if all(one.kind is Kind.EMPTY for one in found.own) and (state is State.DEFINED or not found.waits):
        _look_for_others(found, structure, places, task)
    return found


def _unmet(structure: Structure, task: int, tokens: Tokens) -> list[int]:
    """The inputs whose producer must end first."""
    atoms = missing("every(inputs, met)", tokens)
    unmet = [atom.item for atom in atoms if _lack(tokens["inputs"][atom.item], is_fed=False) is None]
    return [structure.inputs[task][number] for number in unmet]


def _is_orphan(structure: Structure, places: Places, edge: int) -> bool:
    """Whether its producer failed or was aborted: one that never started ended with it."""
    producer = structure.producers[structure.edges[edge].dataset]
    return producer >= 0 and places.tasks[producer].state in (State.FAILED, State.ABORTED)


def _look_for_others(found: Finding, structure: Structure, places: Places, task: int) -> None:
    """Nothing is missing, or nothing but data that nobody makes: another row may be about to fire."""
    if board.enabled(structure, places, task, AUTOMATIC) is not None:
        found.own = [Blocker(Kind.DUE, task)]
    elif not found.own:
        found.own = [Blocker(Kind.WORKING, task)]


def _note(found: Finding, structure: Structure, task: int, tokens: Tokens, atom: Atom) -> None:
    if atom.word in _CONTROLS:
        whose = -1 if atom.word == "metatask_hold" else task
        found.own.append(Blocker(_CONTROLS[atom.word], whose))
    elif atom.word == "order_applied":
        found.own.append(Blocker(Kind.UNAPPLIED, task))
    elif atom.word == "rejected":
        found.own.append(Blocker(Kind.DUE, task))
    elif atom.word in _AT_WORK:
        found.own.append(Blocker(Kind.WORKING, task))
    elif atom.scope == "inputs":
        _note_input(found, structure, task, tokens, atom)


def _note_supply(found: Finding, structure: Structure, task: int, tokens: Tokens) -> None:
    """No unit on any primary input, though they are met, or need not be."""
    for number, edge in enumerate(structure.inputs[task]):
        if tokens["inputs"][number]["role"] != "secondary":
            before = len(found.own)
            _note_input(found, structure, task, tokens, Atom("met", "inputs", number))
            if found.own[before:] == [Blocker(Kind.WORKING, task)]:  # nothing more comes
                found.own[before:] = [Blocker(Kind.EMPTY, task, structure.edges[edge].dataset)]


def _note_input(found: Finding, structure: Structure, task: int, tokens: Tokens, atom: Atom) -> None:
    edge = structure.inputs[task][atom.item]
    one = tokens["inputs"][atom.item]
    kind = _lack(one, is_fed=bool(tokens["started"]))
    if kind is None:
        found.waits.append(edge)
    elif kind is Kind.WORKING:
        found.own.append(Blocker(kind, task))
    else:
        found.own.append(Blocker(kind, -1, structure.edges[edge].dataset))


def _lack(one: Tokens, *, is_fed: bool) -> Kind | None:
    """What an input lacks; None where its producer must end first."""
    if one["membership"] == "retired":
        return Kind.RETIRED
    if one["dataset_order_seq"] != one["dataset_order_seq_applied"]:
        return Kind.UNLISTED
    if one["producer"] not in ("none", "done", "finished"):
        return None
    missing_units = one["reported_missing"] if is_fed else one["lost"]
    if missing_units and one["on_loss"] != "proceed":
        return Kind.LOST
    if one["membership"] == "declared":
        return Kind.UNLISTED
    if one["membership"] == "open":
        return Kind.SHORT if one["start_kind"] != "complete" and not is_fed else Kind.OPEN
    return Kind.WORKING


# --- how much each blocks ----------------------------------------------------------------------------------

_CHUNK = 4096


def reach(followers: Sequence[Collection[int]], groups: Sequence[Collection[int]]) -> list[int]:
    """How many tasks can be reached from each group, itself among them.

    `followers[t]`: the tasks that wait for t; all of them come after it. Sets of tasks are the bits of whole
    numbers, some thousands at a time.
    """
    found = [0] * len(groups)
    size = len(followers)
    for first in range(0, size, _CHUNK):
        last = min(size, first + _CHUNK)
        below = [0] * size
        for task in range(last - 1, -1, -1):
            bits = 1 << (task - first) if task >= first else 0
            for follower in followers[task]:
                bits |= below[follower]
            below[task] = bits
        for number, group in enumerate(groups):
            bits = 0
            for task in group:
                bits |= below[task]
            found[number] += bits.bit_count()
    return found
