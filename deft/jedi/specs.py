"""The definition of a task as JEDI reads it: parsed once, and checked before any job is made."""

from __future__ import annotations

import json
from pathlib import Path

from deft.base.errors import Finding
from deft.base.records import to_text
from deft.wire import placeholders
from deft.wire.orders import TaskSpec, dump, load_task

REST = ("inputs", "inputs_file", "job.index", "job.seed", "unit.key", "unit.first_event", "unit.events",
        "python", "template", "input")  # fmt: skip

NUMBERS = ("resources.walltime_s", "retry.max_attempts", "split.units_per_job", "split.max_units_per_job")


KEPT = 2048
_read: dict[str, TaskSpec] = {}  # what was read or written lately: one text is read many times


def read_spec(text: str) -> TaskSpec:
    """A task from the text kept in jedi_task."""
    return _read.get(text) or _keep(text, load_task(json.loads(text)))


def write_spec(spec: TaskSpec) -> str:
    """The text that read_spec reads."""
    text = to_text(dump(spec))
    _keep(text, spec)
    return text


def _keep(text: str, spec: TaskSpec) -> TaskSpec:
    if len(_read) >= KEPT:
        _read.clear()
    _read[text] = spec
    return spec


def is_reduce(spec: TaskSpec) -> bool:
    """Whether it makes one job over all its units."""
    return any(edge.reduce for edge in spec.inputs)


def number(spec: TaskSpec, key: str, default: float = 0) -> float:
    """A setting that is a number."""
    value = spec.settings.get(key)
    return default if value is None or value == "" else float(value)


def why_unfit(spec: TaskSpec) -> str | None:
    """Why the definition cannot be run, or None where it can."""
    if not spec.command.strip():
        return f"{spec.full_name} has no command"
    wrong = [f"{key} = {spec.settings[key]!r}" for key in NUMBERS if not _is_number(spec.settings.get(key))]
    if wrong:
        return f"{spec.full_name}: no number: {', '.join(wrong)}"
    used = placeholders.used(spec.command)
    if "template" in used and not Path(spec.template_dir).is_dir():
        return f"{spec.full_name}: its payload folder {spec.template_dir!r} is not on this machine"
    found = placeholders.check(spec.command, sorted(_names(spec)), spec.full_name)
    several = number(spec, "split.units_per_job", 1) > 1 and not is_reduce(spec)
    if several and "input" in used:
        message = f"{spec.full_name}: a job takes several units: use {{inputs}}, not {{input}}"
        found.append(Finding("several-inputs", message))
    return "; ".join(map(str, found)) or None


def _is_number(value: object) -> bool:
    try:
        return value is None or value == "" or float(str(value)) >= 0
    except ValueError:
        return False


def _names(spec: TaskSpec) -> set[str]:
    names = {*REST, *(f"param.{x}" for x in spec.params), *(f"attr.{x}" for x in spec.attrs)}
    for edge in spec.inputs:
        names |= {f"input.{edge.role}", f"input.{edge.type}"}
    if spec.outputs:
        names |= {"output", *(f"output.{output.type}" for output in spec.outputs)}
    return names
