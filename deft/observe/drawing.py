"""Pictures of Meta-Tasks: of a stored one as it stands now, or of one that is only written down."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from datetime import datetime

from deft.access import roles
from deft.access.roles import Actor
from deft.base.errors import BadInput
from deft.base.garbage import no_collection
from deft.model.graph import MetaTask
from deft.observe.pictures import dot, grouping, live, plan, scene, svg
from deft.observe.pictures.scene import Scene
from deft.store.session import Session

SVG, DOT, PNG, PDF = "svg", "dot", "png", "pdf"
FORMATS = (SVG, DOT, PNG, PDF)
MOST = 300


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw. `grouped` None: if there are more than `most` tasks; `direction` auto, right or down."""

    format: str = SVG
    grouped: bool | None = None
    most: int = MOST
    direction: str = "auto"


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """Draw the Meta-Task, or the tasks of it, that a selection names."""

    actor: Actor
    selection: str
    style: Style = field(default_factory=Style)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture and what is in it: `tasks` there are, shown as `boxes`, entries and exits among these."""

    metatask: str
    state: str
    at: datetime | None
    tasks: int
    boxes: int
    grouped: bool
    format: str
    width: float
    height: float
    content: bytes = field(repr=False)


def draw(session: Session, request: DrawRequest) -> Drawing:
    """A picture of a stored Meta-Task as it stands. Raises NotFound, BadInput."""
    roles.require(request.actor, "read")
    with session.reading() as conn:
        found = live.scene_of(conn, request.selection, session.clock.now())
    return drawn(found, request.style)


def draw_document(metatask: MetaTask, style: Style) -> Drawing:
    """A picture of a Meta-Task that is only written down. Raises BadInput."""
    return drawn(scene.of_document(metatask), style)


@no_collection()
def drawn(found: Scene, style: Style) -> Drawing:
    """The picture of a scene. Raises BadInput where this machine cannot make its format."""
    if style.format not in FORMATS:
        raise BadInput(f"{style.format!r} is no format of a picture: {', '.join(FORMATS)}")
    grouped = found.tasks > style.most if style.grouped is None else style.grouped
    shown = grouping.grouped(found, style.most) if grouped else found
    made = plan.plan(shown, style.direction)
    return Drawing(
        metatask=found.metatask,
        state=found.state,
        at=found.at,
        tasks=found.tasks,
        boxes=len(shown.marks),
        grouped=len(shown.marks) < len(found.marks),
        format=style.format,
        width=made.width,
        height=made.height,
        content=_content(shown, made, style.format),
    )


def _content(shown: Scene, made: plan.Plan, form: str) -> bytes:
    if form == DOT:
        return dot.draw(shown, made).encode()
    document = svg.draw(shown, made)
    if form == SVG:
        return document.encode()
    # By its name: it brings libraries that only these formats need.
    raster = importlib.import_module("deft.observe.pictures.raster")
    content: bytes = raster.converted(document, lambda: dot.draw(shown, made), form)
    return content
