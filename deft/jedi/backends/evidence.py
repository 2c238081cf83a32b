"""What became of an attempt on a batch system: its folder and the word of the system, one rule a case.

The folder comes first: what its wrapper wrote is true whatever the queue says. The queue explains what the
wrapper could not: who ended it, and why. Where neither says anything, the claim tells whether it ever began.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deft.jedi import claims
from deft.jedi.jobs import Ending, Flight, Result

MEMORY_LINE = re.compile(r"StepId=(\d+)\.\S* exceeded memory limit", re.IGNORECASE)
OUTSIDE = "cancelled by somebody else"
_TAIL = 65536
# What the word of the system may correct of what the wrapper wrote: it sees a signal, not who sent it.
_CORRECTED = frozenset({Ending.SIGNAL, Ending.CANCELLED, Ending.EXIT, Ending.NO_OUTPUT, Ending.TIMEOUT})
_WORDS: Mapping[Ending, str] = {
    Ending.MEMORY: "out of memory",
    Ending.TIMEOUT: "longer than its time limit",
    Ending.NODE: "its node failed",
    Ending.PREEMPTED: "it had to make room for others",
}


def good(folder: Path) -> Result | None:
    """The result of an attempt that ended well: no question is left."""
    result = claims.result_in(folder)
    return result if result is not None and result.ending is Ending.OK else None


@dataclass(frozen=True, slots=True)
class Word:
    """What the system says of an attempt that ended; `ending` is None where its state says too little."""

    ending: Ending | None
    state: str
    node: str
    raw_id: str


def ended(flight: Flight, word: Word, log: Path) -> Result | None:
    """The end of an attempt that the system says has ended; None where its wrapper still has to say how.

    `log` is what the system itself wrote of the array.
    """
    result = claims.result_in(flight.folder)
    if result is not None:
        return _corrected(flight, result, word.ending)
    revoked, node = claims.revoke(flight.folder), word.node or None
    if not (revoked or claims.is_revoked(flight.folder) or _may_close(flight.folder)):
        return None
    if word.ending is not None:
        outside = word.ending is Ending.CANCELLED and not flight.cancelled
        words = OUTSIDE if outside else _WORDS.get(word.ending, "")
        return Result(word.ending, words, host=node, outside=outside)
    if revoked:
        return Result(Ending.LAUNCH, f"it could not be begun ({word.state}){_last_words(log)}", host=node)
    if _tells_of_memory(log, word.raw_id):
        return Result(Ending.MEMORY, _WORDS[Ending.MEMORY], host=node)
    return Result(Ending.LOST, f"whoever ran it died without a word ({word.state})", host=node)


def _corrected(flight: Flight, result: Result, said: Ending | None) -> Result:
    if result.ending is Ending.OK or result.ending not in _CORRECTED:
        return result
    if said in (None, Ending.CANCELLED):
        outside = result.ending is Ending.CANCELLED and not flight.cancelled
        return replace(result, outside=outside, message=OUTSIDE) if outside else result
    if said is Ending.MEMORY or result.ending in (Ending.SIGNAL, Ending.CANCELLED):
        return replace(result, ending=said, message=_WORDS[said])
    return result


def _may_close(folder: Path) -> bool:
    """Whether nobody will say any more how it ended: we were first, or who was first is dead."""
    if claims.give_up(folder):
        return True
    claim = claims.read_claim(folder)
    return claim is None or not claims.holder_lives(folder, claim)


def vanished(flight: Flight, *, was_waiting: bool, grace_is_over: bool) -> Result | None:
    """The end of an attempt of which the system knows nothing; None while it may still turn up.

    `was_waiting`: the system had it among those that wait since it was last started, so it cannot have
    forgotten it: somebody took it away.
    """
    result = claims.result_in(flight.folder)
    if result is not None:
        return _corrected(flight, result, None)
    claim = claims.read_claim(flight.folder)
    if claim is not None:
        if not grace_is_over or claims.holder_lives(flight.folder, claim):
            return None
        if not _may_close(flight.folder):
            return None
        return Result(Ending.LOST, "whoever ran it died without a word", host=claim.host or None)
    if not (was_waiting or grace_is_over) or claims.is_being_written(flight.folder):
        return None
    if not claims.revoke(flight.folder) and not claims.is_revoked(flight.folder):
        return None
    if was_waiting and not flight.cancelled:
        return Result(Ending.CANCELLED, OUTSIDE, outside=True)
    return Result(Ending.LOST, "the batch system knows nothing of it, and it never began")


def _tells_of_memory(log: Path, raw_id: str) -> bool:
    return any(found[1] == raw_id for found in MEMORY_LINE.finditer(_tail(log)))


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in _tail(log).splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""


def _tail(log: Path) -> str:
    try:
        with open(log, "rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
