"""The definition of a task as JEDI reads it: parsed once, and checked before any job is made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection
from pathlib import Path

from deft.base.config import LOCAL
from deft.base.errors import BadInput, Finding
from deft.base.records import to_text
from deft.jedi import overrides
from deft.jedi.jobs import Needs
from deft.wire import placeholders
from deft.wire.orders import TaskSpec, dump, load_task

REST = ("inputs", "inputs_file", "job.index", "job.seed", "unit.key", "unit.first_event", "unit.events",
        "python", "template", "input")  # fmt: skip

NUMBERS = (
    *(f"resources.{name}" for name in (
        "walltime_s", "memory_mb", "cores", "nodes", "tasks", "tasks_per_node", "gpus")),
    "retry.max_attempts", "split.units_per_job", "split.max_units_per_job",
)  # fmt: skip


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


def needs(spec: TaskSpec) -> Needs:
    """What a job of this task asks of a batch system."""

    def whole(name: str) -> int:
        return int(number(spec, f"resources.{name}"))

    def word(name: str) -> str:
        return str(spec.settings.get(f"resources.{name}", ""))

    return Needs(
        nodes=whole("nodes"),
        tasks=whole("tasks"),
        tasks_per_node=whole("tasks_per_node"),
        cores=whole("cores"),
        memory_mb=whole("memory_mb"),
        walltime_s=number(spec, "resources.walltime_s"),
        gpus=whole("gpus"),
        partition=word("partition"),
        account=word("account"),
        qos=word("qos"),
        constraint=word("constraint"),
        extra=word("extra"),
    )


def cluster(spec: TaskSpec) -> str | None:
    """The cluster that a task names; None where it leaves that to the settings."""
    named = str(spec.settings.get("cluster", "")).strip()
    return None if named in ("", "auto") else named


def why_unfit(spec: TaskSpec, clusters: Collection[str] = (LOCAL,)) -> str | None:
    """Why the definition cannot be run, or None where it can."""
    if not spec.command.strip():
        return f"{spec.full_name} has no command"
    named = cluster(spec)
    if named is not None and named not in clusters:
        known = ", ".join(sorted(clusters))
        return f"{spec.full_name}: cluster = {named!r} is none of the settings; they know {known}"
    wrong = [f"{key} = {spec.settings[key]!r}" for key in NUMBERS if not _is_number(spec.settings.get(key))]
    if wrong:
        return f"{spec.full_name}: no number: {', '.join(wrong)}"
    try:
        overrides.parse(str(spec.settings.get(overrides.KEY, "")))
        shlex.split(str(spec.settings.get("resources.extra", "")))
    except (BadInput, ValueError) as fault:
        return f"{spec.full_name}: {fault}"
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
