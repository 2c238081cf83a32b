"""A chain of tasks that do nothing: what a link costs. Bars: 5 tasks in 2 s, 0.1 s a link, stretch 0.05 s."""

from __future__ import annotations

import itertools
import statistics
from pathlib import Path

import sqlalchemy as sa

from deft.base.database import open_engine, reading
from deft.jedi.tables import jedi_attempt, jedi_job
from tests.bench import graphs, measure


def main() -> None:
    """Print the whole, and one link: the end of a task's last job to the start of the next one's first."""
    given = measure.options(__doc__)
    rows = []
    for length in (5, 50 if given.quick else 200):
        with measure.scratch() as folder:
            document = graphs.written(graphs.chain(length), folder)
            used = measure.deft_run(document, given.runs)
            measure.run([*measure.DEFT, "run", str(document), "--quiet", "--workdir", str(folder / "w")])
            links = _links(folder / "w")
            rows.append((length, used.wall_s, used.cpu_s, 1000 * statistics.median(links), 1000 * max(links)))
    measure.table(("tasks", "wall s", "CPU s", "link ms, median", "link ms, largest"), rows)


def _links(workdir: Path) -> list[float]:
    engine = open_engine(f"sqlite:///{workdir / 'deft.db'}")
    a = jedi_attempt.c
    query = sa.select(a.started, a.ended).join(jedi_job, jedi_job.c.id == a.job_id).order_by(a.started)
    with reading(engine) as conn:
        times = conn.execute(query).all()
    engine.dispose()
    links = itertools.pairwise(times)
    return [(after.started - before.ended).total_seconds() for before, after in links]


if __name__ == "__main__":
    main()
