"""Compare a stored Meta-Task with another one, with a file or with a template; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deft.access import roles
from deft.access.roles import Actor
from deft.authoring.graphml import recognise
from deft.authoring.graphml.recognise import Restored
from deft.base.errors import BadInput, Finding
from deft.engine import clone, either, intake
from deft.model import diff, rules
from deft.model.diff import Item
from deft.model.graph import MetaTask
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """Compare the stored Meta-Task `metatask` with `other`: a file, else another Meta-Task, else a template.

    `given` are values of the parameters of a file or template; what these leave open is as in `metatask`.
    """

    actor: Actor
    metatask: str
    other: str
    given: Mapping[str, str] = field(default_factory=dict)
    layout: bool = False


@dataclass(frozen=True, slots=True)
class DiffAnswer:
    """What was compared, and all that differs.

    `kept`: pieces that keep other things of tools, which mean nothing to us. `restored`: what a tool had
    lost of a file on its trip, and is taken as it was.
    """

    old: str
    new: str
    equal: bool
    items: tuple[Item, ...]
    kept: int = 0
    restored: tuple[Restored, ...] = ()
    warnings: tuple[Finding, ...] = ()


def compare(session: Session, request: DiffRequest) -> DiffAnswer:
    """What it takes to come from the stored Meta-Task to the other one.

    Raises NotFound with near names, BadInput with every finding of a file, NotAllowed.
    """
    roles.require(request.actor, "read")
    old = either.stored(session, request.metatask).metatask
    other = either.find(session, request.other, request.given, like=old)
    # Only a file can have been on a trip through a tool.
    trip = recognise.recognise(old, other.metatask) if other.is_file else None
    new = trip.metatask if trip else other.metatask
    if other.metatask_id is None and (wrong := rules.errors(rules.validate(new))):
        raise BadInput(f"{other.called} is not a valid Meta-Task:", wrong)
    differing = diff.compare(old, new, layout=request.layout)
    return DiffAnswer(
        old=old.full_name,
        new=other.called,
        equal=differing.equal,
        items=_marked(session, old, differing.items),
        kept=differing.kept,
        restored=trip.restored if trip else (),
        warnings=(*other.warnings, *trip.findings) if trip else other.warnings,
    )


def _marked(session: Session, old: MetaTask, items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items; those marked that come of other parameters alone, as filling the old one anew shows."""
    others = {
        item.key: str(item.new)
        for item in items
        if item.what is diff.What.PARAMETER and item.change is diff.Change.CHANGED
    }
    if not others or not old.written:
        return items
    try:
        filled = clone.filled(session, old, {**intake.parameters(old), **others})
    except BadInput:
        return items  # the other one has no such values of the same document
    return diff.following(items, diff.compare(old, filled).items)
