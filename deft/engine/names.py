"""What the datasets of a Meta-Task are called, or would be: a stored one, a file, a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deft.access import roles
from deft.access.roles import Actor
from deft.base.errors import BadInput
from deft.engine import either, intake
from deft.model import named, naming
from deft.model.graph import MetaTask
from deft.store import graphs
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class NamesRequest:
    """The names of `source`, by its own pattern or by another one: a text, or the name of a shipped one."""

    actor: Actor
    source: str
    given: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """One dataset: the task that makes it, its type, its name."""

    task: str
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class NamesAnswer:
    """All datasets that tasks make; `stored`: they are called so. Else # stands for the task's number."""

    source: str
    pattern: str
    stored: bool
    names: tuple[Named, ...]


def names(session: Session, request: NamesRequest) -> NamesAnswer:
    """The names, in the order of the tasks.

    Raises NotFound with near names, BadInput with every dataset that cannot be named so.
    """
    roles.require(request.actor, "read")
    found = either.find(session, request.source, request.given)
    if found.metatask_id is None or request.pattern is not None:
        return _would_be(found.metatask, found.called, request.pattern)
    with session.reading() as conn:
        known = graphs.dataset_names(conn, found.metatask_id)
    listed = tuple(Named(task, type, name) for (task, type), name in known.items())
    return NamesAnswer(found.called, naming.text_of(found.metatask.settings), True, listed)


def of_source(request: NamesRequest, workdir: Path) -> NamesAnswer:
    """The same of a file or template alone, where there is no database. Raises NotFound, BadInput."""
    roles.require(request.actor, "validate")
    made, _ = intake.read_source(request.source, request.given, workdir)
    return _would_be(made, request.source, request.pattern)


def _would_be(made: MetaTask, called: str, pattern: str | None) -> NamesAnswer:
    if pattern is not None:
        made.settings["naming.pattern"] = pattern
    _, wrong = named.names(made)
    if wrong:
        raise BadInput(f"the datasets of {called} cannot be named so:", wrong)
    return NamesAnswer(called, naming.text_of(made.settings), False, tuple(_previews(made)))


def _previews(made: MetaTask) -> Iterator[Named]:
    numbers = {node.name: number for number, node in enumerate(made.nodes, 1)}
    pattern = naming.text_of(made.settings)
    for dataset in made.datasets():
        if dataset.producer is not None:
            fields = named.fields(made, dataset, numbers)
            yield Named(dataset.producer, dataset.type, naming.preview(fields, pattern))
