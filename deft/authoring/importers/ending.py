"""The last step of an importer: no circle in the graph, no fault left untold."""

from __future__ import annotations

from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.reader import Reading
from deft.model.graph import MetaTask

_SHOWN = 12  # names of a circle, from both of its ends


def reading(made: MetaTask, found: Collector, source: str) -> Reading:
    """What was read. Raises BadInput with every finding, where one is an error."""
    cycle = made.cycle()
    if cycle is not None:
        half = _SHOWN // 2
        shown = cycle if len(cycle) <= _SHOWN else [*cycle[:half], "…", *cycle[-half:]]
        message = f"the tasks run in a circle: {' -> '.join(shown)}"
        hint = "a Meta-Task is acyclic: leave one of these edges out"
        found.error("cycle", message, subject=cycle[0], hint=hint)
    found.close(source)
    return Reading(made, found.warnings)
