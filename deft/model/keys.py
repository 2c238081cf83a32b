"""The keys of the GraphML profile deft/1: name, scope, type and range of every attribute DEFT knows.

The one table that reader, writer, checks and reference page share. Families (`param.x`, `attr.x`, `env.x`)
stand under their prefix. Names are plain, flat, dotted and lower case, so that the tables of graph editors
can edit them. A key's id in a document is `g.`, `n.` or `e.` + name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Value = str | int | float | bool
Scope = Literal["graph", "node", "edge"]
Kind = Literal["string", "int", "double", "boolean"]

VERSION = 1
PREFIX: dict[Scope, str] = {"graph": "g.", "node": "n.", "edge": "e."}


@dataclass(frozen=True, slots=True)
class Key:
    """One attribute: where it stands, its type, the values it may take, and what it means."""

    name: str
    scope: Scope
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def id(self) -> str:
        """The key's id in a document we write."""
        return PREFIX[self.scope] + self.name


def _graph(name: str, kind: Kind, help: str) -> Key:
    return Key(name, "graph", kind, help)


def _node(name: str, kind: Kind, help: str, choices: str = "", low: float | None = None,
          high: float | None = None) -> Key:  # fmt: skip
    return Key(name, "node", kind, help, tuple(choices.split()), low, high)


def _edge(name: str, kind: Kind, help: str, choices: str = "") -> Key:
    return Key(name, "edge", kind, help, tuple(choices.split()))


KEYS: tuple[Key, ...] = (
    _graph("deft.version", "int", "version of the profile"),
    _graph("name", "string", "name of the Meta-Task"),
    _graph("project", "string", "project of the Meta-Task"),
    _graph("tool", "string", "the tool that this Meta-Task serves"),
    _graph("owner", "string", "who answers for it"),
    _graph("description", "string", "what it is for, in a sentence"),
    _graph("naming.pattern", "string", "pattern of dataset names"),
    _graph("max_running", "int", "jobs of the Meta-Task that may run at once"),
    _graph("goal", "double", "part of its units that must be ok, for every task that says nothing else"),
    _graph("snapshot", "boolean", "keep copies of what was run, not hashes only"),
    _node("task", "string", "name of the task: its identity, wins over the node's id"),
    _node("metatask", "string", "the Meta-Task it belongs to"),
    _node("kind", "string", "what the node is", "task entry exit metatask"),
    _node("template", "string", "of a metatask: the template it stands for; else the one it follows"),
    _node("folder", "string", "where its payload files lie, its {template}; else the document's folder"),
    _node("command", "string", "what a job runs, by /bin/sh -c"),
    _node("armed", "boolean", "false: `deft start META` passes it over"),
    _node("foreach", "string", "a parameter, or several: one copy of the node for each value"),
    _node("container.image", "string", "image the command runs in"),
    _node("modules", "string", "environment modules to load, separated by blanks"),
    _node("resources.nodes", "int", "nodes of a job", low=1),
    _node("resources.tasks", "int", "MPI ranks of a job", low=1),
    _node("resources.tasks_per_node", "int", "MPI ranks a node", low=1),
    _node("resources.cores", "int", "cores of a rank", low=1),
    _node("resources.memory_mb", "int", "memory a node, MB", low=1),
    _node("resources.walltime_s", "int", "longest run of a job, seconds", low=1),
    _node("resources.partition", "string", "Slurm partition"),
    _node("resources.account", "string", "Slurm account"),
    _node("resources.qos", "string", "Slurm quality of service"),
    _node("resources.constraint", "string", "Slurm node features"),
    _node("resources.gpus", "int", "GPUs of a job", low=0),
    _node("resources.extra", "string", "further options for the scheduler"),
    _node("split.units_per_job", "int", "units of input a job takes", low=1),
    _node("split.max_units_per_job", "int", "most units a job may take", low=1),
    _node("split.gb_per_job", "double", "most input a job takes, GB", low=0),
    _node("split.events_per_job", "int", "events a job takes", low=1),
    _node("split.target_walltime_s", "int", "how long a job should run, seconds", low=1),
    _node("split.group_by", "string", "units of one group share a job"),
    _node("split.jobs", "int", "synthetic units of a task without data input", low=1, high=10_000_000),
    _node("batch.jobs_per_allocation", "int", "jobs that share one batch job", low=1),
    _node("scouts.count", "int", "jobs that run first, to measure", low=0),
    _node("scouts.success", "double", "part of the scouts that must be ok", low=0, high=1),
    _node("retry.max_attempts", "int", "attempts of a unit before it fails", low=1),
    _node("retry.rules", "string", "JSON: outcome rules of its own, before the built-in ones"),
    _node("max_running", "int", "jobs of the task that may run at once", low=1),
    _node("priority", "int", "larger first"),
    _node("goal", "double", "part of its units that must be ok", low=0, high=1),
    _node("allow_empty", "boolean", "true: no input at all ends the task as done"),
    _node("cluster", "string", "a cluster's name, several, or auto"),
    _node("snapshot", "boolean", "keep copies of what was run, not hashes only"),
    _edge("dataset", "string", "identity of the dataset"),
    _edge("type", "string", "kind of data, part of the dataset's name"),
    _edge("role", "string", "primary: split over the jobs; secondary: goes to all", "primary secondary"),
    _edge("start_when", "string", "how much must be there: complete, any, N, or N%"),
    _edge("on_growth", "string", "what new input after the end does", "process ask ignore"),
    _edge("on_loss", "string", "whether lost units hold the end up", "wait proceed"),
    _edge("on_abort", "string", "what an aborted producer means", "propagate use_partial"),
    _edge("reduce", "boolean", "one job over all units, made when every input is closed"),
    _edge("format", "string", "suffix of the dataset's files"),
    _edge("source", "string", "external data: a path, a glob, or @file"),
    _edge("source.json", "string", "external data: a list of paths, globs, @file and !glob"),
    _edge("open", "boolean", "true: the external dataset may still grow"),
    _edge("rescan_s", "int", "how often an open external dataset is listed, seconds (300)"),
)  # fmt: skip

# Keys of these families take any name after the prefix.
FAMILIES: dict[Scope, tuple[str, ...]] = {
    "graph": ("param.", "attr."),
    "node": ("param.", "attr.", "env."),
    "edge": ("attr.",),
}
# Facts about a template's parameter `param.x`, not parameters themselves.
PARAM_FACTS = (".help", ".type", ".choices", ".required")
# For the eye only: they carry no meaning and are kept with what is foreign.
DISPLAY = frozenset({"label", "x", "y"})
STATE = "state."  # written by export --with-state, ignored by import

_KNOWN: dict[tuple[Scope, str], Key] = {(key.scope, key.name): key for key in KEYS}


def find(scope: Scope, name: str) -> Key | None:
    """The key of that name, a family's member as a string key, or None for what is foreign to us."""
    known = _KNOWN.get((scope, name))
    if known is not None:
        return known
    for prefix in FAMILIES[scope]:
        if name.startswith(prefix) and len(name) > len(prefix):
            return Key(name, scope, "string", "free")
    return None


def names(scope: Scope) -> list[str]:
    """The names of all fixed keys of a scope."""
    return [key.name for key in KEYS if key.scope == scope]


_TRUE, _FALSE = {"true", "1"}, {"false", "0"}
_INT64 = 2**63
MAX_DIGITS = 20  # before int(): a number of a million digits costs seconds


def _boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError("is neither true nor false")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError("is out of range")
    try:
        number = int(text)
    except ValueError:
        as_float = _double(text)  # a tool that knows only doubles writes 3.0
        if not as_float.is_integer():
            raise ValueError("is no whole number") from None
        number = int(as_float)
    if not -_INT64 <= number < _INT64:
        raise ValueError("is out of range")
    return number


def _double(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("is no number") from None
    if not math.isfinite(number):
        raise ValueError("is not finite")
    return number


PARSERS: dict[Kind, Callable[[str], Value]] = {
    "string": str,
    "boolean": _boolean,
    "int": _integer,
    "double": _double,
}


def parse(key: Key, text: str) -> Value:
    """The typed value of a key's text. Raises ValueError that ends the sentence "NAME = TEXT …"."""
    value = PARSERS[key.kind](text if key.kind == "string" else text.strip())
    return check(key, value)


def check(key: Key, value: Value) -> Value:
    """The value itself, where the key allows it. Raises ValueError likewise."""
    if key.choices and value not in key.choices:
        raise ValueError(f"is none of {', '.join(key.choices)}")
    if isinstance(value, int | float):
        if key.low is not None and value < key.low:
            raise ValueError(f"is below {key.low:g}")
        if key.high is not None and value > key.high:
            raise ValueError(f"is above {key.high:g}")
    return value


def render(value: Value) -> str:
    """A value as the text of a data element; floats by their shortest exact form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
