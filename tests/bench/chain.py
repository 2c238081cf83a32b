"""A chain of tasks that do nothing: what a link costs. Bars: 5 tasks in 2 s, 0.1 s a link, stretch 0.05 s.

A link, by the database: from the end of a task's last job to the start of the next task's first (whole), and
the part of it from the history's word that the task is done to that start (order).
"""

from __future__ import annotations

import statistics
from pathlib import Path

import sqlalchemy as sa

from deft.base.database import open_engine, reading
from deft.jedi.tables import jedi_attempt, jedi_job
from deft.store.tables import deft_edge, deft_history
from tests.bench import graphs, measure
from tests.bench.measure import Used


def main() -> None:
    """Print a line a length."""
    given = measure.options(__doc__)
    rows = []
    for length in (5, 50 if given.quick else 200):
        document = graphs.written(graphs.chain(length), measure.scratch())
        whole: list[float] = []
        order: list[float] = []

        def once(document: Path = document, whole: list[float] = whole, order: list[float] = order) -> Used:
            workdir = measure.scratch() / "w"
            used = measure.deft_run(document, workdir)
            for all_of_it, part in _links(workdir):
                whole.append(1000 * all_of_it)
                order.append(1000 * part)
            return used

        used = measure.medians(once, given.runs)
        figures = (statistics.median(whole), max(whole), statistics.median(order))
        rows.append((length, used.wall_s, used.cpu_s, 1000 * used.cpu_s / length, *figures))
    links = ("link ms, median", "largest", "order ms, median")
    measure.table(("tasks", "wall s", "CPU s", "CPU ms a task", *links), rows)


def _links(workdir: Path) -> list[tuple[float, float]]:
    """Of each edge: seconds to its consumer's first job, since its producer's last and since it was known."""
    engine = open_engine(f"sqlite:///{workdir / 'deft.db'}")
    a, h, e = jedi_attempt.c, deft_history.c, deft_edge.c
    spans = sa.select(jedi_job.c.task_id, sa.func.min(a.started), sa.func.max(a.ended))
    spans = spans.join(jedi_attempt, jedi_job.c.id == a.job_id).group_by(jedi_job.c.task_id)
    known = sa.select(h.node_id, h.at).where(h.new == "done", h.old != "done")
    with reading(engine) as conn:
        jobs = {row[0]: row[1:] for row in conn.execute(spans)}
        done = {row[0]: row[1] for row in conn.execute(known)}
        edges = conn.execute(sa.select(e.source_id, e.target_id).where(e.source_id.is_not(None))).all()
    engine.dispose()
    return [
        ((jobs[to][0] - jobs[start][1]).total_seconds(), (jobs[to][0] - done[start]).total_seconds())
        for start, to in edges
    ]


if __name__ == "__main__":
    main()
