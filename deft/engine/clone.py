"""Clone a Meta-Task, whole or in part, with other parameters: names are made anew, nothing is shared.

A clone with `given` values is filled again from the document as it was written, which is kept for that. A
clone of some tasks takes what the others had made as external data.
"""

from __future__ import annotations

import fnmatch
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from deft.access import roles
from deft.access.roles import Actor
from deft.authoring.graphml import reader
from deft.authoring.templates import expand, instantiate, search
from deft.base.errors import BadInput, Finding, NotFound, Refused
from deft.engine import intake
from deft.engine.intake import ImportAnswer
from deft.model import graph, rules
from deft.model.graph import MetaTask
from deft.model.tasks import Edge, NodeKind, Task
from deft.store import graphs, selection
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class CloneRequest:
    """Clone `source`, a stored Meta-Task or a file, as `name`; `tasks` are globs, none means all."""

    actor: Actor
    source: str
    name: str
    project: str | None = None
    tasks: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    start: bool = False


def clone(session: Session, request: CloneRequest) -> ImportAnswer:
    """Store a copy under another name. Raises NotFound with near names, BadInput, Refused, NotAllowed."""
    roles.require(request.actor, "import")
    made, data = _from_file(session, request) if _is_file(request.source) else _from_store(session, request)
    if request.tasks:
        made = _part(made, request.tasks, data)
        findings = rules.errors(rules.validate(made))
        if findings:
            raise BadInput("these tasks alone are no valid Meta-Task:", findings)
    intake.rename(made, request.name, request.project)
    return intake.enter(session, made, actor=request.actor, start=request.start, cause="clone")


def _is_file(source: str) -> bool:
    return source.endswith((".graphml", ".graphml.gz")) or Path(source).is_file()


_Data = dict[tuple[str, str], Path]


def _from_file(session: Session, request: CloneRequest) -> tuple[MetaTask, _Data]:
    settings = session.settings
    made, _ = intake.read_source(request.source, request.given, settings.workdir, limits=settings.graphml)
    return made, {}


def _from_store(session: Session, request: CloneRequest) -> tuple[MetaTask, _Data]:
    with session.reading() as conn:
        chosen = selection.resolve(conn, request.source)
        if not chosen.whole:
            raise BadInput(f"{request.source!r} names tasks; write `deft clone META NEW --tasks GLOB`")
        stored = graphs.load(conn, chosen.metatask_id)
        names = graphs.dataset_names(conn, chosen.metatask_id)
    made = _filled_again(session, stored, request.given) if request.given else stored
    made.origin = f"clone of {stored.full_name}"
    return made, {made_by: session.settings.workdir / "data" / name for made_by, name in names.items()}


# --- other values ------------------------------------------------------------------------------------------


def _filled_again(session: Session, stored: MetaTask, given: Mapping[str, str]) -> MetaTask:
    known = intake.parameters(stored)
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        near = get_close_matches(unknown[0], known, 3) or sorted(known)
        hint = f"near: {', '.join(near)}" if near else "it has no parameters"
        message = f"{stored.full_name} has no parameter {unknown[0]!r}"
        raise BadInput("the clone cannot be filled:", [Finding("unknown-parameter", message, hint=hint)])
    if not stored.written:  # nothing but placeholders of jobs
        return _with_params(stored, given)
    if intake.differences(stored, filled(session, stored, known)):
        raise Refused(
            f"{stored.full_name} was changed after it was filled, so other values cannot be put in; "
            "clone it without --set, or import its template again"
        )
    return filled(session, stored, {**known, **given})


def filled(session: Session, stored: MetaTask, values: Mapping[str, str]) -> MetaTask:
    """A stored Meta-Task filled anew from the document as it was written. Raises BadInput."""
    stream = io.BytesIO(stored.written.encode("utf-8"))
    origin = Path(stored.folder or ".") / f"{stored.name}.graphml"
    document = reader.read_stream(stream, origin=origin).metatask
    workdir = session.settings.workdir
    facts = instantiate.facts_here(template=stored.folder, workdir=str(workdir))
    made = expand.expand(document, values, facts, folders=search.folders(workdir)).metatask
    made.folder, made.written = stored.folder, stored.written
    made.name, made.project = stored.name, stored.project
    findings = rules.errors(rules.validate(made))
    if findings:
        raise BadInput(f"{stored.full_name} with these values is not a valid Meta-Task:", findings)
    return made


def _with_params(stored: MetaTask, given: Mapping[str, str]) -> MetaTask:
    made = graph.copy_with(stored, stored.nodes, stored.edges)
    made.settings |= {f"param.{name}": value for name, value in given.items()}
    return made


# --- a part ------------------------------------------------------------------------------------------------


def _part(whole: MetaTask, globs: Sequence[str], data: Mapping[tuple[str, str], Path]) -> MetaTask:
    """The chosen tasks with their entries and exits; what left-out tasks made comes in as external data.

    `data`: the folder of each dataset by producer and type; a file's tasks have made none.
    """
    chosen = _chosen(whole, globs)
    edges: list[Edge] = []
    nodes: dict[str, Task] = {}
    for edge in whole.edges:
        source, target = whole.task(edge.source), whole.task(edge.target)
        if edge.target in chosen and source.kind is NodeKind.TASK and edge.source not in chosen:
            entry = Task(f"{edge.source}-data", NodeKind.ENTRY)
            nodes[entry.name] = entry
            edges.append(_external(edge, entry.name, data))
        elif edge.target in chosen or (edge.source in chosen and target.kind is NodeKind.EXIT):
            nodes |= {node.name: node for node in (source, target)}
            edges.append(edge)
    nodes |= {name: whole.task(name) for name in chosen}
    position = {node.name: n for n, node in enumerate(whole.nodes)}
    ordered = sorted(nodes.values(), key=lambda node: position.get(node.name, -1))
    return graph.copy_with(whole, ordered, edges)


def _chosen(whole: MetaTask, globs: Sequence[str]) -> set[str]:
    names = [task.name for task in whole.tasks]
    for glob in globs:
        if not fnmatch.filter(names, glob):
            near = get_close_matches(glob, names, 3) or names[:8]
            raise NotFound(f"{whole.full_name} has no task {glob!r}; near: {', '.join(near)}")
    return {name for glob in globs for name in fnmatch.filter(names, glob)}


def _external(edge: Edge, entry: str, data: Mapping[tuple[str, str], Path]) -> Edge:
    folder = data.get((edge.source, edge.type))
    if folder is None:
        raise BadInput(
            f"{edge.target} takes data of {edge.source}, which is left out and has made none; "
            f"clone {edge.source} too"
        )
    dropped = ("start_when", "on_abort")  # policies towards a producer that there is not
    settings = {name: value for name, value in edge.settings.items() if name not in dropped}
    return replace(edge, source=entry, settings={**settings, "source": f"{folder}/*"})
