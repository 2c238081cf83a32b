"""Find a template by its name, and tell a template from a file.

A template is a folder `<name>/` with `<name>.graphml`, its payload files and a README.md.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from deft import data
from deft.base.errors import BadInput, Finding, NotFound
from deft.model.tasks import is_name

_SUFFIXES = (".graphml", ".graphml.gz")


def root() -> Path:
    """The folder of the shipped templates."""
    return data.folder("templates")


def names(where: Path | None = None) -> list[str]:
    """The names of all templates, sorted."""
    place = where or root()
    return sorted(found.name for found in place.iterdir() if _graphml(place, found.name).is_file())


def find(name: str, where: Path | None = None) -> Path:
    """The GraphML file of a template.

    Raises BadInput for a text that is no name, NotFound with near names for one that does not exist.
    """
    if not is_name(name):
        message = f"{name!r} is no name of a template"
        hint = "a name has letters, digits, - and _; a file has a slash or ends in .graphml"
        raise BadInput(message, [Finding("bad-template-name", message, subject=name, hint=hint)])
    place = (where or root()).resolve()
    found = _graphml(place, name)
    if not found.is_file():
        raise NotFound(_unknown(name, names(place)))
    if not found.resolve().is_relative_to(place):
        raise NotFound(f"the template {name!r} leads out of {place}")
    return found


def open_source(text: str) -> tuple[Path, Path]:
    """(GraphML file, its folder) of what a command was given: a file, or the name of a template.

    A file has a slash or ends in .graphml or .graphml.gz. Whether it exists is left to the reader.
    """
    is_file = "/" in text or text.endswith(_SUFFIXES)
    path = Path(text) if is_file else find(text)
    return path, path.absolute().parent


def readme(name: str) -> str:
    """The README of a template; empty where it has none."""
    path = find(name).parent / "README.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _graphml(place: Path, name: str) -> Path:
    return place / name / f"{name}.graphml"


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 3)
    hint = f"near: {', '.join(near)}" if near else f"there are: {', '.join(known) or 'none'}"
    return f"there is no template {name!r} ({hint}); a file needs a slash or ends in .graphml"
