"""What a text names where a Meta-Task may stand: a file, a stored Meta-Task, or a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deft.authoring.templates import expand, instantiate, parameters, search, sources
from deft.base.errors import BadInput, Finding, NotFound
from deft.engine import intake
from deft.model.graph import MetaTask
from deft.store import graphs, selection
from deft.store.session import Session


@dataclass(frozen=True, slots=True)
class Found:
    """What it named, how to call it, and what the reader noticed; `metatask_id` of one that is stored."""

    metatask: MetaTask
    called: str
    metatask_id: int | None = None
    is_file: bool = False
    warnings: tuple[Finding, ...] = ()


def find(session: Session, text: str, given: Mapping[str, str], *, like: MetaTask | None = None) -> Found:
    """A file where it looks like one, else a stored Meta-Task, else a template.

    `given`: values of the parameters of a file or template. `like`: what it is to be seen `beside`; its own
    name means the template of that name, where there is one.

    Raises NotFound with near names, BadInput with every finding.
    """
    if is_path(text):
        return _source(session, text, given, like, called=text)
    try:
        there = stored(session, text)
    except NotFound as unknown:
        return _template(session, text, given, like, str(unknown))
    if like is not None and there.metatask.full_name == like.full_name:
        try:
            return _template(session, text, given, like, "")
        except NotFound:
            pass  # not made of a template, or of one under another name
    if given:
        raise BadInput("--set is of a file or template; a stored Meta-Task has its values")
    return there


def stored(session: Session, text: str) -> Found:
    """A whole stored Meta-Task. Raises NotFound with near names, BadInput for some of its tasks."""
    with session.reading() as conn:
        chosen = selection.resolve(conn, text)
        if not chosen.whole:
            raise BadInput(f"{text!r} names tasks of a Meta-Task; name the whole of it")
        made = graphs.load(conn, chosen.metatask_id)
    return Found(made, made.full_name, chosen.metatask_id)


def is_path(text: str) -> bool:
    """True for what can only be a file: `PROJECT/META` has a slash as well."""
    named = search.is_file(text)
    return named and (text.count("/") != 1 or "." in text or Path(text).exists())


def _template(
    session: Session, text: str, given: Mapping[str, str], like: MetaTask | None, unknown: str
) -> Found:
    if search.is_file(text):
        raise NotFound(f"{unknown}\nthere is no file {text}")
    try:
        return _source(session, text, given, like, called=f"the template {text}")
    except NotFound as no_template:
        raise NotFound(f"{unknown}\n{no_template}".strip()) from None


def _source(
    session: Session, text: str, given: Mapping[str, str], like: MetaTask | None, *, called: str
) -> Found:
    if like is None:
        made, warnings = intake.read_source(text, given, session.settings.workdir)
    else:
        made, warnings = beside(session, text, given, like)
    return Found(made, called, is_file=is_path(text), warnings=warnings)


def beside(
    session: Session, source: str, given: Mapping[str, str], like: MetaTask, *, own_first: bool = False
) -> tuple[MetaTask, tuple[Finding, ...]]:
    """A file or template filled, to be seen beside a stored Meta-Task; not checked, for a tool may have lost
    what makes it valid.

    Values that are not given are those of the file, and where it has none those of `like`; with `own_first`
    those of `like` come first. Raises NotFound, BadInput with every finding.
    """
    workdir = session.settings.workdir
    folders = search.folders(workdir)
    reading = sources.read(source, folders, given=given)
    bare = reading.metatask
    known = parameters.declared(bare.settings)
    own = {
        name: value
        for name, value in intake.parameters(like).items()
        if name in known and (own_first or known[name].default is None)
    }
    facts = instantiate.facts_here(template=bare.folder, workdir=str(workdir))
    expansion = expand.expand(bare, {**own, **reading.given}, facts, folders=folders)
    made = expansion.metatask
    made.origin, made.folder = bare.origin, bare.folder
    return made, (*reading.findings, *expansion.findings)
