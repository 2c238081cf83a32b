"""A job's command, environment and outputs: the spec, the units and a number into job.json. Pure."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deft.base.config import Cluster, Settings
from deft.base.errors import BadInput
from deft.jedi.jobs import NOTHING, Needs, job_key
from deft.jedi.store import FedUnit
from deft.wire import placeholders
from deft.wire.orders import Output, TaskSpec

Filling = str | int | float | bool | Sequence[str]
INPUTS_FILE = "inputs.txt"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One attempt to be: of which job, in which folder, over which units."""

    spec: TaskSpec
    number: int
    attempt: int
    token: str
    folder: Path
    units: Sequence[FedUnit]
    secondary: Sequence[FedUnit]
    needs: Needs = NOTHING
    cluster: Cluster | None = None  # None: this machine


def attempt_folder(workdir: Path, spec: TaskSpec, number: int, attempt: int) -> Path:
    """Where an attempt lives."""
    task = workdir / "jobs" / f"{spec.project}.{spec.metatask}" / spec.task
    return task / job_key(number) / str(attempt)


def job_file(wanted: Wanted, settings: Settings) -> dict[str, Any]:
    """The content of job.json. Raises BadInput where the command cannot be filled for these units."""
    spec = wanted.spec
    used = placeholders.used(spec.command)
    outputs = [_output(wanted, output, settings, used) for output in spec.outputs]
    content = {
        "v": 1,
        "token": wanted.token,
        "command": placeholders.fill(spec.command, _values(wanted, used, outputs)),
        "env": _environment(wanted, outputs),
        "walltime_s": wanted.needs.walltime_s,
        "kill_grace_s": settings.jedi.kill_grace_s,
        "beat_s": settings.jedi.beat_s if wanted.cluster is None else wanted.cluster.beat_s,
        "log_max_bytes": settings.jedi.log_max_mb * 1_000_000,
        "outputs": outputs,
    }
    if wanted.cluster is not None:
        content["guarded"] = True
    if "inputs_file" in used:
        content["inputs"] = [_value_of(spec, unit) for unit in wanted.units]
    return content


def _values(wanted: Wanted, used: Sequence[str], outputs: Sequence[Mapping[str, Any]]) -> dict[str, Filling]:
    spec, units = wanted.spec, wanted.units
    values: dict[str, Filling] = {
        **{f"param.{name}": value for name, value in spec.params.items()},
        **{f"attr.{name}": value for name, value in spec.attrs.items()},
        "job.index": wanted.number,
        "job.seed": seed(spec, units[0].key),
        "unit.key": units[0].key,
        "unit.first_event": 0,
        "unit.events": sum(unit.events for unit in units),
        "python": sys.executable,
        "template": spec.template_dir,
        "inputs_file": str(wanted.folder / INPUTS_FILE),
    }
    for output, made in reversed(list(zip(spec.outputs, outputs, strict=True))):
        values[f"output.{output.type}"] = values["output"] = str(wanted.folder / made["file"])
    if any(name.startswith("input") for name in used):
        values.update(_inputs(wanted, used))
    return values


def _inputs(wanted: Wanted, used: Sequence[str]) -> dict[str, Filling]:
    """The values of {input}, {inputs} and {input.NAME}; only those used, as they may be long."""
    values: dict[str, Filling] = {}
    if "input" in used:
        if len(wanted.units) > 1:
            raise BadInput(f"this job has {len(wanted.units)} units: use {{inputs}}, not {{input}}")
        values["input"] = _value_of(wanted.spec, wanted.units[0])
    if "inputs" in used:
        values["inputs"] = [_value_of(wanted.spec, unit) for unit in wanted.units]
    for edge in wanted.spec.inputs:
        for name in {edge.role, edge.type} & {u.removeprefix("input.") for u in used}:
            source = wanted.secondary if edge.role == "secondary" else wanted.units
            found = [_value_of(wanted.spec, unit) for unit in source if unit.edge_id == edge.edge_id]
            before = values.get(f"input.{name}", ())
            values[f"input.{name}"] = [*(before if isinstance(before, list) else ()), *found]
    return values


def _value_of(spec: TaskSpec, unit: FedUnit) -> str:
    """A unit as the payload sees it: its path, or the number of a synthetic one."""
    if unit.path is not None:
        return unit.path
    if any(edge.dataset_id == unit.dataset_id and edge.synthetic for edge in spec.inputs):
        return unit.key
    raise BadInput(f"the unit {unit.key} has no file: the job that made it wrote no output")


def seed(spec: TaskSpec, unit_key: str) -> int:
    """A number of 31 bits that depends on task and unit, never on the attempt."""
    digest = hashlib.sha256(f"{spec.full_name}\n{unit_key}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _output(wanted: Wanted, output: Output, settings: Settings, used: Sequence[str]) -> dict[str, Any]:
    """One output: where the payload writes it, where it is published, and whether it must be there."""
    first = output is wanted.spec.outputs[0]
    name = job_key(wanted.number) + (f".{output.format}" if output.format else "")
    place = name if len(wanted.spec.outputs) == 1 else f"{wanted.spec.outputs.index(output) + 1}-{name}"
    named = f"output.{output.type}" in used or (first and "output" in used)
    return {
        "dataset": str(output.dataset_id),
        "type": output.type,
        "file": f"out/{place}",
        "target": str(settings.workdir / "data" / output.dataset / name),
        "required": named or _variable(output) in wanted.spec.command,
    }


def _variable(output: Output) -> str:
    return "DEFT_OUTPUT_" + re.sub(r"\W", "_", output.type.upper())


def _environment(wanted: Wanted, outputs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What the payload's environment has beyond our own."""
    spec = wanted.spec
    paths = {
        _variable(output): str(wanted.folder / made["file"])
        for output, made in zip(spec.outputs, outputs, strict=True)
    }
    return {
        **{name: str(value) for name, value in spec.env.items()},
        "DEFT_TASK": spec.full_name,
        "DEFT_METATASK": f"{spec.project}/{spec.metatask}",
        "DEFT_JOB": job_key(wanted.number),
        "DEFT_ATTEMPT": wanted.token,
        "DEFT_PROGRESS": str(wanted.folder / "progress"),
        **paths,
    }
