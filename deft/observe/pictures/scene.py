"""What is in a picture: marks (tasks, entries, exits, groups of them) and flows (datasets) between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from deft.model.graph import MetaTask
from deft.model.tasks import NodeKind

TASK, ENTRY, EXIT = NodeKind.TASK.value, NodeKind.ENTRY.value, NodeKind.EXIT.value


@dataclass(frozen=True, slots=True)
class Mark:
    """A task, an entry, an exit, or a group of these (`count` > 1).

    `state` is empty where nothing is stored or a group has several; `states`: so many tasks are in which.
    Units: `ok` and `failed` of `expected` (0: not known).
    """

    name: str
    kind: str = TASK
    state: str = ""
    controls: tuple[str, ...] = ()
    expected: int = 0
    ok: int = 0
    failed: int = 0
    jobs: int = 0
    jobs_ok: int = 0
    jobs_failed: int = 0
    reason: str = ""
    template: str = ""
    count: int = 1
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether it is on hold, as all of it or by itself."""
        return "hold" in self.controls


@dataclass(frozen=True, slots=True)
class Flow:
    """A dataset: from one mark to any number, each by its name and whether it is a secondary input there.

    `expected` units, 0 where that is not known; `estimated` where it follows from how far its producer is.
    """

    source: str
    type: str
    targets: tuple[tuple[str, bool], ...] = ()
    name: str = ""
    membership: str = ""
    available: int = 0
    expected: int = 0
    estimated: bool = False
    lost: int = 0
    count: int = 1
    memberships: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """All of a picture; `at` is None where it was drawn from a document. `held` tasks are on hold."""

    metatask: str
    state: str
    at: datetime | None
    marks: tuple[Mark, ...]
    flows: tuple[Flow, ...]
    tasks: int
    states: Mapping[str, int]
    held: int = 0


def of_document(metatask: MetaTask) -> Scene:
    """The scene of a Meta-Task that is only written down."""
    datasets = metatask.datasets()
    units = {one.consumer: one.synthetic for one in datasets if one.synthetic}
    marks = tuple(
        Mark(
            node.name,
            node.kind.value,
            expected=units.get(node.name, 0),
            template=str(node.settings.get("template", "")),
        )
        for node in metatask.nodes
    )
    flows = tuple(
        Flow(
            source=one.producer or one.edges[0].source,
            type=one.type,
            targets=tuple((edge.target, edge.text("role") == "secondary") for edge in one.edges),
            name=one.name,
        )
        for one in datasets
        if not one.synthetic
    )
    return Scene(metatask.full_name, "", None, marks, flows, sum(1 for _ in metatask.tasks), {})


def counted(words: Iterable[str]) -> dict[str, int]:
    """How often each word occurs."""
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found
