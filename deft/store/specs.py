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
from deft.base.idlists import listed
from deft.model.keys import FAMILIES, PARAM_FACTS, Value
from deft.model.tasks import Membership
from deft.store.tables import deft_dataset, deft_edge, deft_metatask, deft_node
from deft.wire import pyutilib_command
from deft.wire.orders import Input, Output, Scan, TaskSpec

# What JEDI does not act on.
_NOT_SENT = frozenset({"command", "armed", "foreach", "template", "folder", "kind", "allow_empty"})


_M = deft_metatask.c
_TASKS = (
    sa.select(
        deft_node.c.id, deft_node.c.name, deft_node.c.settings, deft_node.c.metatask_id, _M.project,
        _M.name.label("metatask"), _M.settings.label("graph_settings"), _M.folder,
    )
    .select_from(deft_node.join(deft_metatask))
    .where(listed(deft_node.c.id))
)  # fmt: skip


def of_tasks(conn: Connection, node_ids: Sequence[int]) -> dict[int, TaskSpec]:
    """The whole tasks, by node id."""
    found: dict[int, TaskSpec] = {}
    for part in batches(node_ids):
        inputs, outputs = _inputs(conn, part), _outputs(conn, part)
        for row in conn.execute(_TASKS, {"ids": part}).all():
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
    command, params = str(own.get("command", "")), _family(graph, "param.") | _family(own, "param.")
    if pyutilib_command.is_one(command):
        command = pyutilib_command.spelled_out(command, params, inputs, outputs)
    return TaskSpec(
        task_id=row.id,
        metatask_id=row.metatask_id,
        project=row.project,
        metatask=row.metatask,
        task=row.name,
        command=command,
        params=params,
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


_PRODUCER = deft_node.alias()
_D, _E = deft_dataset.c, deft_edge.c
_INPUTS = (
    sa.select(
        _E.target_id, _E.id, _E.dataset_id, _D.name, _D.type, _E.role, _E.reduce, _D.membership, _D.synthetic,
        _PRODUCER.c.name.label("producer"),
    )
    .select_from(
        deft_edge.join(deft_dataset, _D.id == _E.dataset_id)
        .outerjoin(_PRODUCER, _PRODUCER.c.id == _D.producer_id)
    )
    .where(listed(_E.target_id))
    .order_by(_E.target_id, _E.position, _E.id)
)  # fmt: skip
_OUTPUTS = (
    sa.select(_D.producer_id, _D.id, _D.name, _D.type, _D.format)
    .where(listed(_D.producer_id))
    .order_by(_D.producer_id, _D.id)
)


def _inputs(conn: Connection, node_ids: Sequence[int]) -> defaultdict[int, list[Input]]:
    found: defaultdict[int, list[Input]] = defaultdict(list)
    for target_id, *names, reduce, membership, synthetic, producer in conn.execute(
        _INPUTS, {"ids": node_ids}
    ).all():
        edge_id, dataset_id, dataset, type_, role = names
        closed = membership == Membership.CLOSED.value
        found[target_id].append(
            Input(edge_id, dataset_id, dataset, type_, role, bool(reduce), closed, synthetic, producer or "")
        )
    return found


def _outputs(conn: Connection, node_ids: Sequence[int]) -> defaultdict[int, list[Output]]:
    found: defaultdict[int, list[Output]] = defaultdict(list)
    for producer_id, dataset_id, name, type_, suffix in conn.execute(_OUTPUTS, {"ids": node_ids}).all():
        found[producer_id].append(Output(dataset_id, name, type_, suffix or ""))
    return found


_EXTERNAL = (
    sa.select(_D.id, _D.name, _D.sources, _D.format, _D.order_seq)
    .where(_D.id.in_(sa.select(_E.dataset_id).where(listed(_E.target_id))))
    .where(_D.producer_id.is_(None), _D.synthetic == 0)
    .order_by(_D.id)
)


def external_inputs(conn: Connection, node_ids: Sequence[int], *, listed_too: bool) -> list[Scan]:
    """The external inputs of tasks as they are to be listed; `listed_too`: those that were once, too."""
    return [
        Scan(row.id, row.name, tuple(json.loads(row.sources or "[]")), row.format or "")
        for row in conn.execute(_EXTERNAL, {"ids": node_ids}).all()
        if listed_too or not row.order_seq
    ]


_NOTE_ORDER = sa.update(deft_dataset).where(listed(_D.id)).values(order_seq=_D.order_seq + 1)
_NUMBERS = sa.select(_D.id, _D.order_seq).where(listed(_D.id))


def note_dataset_orders(conn: Connection, dataset_ids: Sequence[int]) -> dict[int, int]:
    """Count one more order about each dataset; returns the new numbers."""
    if not dataset_ids:
        return {}
    conn.execute(_NOTE_ORDER, {"ids": dataset_ids})
    return {row.id: row.order_seq for row in conn.execute(_NUMBERS, {"ids": dataset_ids}).all()}
