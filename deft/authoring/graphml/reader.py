"""GraphML in: one pass over the file judges it and packs it, and every fault comes in one list.

`scan` and `walk` go through the document, `elements` and `judge` say what is wrong, `assemble` makes the
Meta-Task of what was packed, and only where somebody wants it. What is kept unread is in `foreign`.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from deft.authoring.graphml import foreign
from deft.authoring.graphml.assemble import Document, slug
from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.elements import Elements
from deft.authoring.graphml.held import Held
from deft.authoring.graphml.limits import CLI, CappedReader, Limits, refusal
from deft.authoring.graphml.scan import Scan
from deft.base.errors import BadInput, Finding, NotFound
from deft.base.garbage import no_collection
from deft.model import keys
from deft.model.graph import DEFAULT_PROJECT, MetaTask
from deft.model.keys import Value


class Reading:
    """A Meta-Task, and what was dropped or coerced on the way.

    It is made when it is first asked for; `document`, where there is one, gives it task by task.
    """

    def __init__(
        self, metatask: MetaTask | None, findings: tuple[Finding, ...], document: Document | None = None
    ) -> None:
        self._metatask = metatask
        self.findings = findings
        self.document = document

    @property
    def metatask(self) -> MetaTask:
        """The Meta-Task."""
        if self._metatask is None:
            assert self.document is not None
            with no_collection():
                self._metatask = self.document.metatask()
        return self._metatask


def read(path: Path, *, limits: Limits = CLI, strict: bool = False) -> Reading:
    """The Meta-Task of a GraphML file (gzip is known by its content).

    Raises BadInput with every fault found, NotFound where there is no such file.
    """
    try:
        with _opened(path) as stream:
            return read_stream(stream, origin=path, limits=limits, strict=strict)
    except BadInput as fault:
        raise BadInput(fault.args[0].replace("the document", str(path), 1), fault.findings) from None
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as fault:
        finding = Finding("unreadable", f"it cannot be read: {fault.strerror or fault}")
        raise BadInput(f"{path} is refused:", [finding]) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except ValueError as fault:  # a path with a NUL
        raise OSError(str(fault)) from None


def read_stream(stream: BinaryIO, *, origin: Path, limits: Limits = CLI, strict: bool = False) -> Reading:
    """The same for an open binary stream; `origin` gives the folder, and a name where there is none."""
    found = Collector(strict=strict)
    with no_collection():
        try:
            scan = Scan(found, limits)
            scan.read(CappedReader(stream, limits))
            document = judged(scan, found, origin)
        except BadInput as fault:  # a limit: what was found before it is told too
            if fault.findings[0].code == "newer-profile":
                raise  # what seemed wrong may be right there
            raise BadInput(fault.args[0], (*found.errors, *fault.findings)) from None
    found.close(str(origin))
    return Reading(None, found.warnings, document)


def judged(scan: Scan, found: Collector, origin: Path) -> Document:
    """The whole, once all of it was read."""
    elements, graph = scan.elements, scan.walk.graph
    if graph is None:
        found.error("no-graph", "it has no <graph>")
        graph = Held("graph", scan.walk.root.line)
    elements.finish()
    for column in elements.declared.bent():
        found.again("coerced", column.name, column.again)
    settings, fragments = elements.filled(graph)
    _check_version(settings, graph.line)
    _check_counts(graph, elements, found)
    defaults = {scope: _defaults(elements, scope, found) for scope in ("graph", "node", "edge")}
    settings = {**defaults["graph"], **settings}
    _, root = elements.filled(scan.walk.root)
    fragments += elements.groups
    fragments += [("/" + slot, said) for slot, said in root]
    fragments += elements.declared.foreign()
    project, _, name = (elements.belongs or str(defaults["node"].pop("metatask", ""))).rpartition("/")
    return Document(
        name=_word(settings, "name") or name or slug(origin.name.split(".")[0]),
        project=_word(settings, "project") or project or DEFAULT_PROJECT,
        settings=settings,
        foreign=foreign.frozen(elements.namespace, fragments),
        namespace=elements.namespace,
        origin=origin,
        nodes=elements.nodes,
        edges=elements.edges,
        names=elements.judge.names,
        node_defaults=defaults["node"],
        edge_defaults=defaults["edge"],
    )


def _check_version(settings: dict[str, Value], line: int) -> None:
    """Raises BadInput for a newer profile."""
    version = settings.pop("deft.version", keys.VERSION)
    if not isinstance(version, int) or version > keys.VERSION:
        message = f"it follows profile deft/{version}; this DEFT knows deft/{keys.VERSION}"
        raise refusal("newer-profile", message, line)


def _check_counts(graph: Held, elements: Elements, found: Collector) -> None:
    """A file that says how much it holds may have been cut short by hand."""
    counts = {"parse.nodes": elements.node_count, "parse.edges": elements.edge_count}
    for name, value in graph.attributes:
        if name in counts and value.isdecimal() and int(value[:20]) != counts[name]:
            message = f"{name} is {value[:20]}, but it has {counts[name]} of them"
            found.warning("parse-count", message, graph.line, subject=name)


def _defaults(elements: Elements, scope: keys.Scope, found: Collector) -> dict[str, Value]:
    """The values that hold where nothing is said, by the names of their keys."""
    made: dict[str, Value] = {}
    for column, default in elements.declared.defaults(scope):
        if column.name == "task":
            message = "a default for the names of tasks is passed over"
            found.warning("default-ignored", message, column.line, subject="task")
        elif default.strip():
            value = elements.parsed(column, default, column.line, f"the key {column.id}")
            if value is not None:
                made.setdefault(column.name, value)
    return made


def _word(settings: dict[str, Value], name: str) -> str:
    return str(settings.pop(name, "")).strip()
