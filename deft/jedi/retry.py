"""Outcome of an attempt -> again or give up: a table read top down, pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import NamedTuple

from deft.jedi.jobs import Ending, Fed, Result

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """All that the table looks at. `attempts` and `losses` count this outcome already."""

    ending: Ending
    attempts: int
    losses: int
    max_attempts: int
    max_losses: int
    asked: bool = False  # we asked for the end of this attempt
    skipping: bool = False  # abort, or a hard finish, is in force
    outside: bool = False  # neither we nor a machine ended it: somebody did
    grown: bool = False  # it had asked for more than its task does


class Verdict(NamedTuple):
    """What becomes of the units, and what moves the job; see net.py.

    `memory`, `time`: so many times what it had asked for is what it asks for next time.
    """

    units: Fed
    event: str
    memory: float = 1.0
    time: float = 1.0


class Rule(NamedTuple):
    """One line: it speaks for the endings named (empty: for all), where every word of `when` holds."""

    endings: frozenset[Ending]
    when: str
    verdict: Verdict


def _rule(endings: str, when: str, units: Fed, event: str, *, memory: float = 1.0, time: float = 1.0) -> Rule:
    return Rule(frozenset(map(Ending, endings.split())), when, Verdict(units, event, memory, time))


RULES: tuple[Rule, ...] = (
    _rule("ok", "", Fed.OK, "succeed"),
    _rule("cancelled revoked lost wrapper node preempted launch refused", "skipping", Fed.SKIPPED, "cancel"),
    _rule("revoked", "", Fed.READY, "again"),
    _rule("cancelled", "asked", Fed.READY, "again"),
    _rule("cancelled", "outside", Fed.FAILED, "kill"),  # somebody does not want it: no second time
    _rule("refused", "grown", Fed.FAILED, "fail"),  # more than there is anywhere
    _rule("refused", "", Fed.READY, "again"),  # once its task, which is rejected, has been mended
    _rule("preempted", "", Fed.READY, "again"),
    _rule("cancelled lost wrapper node launch", "losses-left", Fed.READY, "again"),
    _rule("cancelled lost wrapper node launch", "", Fed.FAILED, "lose"),
    _rule("no-space", "", Fed.FAILED, "fail"),  # the next attempt would find the disk as full
    _rule("", "skipping", Fed.SKIPPED, "cancel"),
    _rule("memory", "attempts-left", Fed.READY, "again", memory=1.5),
    _rule("timeout", "attempts-left", Fed.READY, "again", time=1.5),
    _rule("", "attempts-left", Fed.READY, "again"),
    _rule("timeout signal memory", "", Fed.FAILED, "kill"),
    _rule("", "", Fed.FAILED, "fail"),
)

LOSSES = frozenset({Ending.LOST, Ending.WRAPPER, Ending.NODE, Ending.LAUNCH})
FREE = LOSSES | {Ending.OK, Ending.REVOKED, Ending.CANCELLED, Ending.PREEMPTED, Ending.REFUSED}


def charges(ending: Ending) -> bool:
    """Whether an outcome counts as an attempt of its units."""
    return ending not in FREE


def loses(ending: Ending, *, asked: bool) -> bool:
    """Whether it counts as a loss: through no fault of the job, and not by our will."""
    return ending in LOSSES or (ending is Ending.CANCELLED and not asked)


def judge(case: Case) -> Verdict:
    """The first rule that speaks for this case."""
    holds = {
        "": True,
        "asked": case.asked,
        "skipping": case.skipping,
        "outside": case.outside,
        "grown": case.grown,
        "losses-left": case.losses <= case.max_losses,
        "attempts-left": case.attempts < case.max_attempts,
    }
    return next(r.verdict for r in RULES if holds[r.when] and (not r.endings or case.ending in r.endings))


def words(result: Result) -> str:
    """What an attempt ended with, in plain words."""
    said = f": {result.message}" if result.message else ""
    match result.ending:
        case Ending.EXIT:
            return f"exit code {result.exit_code}{said}"
        case Ending.SIGNAL:
            return f"killed by {_signal(result.signal)}{said}"
        case Ending.OK | Ending.LOST | Ending.REVOKED | Ending.CANCELLED:
            return str(result.ending) + said
        case _:
            return result.message or str(result.ending)


def _signal(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"
