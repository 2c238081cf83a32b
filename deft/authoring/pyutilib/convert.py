"""Make a Meta-Task of a PyUtilib workflow: a task for each task, a dataset for each connector.

Values travel as JSON files. The inputs of the workflow become parameters, its outputs the final data.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deft.authoring.pyutilib import loading
from deft.base.errors import BadInput, Finding
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task, is_name
from deft.wire import pyutilib_command
from deft.wire.pyutilib_command import Target

FORMAT = "json"
_RESULTS = "results"
_PORT = re.compile(r"[A-Za-z]\w{0,39}\Z", re.ASCII)
_ONE_EACH = ("store", "append")
_GONE = "a task that is gone: keep it in a variable until it is added, since PyUtilib does not hold it"


def read(source: str, folder: Path) -> MetaTask:
    """The Meta-Task of `pyutilib:MODULE:FACTORY`; its module lies in `folder`, or where Python finds it.

    Raises NotFound, and BadInput with all that no Meta-Task can say.
    """
    target = _target(source)
    with contextlib.redirect_stdout(sys.stderr):  # what a module prints is no answer of a command
        workflow = loading.load(target, folder)
    making = _Making(target, workflow)
    made = MetaTask(
        _name(loading.name_of(workflow)) or _name(target.factory) or "workflow",
        settings=making.parameters(),
        origin=f"{pyutilib_command.PREFIX}{target}",
        folder=str(_root(target.module, folder)),
    )
    for task in making.nodes(made.folder):
        made.add(task)
    for edge in making.edges:
        made.join(edge)
    if making.found:
        raise BadInput(f"{target} cannot be a Meta-Task; a job can run it whole:", making.found)
    return made


def _target(source: str) -> Target:
    try:
        target = pyutilib_command.target(source.strip().removeprefix(pyutilib_command.PREFIX))
    except ValueError as fault:
        raise BadInput(f"{source!r} {fault}") from None
    if target.task:
        raise BadInput(f"{source!r} names one task of a workflow; write MODULE:FACTORY")
    return target


def _name(text: str) -> str:
    name = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]+", "-", text)).strip("-_")[:64]
    return name if is_name(name) else ""


def _root(module: str, folder: Path) -> Path:
    """The folder from which the module is imported."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return folder.absolute()
    path = Path(file).absolute()
    depth = module.count(".") + (path.name == "__init__.py")
    return path.parents[depth]


@dataclass(frozen=True, slots=True)
class _Link:
    """A connector: from an output of a task to an input of another, or to the end of the workflow."""

    producer: str
    output: str
    consumer: str
    input: str


class _Making:
    """The pieces of a Meta-Task, and what of the workflow no piece can say."""

    def __init__(self, target: Target, workflow: Any) -> None:
        self.found: list[Finding] = []
        self._target, self._workflow = target, workflow
        self._tasks = loading.tasks(workflow)
        self._called = {id(task): name for name, task in self._tasks.items()}
        taken = self._tasks.keys()
        self._exit = next(
            name for name in (_RESULTS, "final_results", "workflow_results") if name not in taken
        )
        # Inputs that text can hold; what else a factory has set stays as it set it.
        held = {name: loading.preset(workflow, name) for name in workflow.inputs}
        self._presets = {name: value for name, value in held.items() if _is_json(value)}
        self._links = [*self._inner_links(), *self._final_links()]
        self._types = _types(self._links)
        self.edges = list(self._made_edges())

    def parameters(self) -> dict[str, Value]:
        """The workflow's inputs as parameters of the graph."""
        settings: dict[str, Value] = {}
        for name, given in self._presets.items():
            if given is not None or loading.is_optional(self._workflow, name):
                settings[f"param.{name}"] = _as_text(given)
            ports = loading.inner_ports(self._workflow, name)
            docs = [str(port.doc) for port in ports if port.doc]
            users = [self._called.get(id(port.task()), "?") for port in ports]
            settings[f"param.{name}.help"] = (
                docs[0] if docs else f"input of {', '.join(dict.fromkeys(users))}"
            )
        return settings

    def nodes(self, folder: str) -> Iterator[Task]:
        """The tasks, and the exit that the final data lead to."""
        for name in self._tasks:
            yield Task(name, NodeKind.TASK, {"command": self._command(name), "folder": folder})
        if any(link.consumer == self._exit for link in self._links):
            yield Task(self._exit, NodeKind.EXIT)

    def _command(self, name: str) -> str:
        mine = [port for port in self._presets if self._takes(name, port)]
        words = [f"{port}={{param.{port}}}" for port in mine]
        words += (
            f"{link.input}={{input.{self._types[link]}}}:{link.output}"
            for link in self._links
            if link.consumer == name
        )
        one = Target(self._target.module, self._target.factory, name)
        return " ".join([f"{pyutilib_command.PREFIX}{one}", *dict.fromkeys(words)])

    def _takes(self, name: str, port: str) -> bool:
        ports = loading.inner_ports(self._workflow, port)
        return any(inner.task() is self._tasks[name] for inner in ports)

    def _made_edges(self) -> Iterator[Edge]:
        """The first input of a task is primary and makes its one job, to which the others go too."""
        fed: set[str] = set()
        for link in self._links:
            more = {"role": "secondary"} if link.consumer in fed and link.consumer != self._exit else {}
            fed.add(link.consumer)
            yield Edge(link.producer, link.consumer, {"type": self._types[link], "format": FORMAT, **more})

    # --- what the workflow says ----------------------------------------------------------------------------

    def _inner_links(self) -> Iterator[_Link]:
        for name, task in self._tasks.items():
            if any(len(controls) for controls in (task.input_controls, task.output_controls)):
                self._refuse("pyutilib-branch", name, "branches: which way it goes shows only when it runs")
            for input, port in task.inputs.items():
                yield from self._into(name, input, port)

    def _into(self, name: str, input: str, port: Any) -> Iterator[_Link]:
        connectors = [one for one in port.input_connections if one.from_port.task() is not self._start]
        if connectors and port.action not in _ONE_EACH:
            self._refuse("pyutilib-action", name, f"has an input {input} with the action {port.action!r}")
        self._check_port(name, input)
        for connector in connectors:
            origin = connector.from_port.task()
            producer = self._called.get(id(origin))
            if producer is None:
                why = _GONE if origin is None else "a task outside the workflow"
                self._refuse("pyutilib-outside", name, f"takes {input} from {why}")
                continue
            self._check_port(producer, connector.from_port.name)
            yield _Link(producer, connector.from_port.name, name, input)

    def _final_links(self) -> Iterator[_Link]:
        for input, port in self._workflow._final_task.inputs.items():
            for connector in port.input_connections:
                producer = self._called[id(connector.from_port.task())]
                self._check_port(producer, connector.from_port.name)
                yield _Link(producer, connector.from_port.name, self._exit, input)

    @property
    def _start(self) -> Any:
        return self._workflow._start_task

    def _check_port(self, name: str, port: str) -> None:
        if not _PORT.match(port):
            self._refuse(
                "pyutilib-name", name, f"has the port {port!r}: at most 40 plain letters, digits and _"
            )

    def _refuse(self, code: str, name: str, message: str) -> None:
        finding = Finding(code, f"the task {name} {message}", subject=name)
        if finding not in self.found:
            self.found.append(finding)


def _types(links: list[_Link]) -> Mapping[_Link, str]:
    """The type of each link's dataset: the output's name, and more where that would say too little."""
    outgoing = Counter((link.producer, link.output) for link in links)
    incoming = Counter((link.consumer, link.output) for link in links)
    into: dict[tuple[str, str], list[_Link]] = {}
    for link in links:
        into.setdefault((link.consumer, link.input), []).append(link)
    found = {}
    for link in links:
        together = into[link.consumer, link.input]
        number = f"-{together.index(link) + 1}" if len({one.output for one in together}) > 1 else ""
        alone = outgoing[link.producer, link.output] == incoming[link.consumer, link.output] == 1
        whole = f"{link.output}-{link.consumer}-{link.input}"
        found[link] = link.output if alone else _short(whole + number)
    return found


def _short(type: str) -> str:
    """A type of at most 64 characters that no other one is cut to."""
    return type if len(type) <= 64 else f"{type[:55]}-{hashlib.sha256(type.encode()).hexdigest()[:8]}"


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _as_text(value: Any) -> str:
    """A value as the text that a job reads back: a plain text where it is no JSON by chance."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)
