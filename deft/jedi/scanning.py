"""Put listed files, synthetic numbers and made outputs into the units of datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deft.jedi import catalog
from deft.jedi.books import Books
from deft.jedi.catalog import AVAILABLE, LOST, Dataset, Unit
from deft.jedi.listing import File, Listing
from deft.jedi.tables import jedi_unit


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the disk found, in units; `same`: they were known and are as they were."""

    new: int = 0
    back: int = 0
    changed: int = 0
    lost: int = 0
    same: int = 0


def scanned(books: Books, dataset: Dataset, listing: Listing, *, whole: bool) -> Seen:
    """Compare a listing with the units known; `whole`: what it does not name has vanished."""
    known = catalog.units_of(books.conn, dataset.id) if whole else _named(books, dataset, listing)
    new = [file for file in listing.files if file.path not in known]
    _add_files(books, dataset, new)
    other = [(known[f.path], f) for f in listing.files if f.path in known and _differs(known[f.path], f)]
    _replace_files(books, dataset, other)
    present = {file.path for file in listing.files}
    gone = [unit for unit in known.values() if unit.key not in present and unit.state == AVAILABLE]
    gone = gone if whole else []
    lose(books, dataset, gone)
    dataset.reason = listing.reason
    if dataset.version == 0:
        books.change(dataset.id)  # seen once, even if there is nothing
    back = sum(unit.state != AVAILABLE for unit, _ in other)
    same = len(listing.files) - len(new) - len(other)
    return Seen(len(new), back, len(other) - back, len(gone), same)


def _named(books: Books, dataset: Dataset, listing: Listing) -> dict[str, Unit]:
    return catalog.find_units(books.conn, dataset.id, [file.path for file in listing.files])


def _differs(unit: Unit, file: File) -> bool:
    return unit.state != AVAILABLE or unit.content != file.content


def _add_files(books: Books, dataset: Dataset, files: Sequence[File]) -> None:
    rows = [
        {"key": f.path, "path": f.path, "bytes": f.bytes, "events": f.events, "content": f.content}
        for f in files
    ]
    add_units(books, dataset, rows)


def add_units(books: Books, dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> None:
    """New units: rows of key, path, bytes, events and whatever else they have.

    Their place in the dataset is `position`, else after all that are there.
    """
    catalog.insert_units(books.conn, new_units(books, dataset, rows))


def new_units(books: Books, dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same, but the caller inserts the rows returned, maybe with those of other datasets."""
    if not rows:
        return []
    ids = books.next_ids(jedi_unit, len(rows))
    same = {"dataset_id": dataset.id, "state": AVAILABLE}
    last = dataset.available + dataset.lost
    books.change(dataset.id).added.extend(ids)
    dataset.available += len(rows)
    dataset.bytes += sum(row["bytes"] for row in rows)
    dataset.events += sum(row["events"] for row in rows)
    return [
        {"position": last + n, **row, **same, "id": i}
        for n, (i, row) in enumerate(zip(ids, rows, strict=True), 1)
    ]


def _replace_files(books: Books, dataset: Dataset, pairs: Sequence[tuple[Unit, File]]) -> None:
    rows = [
        {"id": u.id, "path": f.path, "bytes": f.bytes, "events": f.events, "content": f.content}
        for u, f in pairs
    ]
    replace_units(books, dataset, [unit for unit, _ in pairs], rows)


def replace_units(
    books: Books, dataset: Dataset, units: Sequence[Unit], rows: Sequence[Mapping[str, Any]]
) -> None:
    """The same units with a new content, or back from the lost."""
    if not rows:
        return
    catalog.update_units(books.conn, [{**row, "state": AVAILABLE} for row in rows])
    back = [unit for unit in units if unit.state != AVAILABLE]
    kept = [unit for unit in units if unit.state == AVAILABLE]
    dataset.available += len(back)
    dataset.lost -= len(back)
    dataset.bytes += sum(row["bytes"] for row in rows) - sum(unit.bytes for unit in kept)
    dataset.events += sum(row["events"] for row in rows) - sum(unit.events for unit in kept)
    change = books.change(dataset.id)
    change.reshaped = change.reshaped or bool(back)


def lose(books: Books, dataset: Dataset, units: Sequence[Unit]) -> None:
    """These units are gone from the disk."""
    if not units:
        return
    catalog.update_units(books.conn, [{"id": unit.id, "state": LOST} for unit in units])
    dataset.available -= len(units)
    dataset.lost += len(units)
    dataset.bytes -= sum(unit.bytes for unit in units)
    dataset.events -= sum(unit.events for unit in units)
    books.change(dataset.id).reshaped = True


def make_synthetic(books: Books, dataset: Dataset, number: int) -> None:
    """The units 1..number; those that exist stay."""
    dataset.synthetic = 1
    have = dataset.available + dataset.lost
    add_units(
        books,
        dataset,
        [{"key": str(n), "path": None, "bytes": 0, "events": 0} for n in range(have + 1, number + 1)],
    )
    dataset.expected = max(number, have)
