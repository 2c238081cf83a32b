"""Orders of DEFT to JEDI: frozen messages with a versioned JSON form (schemas/order.schema.json).

`run` and `retry` carry the whole task, so JEDI needs nothing else. Unknown keys are ignored on reading, so
that a newer DEFT may talk to an older JEDI within one version number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from deft.base.errors import BadInput
from deft.base.records import flat, names_of

VERSION = 1
Value = str | int | float | bool


class OrderKind(StrEnum):
    """What DEFT may order. The kinds of a dataset (scan, grow, close) have their own sequence."""

    RUN = "run"
    SPEC = "spec"
    HOLD = "hold"
    RESUME = "resume"
    FINISH = "finish"
    ABORT = "abort"
    RETRY = "retry"
    RECOVER = "recover"
    DISCARD = "discard"
    GROW = "grow"
    CLOSE = "close"
    LIMIT = "limit"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Input:
    """One input edge of a task. `synthetic` > 0: the units 1..synthetic of a task without data input.

    `producer` is the name of the producing task, empty for an external dataset. `closed`: DEFT had closed
    the dataset when it gave the order.
    """

    edge_id: int
    dataset_id: int
    dataset: str
    type: str
    role: str = "primary"
    reduce: bool = False
    closed: bool = True
    synthetic: int = 0
    producer: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """One output dataset of a task; `format` is the suffix of its files, without a dot, or empty."""

    dataset_id: int
    dataset: str
    type: str
    format: str = ""


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A whole task as JEDI needs it.

    `settings` are the flat keys of the GraphML profile that JEDI acts on, with their typed values:
    `resources.*`, `split.*`, `scouts.*`, `retry.*`, `batch.*`, `container.image`, `modules`, `max_running`,
    `priority`, `goal`, `cluster`. `template_dir` is the folder of the template's payload files (absolute).
    """

    task_id: int
    metatask_id: int
    project: str
    metatask: str
    task: str
    command: str
    params: Mapping[str, Value] = field(default_factory=dict)
    attrs: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Value] = field(default_factory=dict)
    template_dir: str = ""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()

    @property
    def full_name(self) -> str:
        """`project/metatask/task`."""
        return f"{self.project}/{self.metatask}/{self.task}"


@dataclass(frozen=True, slots=True)
class Scan:
    """List an external dataset. `sources`: paths, globs, `@file` lists, and `!glob` to leave out.

    All paths are absolute. `produced`: a task makes it; its files are looked at, and nothing is listed.
    """

    dataset_id: int
    dataset: str
    sources: tuple[str, ...]
    format: str = ""
    produced: bool = False


@dataclass(frozen=True, slots=True)
class Recover:
    """What a task is to make again, by the jobs that made it.

    `lost`: every lost unit of its outputs; `awaited`: those alone for which other jobs wait; `used`: what it
    made of units of these datasets that are lost now.
    """

    task_id: int
    lost: bool = True
    awaited: bool = False
    used: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it lies in wire_order; exactly one of task_id and dataset_id is set."""

    kind: OrderKind
    seq: int
    key: str
    body: Mapping[str, Any]
    task_id: int | None = None
    dataset_id: int | None = None
    id: int = 0
    created: datetime | None = None


def dump(message: TaskSpec | Scan | Recover) -> dict[str, Any]:
    """A message as the JSON object of an order's body."""
    body = {"v": VERSION, **flat(message)}
    if isinstance(message, TaskSpec):
        body["inputs"] = [flat(edge) for edge in message.inputs]
        body["outputs"] = [flat(output) for output in message.outputs]
    return body


def load_task(body: Mapping[str, Any]) -> TaskSpec:
    """The task in a run, spec or retry order. Raises BadInput for a body of a newer version."""
    content = _checked(body, TaskSpec)
    content["inputs"] = tuple(Input(**_known(i, Input)) for i in body.get("inputs", ()))
    content["outputs"] = tuple(Output(**_known(o, Output)) for o in body.get("outputs", ()))
    return TaskSpec(**content)


def load_scan(body: Mapping[str, Any]) -> Scan:
    """The dataset in a scan order. Raises BadInput for a body of a newer version."""
    content = _checked(body, Scan)
    content["sources"] = tuple(content["sources"])
    return Scan(**content)


def dump_steps(steps: Sequence[Recover]) -> dict[str, Any]:
    """Several of them, to be tried in this order and undone, and answered."""
    return {"v": VERSION, "dry_run": True, "steps": [flat(step) for step in steps]}


def load_recover(body: Mapping[str, Any]) -> Recover:
    """What a recover order means. Raises BadInput for a body of a newer version."""
    content = _checked(body, Recover)
    content["used"] = tuple(content.get("used", ()))
    return Recover(**{"task_id": 0, **content})


def load_steps(body: Mapping[str, Any]) -> list[Recover]:
    """What a recover order would try. Raises BadInput for a body of a newer version."""
    return [load_recover({"v": body.get("v"), **step}) for step in body.get("steps", ())]


def _checked(body: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    version = body.get("v")
    if version != VERSION:
        raise BadInput(f"an order of version {version!r}; this JEDI reads version {VERSION}: upgrade it")
    return _known(body, kind)


def _known(content: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    names = names_of(kind)
    return {key: value for key, value in content.items() if key in names}
