"""Look whether the files of made units are still there: before a transaction, so that the disk may be slow.

Only a file that is not there is lost. One that cannot be looked at is no evidence, and is told as a reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.database import reading
from deft.jedi import catalog, scanning
from deft.jedi.books import Books
from deft.jedi.catalog import AVAILABLE, LOST, Dataset, Unit
from deft.jedi.scanning import Seen
from deft.jedi.tables import jedi_unit


@dataclass
class Inspection:
    """What differs between the units of a dataset and the disk, by key: files gone, sizes of others."""

    gone: dict[str, str] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str | None:
        """What could not be looked at, in plain words."""
        return "; ".join(self.faults[:3]) or None


def inspect(engine: Engine, dataset_id: int) -> Inspection:
    """Compare every file of a dataset with what is known of it."""
    u = jedi_unit.c
    query = sa.select(u.key, u.path, u.state, u.bytes).where(u.dataset_id == dataset_id, u.path.is_not(None))
    with reading(engine) as conn:
        rows = conn.execute(query).all()
    found = Inspection()
    for row in rows:
        try:
            size = os.stat(row.path).st_size
        except (FileNotFoundError, NotADirectoryError):
            if row.state == AVAILABLE:
                found.gone[row.key] = row.path
        except OSError as fault:
            found.faults.append(f"{row.path}: {fault.strerror}")
        else:
            if row.state != AVAILABLE or size != row.bytes:
                found.there[row.key] = size
    return found


def apply(books: Books, dataset: Dataset, found: Inspection) -> Seen:
    """Put it into the books. What is gone is looked at once more: it may have been made again meanwhile."""
    known = catalog.find_units(books.conn, dataset.id, [*found.gone, *found.there])
    gone = [unit for key, unit in known.items() if unit.state == AVAILABLE and _is_gone(found.gone.get(key))]
    scanning.lose(books, dataset, gone)
    back = [unit for key, unit in known.items() if unit.state == LOST and key in found.there]
    changed = [unit for key, unit in known.items() if unit.state == AVAILABLE and key in found.there]
    for units in (back, changed):
        scanning.replace_units(books, dataset, units, _rows(units, found))
    dataset.reason = found.reason
    return Seen(back=len(back), changed=len(changed), lost=len(gone))


def _is_gone(path: str | None) -> bool:
    return path is not None and not os.path.lexists(path)


def _rows(units: Iterable[Unit], found: Inspection) -> list[dict[str, object]]:
    return [
        {"id": unit.id, "bytes": found.there[unit.key], "events": unit.events,
         "content": str(found.there[unit.key])}
        for unit in units
    ]  # fmt: skip
