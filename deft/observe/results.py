"""Where the data of a Meta-Task lie: the folders of the datasets that nobody inside it consumes."""

from __future__ import annotations

from dataclasses import dataclass

from deft.access.roles import Actor
from deft.observe import status
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class Result:
    """One final dataset: its maker, where its files lie, how many and how large."""

    task: str
    dataset: str
    path: str
    units: int
    bytes: int


def of(session: Session, actor: Actor, text: str) -> list[Result]:
    """The final datasets of a Meta-Task that hold any files. Raises NotFound."""
    tasks = {line.task for line in status.status(session, actor, text).tasks}
    return [
        Result(line.producer, line.dataset, str(session.settings.workdir / "data" / line.dataset), line.available, line.bytes)
        for line in status.datasets(session, actor, text)
        if line.producer and line.bytes and not tasks.intersection(line.consumers)
    ]
