"""Outcome rules of a task's own: the key `retry.rules`, read before the built-in table of retry.py.

JSON: a list of objects, read top down; the first that fits decides. What a rule leaves out fits all.

    [{"class": "exit", "exit_code": [3, 4], "do": "fail"},
     {"class": "signal", "log": "bad_alloc", "memory": 2, "limit": 5}]
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from deft.base.errors import BadInput
from deft.jedi.jobs import Ending, Fed, Result
from deft.jedi.retry import Case, Verdict

KEY = "retry.rules"
CLASSES = frozenset(Ending) - {Ending.OK, Ending.REVOKED, Ending.REFUSED}
_WORDS = ("class", "exit_code", "log", "do", "memory", "time", "limit")
_TAIL = 4096
_LARGEST_FACTOR = 100.0


@dataclass(frozen=True, slots=True)
class Override:
    """One rule. `again`: else the job fails. `limit`: attempts, 0: those of the task."""

    endings: frozenset[Ending]
    exit_codes: frozenset[int]
    log: re.Pattern[str] | None
    again: bool
    memory: float
    time: float
    limit: int


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Override, ...]:
    """The rules in a text. Raises BadInput with what is wrong and where."""
    try:
        given = json.loads(text) if text.strip() else []
    except ValueError as fault:
        raise BadInput(f"{KEY} is no JSON: {fault}") from None
    if not isinstance(given, list):
        raise BadInput(f"{KEY} is no list of rules: [{{...}}, ...]")
    return tuple(_rule(number, one) for number, one in enumerate(given, 1))


def _rule(number: int, given: object) -> Override:
    where = f"{KEY}, rule {number}"
    if not isinstance(given, dict):
        raise BadInput(f"{where}: {given!r} is no object")
    unknown = sorted(given.keys() - set(_WORDS))
    if unknown:
        raise BadInput(f"{where}: unknown {', '.join(unknown)}; known: {', '.join(_WORDS)}")
    if given.get("do", "again") not in ("again", "fail"):
        raise BadInput(f"{where}: do = {given['do']!r} is neither again nor fail")
    return Override(
        endings=frozenset(_each(where, given, "class", _ending)),
        exit_codes=frozenset(_each(where, given, "exit_code", _whole)),
        log=_pattern(where, given.get("log")),
        again=given.get("do", "again") == "again",
        memory=_factor(where, given, "memory"),
        time=_factor(where, given, "time"),
        limit=next(iter(_each(where, given, "limit", _whole)), 0),
    )


def _each(where: str, given: Mapping[str, Any], key: str, read: Callable[[object], Any]) -> list[Any]:
    value = given.get(key, [])
    try:
        return [read(one) for one in (value if isinstance(value, list) else [value])]
    except ValueError as fault:
        raise BadInput(f"{where}: {key}: {fault}") from None


def _ending(value: object) -> Ending:
    if value not in CLASSES:
        raise ValueError(f"{value!r} is none of {', '.join(sorted(CLASSES))}")
    return Ending(str(value))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no whole number of 0 or more")
    return value


def _factor(where: str, given: Mapping[str, Any], key: str) -> float:
    value = given.get(key, 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _LARGEST_FACTOR:
        raise BadInput(f"{where}: {key} = {value!r} is no factor from 1 to {_LARGEST_FACTOR:g}")
    return float(value)


def _pattern(where: str, given: object) -> re.Pattern[str] | None:
    if given is None:
        return None
    try:
        return re.compile(str(given))
    except re.error as fault:
        raise BadInput(f"{where}: log = {given!r} is no regular expression: {fault}") from None


def judge(rules: Sequence[Override], case: Case, result: Result, folder: Path) -> Verdict | None:
    """What the first rule that fits says; None where none does."""
    if case.asked or case.skipping or case.ending not in CLASSES:
        return None
    for rule in rules:
        if rule.endings and case.ending not in rule.endings:
            continue
        if rule.exit_codes and result.exit_code not in rule.exit_codes:
            continue
        if rule.log is not None and not rule.log.search(_tail(folder / "stderr")):
            continue
        if not rule.again:
            return Verdict(Fed.FAILED, "fail")
        if case.attempts < (rule.limit or case.max_attempts):
            return Verdict(Fed.READY, "again", rule.memory, rule.time)
        return None
    return None


def _tail(path: Path) -> str:
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
