"""A Meta-Task of 10,000 tasks: its import (bar: 2 CPU-s), and its run with /bin/true (bar: 250 MB)."""

from __future__ import annotations

from tests.bench import graphs, measure
from tests.bench.measure import Used


def main() -> None:
    """Print a line for the import and one for the run."""
    given = measure.options(__doc__)
    tasks = 1000 if given.quick else 10_000
    with measure.scratch() as folder:
        document = graphs.written(graphs.wide(tasks), folder)

        def imported() -> Used:
            with measure.scratch() as inner:
                measure.run([*measure.DEFT, "init", "--workdir", str(inner / "w")])
                return measure.run([*measure.DEFT, "import", str(document), "--workdir", str(inner / "w")])

        rows = [(f"import of {tasks:,} tasks", *_figures(measure.medians(imported, given.runs)))]
        rows.append((f"run of {tasks:,} tasks", *_figures(measure.deft_run(document, 1))))
    measure.table(("what", "CPU s", "wall s", "peak MB of a process"), rows)


def _figures(used: Used) -> tuple[float, float, float]:
    return used.cpu_s, used.wall_s, used.peak_mb


if __name__ == "__main__":
    main()
