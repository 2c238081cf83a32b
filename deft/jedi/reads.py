"""The read side of JEDI: jobs of tasks, and what they wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from deft.base.database import batches, reading
from deft.base.errors import BadInput, NotFound
from deft.base.plugin import Answer, Column, Request
from deft.jedi import progress
from deft.jedi.jobs import Ending, JobState
from deft.jedi.tables import jedi_attempt, jedi_job, jedi_submission, jedi_task

SHOWN_BYTES = 256 * 1024
PIECE = 64 * 1024
DEFAULT_LIMIT = 100

JOB_COLUMNS = (
    Column("job", "job", "integer"),
    Column("task", "task"),
    Column("number", "number", "integer"),
    Column("state", "state", "state"),
    Column("attempts", "attempts", "integer"),
    Column("units", "units", "integer"),
    Column("exit", "exit", "integer"),
    Column("cluster", "cluster"),
    Column("cluster_job", "job there"),
    Column("host", "host"),
    Column("wall_s", "wall", "seconds"),
    Column("asked_s", "asked", "seconds"),
    Column("cpu_s", "cpu", "seconds"),
    Column("max_rss_mb", "memory MB", "number"),
    Column("asked_mb", "asked MB", "integer"),
    Column("progress", "progress", "percent"),
    Column("message", "message"),
)


def jobs(request: Request) -> Answer:
    """The jobs of the selected tasks, by task and number, with their newest attempt."""
    state = request.options.get("state")
    if state is not None and state not in set(JobState):
        raise BadInput(f"{state!r} is no state of a job; they are {', '.join(JobState)}")
    limit = request.options.get("limit")
    most = DEFAULT_LIMIT if limit is None else int(limit)
    rows: list[dict[str, Any]] = []
    with reading(request.engine) as conn:
        for part in batches(sorted(request.task_ids)):
            if most > len(rows):
                rows.extend(_jobs(conn, part, state, most - len(rows)))
    away = any(row["cluster_job"] for row in rows)
    columns = tuple(one for one in JOB_COLUMNS if away or one.key not in ("cluster", "cluster_job"))
    return Answer(columns=columns, rows=rows)


def _jobs(conn: Connection, task_ids: Any, state: object, limit: int) -> list[dict[str, Any]]:
    j, a, t, s = jedi_job.c, jedi_attempt.c, jedi_task.c, jedi_submission.c
    query = (
        sa.select(
            j.id.label("job"), t.metatask, t.name, j.number, j.state, j.attempts, j.units,
            a.exit_code.label("exit"), a.host, a.wall_s, a.cpu_s, a.max_rss_mb, a.folder, j.message,
            a.backend.label("cluster"), s.job_id.label("array"), a.array_index, a.asked_mb, a.asked_s,
        )
        .join(jedi_task, t.id == j.task_id)
        .outerjoin(jedi_attempt, sa.and_(a.job_id == j.id, a.number == j.attempts))
        .outerjoin(jedi_submission, s.id == a.submission_id)
        .where(j.task_id.in_(task_ids))
        .order_by(j.task_id, j.number)
        .limit(limit)
    )  # fmt: skip
    if state is not None:
        query = query.where(j.state == state)
    return [_job_row(dict(row._mapping)) for row in conn.execute(query)]


def _job_row(row: dict[str, Any]) -> dict[str, Any]:
    row["task"] = f"{row.pop('metatask')}/{row.pop('name')}"
    folder, array, index = row.pop("folder"), row.pop("array"), row.pop("array_index")
    row["cluster_job"] = f"{array}_{index}" if array is not None else None
    row["progress"] = progress.of_job(Path(folder)) if folder and row["state"] == JobState.RUNNING else None
    return row


def logs(request: Request) -> Answer:
    """What an attempt of a job wrote, decoded and harmless to a terminal."""
    job_id = _job_id(request.subject)
    wanted = request.options.get("attempt")
    folder = _folder(request, job_id, None if wanted is None else int(wanted))
    path = folder / ("stderr" if request.options.get("stderr") else "stdout")
    tail = request.options.get("tail")
    return Answer(text=read_log(path, None if tail is None else int(tail)))


def _job_id(subject: str | None) -> int:
    text = subject or ""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound(f"there is no job {text!r}: a job is named by its number, see `deft jobs`")
    return int(text)


def _folder(request: Request, job_id: int, attempt: int | None) -> Path:
    a = jedi_attempt.c
    began = sa.or_(a.outcome.is_(None), a.outcome != Ending.REVOKED.value)
    query = sa.select(a.folder, a.number).where(a.job_id == job_id).order_by(a.number.desc())
    with reading(request.engine) as conn:
        known = conn.execute(sa.select(jedi_job.c.id).where(jedi_job.c.id == job_id)).first()
        found = conn.execute(query.where(began if attempt is None else a.number == attempt)).first()
    if known is None:
        raise NotFound(f"there is no job {job_id}; `deft jobs META` lists them")
    if found is None:
        raise NotFound(f"job {job_id} has no attempt" + ("" if attempt is None else f" {attempt}"))
    return Path(found.folder)


def read_log(path: Path, tail: int | None) -> Iterator[str]:
    """The end of a log: at most the last 256 KB, or the last `tail` lines of them."""
    try:
        size = path.stat().st_size
    except OSError:
        raise NotFound(f"there is no log {path}: the attempt has not begun, or it was cleaned up") from None
    return _end_of(path, size, tail)


def _end_of(path: Path, size: int, tail: int | None) -> Iterator[str]:
    start = max(0, size - SHOWN_BYTES)
    with open(path, "rb") as stream:
        if tail is not None:
            stream.seek(start)
            lines = stream.read(SHOWN_BYTES).decode("utf-8", "replace").splitlines(keepends=True)
            yield harmless("".join(lines[-tail:] if tail > 0 else ()))
            return
        if start:
            yield f"[the last {SHOWN_BYTES // 1024} KB of {size} bytes; all of it is in {path}]\n"
        stream.seek(start)
        yield from _pieces(stream.read(SHOWN_BYTES).decode("utf-8", "replace"))


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield harmless(text[start : start + PIECE])


def harmless(text: str) -> str:
    """No control character reaches a terminal but newline and tab."""
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or c.isprintable() else "?" for c in text)
