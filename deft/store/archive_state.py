"""Where a Meta-Task stood, as `state.*` values for the nodes and edges of its GraphML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow
from deft.base.holdings import FETCHED
from deft.model.keys import STATE, Scope, Value
from deft.model.tasks import NodeKind
from deft.store import standing
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire.tables import wire_dataset, wire_task

Holder = tuple[Scope, str]

_GRAPH = ("state", "owner", "created", "origin")
_TASK = ("state", "reason", "changed", "ok", "failed", "skipped", "jobs")
_EDGE = ("dataset", "membership", "units", "lost", "bytes")


class States(Mapping[Holder, Mapping[str, Value]]):
    """What is known of the graph, of tasks by name, and of the dataset of each edge by the edge's id.

    Kept as bare tuples, each of which becomes a mapping when it is asked for: there are many.
    """

    def __init__(self, conn: Connection, metatask_id: int) -> None:
        self._names: dict[Scope, tuple[str, ...]] = {"graph": _GRAPH, "node": _TASK, "edge": _EDGE}
        self._found: dict[Scope, dict[str, tuple[Value | None, ...]]] = {
            "graph": {"": _graph(conn, metatask_id)},
            "node": {row[0]: _plain(row) for row in _tasks(conn, metatask_id)},
            "edge": {row[0]: _plain(row) for row in _edges(conn, metatask_id)},
        }

    def __getitem__(self, holder: Holder) -> Mapping[str, Value]:
        scope, name = holder
        pairs = zip(self._names[scope], self._found[scope][name], strict=True)
        return {f"{STATE}{key}": value for key, value in pairs if value is not None}

    def __iter__(self) -> Iterator[Holder]:
        return ((scope, name) for scope, found in self._found.items() for name in found)

    def __len__(self) -> int:
        return sum(map(len, self._found.values()))


def _plain(row: AnyRow) -> tuple[Value | None, ...]:
    return tuple(one.isoformat() if hasattr(one, "isoformat") else one for one in row[1:])


def _graph(conn: Connection, metatask_id: int) -> tuple[Value | None, ...]:
    m = deft_metatask.c
    row = conn.execute(sa.select(m.id, m.owner, m.created, m.origin).where(m.id == metatask_id)).one()
    return (standing.of(conn, [metatask_id])[metatask_id].state, *_plain(row))


def _tasks(conn: Connection, metatask_id: int) -> Iterator[AnyRow]:
    n, w = deft_node.c, wire_task.c
    columns = (n.name, n.state, n.reason, n.changed, w.ok, w.failed, w.skipped, w.jobs)
    query = sa.select(*columns).select_from(deft_node.outerjoin(wire_task, w.task_id == n.id))
    query = query.where(n.metatask_id == metatask_id, n.kind == NodeKind.TASK.value)
    yield from conn.execute(query.execution_options(yield_per=FETCHED))


def _edges(conn: Connection, metatask_id: int) -> Iterator[AnyRow]:
    e, d, w = deft_edge.c, deft_dataset.c, wire_dataset.c
    columns = (e.document_id, d.name, d.membership, w.available, w.lost, w.bytes)
    source = deft_edge.join(deft_dataset, d.id == e.dataset_id).outerjoin(wire_dataset, w.dataset_id == d.id)
    query = sa.select(*columns).select_from(source).where(e.metatask_id == metatask_id)
    yield from conn.execute(query.where(e.document_id.is_not(None)).execution_options(yield_per=FETCHED))
