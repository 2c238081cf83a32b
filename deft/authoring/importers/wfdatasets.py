"""The files of a WfFormat document as datasets.

The files that one task makes and the same tasks read are one dataset: no edge could tell them apart. Where a
task names a parent of which it reads no file, an empty dataset, `done`, keeps the order.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from deft.authoring import slugs
from deft.authoring.graphml.collector import Collector
from deft.authoring.importers import names
from deft.authoring.importers.wfdocument import WfTask, Workflow

DONE = "done"
_LONGEST = 40  # so that a name of a dataset with a long task in it is still a legal one


@dataclass(frozen=True, slots=True)
class Group:
    """A dataset: who makes it (None: it was there), who reads it, its files (none: an order alone)."""

    producer: str | None
    readers: tuple[str, ...]
    files: tuple[str, ...]
    type: str = DONE


_Made = tuple[str | None, str]  # who made a file, and the file


def grouped(workflow: Workflow, found: Collector, *, apart: bool) -> list[Group]:
    """Every dataset, each with a type that no other one of its producer has; `apart`: one for each file."""
    readers = _readers(workflow, found)
    groups = [*_together(readers, apart=apart), *_orders(workflow, readers)]
    texts: dict[str | None, list[str]] = {}
    for group in groups:
        texts.setdefault(group.producer, []).append(_text(group))
    types = {
        producer: slugs.labels(said, _is_type, _LONGEST, make=_type, digits=names.DIGITS)
        for producer, said in texts.items()
    }
    return [replace(group, type=types[group.producer][_text(group)]) for group in groups]


def _together(readers: dict[_Made, list[str]], *, apart: bool) -> Iterator[Group]:
    groups: dict[tuple[str | None, tuple[str, ...]], list[str]] = {}
    for (producer, file), ids in readers.items():
        groups.setdefault((producer, tuple(ids)), []).append(file)
    for (producer, together), files in groups.items():
        if apart:
            yield from (Group(producer, together, (file,)) for file in files)
        else:
            yield Group(producer, together, tuple(files))


def _orders(workflow: Workflow, readers: dict[_Made, list[str]]) -> Iterator[Group]:
    fed = {(producer, id) for (producer, _), ids in readers.items() for id in ids}
    children: dict[str, list[str]] = {}
    for task in workflow.tasks.values():
        for parent in task.parents:
            if (parent, task.id) not in fed:
                children.setdefault(parent, []).append(task.id)
    yield from (Group(parent, tuple(ids), ()) for parent, ids in children.items())


def _readers(workflow: Workflow, found: Collector) -> dict[_Made, list[str]]:
    """Who reads which file of whom; a final one is read by nobody."""
    makers: dict[str, list[str]] = {}
    readers: dict[_Made, list[str]] = {}
    for task in workflow.tasks.values():
        for file in task.outputs:
            makers.setdefault(file, []).append(task.id)
            readers[task.id, file] = []
    for task in workflow.tasks.values():
        for file in task.inputs:
            maker = _maker(workflow, task, file, makers.get(file, ()), found)
            readers.setdefault((maker, file), []).append(task.id)
    return readers


def _maker(
    workflow: Workflow, task: WfTask, file: str, makers: Sequence[str], found: Collector
) -> str | None:
    """Who made the file that a task reads; None where it was there before, maybe to be written over later."""
    possible = [id for id in makers if id != task.id and task.id not in workflow.tasks[id].parents]
    if len(possible) > 1:
        parents = [id for id in possible if id in task.parents]
        if not parents:
            message = f"{task.at}: {len(possible)} tasks write {file!r}, and none is a parent of its reader"
            found.warning("two-producers", f"{message}; the first one counts", subject="files")
        possible = parents[-1:] or possible[:1]
    return possible[0] if possible else None


# --- types -------------------------------------------------------------------------------------------------


def _text(group: Group) -> str:
    """What a type is made of: the first file, and how many more there are."""
    more = f" and {len(group.files) - 1} more" if len(group.files) > 1 else ""
    return group.files[0] + more if group.files else DONE


def _is_type(text: str) -> bool:
    # A placeholder {output.TYPE} takes what begins with a letter, as names do.
    return names.is_plain(text) and len(text) <= _LONGEST


def _type(text: str) -> str:
    plain = slugs.slug(posixpath.basename(text.rstrip("/"))) or slugs.slug(text) or "file"
    return plain if plain[0].isalpha() else f"f-{plain}"
