"""A second opinion on the net: what becomes of a Meta-Task by the plain rules, as a PyUtilib workflow.

Each task of the Meta-Task is a task of the workflow. Connectors bring it what became of its producers, and it
says what becomes of itself. This knows nothing of the net: no rows, no tokens, no guards; and no time, since
what happens in the end must not depend on the order in which things happen.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deft.authoring.pyutilib import loading

ENDED = ("done", "finished", "failed", "aborted")


@dataclass(frozen=True, slots=True)
class Edge:
    """How a task takes what a producer makes."""

    primary: bool = True
    early: bool = False  # starts when one unit is there
    use_partial: bool = False  # takes what an aborted producer left


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task is, and what will happen to it.

    `own`: units that it makes itself, without data input. `fails`: how many of its jobs fail, the first ones.
    `held_after`: an operator holds it for good when so many jobs have ended.
    """

    edges: Mapping[str, Edge] = field(default_factory=dict)
    own: int = 0
    fails: int = 0
    goal: float = 1.0
    allow_empty: bool = False
    armed: bool = True
    held: bool = False
    held_after: int = 0
    forced: bool = False
    aborted: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: its state, whether it is on hold, the units that it made."""

    state: str
    held: bool = False
    made: int = 0


def verdicts(plans: Mapping[str, Plan]) -> dict[str, Outcome]:
    """What becomes of every task."""
    library = loading.library()
    tasks = {name: _task(library, name, plan) for name, plan in plans.items()}
    for name, plan in plans.items():
        for producer in plan.edges:
            tasks[name].inputs.producers = tasks[producer].outputs[f"of_{producer}"]
    workflow = library.Workflow()
    for task in tasks.values():
        workflow.add(task)
    workflow(go=True)
    return {name: task.outputs[f"of_{name}"].get_value()[1] for name, task in tasks.items()}


def _task(library: Any, name: str, plan: Plan) -> Any:
    """A task of the workflow: it takes (name, outcome) of each producer, and gives its own."""
    task = library.Task(name=name)
    if plan.edges:
        task.inputs.declare("producers", action="append")
    else:
        task.inputs.declare("go")
    task.outputs.declare(f"of_{name}")

    def execute() -> None:
        producers = dict(task.producers) if plan.edges else {}
        setattr(task, f"of_{name}", (name, outcome(plan, producers)))

    task.execute = execute
    return task


def outcome(plan: Plan, producers: Mapping[str, Outcome]) -> Outcome:
    """What becomes of a task whose producers came to this."""
    if plan.aborted:
        return Outcome("aborted")
    if plan.held:
        return Outcome("defined", held=True)
    taken = [(edge, producers[name]) for name, edge in plan.edges.items()]
    if any(made.state == "aborted" and not edge.use_partial for edge, made in taken):
        return Outcome("aborted")
    if not plan.armed:
        return Outcome("defined")
    units = plan.own + sum(made.made for edge, made in taken if edge.primary)
    if units and (plan.forced or all(_may_start(edge, made) for edge, made in taken)):
        return _ran(plan, units, [made for _, made in taken])
    if units or any(made.state not in ENDED for _, made in taken):
        return Outcome("waiting")
    return Outcome("done" if plan.allow_empty else "failed")


def _may_start(edge: Edge, made: Outcome) -> bool:
    good = made.state in ("done", "finished") or (made.state == "aborted" and edge.use_partial)
    return good or (edge.early and edge.primary and made.made > 0)


def _ran(plan: Plan, units: int, producers: list[Outcome]) -> Outcome:
    """What becomes of a task that started, with so many jobs in the end."""
    if 0 < plan.held_after <= units:
        return Outcome("running", held=True, made=max(0, plan.held_after - plan.fails))
    failed = min(plan.fails, units)
    ok = units - failed
    if any(made.state not in (*ENDED, "exhausted") for made in producers):
        return Outcome("running", made=ok)
    if not ok:
        return Outcome("failed")
    if not failed and all(made.state == "done" for made in producers):
        return Outcome("done", made=ok)
    return Outcome("finished" if ok >= plan.goal * units else "exhausted", made=ok)


# --- scenarios ---------------------------------------------------------------------------------------------


def scenario(seed: int, most: int = 100) -> dict[str, Plan]:
    """A random Meta-Task of up to `most` tasks in topological order, and what happens to it."""
    dice = random.Random(seed)
    # Few accidents in large ones: else all but the first tasks would wait.
    trouble = dice.choice((0.0, 0.02, 0.1, 0.4))
    names = [f"t{number}" for number in range(dice.randint(1, most))]
    return {name: _plan(dice, names[:number], trouble) for number, name in enumerate(names)}


def _plan(dice: random.Random, before: list[str], trouble: float) -> Plan:
    def happens(more: float = 1.0) -> bool:
        return dice.random() < trouble * more

    producers = dice.sample(before, min(len(before), dice.choice((0, 1, 1, 1, 2, 2, 3))))
    edges = {
        name: Edge(primary=dice.random() < 0.8, early=dice.random() < 0.15, use_partial=dice.random() < 0.3)
        for name in producers
    }
    generates = not any(edge.primary for edge in edges.values())
    return Plan(
        edges=edges,
        own=dice.randint(1, 4) if generates else 0,
        fails=dice.choice((1, 1, 2, 10**9)) if happens(2) else 0,
        goal=dice.choice((1.0, 0.5)),
        allow_empty=dice.random() < 0.2,
        armed=not happens(0.3),
        held=happens(0.3),
        held_after=dice.randint(1, 4) if happens(0.5) else 0,
        forced=happens(),
        aborted=happens(0.3),
    )
