"""The graphs that the proof searches, as structures of the net with units: shapes, sources, edge policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from deft.model.firing import EdgePart, Structure, TaskPart

UNITS = 2

# Every acyclic graph of 1 to 3 tasks up to isomorphism, and the diamond.
SHAPES: dict[str, tuple[tuple[int, int], ...]] = {
    "single": (),
    "pair": ((0, 1),),
    "chain": ((0, 1), (1, 2)),
    "fan-out": ((0, 1), (0, 2)),
    "fan-in": ((0, 2), (1, 2)),
    "triangle": ((0, 1), (0, 2), (1, 2)),
    "diamond": ((0, 1), (0, 2), (1, 3), (2, 3)),
    "two": (),
    "three": (),
    "pair and one": ((0, 1),),
}
_APART = {"two": 2, "three": 3, "pair and one": 3}  # tasks of those whose parts are not joined


# How many units the first listing of a source finds, and whether more may come. An open one is begun with at
# the first unit, but for `slow`, which is awaited whole.
SOURCES = {"closed": (UNITS, False), "open": (1, True), "slow": (1, True), "empty": (0, False),
           "later": (0, True)}  # fmt: skip


@dataclass(frozen=True)
class Graph:
    """One graph: how many tasks, which joined; `sources`: tasks fed by a listing that may grow.

    `policies` are those of every edge between tasks; `goals` and `empty` of tasks. `rejects`: tasks whose
    first definition the executor refuses.
    """

    name: str
    edges: tuple[tuple[int, int], ...]
    tasks: int
    source: str = "synthetic"  # of the tasks without a producer; see SOURCES
    policies: Mapping[str, str | int] = field(default_factory=dict)
    second: Mapping[str, str | int] | None = None  # those of the last edge, where they differ
    incomplete: frozenset[int] = frozenset()
    expects: int = 1  # 0: nobody knows how many units a dataset will have
    goal: float = 1.0
    allow_empty: int = 0
    rejects: frozenset[int] = frozenset()
    units: int = UNITS

    def structure(self) -> Structure:
        """The structure of the net: external and synthetic datasets of tasks first, then one output a task.

        A task whose inputs are all secondary makes its own units, as a root does.
        """
        roots = [t for t in range(self.tasks) if all(target != t for _, target in self.edges)]
        alone = [t for t in range(self.tasks) if t not in roots and self.policies.get("role") == "secondary"]
        fed = roots + alone
        producers = [-1] * len(fed) + list(range(self.tasks))
        stays_open = SOURCES.get(self.source, (0, False))[1]
        early = stays_open and self.source != "slow"
        first: dict[str, str | int] = {"start_kind": "count", "start_amount": 1} if early else {}
        parts = [EdgePart(n, t, first if t in roots else {}) for n, t in enumerate(fed)]
        parts += [EdgePart(len(fed) + a, b, dict(self.policies)) for a, b in self.edges]
        if self.second is not None:
            parts[-1] = replace(parts[-1], policies=self.second)
        tasks = [
            TaskPart(f"t{n}", n not in self.incomplete, self.allow_empty, self.goal)
            for n in range(self.tasks)
        ]
        listed = {} if self.source == "synthetic" else dict.fromkeys(range(len(roots)), stays_open)
        return Structure(tasks, producers, parts, listed)


def graph(shape: str, **options: object) -> Graph:
    """A graph of that shape."""
    edges = SHAPES[shape]
    tasks = _APART.get(shape, 1 + max((b for _, b in edges), default=0))
    name = " ".join([shape, *(f"{k}={_short(v)}" for k, v in options.items())])
    return Graph(name, edges, tasks, **options)  # type: ignore[arg-type]


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{k}:{v}" for k, v in value.items())
    return ",".join(map(str, sorted(value))) if isinstance(value, frozenset) else str(value)


POLICIES: Sequence[Mapping[str, str | int]] = (
    {"role": "secondary"},
    {"start_kind": "count", "start_amount": 1},
    {"start_kind": "percent", "start_amount": 50},
    {"on_growth": "ask"},
    {"on_growth": "ignore"},
    {"on_loss": "proceed"},
    {"on_abort": "use_partial"},
    {"reduce": 1},
)
