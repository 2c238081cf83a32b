"""A Meta-Task of 10,000 tasks: its import (bar: 2 CPU-s), and its run with /bin/true (bar: 250 MB)."""

from __future__ import annotations

from pathlib import Path

from tests.bench import graphs, measure
from tests.bench.measure import Used

# By a word of their command lines; the first that fits.
ROLES = {"wrapper": "wrapper.py --serve", "JEDI": "-m deft.jedi ", "deft run": "-m deft run "}


def main() -> None:
    """Print a line for the import and one for the run, and the memory of each process of the run."""
    given = measure.options(__doc__)
    tasks = 1000 if given.quick else 10_000
    document = graphs.written(graphs.wide(tasks), measure.scratch())
    imported = measure.medians(lambda: _import(document), given.runs)
    with measure.peaks(ROLES) as found:
        used = measure.deft_run(document, measure.scratch() / "w")
    rows = [
        (f"import of {tasks:,} tasks", imported.cpu_s, imported.wall_s, 1000 * imported.cpu_s / tasks),
        (f"run of {tasks:,} tasks", used.cpu_s, used.wall_s, 1000 * used.cpu_s / tasks),
    ]
    measure.table(("what", "CPU s", "wall s", "CPU ms a task"), rows)
    peaks = [("deft import", imported.peak_mb), *sorted(found.items())]
    measure.table(("process", "peak MB"), peaks)


def _import(document: Path) -> Used:
    where = ["--workdir", str(measure.scratch() / "w")]
    measure.run([*measure.DEFT, "init", *where])
    return measure.run([*measure.DEFT, "import", str(document), *where])


if __name__ == "__main__":
    main()
