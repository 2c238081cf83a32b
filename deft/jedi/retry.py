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


class Verdict(NamedTuple):
    """What becomes of the units, and what moves the job; see net.py."""

    units: Fed
    event: str


class Rule(NamedTuple):
    """One line: it speaks for the endings named (empty: for all), where every word of `when` holds."""

    endings: frozenset[Ending]
    when: str
    verdict: Verdict


def _rule(endings: str, when: str, units: Fed, event: str) -> Rule:
    return Rule(frozenset(map(Ending, endings.split())), when, Verdict(units, event))


RULES: tuple[Rule, ...] = (
    _rule("ok", "", Fed.OK, "succeed"),
    _rule("cancelled revoked lost wrapper", "skipping", Fed.SKIPPED, "cancel"),
    _rule("revoked", "", Fed.READY, "again"),
    _rule("cancelled", "asked", Fed.READY, "again"),
    _rule("cancelled lost wrapper", "losses-left", Fed.READY, "again"),
    _rule("cancelled lost wrapper", "", Fed.FAILED, "lose"),
    _rule("no-space", "", Fed.FAILED, "fail"),  # the next attempt would find the disk as full
    _rule("", "skipping", Fed.SKIPPED, "cancel"),
    _rule("", "attempts-left", Fed.READY, "again"),
    _rule("timeout signal", "", Fed.FAILED, "kill"),
    _rule("", "", Fed.FAILED, "fail"),
)

FREE = frozenset({Ending.OK, Ending.REVOKED, Ending.CANCELLED, Ending.LOST, Ending.WRAPPER})


def charges(ending: Ending) -> bool:
    """Whether an outcome counts as an attempt of its units."""
    return ending not in FREE


def loses(ending: Ending, *, asked: bool) -> bool:
    """Whether it counts as a loss: through no fault of the job, and not by our will."""
    return ending in (Ending.LOST, Ending.WRAPPER) or (ending is Ending.CANCELLED and not asked)


def judge(case: Case) -> Verdict:
    """The first rule that speaks for this case."""
    holds = {
        "": True,
        "asked": case.asked,
        "skipping": case.skipping,
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
