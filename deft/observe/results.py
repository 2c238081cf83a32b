"""Where the final data of a Meta-Task lie: what nobody inside it consumes, by file where they are few."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deft.access.roles import Actor
from deft.observe import status
from deft.store.session import Session

FEW = 3


@dataclass(frozen=True, slots=True)
class Result:
    """One final dataset: its maker and type, where it lies, how many files it has and how large they are.

    `files` are named where they are few; else they are all the files of the folder `path`.
    """

    task: str
    type: str
    dataset: str
    path: str
    units: int
    bytes: int
    files: tuple[str, ...] = ()


def of(session: Session, actor: Actor, text: str) -> list[Result]:
    """The final datasets of a Meta-Task that hold any files. Raises NotFound."""
    tasks = {line.task for line in status.status(session, actor, text).tasks}
    return [
        _result(line, session.settings.workdir / "data" / line.dataset)
        for line in status.datasets(session, actor, text)
        if line.producer and line.available and not tasks.intersection(line.consumers)
    ]


def _result(line: status.DatasetLine, folder: Path) -> Result:
    return Result(
        task=line.producer or "",
        type=line.type,
        dataset=line.dataset,
        path=str(folder),
        units=line.available,
        bytes=line.bytes,
        files=_files(folder, line.available) if line.available <= FEW else (),
    )


def _files(folder: Path, wanted: int) -> tuple[str, ...]:
    """The files of a dataset, sorted; none where those on disk are not as many as are known."""
    try:
        found = tuple(sorted(str(path) for path in folder.rglob("*") if path.is_file()))
    except OSError:
        return ()
    return found if len(found) == wanted else ()
