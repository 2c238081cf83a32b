"""A layered graph, 20 x 50 tasks of one job with 3 inputs each: CPU a task over a bag's job (bar: 1.5)."""

from __future__ import annotations

from tests.bench import graphs, measure


def main() -> None:
    """Print both, and the ratio."""
    given = measure.options(__doc__)
    depth = 5 if given.quick else 20
    with measure.scratch() as folder:
        bag = measure.deft_run(graphs.written(graphs.bag(depth * 50), folder), given.runs)
        layers = measure.deft_run(graphs.written(graphs.layers(depth, 50), folder), given.runs)
    per_ms = 1000 / (depth * 50)
    rows = [
        ("bag, a job", bag.cpu_s * per_ms, bag.wall_s, 1.0),
        (f"{depth} x 50, a task", layers.cpu_s * per_ms, layers.wall_s, layers.cpu_s / bag.cpu_s),
    ]
    measure.table(("what", "CPU ms", "wall s", "ratio"), rows)


if __name__ == "__main__":
    main()
