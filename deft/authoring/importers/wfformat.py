"""The importer of WfFormat: a workflow of WfCommons, as it ran somewhere, as a Meta-Task."""

from __future__ import annotations

from pathlib import Path

from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.reader import Reading
from deft.authoring.importers import ending, jsonfile, wfdocument, wfgraph
from deft.authoring.importers.fields import Fields
from deft.authoring.importers.registry import Choice, Importer, Options
from deft.authoring.importers.wfdocument import Workflow
from deft.base.garbage import no_collection

STAND_IN, RECORDED = "stand-in", "recorded"
COMMANDS = Choice("commands", (STAND_IN, RECORDED), "what tasks run: a stand-in, or the command of the file")


@no_collection()
def read(source: str, options: Options) -> Reading:
    """The Meta-Task of a WfFormat file. Raises BadInput with all findings, NotFound."""
    path, found = Path(source), Collector(strict=options.strict)
    fields = Fields(found, options.limits.text)
    workflow = wfdocument.read(jsonfile.read(path, options.limits), fields, most=options.limits.nodes)
    found.close(source)
    chosen = options.given.get(COMMANDS.name)
    limits, recorded = options.limits, chosen == RECORDED
    made = wfgraph.metatask(workflow, path, found, recorded=recorded, most=limits.edges)
    found.close(source)
    _tell_commands(workflow, chosen, found)
    return ending.reading(made, found, source)


def _tell_commands(workflow: Workflow, chosen: str | None, found: Collector) -> None:
    recorded = sum(bool(task.command) for task in workflow.tasks.values())
    if chosen is None and recorded:
        message = (
            f"stand-ins run for all tasks, {recorded} with a recorded command "
            f"(--set commands={RECORDED} runs what ran, --set commands={STAND_IN} says that this is meant)"
        )
        found.warning("stand-in", message, subject="command")
    elif chosen == RECORDED and recorded < len(workflow.tasks):
        message = f"stand-ins run for the tasks without a recorded command: {len(workflow.tasks) - recorded}"
        found.warning("stand-in", message, subject="command")


def _claims(head: bytes) -> bool:
    return bool(jsonfile.top_keys(head) & {"schemaVersion", "workflow"})


IMPORTER = Importer("WfFormat, the JSON of WfCommons", read, _claims, (COMMANDS,))
