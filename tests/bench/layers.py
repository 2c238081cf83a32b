"""A layered graph, 20 x 50 tasks of one job with 3 inputs each: CPU a task over a bag's job (bar: 1.5)."""

from __future__ import annotations

from tests.bench import bag, graphs, measure
from tests.bench.measure import Used


def main() -> None:
    """Print both, and the ratio: of all the CPU, and of what is above a bare loop of the same payloads."""
    given = measure.options(__doc__)
    depth = 5 if given.quick else 20
    jobs, folder = depth * 50, measure.scratch()
    one, many = graphs.written(graphs.bag(jobs), folder), graphs.written(graphs.layers(depth, 50), folder)
    # In turns, so that both meet the same machine.
    found = [
        (measure.deft_runs(one, 1), measure.deft_runs(many, 1), bag.bare(jobs, 1)) for _ in range(given.runs)
    ]
    of_bag, of_layers, loop = (_median([turn[n] for turn in found]) for n in range(3))
    whole = of_layers.cpu_s / of_bag.cpu_s
    above = (of_layers.cpu_s - loop.cpu_s) / (of_bag.cpu_s - loop.cpu_s)
    per_ms = 1000 / jobs
    rows = [
        ("bag, a job", of_bag.cpu_s * per_ms, of_bag.wall_s, 1.0, 1.0),
        (f"{depth} x 50, a task", of_layers.cpu_s * per_ms, of_layers.wall_s, whole, above),
    ]
    measure.table(("what", "CPU ms", "wall s", "ratio", "ratio above the loop"), rows)


def _median(found: list[Used]) -> Used:
    left = iter(found)
    return measure.medians(lambda: next(left), len(found))


if __name__ == "__main__":
    main()
