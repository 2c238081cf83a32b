"""Attempts that go to a batch system together: those with the same needs, as large as it takes them."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from deft.jedi.books import Books
from deft.jedi.jobs import Array, Flight, Needs
from deft.jedi.store import OpenAttempt
from deft.jedi.tables import jedi_submission

PREFIX = "deft-"


def group(books: Books, flights: Sequence[Flight], cluster: str, max_array: int) -> list[dict[str, Any]]:
    """Put each attempt into an array with a token of its own; returns the rows of the arrays."""
    alike: dict[Needs, list[Flight]] = defaultdict(list)
    for flight in flights:
        alike[flight.needs].append(flight)
    parts = [(needs, part) for needs, found in alike.items() for part in _parts(found, max_array)]
    ids = books.next_ids(jedi_submission, len(parts))
    made = []
    for array_id, (needs, part) in zip(ids, parts, strict=True):
        array = Array(array_id, cluster, PREFIX + secrets.token_hex(12), needs, len(part))
        for index, flight in enumerate(part):
            flight.array, flight.index = array, index
            array.flights[index] = flight
        made.append(array)
    return [_row(books, array) for array in made]


def _parts(flights: Sequence[Flight], size: int) -> list[Sequence[Flight]]:
    return [flights[start : start + size] for start in range(0, len(flights), size)]


def _row(books: Books, array: Array) -> dict[str, Any]:
    return {
        "id": array.id,
        "cluster": array.cluster,
        "token": array.token,
        "size": array.size,
        "created": books.now,
        "job_id": None,
        "accepted": None,
    }


def accepted_row(array: Array) -> dict[str, Any]:
    """What is noted once the cluster has it."""
    return {"id": array.id, "job_id": array.job_id, "accepted": array.accepted}


def restored(rows: Sequence[dict[str, Any]]) -> dict[int, Array]:
    """The arrays of an earlier JEDI, by id; their attempts join them one by one."""
    return {
        row["id"]: Array(
            row["id"], row["cluster"], row["token"], Needs(), row["size"], row["job_id"], row["accepted"]
        )
        for row in rows
    }


def join(array: Array, flight: Flight, attempt: OpenAttempt) -> None:
    """Put an open attempt back into its array."""
    flight.array, flight.index = array, attempt.array_index or 0
    flight.needs = Needs(memory_mb=attempt.asked_mb or 0, walltime_s=attempt.asked_s or 0)
    array.flights[flight.index] = flight
