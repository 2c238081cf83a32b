"""What a selection may speak of: the fields of a task, their types, and the values they are compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Literal

from deft.model.tasks import State

Type = Literal["state", "text", "number", "time", "age", "flag", "free"]
Value = str | int | float | datetime
_MAX_AGE_S = 100 * 365 * 86400
_YEARS = range(1970, 9999)


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition may speak of. `folded`: compared without regard to case."""

    name: str
    type: Type
    help: str
    aliases: tuple[str, ...] = ()
    folded: bool = False


FIELDS: tuple[Field, ...] = (
    Field("state", "state", "the state of the task"),
    Field("name", "text", "its name"),
    Field("metatask", "text", "the name of its Meta-Task, without regard to case", folded=True),
    Field("project", "text", "the project of its Meta-Task, without regard to case", folded=True),
    Field("owner", "text", "who stored its Meta-Task"),
    Field("tool", "text", "the tool that its Meta-Task serves"),
    Field("origin", "text", "the file that its Meta-Task came from"),
    Field("template", "text", "the template that the task follows"),
    Field("reason", "text", "why it is in this state, where there is something to say"),
    Field("priority", "number", "its priority, 0 where nothing is said"),
    Field("since", "time", "when its state last changed"),
    Field("created", "time", "when its Meta-Task was stored"),
    Field("age", "age", "how long ago its state last changed"),
    Field("ended", "flag", "it is done, finished, failed, aborted or broken"),
    Field("active", "flag", "it is waiting, running or exhausted"),
    Field("held", "flag", "it is on hold, by itself or with its Meta-Task"),
    Field("hold", "flag", "it is on hold by itself"),
    Field("armed", "flag", "it was started: it runs when its input is there"),
    Field("force", "flag", "it was forced: it starts on the input that is there"),
    Field("finish", "flag", "it was told to finish"),
    Field("abort", "flag", "it was told to abort"),
    Field("started", "flag", "it was given to the executor"),
    Field("complete", "flag", "it has a command"),
    Field("expected", "number", "units of its primary input, as far as they are known"),
    Field("progress", "number", "the part of these that is ok, 0 to 1"),
    Field("ready", "number", "units that wait for a job or a slot"),
    Field("running", "number", "units in jobs handed out"),
    Field("ok", "number", "units that are ok"),
    Field("failed", "number", "units that failed"),
    Field("skipped", "number", "units that were skipped"),
    Field("jobs", "number", "jobs made so far"),
    Field("jobs_running", "number", "jobs that run", ("running_jobs",)),
    Field("jobs_ok", "number", "jobs that ended well", ("ok_jobs",)),
    Field("jobs_failed", "number", "jobs that failed", ("failed_jobs",)),
)
FAMILIES: Mapping[str, str] = {
    "attr.": "the label of that name, of the task or else of its Meta-Task",
    "param.": "the parameter of that name, likewise",
}
RELATIONS: Mapping[str, str] = {
    "upstream_of": "the task leads to one of that name in the same Meta-Task",
    "downstream_of": "one of that name in the same Meta-Task leads to the task",
}
_KNOWN = {name: field for field in FIELDS for name in (field.name, *field.aliases)}


def find(name: str) -> Field | None:
    """The field of that name, or None."""
    family = next((prefix for prefix in FAMILIES if name.startswith(prefix) and name != prefix), None)
    return Field(name, "free", FAMILIES[family]) if family else _KNOWN.get(name)


def near(name: str) -> list[str]:
    """Names that may be meant."""
    return get_close_matches(name, [*_KNOWN, *RELATIONS], 3)


# --- values: what stands in the text, as the field takes it -------------------------------------------------

Kind = Literal["word", "literal", "string"]
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_AGE = re.compile(r"([0-9]+\.?[0-9]*)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def read(field: Field, kind: Kind, text: str) -> Value:
    """The value that a field is compared with: a bare word, a literal (it begins like a number) or a string.

    Raises ValueError that ends the sentence "FIELD …".
    """
    return _READERS[field.type](kind, text)


def _state(kind: Kind, text: str) -> str:
    if text in set(State):
        return text
    close = get_close_matches(text.lower(), list(State), 1)
    hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(State)}"
    raise ValueError(f"is never {text!r}; {hint}")


def _text(kind: Kind, text: str) -> str:
    if kind != "string":
        raise ValueError(f"is text, which stands in quotes: '{text}'")
    return text


def _number(kind: Kind, text: str) -> int | float:
    if kind != "literal" or NUMBER.fullmatch(text) is None:
        raise ValueError(
            f"is a number, and {text!r} is none" if kind != "string" else "is a number, not text"
        )
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    if not math.isfinite(number) or abs(number) >= 2**63:
        raise ValueError("is never as large as that")
    return number


def _free(kind: Kind, text: str) -> str | int | float:
    if kind == "literal":
        return _number(kind, text)
    if kind == "word" and text not in ("true", "false"):
        raise ValueError(f"is compared with a number, or with text in quotes: '{text}'")
    return text


def _time(kind: Kind, text: str) -> datetime:
    if _AGE.fullmatch(text):
        raise ValueError(f"is a moment; how long ago it was is its age, as in: age < {text}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is a moment, such as 2026-11-01 or '2026-11-01 14:30'") from None
    if moment.year not in _YEARS:
        raise ValueError(f"lies between the years {_YEARS[0]} and {_YEARS[-1]}")
    return moment


def _age(kind: Kind, text: str) -> float:
    found = _AGE.fullmatch(text)
    if found is None:
        raise ValueError("is a number with a unit: 90s, 30m, 2h, 3d or 1w")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > _MAX_AGE_S:
        raise ValueError("is at most a hundred years")
    return seconds


_READERS: dict[Type, Callable[[Kind, str], Value]] = {
    "state": _state, "text": _text, "number": _number, "time": _time, "age": _age, "free": _free,
}  # fmt: skip
_EXAMPLES: dict[Type, str] = {
    "state": "== failed", "text": "== 'reco*'", "number": "> 10", "time": "> 2026-11-01", "age": "> 2h",
    "free": "== 7",
}  # fmt: skip


def example(field: Field) -> str:
    """A condition on it, for messages."""
    return f"{field.name} {_EXAMPLES[field.type]}" if field.type in _EXAMPLES else field.name
