"""Find a template by its name, and tell a template from a file.

A template is a folder `<name>/` with `<name>.graphml`, its payload files and a README.md. It is looked for in
the work folder (`templates/`), then among the user's own, then among the shipped ones; the first one wins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from deft import data
from deft.base.errors import BadInput, Finding, NotFound
from deft.model.tasks import is_name

SUFFIXES = (".graphml", ".graphml.gz")
_JSON = (".json", ".json.gz")
FOLDER = "templates"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of templates: of the project (the work folder), the user, or shipped."""

    kind: str
    folder: Path


def root() -> Path:
    """The folder of the shipped templates."""
    return data.folder("templates")


def places(workdir: Path | None, environ: Mapping[str, str] = os.environ) -> tuple[Place, ...]:
    """Where templates are looked for, the first one first."""
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "/")) / ".config")
    found = [Place("project", workdir.absolute() / FOLDER)] if workdir else []
    return (*found, Place("user", home / "deft" / FOLDER), Place("shipped", root()))


def folders(workdir: Path | None) -> tuple[Path, ...]:
    """The folders of `places`."""
    return tuple(place.folder for place in places(workdir))


def names(*where: Path) -> list[str]:
    """The names of all templates in these folders (the shipped ones, where none is given), sorted."""
    found = set()
    for place in where or (root(),):
        if place.is_dir():
            found |= {one.name for one in place.iterdir() if _graphml(place, one.name).is_file()}
    return sorted(found)


def find(name: str, *where: Path) -> Path:
    """The GraphML file of a template in the first of these folders that has it.

    Raises BadInput for a text that is no name, NotFound with near names for one that does not exist.
    """
    if not is_name(name):
        message = f"{name!r} is no name of a template"
        hint = "a name has letters, digits, - and _; a file has a slash or ends in .graphml"
        raise BadInput(message, [Finding("bad-template-name", message, subject=name, hint=hint)])
    folders = [place.resolve() for place in where or (root(),)]
    for place in folders:
        found = _graphml(place, name)
        if found.is_file():
            if not found.resolve().is_relative_to(place):
                raise NotFound(f"the template {name!r} leads out of {place}")
            return found
    raise NotFound(_unknown(name, names(*folders)))


def is_file(text: str) -> bool:
    """True for a file: a slash in it, or .graphml or .json at its end (or .gz of them)."""
    return "/" in text or text.endswith((*SUFFIXES, *_JSON))


def open_source(text: str, *where: Path) -> tuple[Path, Path]:
    """(GraphML file, its folder) of what a command was given: a file, or the name of a template.

    Whether a file exists is left to the reader.
    """
    path = Path(text) if is_file(text) else find(text, *where)
    return path, path.absolute().parent


def below(folder: Path, text: str) -> Path:
    """The file that a document in `folder` means by a relative path.

    Raises BadInput where it leads out of that folder, NotFound where it does not exist.
    """
    path = Path(text)
    if path.is_absolute() or ".." in path.parts or "\0" in text:
        message = f"{text!r} leads out of the document's folder"
        hint = "a template beside the document, or the name of one"
        raise BadInput(message, [Finding("bad-template-name", message, subject=text, hint=hint)])
    found = (folder / path).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise NotFound(f"the template {text!r} leads out of {folder}")
    if not found.is_file():
        raise NotFound(f"there is no file {folder / path}")
    return found


def readme(graphml: Path) -> str:
    """The README beside a template's GraphML file; empty where it has none."""
    path = graphml.with_name("README.md")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _graphml(place: Path, name: str) -> Path:
    return place / name / f"{name}.graphml"


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 3)
    hint = f"near: {', '.join(near)}" if near else f"there are: {', '.join(known) or 'none'}"
    return f"there is no template {name!r} ({hint}); a file needs a slash or ends in .graphml"
