"""Load a PyUtilib workflow, and look inside it: its tasks by name, and what its inputs hold.

The one module that imports PyUtilib, and by name on demand: most people have none, and version 6.0, the last
one, does not work with Python 3.12. It is imported in jobs too, so it imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from deft.base.errors import BadInput, NotFound
from deft.wire.pyutilib_command import Target

INSTALL = "pip install 'deft[pyutilib]'"
_BEFORE = (3, 12)
# What several connectors to one input become: a list, or (`map`) a dictionary by the numbers of tasks.
LISTS = ("append", "append_any")


def load(target: Target, folder: Path) -> Any:
    """The workflow that a factory makes; `folder` is where its module lies, unless Python finds it.

    Raises NotFound for a module or factory that does not exist, BadInput for one that makes no workflow.
    """
    kind = library().Workflow
    with _found_first(folder):
        factory = _factory(_module(target.module, folder), target)
        with _told(f"{target.module}:{target.factory}() failed"):
            made = factory()
    if not isinstance(made, kind):
        raise BadInput(
            f"{target.module}:{target.factory}() returns a {type(made).__name__}, "
            "not a pyutilib.workflow.Workflow"
        )
    return made


def library() -> Any:
    """PyUtilib's package `workflow`. Raises BadInput that says how to get it."""
    try:
        with warnings.catch_warnings():
            # It imports `imp`, of which Python 3.11 says that it will go.
            warnings.filterwarnings("ignore", "the imp module is deprecated", DeprecationWarning)
            return importlib.import_module("pyutilib.workflow")
    except ModuleNotFoundError as fault:
        raise BadInput(why_missing(fault.name or "", sys.version_info[:2])) from None


def why_missing(module: str, python: tuple[int, int]) -> str:
    """Why PyUtilib is not here, as `module` was not found, and what to do."""
    if python >= _BEFORE:
        return (
            "PyUtilib 6.0 needs Python below 3.12, since it uses the module imp, which 3.12 removed; "
            f"this is Python {python[0]}.{python[1]}: run DEFT with Python 3.11"
        )
    also = "" if module.startswith("pyutilib") else f" (its part {module})"
    return f"PyUtilib{also} is not installed here: {INSTALL}"


@contextlib.contextmanager
def _found_first(folder: Path) -> Iterator[None]:
    before = list(sys.path)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def _module(name: str, folder: Path) -> ModuleType:
    try:
        with _told(f"the module {name} cannot be imported"):
            return importlib.import_module(name)
    except BadInput as fault:
        missing = getattr(fault.__cause__, "name", None)
        if isinstance(fault.__cause__, ModuleNotFoundError) and f"{name}.".startswith(f"{missing}."):
            raise NotFound(f"there is no module {name!r} in {folder}, nor where Python looks") from None
        raise


def _factory(module: ModuleType, target: Target) -> Any:
    found = getattr(module, target.factory, None)
    if found is None:
        near = get_close_matches(target.factory, dir(module), 3)
        hint = f"; near: {', '.join(near)}" if near else ""
        raise NotFound(f"the module {target.module} has no {target.factory!r}{hint}")
    if not callable(found):
        raise BadInput(f"{target.module}:{target.factory} is a {type(found).__name__}, not a function")
    return found


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Tell a fault of the user's code as one of the input; the cause stays for the log of a job."""
    try:
        yield
    except Exception as fault:  # their code may raise anything
        raise BadInput(f"{what}: {type(fault).__name__}: {fault}") from fault


# --- inside ------------------------------------------------------------------------------------------------


def name_of(unit: Any) -> str:
    """The name that its author gave a task or workflow; empty where PyUtilib made one up."""
    return "" if unit.name == f"Task{unit.id}" else str(unit.name)


def tasks(workflow: Any) -> dict[str, Any]:
    """The tasks by name, in the order in which they came in.

    One without a name gets that of its class: numbers that PyUtilib counts differ from process to process.
    """
    ends = (workflow._start_task, workflow._final_task)
    inner = (task for task in workflow._tasks.values() if not any(task is end for end in ends))
    found: dict[str, Any] = {}
    for task in inner:
        base = _slug(name_of(task) or type(task).__name__)
        number, name = 1, base
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found[name] = task
    return found


def _slug(text: str) -> str:
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_-]+", "-", text)).strip("-")
    return (plain if plain[:1].isalpha() else f"task-{plain}".rstrip("-"))[:56]


def inner_ports(unit: Any, name: str) -> list[Any]:
    """The ports behind an input: of a workflow those of its tasks, of a task the port itself."""
    if not is_workflow(unit):
        return [unit.inputs[name]]
    return [connector.to_port for connector in unit._start_task.outputs[name].output_connections]


def is_workflow(unit: Any) -> bool:
    """True for a workflow, which may be a task of another one."""
    return isinstance(unit, library().Workflow)


def preset(unit: Any, name: str) -> Any:
    """What an input holds already: set by the factory, or its default; None where it holds nothing."""
    ports = [unit.inputs[name], *inner_ports(unit, name)]
    return next((value for port in ports if (value := port.get_value()) is not None), None)


def is_optional(unit: Any, name: str) -> bool:
    """True where a task runs without this input."""
    return all(port.optional for port in inner_ports(unit, name))


def takes_a_list(unit: Any, name: str) -> bool:
    """True where an input gathers what several connectors bring."""
    return any(port.action in LISTS for port in inner_ports(unit, name))


def prepare(workflow: Any, values: Mapping[str, Any]) -> None:
    """Make it take its inputs as a task alone would, before it is run with them."""
    for name in workflow.inputs:
        # An optional input without a value is None; PyUtilib would wait for one.
        workflow._start_task.outputs[name].set_ready()
        for port in inner_ports(workflow, name):
            if port.action in LISTS and name in values:
                port.input_connections = []  # it would wrap the list into another one
                port.set_value(values[name])
