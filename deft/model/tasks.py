"""Tasks, edges and datasets: the pieces of a Meta-Task, and the states they take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from deft.model.keys import Value

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
NOTHING: Mapping[str, Value] = MappingProxyType({})


def is_name(text: str) -> bool:
    """True for a legal name of a project, a Meta-Task or a task (`--` joins the parts of expanded ones)."""
    return NAME.match(text) is not None


class State(StrEnum):
    """The states of a task; it is in exactly one. Hold is a token of its own, never a state."""

    DEFINED = "defined"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FINISHED = "finished"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    ABORTED = "aborted"
    BROKEN = "broken"


ENDED = frozenset({State.DONE, State.FINISHED, State.FAILED, State.ABORTED, State.BROKEN})
ACTIVE = frozenset({State.WAITING, State.RUNNING, State.EXHAUSTED})


class Membership(StrEnum):
    """Whether a dataset may still get units."""

    DECLARED = "declared"
    OPEN = "open"
    CLOSED = "closed"
    RETIRED = "retired"


class NodeKind(StrEnum):
    """What a node is; entry and exit hold no tokens."""

    TASK = "task"
    ENTRY = "entry"
    EXIT = "exit"
    METATASK = "metatask"


@dataclass(frozen=True, slots=True)
class Foreign:
    """What other tools or people wrote and we only keep: (key id, canonical XML or text) pairs, in order."""

    fragments: tuple[tuple[str, str], ...] = ()


NO_FOREIGN = Foreign()


@dataclass(frozen=True, slots=True)
class Task:
    """A node: its name, kind, and settings by the keys of the profile (typed, checked).

    `id` is the node's id in the document it came from; `line` the line it began on.
    """

    name: str
    kind: NodeKind = NodeKind.TASK
    settings: Mapping[str, Value] = field(default_factory=dict)
    id: str = ""
    line: int | None = None
    foreign: Foreign = NO_FOREIGN

    @property
    def command(self) -> str:
        """What a job runs; empty where it is not defined yet."""
        return str(self.settings.get("command", ""))

    @property
    def armed(self) -> bool:
        """Whether `start META` arms it."""
        return bool(self.settings.get("armed", True))

    def family(self, prefix: str) -> dict[str, Value]:
        """The settings `prefix` + x, by x: the task's `param.`, `attr.` or `env.`."""
        cut = len(prefix)
        return {key[cut:]: value for key, value in self.settings.items() if key.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class StartWhen:
    """How much of an input must be there: `complete`, `count` (N units), or `percent` of the expected."""

    kind: str
    amount: float = 0

    @staticmethod
    def parse(text: str) -> StartWhen:
        """Read complete, any, N or N%. Raises ValueError that ends the sentence "start_when = TEXT …"."""
        word = text.strip()
        if word == "complete":
            return StartWhen("complete")
        if word == "any":
            return StartWhen("count", 1)
        number, percent = (word[:-1], True) if word.endswith("%") else (word, False)
        if not number.isascii() or not number.isdigit() or len(number) > 9 or int(number) < 1:
            raise ValueError("is none of complete, any, N, N%")
        if percent and int(number) > 100:
            raise ValueError("is above 100%")
        return StartWhen("percent" if percent else "count", int(number))


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge: producer -> consumer, with the policies of that consumer and the facts of its dataset."""

    source: str
    target: str
    settings: Mapping[str, Value] = field(default_factory=dict)
    id: str = ""
    line: int | None = None
    foreign: Foreign = NO_FOREIGN

    def text(self, key: str, default: str = "") -> str:
        """A setting as text."""
        return str(self.settings.get(key, default))

    @property
    def type(self) -> str:
        """The type of its dataset: `type`, else `format`, else `data`."""
        return self.text("type") or self.text("format") or "data"

    @property
    def group(self) -> tuple[str, str]:
        """Which dataset of its producer it is: edges of one producer with equal groups share one."""
        named = self.text("dataset")
        return ("dataset", named) if named else ("type", self.type)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the files of an external dataset lie: `source`, or the list in `source.json`.

        Raises ValueError where `source.json` is no list of texts.
        """
        if "source.json" in self.settings:
            found = json.loads(self.text("source.json"))
            if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
                raise ValueError("is no JSON list of texts")
            return tuple(found)
        return (self.text("source"),) if self.text("source") else ()

    @property
    def legal_sources(self) -> tuple[str, ...]:
        """The same; none where what is said cannot be read, which `model.rules` finds."""
        try:
            return self.sources
        except ValueError:
            return ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the graph: at most one producer (None: external), any number of consumers.

    `synthetic` > 0: the implicit input of a task without data input, its units 1..synthetic.
    """

    producer: str | None
    type: str
    name: str = ""
    format: str = ""
    edges: tuple[Edge, ...] = field(default=())
    sources: tuple[str, ...] = ()
    open: bool = False
    synthetic: int = 0
    consumer: str = ""
