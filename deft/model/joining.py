"""Which data are which, of two versions of a Meta-Task. Pure."""

from __future__ import annotations

from deft.model.graph import MetaTask
from deft.model.tasks import Dataset


def made_by(dataset: Dataset) -> tuple[str, str]:
    """The node that a dataset comes from (an implicit input: goes to), and its type: unique in a graph."""
    return (dataset.producer or dataset.consumer or dataset.edges[0].source, dataset.type)


def new_data(stored: MetaTask, whole: MetaTask) -> list[Dataset]:
    """The datasets of the whole that are not there yet."""
    known = {made_by(dataset) for dataset in stored.datasets()}
    return [dataset for dataset in whole.datasets() if made_by(dataset) not in known]


def gone_data(stored: MetaTask, whole: MetaTask) -> set[tuple[str, str]]:
    """What the stored one has and the whole has not: outputs that follow from a command, synthetic inputs."""
    still = {made_by(dataset) for dataset in whole.datasets()}
    return {key for dataset in stored.datasets() if (key := made_by(dataset)) not in still}
