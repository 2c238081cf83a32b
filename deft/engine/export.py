"""A stored Meta-Task goes out as GraphML, for our own eyes or for those of another tool."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from difflib import get_close_matches

from deft.access import roles
from deft.access.roles import Actor
from deft.authoring.graphml import flavours, writer
from deft.authoring.templates import instantiate
from deft.base.errors import BadInput
from deft.base.garbage import no_collection
from deft.store import archive_state, graphs, selection
from deft.store.session import Session

PLAIN = "plain"
FLAVOURS = tuple(flavours.FLAVOURS)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Export the Meta-Task of a selection; `flavour` is one of FLAVOURS.

    `with_state`: where it stands, as keys `state.*` that an import ignores.
    """

    actor: Actor
    selection: str
    flavour: str = PLAIN
    with_state: bool = False


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """The document, and what is in it."""

    metatask: str
    flavour: str
    tasks: int
    edges: int
    content: bytes = field(repr=False)


@no_collection()
def export_metatask(session: Session, request: ExportRequest) -> ExportAnswer:
    """The GraphML document of a stored Meta-Task. Raises NotFound, BadInput."""
    roles.require(request.actor, "export")
    if request.flavour not in FLAVOURS:
        near = get_close_matches(request.flavour, FLAVOURS, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(f"{request.flavour!r} is none of {', '.join(FLAVOURS)}{meant}")
    with session.reading() as conn:
        chosen = selection.resolve(conn, request.selection)
        if not chosen.whole:
            raise BadInput(f"export takes a whole Meta-Task; {request.selection!r} names tasks of one")
        metatask = graphs.load(conn, chosen.metatask_id)
        state = archive_state.States(conn, chosen.metatask_id) if request.with_state else None
    shown = flavours.flavoured(instantiate.protect(metatask), request.flavour)
    stream = io.BytesIO()
    writer.write(shown, stream, state=state)
    tasks, edges = sum(1 for _ in metatask.tasks), sum(1 for _ in metatask.edges)
    return ExportAnswer(metatask.full_name, request.flavour, tasks, edges, stream.getvalue())
