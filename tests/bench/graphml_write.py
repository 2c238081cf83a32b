"""Write GraphML of 100,000 nodes and 200,000 edges, six attributes each, beside NetworkX (bar: 4 times)."""

from __future__ import annotations

import random
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import networkx as nx

from deft.authoring.graphml import writer
from deft.model import exchange
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, Task
from tests.bench import measure

BAR = 4.0
LEAST = 3  # counted runs


def six(tasks: int) -> MetaTask:
    """Each task after two of the fifty before it; with task, kind and Meta-Task a node has six values."""
    draw = random.Random(1)
    made = MetaTask(f"six{tasks}", project="bench")
    for n in range(tasks):
        own: dict[str, Value] = {
            "command": f"./step --seed {n} {{input}} > {{output}}",
            "resources.cores": 1 + n % 8,
            "goal": 1 - n % 10 / 10,
        }
        made.add(Task(f"t{n}", settings=own))
        for _ in range(2 if n > 1 else n):
            made.join(Edge(f"t{max(0, n - 1 - draw.randrange(50))}", f"t{n}", _policies(n), id=""))
    return made


def _policies(n: int) -> dict[str, Value]:
    return {
        "type": ("hits", "tracks", "log")[n % 3], "role": "primary", "start_when": f"{1 + n % 99}%",
        "on_growth": "process", "reduce": n % 2 == 0, "format": "root",
    }  # fmt: skip


def main() -> None:
    """Print CPU and size of both, and the ratio of their medians."""
    given = measure.options(__doc__)
    made = six(2_000 if given.quick else 100_000)
    same = exchange.to_networkx(made)
    folder = measure.scratch()
    ours, theirs = folder / "deft.graphml", folder / "networkx.graphml"
    before = _peak_mb()
    written = [_cpu(_deft, made, ours)]
    grown = _peak_mb() - before
    peers = [_cpu(nx.write_graphml, same, theirs)]
    # In turns, so that both meet the same machine.
    for _ in range(max(given.runs, LEAST) - 1):
        written.append(_cpu(_deft, made, ours))
        peers.append(_cpu(nx.write_graphml, same, theirs))
    deft_s, networkx_s = statistics.median(written), statistics.median(peers)
    rows = [
        ("DEFT", deft_s, ours.stat().st_size / 2**20, grown, networkx_s / deft_s, BAR),
        ("networkx.write_graphml", networkx_s, theirs.stat().st_size / 2**20, "", 1.0, ""),
    ]
    print(f"{made.graph.number_of_nodes():,} nodes, {made.graph.number_of_edges():,} edges")
    measure.table(("writer", "CPU s", "MB", "grew by MB", "times as fast", "bar"), rows)


def _deft(made: MetaTask, path: Path) -> None:
    with path.open("wb") as stream:
        writer.write(made, stream)


def _cpu(act: Callable[..., object], *arguments: object) -> float:
    began = time.process_time()
    act(*arguments)
    return time.process_time() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
