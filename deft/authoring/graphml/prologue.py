"""What stands before the root element: encoding, DOCTYPE, and the root itself, judged before all else.

The parser that builds the tree would take a DTD and any encoding it knows; this one stops at the first sign.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from deft.authoring.graphml.limits import CappedReader, refusal

ENCODINGS = frozenset(["utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1"])
GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_KNOWN_HOST = "graphml.graphdrawing.org/"


class _Found(Exception):
    """The root element began."""


def check(reader: CappedReader) -> str:
    """The namespace of GraphML in this document (empty: none); all that was read is given back.

    Raises BadInput for a document that is empty, no XML, no GraphML, has a DOCTYPE or a strange encoding.
    """
    look = _Look()
    head = b""
    while look.root is None:
        chunk = reader.read()
        if not head and not chunk.strip():
            raise refusal("empty", "it is empty")
        head += chunk
        look.feed(chunk)
    reader.push_back(head)
    return _namespace(look.root, look.line)


class _Look:
    def __init__(self) -> None:
        self.root: str | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._element

    @property
    def line(self) -> int:
        return self.parser.CurrentLineNumber

    def feed(self, chunk: bytes) -> None:
        try:
            self.parser.Parse(chunk, not chunk)
        except _Found:
            return
        except (expat.ExpatError, ValueError, LookupError) as fault:
            line = getattr(fault, "lineno", self.line)
            raise refusal("not-xml", f"it is not XML: {fault}", line) from None

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            message = f"its encoding {encoding!r} is not accepted"
            raise refusal("encoding", message, self.line, "save it as UTF-8")

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> NoReturn:
        hint = "remove the line; GraphML needs no DTD and no entities"
        raise refusal("doctype", "it has a DOCTYPE", self.line, hint)

    def _element(self, name: str, attributes: dict[str, str]) -> NoReturn:
        self.root = name
        raise _Found


def _namespace(root: str, line: int) -> str:
    namespace, _, local = root.rpartition(" ")
    host = namespace.removeprefix("http://").removeprefix("https://")
    if local != "graphml" or (namespace and not host.startswith(_KNOWN_HOST)):
        hint = f'the root must be <graphml xmlns="{GRAPHML}">'
        raise refusal("not-graphml", f"it is XML but not GraphML: its root is <{local}>", line, hint)
    return namespace
