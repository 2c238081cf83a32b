"""The Meta-Tasks that are measured."""

from __future__ import annotations

import random
from pathlib import Path

from deft.authoring.graphml import writer
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, Task

TRUE = "/bin/true"
# One job a task, whatever it is fed; else the units would multiply from layer to layer.
ONE_JOB = {"reduce": True}


def chain(length: int) -> MetaTask:
    """Tasks of one job, each after the one before."""
    made = MetaTask(f"chain{length}")
    for n in range(length):
        made.add(Task(f"t{n}", settings={"command": TRUE}))
        if n:
            made.join(Edge(f"t{n - 1}", f"t{n}"))
    return made


def bag(jobs: int) -> MetaTask:
    """One task of many jobs."""
    made = MetaTask(f"bag{jobs}")
    made.add(Task("bag", settings={"command": TRUE, "split.jobs": jobs}))
    return made


def layers(depth: int, width: int, inputs: int = 3) -> MetaTask:
    """Layers of tasks, each with so many inputs from the layer before."""
    draw = random.Random(1)
    made = MetaTask(f"layers{depth}x{width}")
    for layer in range(depth):
        for n in range(width):
            made.add(Task(f"t{layer}_{n}", settings={"command": TRUE}))
            for source in sorted(draw.sample(range(width), inputs)) if layer else ():
                made.join(Edge(f"t{layer - 1}_{source}", f"t{layer}_{n}", ONE_JOB))
    return made


def wide(tasks: int) -> MetaTask:
    """Many tasks, each after one or two of the fifty before it."""
    draw = random.Random(1)
    made = MetaTask(f"wide{tasks}")
    for n in range(tasks):
        made.add(Task(f"t{n}", settings={"command": TRUE}))
        for source in sorted({max(0, n - 1 - draw.randrange(50)) for _ in range(2)}) if n else ():
            made.join(Edge(f"t{source}", f"t{n}", ONE_JOB))
    return made


def written(made: MetaTask, folder: Path) -> Path:
    """The document of a Meta-Task."""
    path = folder / f"{made.name}.graphml"
    with path.open("wb") as stream:
        writer.write(made, stream)
    return path
