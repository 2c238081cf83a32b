"""Datasets as the verbs about data name them: by name, by type, or by the node they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow, batches
from deft.base.errors import BadInput, NotFound, Refused
from deft.base.records import to_text
from deft.model.tasks import Membership
from deft.store.tables import deft_dataset, deft_edge, deft_node
from deft.wire.orders import Scan

_D = deft_dataset.c
_COLUMNS = (_D.id, _D.name, _D.type, _D.format, _D.membership, _D.order_seq, _D.sources, _D.producer_id,
            _D.synthetic, _D.open)  # fmt: skip


@dataclass(frozen=True, slots=True)
class External:
    """An external dataset as it stands; `listed`: it was to be listed once at least."""

    id: int
    name: str
    membership: Membership
    listed: bool
    sources: tuple[str, ...]
    stays_open: bool


def find(conn: Connection, metatask_id: int, metatask: str, named: str | None) -> External:
    """The external dataset of a Meta-Task by any of its names; without one, the only one there is.

    Raises NotFound with near names, BadInput for a name of several, Refused for data that a task makes.
    """
    rows = conn.execute(sa.select(*_COLUMNS).where(_D.metatask_id == metatask_id).order_by(_D.id)).all()
    nodes = _nodes(conn, metatask_id)
    outside = [row for row in rows if row.producer_id is None and not row.synthetic]
    if not outside:
        raise Refused(f"{metatask} has no data from outside; what tasks make grows by itself")
    chosen = outside if named is None else [row for row in outside if named in _names(row, nodes)]
    if len(chosen) == 1:
        return _external(chosen[0])
    if chosen:
        names = ", ".join(row.name for row in chosen)
        what = "which dataset is meant" if named is None else f"{named!r} is the name of several"
        raise BadInput(f"{metatask}: {what}: --dataset {names}")
    made = next((row for row in rows if row.producer_id and named in _names(row, nodes)), None)
    if made is not None:
        raise Refused(
            f"{made.name} is made by a task: only data from outside is augmented or closed by hand; "
            "`deft recover` makes lost data again"
        )
    known = sorted({name for row in outside for name in _names(row, nodes)})
    near = get_close_matches(named or "", known, 3) or known[:8]
    raise NotFound(f"{metatask} has no dataset {named!r} from outside; near: {', '.join(near)}")


def metatask_of(conn: Connection, dataset: str) -> int | None:
    """The Meta-Task of a dataset by its full name."""
    return conn.execute(sa.select(_D.metatask_id).where(_D.name == dataset)).scalar()


def _names(row: AnyRow, nodes: dict[int, set[str]]) -> set[str]:
    return {row.name, row.type, *nodes.get(row.id, ())}


def _nodes(conn: Connection, metatask_id: int) -> dict[int, set[str]]:
    """The names of the nodes that datasets come from."""
    e, n = deft_edge.c, deft_node.c
    read = sa.select(e.dataset_id, n.name).join_from(deft_edge, deft_node, n.id == e.source_id)
    made = sa.select(_D.id, n.name).join_from(deft_dataset, deft_node, n.id == _D.producer_id)
    found: dict[int, set[str]] = {}
    for query in (read.where(e.metatask_id == metatask_id), made.where(_D.metatask_id == metatask_id)):
        for dataset_id, name in conn.execute(query):
            found.setdefault(dataset_id, set()).add(name)
    return found


def _external(row: AnyRow) -> External:
    sources = tuple(json.loads(row.sources or "[]"))
    return External(
        row.id, row.name, Membership(row.membership), row.order_seq > 0, sources, stays_open=bool(row.open)
    )


# --- changing ----------------------------------------------------------------------------------------------


def add_sources(conn: Connection, dataset: External, paths: Sequence[str]) -> None:
    """It also lies there: a later listing finds these, and an export names them."""
    sources = [*dataset.sources, *paths]
    conn.execute(sa.update(deft_dataset).where(_D.id == dataset.id).values(sources=to_text(sources)))
    e = deft_edge.c
    for row in conn.execute(sa.select(e.id, e.settings).where(e.dataset_id == dataset.id)).all():
        settings = json.loads(row.settings)
        if "source" in settings or "source.json" in settings:
            settings.pop("source", None)
            settings["source.json"] = to_text(sources)
            conn.execute(sa.update(deft_edge).where(e.id == row.id).values(settings=to_text(settings)))


def grow_again(conn: Connection, dataset_id: int) -> None:
    """A closed one is opened and closed: there is a new revision."""
    conn.execute(sa.update(deft_dataset).where(_D.id == dataset_id).values(revision=_D.revision + 1))


def close(conn: Connection, dataset: External) -> None:
    """Nothing more comes; one that is not listed yet is closed once it is."""
    values: dict[str, object] = {"open": 0}
    if dataset.membership is Membership.OPEN:
        values["membership"] = Membership.CLOSED.value
    conn.execute(sa.update(deft_dataset).where(_D.id == dataset.id).values(values))


# --- what is to be looked at -------------------------------------------------------------------------------


def to_look_at(conn: Connection, node_ids: Sequence[int]) -> list[Scan]:
    """What tasks made, and the data from outside that they read, as far as JEDI knows any of it."""
    made = _D.producer_id.is_not(None) & _D.producer_id.in_(
        sa.select(deft_node.c.id).where(deft_node.c.started == 1)
    )
    read = _D.producer_id.is_(None) & (_D.synthetic == 0) & (_D.order_seq > 0)
    alive = _D.membership != Membership.RETIRED.value
    found: dict[int, Scan] = {}
    for part in batches(node_ids):
        inputs = sa.select(deft_edge.c.dataset_id).where(deft_edge.c.target_id.in_(part))
        theirs = (made & _D.producer_id.in_(part)) | (read & _D.id.in_(inputs))
        rows = conn.execute(sa.select(*_COLUMNS).where(theirs, alive).order_by(_D.id))
        found.update((scan.dataset_id, scan) for scan in _scans(rows))
    return list(found.values())


def open_ones(conn: Connection) -> list[tuple[Scan, int]]:
    """Open datasets from outside, each with the period in seconds at which it is listed again."""
    query = sa.select(*_COLUMNS).where(
        _D.producer_id.is_(None), _D.open == 1, _D.membership == Membership.OPEN.value
    )
    scans = list(_scans(conn.execute(query)))
    every: dict[int, int] = {}
    for part in batches([scan.dataset_id for scan in scans]):
        e = deft_edge.c
        for row in conn.execute(sa.select(e.dataset_id, e.settings).where(e.dataset_id.in_(part))):
            given = max(1, int(json.loads(row.settings).get("rescan_s", RESCAN_S)))
            every[row.dataset_id] = min(given, every.get(row.dataset_id, given))
    return [(scan, every.get(scan.dataset_id, RESCAN_S)) for scan in scans]


RESCAN_S = 300


def _scans(rows: Iterable[AnyRow]) -> Iterable[Scan]:
    for row in rows:
        sources = tuple(json.loads(row.sources or "[]"))
        yield Scan(row.id, row.name, sources, row.format or "", produced=row.producer_id is not None)
