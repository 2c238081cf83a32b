"""Build a Meta-Task in Python: tasks by name, each `then` the next, datasets by type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deft.base.errors import BadInput, Finding
from deft.model import keys
from deft.model.graph import DEFAULT_PROJECT, MetaTask
from deft.model.keys import Scope, Value
from deft.model.tasks import Edge, NodeKind, Task

# Short names of the keywords that people use most; any key of the profile may be given in `settings`.
TASK_WORDS = {
    "jobs": "split.jobs",
    "units_per_job": "split.units_per_job",
    "cores": "resources.cores",
    "memory_mb": "resources.memory_mb",
    "walltime_s": "resources.walltime_s",
    "nodes": "resources.nodes",
    "partition": "resources.partition",
    "max_attempts": "retry.max_attempts",
    "foreach": "foreach",
    "goal": "goal",
    "priority": "priority",
    "max_running": "max_running",
    "allow_empty": "allow_empty",
    "armed": "armed",
    "cluster": "cluster",
}
EDGE_WORDS = ("type", "format", "role", "start_when", "on_growth", "on_loss", "on_abort", "reduce", "dataset")


class Builder:
    """A Meta-Task in the making.

    `params` are its parameters: `{param.x}` in commands. Every wrong value raises BadInput at once.
    """

    def __init__(
        self,
        name: str,
        *,
        project: str = DEFAULT_PROJECT,
        params: Mapping[str, Value] | None = None,
        settings: Mapping[str, Value] | None = None,
        folder: str = "",
    ) -> None:
        given = {**(settings or {}), **{f"param.{key}": value for key, value in (params or {}).items()}}
        self.metatask = MetaTask(
            name, project=project, settings=_checked("graph", given, name), origin="python", folder=folder
        )

    def task(
        self,
        name: str,
        command: str,
        *,
        after: Node | Iterable[Node] = (),
        params: Mapping[str, Value] | None = None,
        attrs: Mapping[str, Value] | None = None,
        env: Mapping[str, str] | None = None,
        settings: Mapping[str, Value] | None = None,
        **words: Any,
    ) -> Node:
        """Add a task. `after`: the nodes whose data it takes; words of edges (type, format …) then apply.

        `words` are those of TASK_WORDS and EDGE_WORDS. Raises BadInput.
        """
        named = {TASK_WORDS[word]: value for word, value in words.items() if word in TASK_WORDS}
        edge_words = {word: value for word, value in words.items() if word in EDGE_WORDS}
        unknown = sorted(words.keys() - TASK_WORDS.keys() - set(EDGE_WORDS))
        if unknown:
            words_known = (*TASK_WORDS, *EDGE_WORDS)
            raise _wrong("unknown-word", name, f"{unknown[0]!r} is no word of a task", words_known)
        families = {"param.": params, "attr.": attrs, "env.": env}
        free = {f"{prefix}{k}": v for prefix, given in families.items() for k, v in (given or {}).items()}
        own = _checked("node", {"command": command, **free, **(settings or {}), **named}, name)
        node = self._add(Task(name, NodeKind.TASK, own))
        for source in (after,) if isinstance(after, Node) else after:
            source.feeds(node, **edge_words)
        return node

    def external(self, name: str, source: str, *, open: bool = False) -> Node:
        """Add an entry: data that lie there already. `source`: a path, a glob, or @file."""
        node = self._add(Task(name, NodeKind.ENTRY))
        node.source, node.open = source, open
        return node

    def final(self, name: str = "results") -> Node:
        """Add an exit: data that lead to it are results."""
        return self._add(Task(name, NodeKind.EXIT))

    def _add(self, task: Task) -> Node:
        try:
            self.metatask.add(task)
        except ValueError as fault:
            raise _wrong("duplicate-task", task.name, str(fault)) from None
        return Node(self, task.name)


class Node:
    """One node of a Meta-Task in the making."""

    def __init__(self, builder: Builder, name: str) -> None:
        self.builder = builder
        self.name = name
        self.source = ""
        self.open = False

    def then(self, name: str, command: str, **words: Any) -> Node:
        """Add a task that takes this one's data; the words are those of `Builder.task`."""
        return self.builder.task(name, command, after=self, **words)

    def feeds(self, *consumers: Node, **words: Any) -> Node:
        """Join this node to others by a dataset. Raises BadInput. Returns this node."""
        unknown = sorted(words.keys() - set(EDGE_WORDS))
        if unknown:
            raise _wrong("unknown-word", self.name, f"{unknown[0]!r} is no word of an edge", EDGE_WORDS)
        given: dict[str, Any] = dict(words)
        if self.source:
            given |= {"source": self.source} | ({"open": True} if self.open else {})
        for consumer in consumers:
            settings = _checked("edge", given, f"{self.name} -> {consumer.name}")
            self.builder.metatask.join(Edge(self.name, consumer.name, settings))
        return self


def _checked(scope: Scope, given: Mapping[str, Any], subject: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in given.items():
        key = keys.find(scope, name)
        if key is None:
            raise _wrong("unknown-key", subject, f"{name!r} is no key of a {scope}", keys.names(scope))
        if value is None:
            continue
        try:
            found[name] = keys.parse(key, keys.render(value))
        except ValueError as fault:
            raise _wrong("bad-value", subject, f"{name} = {value!r} {fault}") from None
    return found


def _wrong(code: str, subject: str, message: str, known: Iterable[str] = ()) -> BadInput:
    hint = f"known: {', '.join(known)}" if known else None
    return BadInput("the Meta-Task cannot be built:", [Finding(code, f"{subject}: {message}", hint=hint)])
