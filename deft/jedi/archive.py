"""What a Meta-Task holds in the tables of JEDI and on disk: for whoever archives or deletes it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.config import Settings
from deft.base.holdings import FETCHED, Holdings, Ids, Part
from deft.base.idlists import listed
from deft.jedi.tables import (
    jedi_attempt,
    jedi_dataset,
    jedi_input,
    jedi_job,
    jedi_job_unit,
    jedi_lease,
    jedi_submission,
    jedi_task,
    jedi_unit,
)

_JOBS = sa.select(jedi_job.c.id).where(listed(jedi_job.c.task_id))
_ARRAYS = sa.select(jedi_attempt.c.submission_id).where(jedi_attempt.c.job_id.in_(_JOBS))


def folders(settings: Settings, ids: Ids) -> list[Path]:
    """The folders of its datasets, and that of its jobs."""
    data = settings.workdir / "data"
    return [*(data / name for name in ids.names), job_folder(settings, ids)]


def job_folder(settings: Settings, ids: Ids) -> Path:
    """The folder of its jobs. A later Meta-Task of that name would take what it finds there for its own."""
    return settings.workdir / "jobs" / f"{ids.project}.{ids.name}"


def users(conn: Connection, settings: Settings, ids: Ids) -> list[str]:
    """The external datasets of other Meta-Tasks that have files in the folders of its datasets."""
    d, u, data = jedi_dataset.c, jedi_unit.c, f"{settings.workdir / 'data'}/"
    own, names, found = set(ids.datasets), set(ids.names), dict[str, None]()
    source = jedi_unit.join(jedi_dataset, d.id == u.dataset_id)
    query = sa.select(d.id, d.name, u.key).select_from(source).where(d.task_id.is_(None), d.synthetic == 0)
    # Not by a range of keys: in the order of many a locale a slash counts for nothing.
    query = query.where(u.key.startswith(data, autoescape=True)).execution_options(yield_per=FETCHED)
    for dataset_id, name, key in conn.execute(query):
        if dataset_id not in own and key.removeprefix(data).partition("/")[0] in names:
            found[name or str(dataset_id)] = None
    return list(found)


HOLDINGS = Holdings(
    room="jedi",
    parts=(
        Part(jedi_dataset, "datasets", listed(jedi_dataset.c.id)),
        Part(jedi_task, "tasks", listed(jedi_task.c.id)),
        Part(jedi_input, "tasks", listed(jedi_input.c.task_id)),
        Part(jedi_job, "tasks", listed(jedi_job.c.task_id)),
        Part(jedi_unit, "datasets", listed(jedi_unit.c.dataset_id)),
        Part(jedi_job_unit, "tasks", listed(jedi_job_unit.c.task_id)),
        Part(jedi_attempt, "tasks", jedi_attempt.c.job_id.in_(_JOBS)),
        # An array may hold attempts of several Meta-Tasks, so its row outlives each of them.
        Part(jedi_submission, "tasks", jedi_submission.c.id.in_(_ARRAYS), deleted=False),
    ),
    others=(jedi_lease,),
    folders=folders,
    named=job_folder,
    users=users,
)
