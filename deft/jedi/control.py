"""`deft jedi run`, `once`, `apply` and `status`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from deft.base.config import Settings
from deft.base.database import reading
from deft.base.plugin import Answer, Column, Request
from deft.jedi import lease, service
from deft.jedi.tables import jedi_job


def run(request: Request) -> Answer:
    """Serve until SIGTERM."""
    service.serve(_settings(request), request.engine, request.clock)
    return Answer()


def once(request: Request) -> Answer:
    """Work until idle, then say how things stand."""
    service.work_until_idle(_settings(request), request.engine, request.clock)
    return status(request)


def apply(request: Request) -> Answer:
    """Apply the orders that wait, and answer them."""
    service.apply_orders(request.settings, request.engine, request.clock)
    return Answer(text=("the orders are applied\n",))


def _settings(request: Request) -> Settings:
    slots = request.options.get("slots")
    if not slots:
        return request.settings
    return replace(request.settings, jedi=replace(request.settings.jedi, slots=int(slots)))


def status(request: Request) -> Answer:
    """The holder of the lease, and jobs by state."""
    with reading(request.engine) as conn:
        holder = lease.holder(conn)
    held = holder is not None and lease.is_held(holder, request.clock.now())
    text = "".join(_who(holder, held=held))
    columns = (Column("state", "state", "state"), Column("jobs", "jobs", "integer"))
    return Answer(columns=columns, rows=_jobs(request.engine), text=(text,), facts={"served": held})


def _jobs(engine: Engine) -> Iterator[dict[str, Any]]:
    """Jobs by state, counted when somebody wants to read it: it takes a look at every job."""
    count = sa.select(jedi_job.c.state, sa.func.count().label("jobs")).group_by(jedi_job.c.state)
    with reading(engine) as conn:
        rows = conn.execute(count.order_by(jedi_job.c.state)).all()
    yield from (dict(row._mapping) for row in rows)


def _who(holder: lease.Holder | None, *, held: bool) -> Iterator[str]:
    if holder is None or not held:
        yield "nobody serves this database: `deft jedi run` does"
    else:
        since = f"{holder.started:%Y-%m-%d %H:%M:%S} UTC"
        yield f"served by pid {holder.pid} on {holder.host} since {since}"
    yield "\n"
