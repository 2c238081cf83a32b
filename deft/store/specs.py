"""What an order carries: whole tasks and listings, read from the rows in a few statements for many tasks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import AnyRow, batches
from deft.model.keys import FAMILIES, PARAM_FACTS, Value
from deft.model.tasks import Membership
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire.orders import Input, Output, Scan, TaskSpec

# What JEDI does not act on.
_NOT_SENT = frozenset({"command", "armed", "foreach", "template", "folder", "kind", "allow_empty"})


def of_tasks(conn: Connection, node_ids: Sequence[int]) -> dict[int, TaskSpec]:
    """The whole tasks, by node id."""
    found: dict[int, TaskSpec] = {}
    for part in batches(node_ids):
        inputs, outputs = _inputs(conn, part), _outputs(conn, part)
        m = deft_metatask.c
        columns = (
            deft_node.c.id, deft_node.c.name, deft_node.c.settings, deft_node.c.metatask_id, m.project,
            m.name.label("metatask"), m.settings.label("graph_settings"), m.folder,
        )  # fmt: skip
        source = deft_node.join(deft_metatask)
        for row in conn.execute(sa.select(*columns).select_from(source).where(deft_node.c.id.in_(part))):
            found[row.id] = _spec(row, tuple(inputs[row.id]), tuple(outputs[row.id]))
    return found


@lru_cache(maxsize=16)
def _graph_settings(text: str) -> Mapping[str, Value]:
    """Those of a Meta-Task, the same for all of its tasks."""
    return MappingProxyType(dict(json.loads(text)))


def _spec(row: AnyRow, inputs: tuple[Input, ...], outputs: tuple[Output, ...]) -> TaskSpec:
    own: dict[str, Value] = json.loads(row.settings)
    graph = _graph_settings(row.graph_settings)
    families = FAMILIES["node"]
    return TaskSpec(
        task_id=row.id,
        metatask_id=row.metatask_id,
        project=row.project,
        metatask=row.metatask,
        task=row.name,
        command=str(own.get("command", "")),
        params=_family(graph, "param.") | _family(own, "param."),
        attrs=_family(graph, "attr.") | _family(own, "attr."),
        env={name: str(value) for name, value in _family(own, "env.").items()},
        settings={k: v for k, v in own.items() if k not in _NOT_SENT and not k.startswith(families)},
        template_dir=str(own.get("folder") or row.folder or ""),
        inputs=inputs,
        outputs=outputs,
    )


def _family(settings: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    names = (key for key in settings if key.startswith(prefix) and not key.endswith(PARAM_FACTS))
    return {key.removeprefix(prefix): settings[key] for key in names}


def _inputs(conn: Connection, node_ids: Sequence[int]) -> defaultdict[int, list[Input]]:
    producer = deft_node.alias()
    d, e = deft_dataset.c, deft_edge.c
    source = deft_edge.join(deft_dataset, d.id == e.dataset_id).outerjoin(
        producer, producer.c.id == d.producer_id
    )
    columns = (e.id, e.target_id, e.dataset_id, e.role, e.reduce, d.name, d.type, d.membership, d.synthetic)
    query = sa.select(*columns, producer.c.name.label("producer")).select_from(source)
    found: defaultdict[int, list[Input]] = defaultdict(list)
    for row in conn.execute(query.where(e.target_id.in_(node_ids)).order_by(e.target_id, e.position, e.id)):
        found[row.target_id].append(
            Input(
                edge_id=row.id,
                dataset_id=row.dataset_id,
                dataset=row.name,
                type=row.type,
                role=row.role,
                reduce=bool(row.reduce),
                closed=row.membership == Membership.CLOSED,
                synthetic=row.synthetic,
                producer=row.producer or "",
            )
        )
    return found


def _outputs(conn: Connection, node_ids: Sequence[int]) -> defaultdict[int, list[Output]]:
    d = deft_dataset.c
    query = sa.select(d.producer_id, d.id, d.name, d.type, d.format).where(d.producer_id.in_(node_ids))
    found: defaultdict[int, list[Output]] = defaultdict(list)
    for row in conn.execute(query.order_by(d.producer_id, d.id)):
        found[row.producer_id].append(Output(row.id, row.name, row.type, row.format or ""))
    return found


def external_inputs(conn: Connection, node_ids: Sequence[int], *, listed_too: bool) -> list[Scan]:
    """The external inputs of tasks as they are to be listed; `listed_too`: those that were once, too."""
    d, e = deft_dataset.c, deft_edge.c
    found: list[Scan] = []
    for part in batches(node_ids):
        query = (
            sa.select(d.id, d.name, d.sources, d.format)
            .where(d.id.in_(sa.select(e.dataset_id).where(e.target_id.in_(part))))
            .where(d.producer_id.is_(None), d.synthetic == 0)
        )
        if not listed_too:
            query = query.where(d.order_seq == 0)
        for row in conn.execute(query):
            found.append(Scan(row.id, row.name, tuple(json.loads(row.sources or "[]")), row.format or ""))
    return found


def note_dataset_orders(conn: Connection, dataset_ids: Sequence[int]) -> dict[int, int]:
    """Count one more order about each dataset; returns the new numbers."""
    found: dict[int, int] = {}
    for part in batches(dataset_ids):
        which = deft_dataset.c.id.in_(part)
        conn.execute(sa.update(deft_dataset).where(which).values(order_seq=deft_dataset.c.order_seq + 1))
        numbers = sa.select(deft_dataset.c.id, deft_dataset.c.order_seq).where(which)
        found.update({row.id: row.order_seq for row in conn.execute(numbers)})
    return found
