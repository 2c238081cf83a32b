"""What there is to say about templates: which there are, what one is for, how its tasks hang together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deft.authoring.graphml import reader
from deft.authoring.templates import copies, parameters, search, sources
from deft.authoring.templates.parameters import Parameter
from deft.authoring.templates.search import Place
from deft.base.errors import DeftError
from deft.model.graph import MetaTask
from deft.model.tasks import NodeKind, Task


@dataclass(frozen=True, slots=True)
class Listed:
    """A template in a line; `hides`: others of that name, further down; `fault`: why it cannot be read."""

    name: str
    tasks: int
    description: str
    place: str
    path: Path
    hides: tuple[Path, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """A template in full."""

    name: str
    path: Path
    place: str
    description: str
    about: str
    parameters: tuple[Parameter, ...]
    tasks: tuple[str, ...]
    edges: tuple[tuple[str, str, str], ...]
    tree: tuple[str, ...]


def listed(places: Sequence[Place]) -> list[Listed]:
    """Every template by name, as the first place that has it tells it."""
    return [_listed(name, places) for name in search.names(*(place.folder for place in places))]


def _listed(name: str, places: Sequence[Place]) -> Listed:
    having = [place for place in places if (place.folder / name / f"{name}.graphml").is_file()]
    path = having[0].folder / name / f"{name}.graphml"
    hides = tuple(place.folder / name for place in having[1:])
    try:
        found = reader.read(search.find(name, having[0].folder)).metatask
    except DeftError as fault:
        return Listed(name, 0, "", having[0].kind, path, hides, str(fault.args[0]))
    description = str(found.settings.get("description", ""))
    return Listed(name, _tasks(found), description, having[0].kind, path, hides)


def _tasks(metatask: MetaTask) -> int:
    """Nodes that run, as they are drawn: before copies are made."""
    return sum(node.kind in (NodeKind.TASK, NodeKind.METATASK) for node in metatask.nodes)


def described(name: str, places: Sequence[Place]) -> Described:
    """A template by its name. Raises BadInput, NotFound."""
    path = search.find(name, *(place.folder for place in places))
    found = reader.read(path).metatask
    return Described(
        name=name,
        path=path,
        place=next(place.kind for place in places if path.is_relative_to(place.folder.resolve())),
        description=str(found.settings.get("description", "")),
        about=first_part(search.readme(path)),
        parameters=tuple(declared(found).values()),
        tasks=tuple(node.name for node in found.nodes),
        edges=tuple((edge.source, edge.target, edge.type) for edge in found.edges),
        tree=tuple(tree(found)),
    )


def declared(metatask: MetaTask) -> dict[str, Parameter]:
    """The parameters of a template as it was read; those of a `foreach` are lists."""
    return parameters.declared(metatask.settings, copies.listed(metatask))


def of_source(source: str, workdir: Path, *, form: str | None = None) -> dict[str, Parameter]:
    """The parameters of a file, a template, or what the importer `form` takes. Raises BadInput, NotFound."""
    return declared(sources.read(source, search.folders(workdir), form=form).metatask)


def first_part(readme: str) -> str:
    """A README up to its second heading."""
    lines = readme.strip().splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("#") and number]
    return "\n".join(lines[: heads[0]] if heads else lines).strip()


def tree(metatask: MetaTask) -> Iterator[str]:
    """The nodes below those that feed them, a line each; what was shown before is only named again."""
    shown: set[str] = set()
    for node in metatask.nodes:
        if not metatask.inputs(node.name):
            yield from _branch(metatask, node, shown)


def _branch(metatask: MetaTask, root: Task, shown: set[str]) -> Iterator[str]:
    # A stack, not recursion: a chain may be longer than Python's calls are deep.
    waiting: list[tuple[Task, str, int]] = [(root, "", 0)]
    while waiting:
        node, type, depth = waiting.pop()
        told = _told(node) if node.name not in shown else f"{node.name} (above)"
        yield "  " * depth + (f"─{type}▶ " if type else "") + told
        if node.name not in shown:
            shown.add(node.name)
            below = [
                (metatask.task(edge.target), edge.type, depth + 1) for edge in metatask.outputs(node.name)
            ]
            waiting += reversed(below)


def _told(node: Task) -> str:
    facts = [] if node.kind is NodeKind.TASK else [node.kind.value]
    facts += [f"the template {node.settings['template']}"] if "template" in node.settings else []
    facts += [f"for each {', '.join(copies.over(node))}"] if copies.over(node) else []
    return f"{node.name} ({', '.join(facts)})" if facts else node.name
