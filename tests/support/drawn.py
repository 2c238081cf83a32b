"""Documents drawn for tests of expansion, and what became of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from deft.authoring.graphml import writer
from deft.authoring.templates import instantiate
from deft.authoring.templates.expand import expand
from deft.base.errors import BadInput
from deft.model.graph import MetaTask
from deft.model.keys import Value
from deft.model.tasks import Edge, NodeKind, Task

FACTS = {"python": "/py", "python.stdlib": "/lib", "template": "/t", "workdir": "/w"}
Settings = Mapping[str, Value]
Ends = set[tuple[str, str]]


def drawn(
    nodes: Mapping[str, Settings],
    edges: Mapping[tuple[str, str], Settings],
    *,
    folder: str = "",
    name: str = "m",
    **params: str,
) -> MetaTask:
    """A document as it was read; a setting `kind` makes another node; `params` with `__` for a dot."""
    own: Settings = {f"param.{key.replace('__', '.')}": value for key, value in params.items()}
    made = MetaTask(name, settings=own, origin=f"{folder}/{name}.graphml" if folder else "", folder=folder)
    for node, facts in nodes.items():
        kind = NodeKind(str(facts.get("kind", "task")))
        command: Settings = {"command": "true > {output}"} if kind is NodeKind.TASK else {}
        said = {key: value for key, value in {**command, **facts}.items() if key != "kind"}
        made.add(Task(node, kind, said))
    for number, ((source, target), facts) in enumerate(edges.items()):
        made.join(Edge(source, target, facts, id=f"e{number}"))
    return made


def stored(folder: Path, metatask: MetaTask) -> Path:
    """The document as a file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{metatask.name}.graphml"
    with path.open("wb") as stream:
        writer.write(metatask, stream)
    return path


def expanded(metatask: MetaTask, values: Mapping[str, str] | None = None, *folders: Path) -> MetaTask:
    return expand(metatask, values or {}, FACTS, folders=folders).metatask


def names(metatask: MetaTask) -> list[str]:
    return [node.name for node in metatask.nodes]


def ends(metatask: MetaTask) -> Ends:
    return {(edge.source, edge.target) for edge in metatask.edges}


def codes(metatask: MetaTask, values: Mapping[str, str] | None = None, *folders: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        expanded(metatask, values, *folders)
    return [finding.code for finding in caught.value.findings if finding.severity == "error"]


EACH: Settings = {"foreach": "sample"}


def written(metatask: MetaTask) -> bytes:
    """The document that an export gives."""
    stream = io.BytesIO()
    writer.write(instantiate.protect(metatask), stream)
    return stream.getvalue()
