"""A picture of 5,000 tasks: CPU of layout and SVG (bar: 1 s); crossings and time beside Graphviz dot.

Both are given the same layers, long links cut into pieces from layer to layer, so that what is compared is
the order within the layers. Crossings are counted in the order of the positions that each gives.
"""

from __future__ import annotations

import gc
import resource
import shutil
import statistics
import subprocess
import time

from deft.authoring.layout import coordinates, crossings, proper, ranks, topology
from deft.authoring.layout.proper import Proper
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, Task
from deft.observe.pictures import plan, scene, svg
from tests.bench import graphs, measure


def main() -> None:
    """Print a line a graph."""
    given = measure.options(__doc__)
    tasks = 500 if given.quick else 5000
    pictures = [
        ("50 wide, 3 inputs each", graphs.layers(tasks // 50, 50)),
        ("chains of 5", chains(tasks // 5, 5)),
        ("after 2 of the 50 before", graphs.wide(tasks)),
    ]
    rows = [(f"{tasks:,} tasks, {name}", *_picture(made, given.runs)) for name, made in pictures]
    measure.table(("picture", "layout s", "SVG s", "both (bar: 1 s)", "kB"), rows)
    program = shutil.which("dot")
    if program is None:
        print("dot: not here. apt-get install graphviz")
        return
    drawn = [graphs.layers(depth, width) for depth, width in ((10, 10), (20, 15), (20, 50))]
    drawn += [graphs.wide(n) for n in (100, 300, 1000)]
    lines = [_beside(program, made) for made in (drawn[:2] if given.quick else drawn)]
    headings = ("graph", "items", "links", "crossings", "dot's", "ratio", "CPU s", "dot's CPU s")
    measure.table(headings, lines)


def chains(number: int, length: int) -> MetaTask:
    """So many chains that nothing joins."""
    made = MetaTask(f"chains{number}x{length}")
    for n in range(number):
        for step in range(length):
            made.add(Task(f"step{step}--n{n}", settings={"command": graphs.TRUE}))
            if step:
                made.join(Edge(f"step{step - 1}--n{n}", f"step{step}--n{n}"))
    return made


def _picture(made: MetaTask, runs: int) -> tuple[float, float, float, int]:
    found = scene.of_document(made)
    gc.disable()  # as the command does
    layouts, drawings = [], []
    for _ in range(runs):
        gc.collect()
        begin = time.process_time()
        planned = plan.plan(found)
        middle = time.process_time()
        document = svg.draw(found, planned)
        layouts.append(middle - begin)
        drawings.append(time.process_time() - middle)
    gc.enable()
    both = statistics.median(one + other for one, other in zip(layouts, drawings, strict=True))
    return statistics.median(layouts), statistics.median(drawings), both, len(document) // 1000


# --- beside dot --------------------------------------------------------------------------------------------


def _beside(program: str, made: MetaTask) -> tuple[str, int, int, int, int, float, float, float]:
    graph = _layers(made)
    begin = time.process_time()
    ours = crossings.arrange(graph)
    coordinates.assign(graph, [24.0] * len(graph.rank), 14.0, 9.0)
    used = time.process_time() - begin
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    place = _placed(program, graph)
    dots_used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    graph.layers = [sorted(layer, key=place.__getitem__) for layer in graph.layers]
    dots = crossings.count(graph, place)
    links = sum(map(len, graph.below))
    return made.name, len(graph.rank), links, ours, dots, ours / max(dots, 1), used, dots_used


def _layers(made: MetaTask) -> Proper:
    """The layers of its tasks, with long links cut."""
    found = topology.of(made)
    number = {name: n for n, name in enumerate(found.nodes)}
    nets: dict[tuple[str, str], int] = {}
    links = [
        (number[one.source], number[one.target], nets.setdefault((one.source, one.net), len(nets)))
        for one in found.links
    ]
    below: list[list[int]] = [[] for _ in number]
    for source, target in dict.fromkeys(link[:2] for link in links):
        below[source].append(target)
    return proper.cut(ranks.ranks(below), links)


def _placed(program: str, graph: Proper) -> list[int]:
    """The place of every item in its layer as dot orders them."""
    edges = "".join(f"{upper}->{lower};" for upper, near in enumerate(graph.below) for lower in near)
    same = "".join(f"{{rank=same;{';'.join(map(str, layer))}}}" for layer in graph.layers)
    document = f"digraph{{rankdir=LR;node[shape=box,width=2,height=0.6];{edges}{same}}}"
    said = subprocess.run([program, "-Tplain"], input=document, capture_output=True, text=True, check=True)
    words = (line.split() for line in said.stdout.splitlines() if line.startswith("node"))
    across = {int(name): float(y) for _, name, _, y, *_ in words}
    place = [0] * len(graph.rank)
    for layer in graph.layers:
        for n, item in enumerate(sorted(layer, key=across.__getitem__)):
            place[item] = n
    return place


if __name__ == "__main__":
    main()
