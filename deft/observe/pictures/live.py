"""The scene of a stored Meta-Task: what its rows and reports say now. Counters, never scans of jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.model.tasks import ENDED, Membership, State
from deft.observe import status
from deft.observe.pictures import scene
from deft.observe.pictures.scene import Flow, Mark, Scene
from deft.observe.status import TaskLine
from deft.store import holds, selection, standing
from deft.store.tables import deft_dataset, deft_edge, deft_node
from deft.wire.tables import wire_dataset


def scene_of(conn: Connection, text: str, now: datetime) -> Scene:
    """What a selection of one Meta-Task names, as it stands. Raises NotFound, BadInput."""
    chosen = selection.resolve(conn, text)
    metatask_id = chosen.metatask_id
    lines = status.task_lines(conn, metatask_id, None if chosen.whole else chosen.node_ids)
    stand = standing.of(conn, [metatask_id])[metatask_id]
    held = holds.metatask_is_held(conn, metatask_id)
    named = {line.task: _mark(line, held) for line in lines}
    names, ends = _nodes(conn, metatask_id)
    edges = _edges(conn, metatask_id, names)
    if not chosen.whole:
        touched = {end for edge in edges if not named.keys().isdisjoint(edge[:2]) for end in edge[:2]}
        ends = {name: kind for name, kind in ends.items() if name in touched}
    known = {**named, **{name: Mark(name, kind) for name, kind in ends.items()}}
    marks = [known[name] for name in names.values() if name in known]
    shown = {mark.name for mark in marks}
    flows = _flows(conn, metatask_id, edges, {line.task: line for line in lines}, names)
    return Scene(
        metatask=chosen.full_name,
        state=stand.state,
        at=now,
        marks=tuple(marks),
        flows=tuple(_within(flow, shown) for flow in flows if flow.source in shown),
        tasks=len(lines),
        states=scene.counted(line.state for line in lines),
        held=sum(mark.held for mark in named.values() if State(mark.state) not in ENDED),
    )


def _mark(line: TaskLine, held: bool) -> Mark:
    """A task; under a hold of the whole Meta-Task all that have not ended are held."""
    stopped = held and State(line.state) not in ENDED and "hold" not in line.controls
    return Mark(
        name=line.task,
        state=line.state,
        controls=(*line.controls, "hold") if stopped else line.controls,
        expected=line.expected,
        ok=line.ok,
        failed=line.failed,
        jobs=line.jobs,
        jobs_ok=line.jobs_ok,
        jobs_failed=line.jobs_failed,
        reason=line.reason or "",
    )


def _nodes(conn: Connection, metatask_id: int) -> tuple[dict[int, str], dict[str, str]]:
    """The names of all nodes in the order of the document, and the kinds of those that are no tasks."""
    n = deft_node.c
    query = sa.select(n.id, n.name, n.kind).where(n.metatask_id == metatask_id).order_by(n.position)
    rows = conn.execute(query).all()
    return {row.id: row.name for row in rows}, {row.name: row.kind for row in rows if row.kind != scene.TASK}


_Edge = tuple[str, str, int, bool]  # source, target, dataset, secondary


def _edges(conn: Connection, metatask_id: int, names: Mapping[int, str]) -> list[_Edge]:
    e = deft_edge.c
    query = sa.select(e.source_id, e.target_id, e.dataset_id, e.role)
    drawn = query.where(e.metatask_id == metatask_id, e.source_id.is_not(None)).order_by(e.position)
    return [
        (names[row.source_id], names[row.target_id], row.dataset_id, row.role == "secondary")
        for row in conn.execute(drawn)
    ]


def _flows(
    conn: Connection, metatask_id: int, edges: Sequence[_Edge], lines: Mapping[str, TaskLine],
    names: Mapping[int, str],
) -> list[Flow]:  # fmt: skip
    d, w = deft_dataset.c, wire_dataset.c
    counters = [sa.func.coalesce(w[name], 0).label(name) for name in ("available", "lost", "expected")]
    query = sa.select(d.id, d.name, d.type, d.membership, d.producer_id, *counters)
    stored = query.select_from(deft_dataset.outerjoin(wire_dataset, w.dataset_id == d.id))
    outer = stored.where(d.metatask_id == metatask_id, d.synthetic == 0).order_by(d.id)
    used: dict[int, list[_Edge]] = {}
    for edge in edges:
        used.setdefault(edge[2], []).append(edge)
    found = []
    for row in conn.execute(outer):
        consumers = used.get(row.id, [])
        source = names[row.producer_id] if row.producer_id else consumers[0][0] if consumers else None
        if source is not None:
            targets = tuple((target, aside) for _, target, _, aside in consumers)
            found.append(_flow(row, source, targets, lines.get(source)))
    return found


def _flow(
    row: sa.Row[Any], source: str, targets: tuple[tuple[str, bool], ...], producer: TaskLine | None
) -> Flow:
    flow = Flow(
        source=source,
        type=row.type,
        targets=targets,
        name=row.name,
        membership=row.membership,
        available=row.available,
        expected=row.expected,
        lost=row.lost,
    )
    there = row.available + row.lost
    if row.expected or row.membership in (Membership.CLOSED, Membership.RETIRED) or producer is None:
        return replace(flow, expected=max(row.expected, there))
    if not (there and producer.ok and producer.expected):
        return flow
    # What its producer made of the units that are done, of all its units.
    whole, rest = divmod(there * producer.expected, producer.ok)
    return replace(flow, expected=max(whole + bool(rest), there), estimated=bool(rest))


def _within(flow: Flow, shown: set[str]) -> Flow:
    """The flow to those who are shown."""
    if all(name in shown for name, _ in flow.targets):
        return flow
    return replace(flow, targets=tuple(target for target in flow.targets if target[0] in shown))
