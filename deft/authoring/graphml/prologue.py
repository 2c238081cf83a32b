"""What stands before the root element, and the root itself: judged before anything else is looked at.

An encoding that is not allowed, a DOCTYPE (with every entity it could declare) and a root that is no
GraphML end the reading at the first sign.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn
from xml.parsers.expat import XMLParserType

from deft.authoring.graphml.limits import refusal

ENCODINGS = frozenset(["utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1"])
GRAPHML = "http://graphml.graphdrawing.org/xmlns"
SEPARATOR = "\x1f"  # between namespace, local name and prefix: a character that XML cannot hold
_KNOWN_HOST = "graphml.graphdrawing.org/"
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
}

Begin = Callable[[str, list[str]], None]


def look(head: bytes) -> None:
    """Judge the first bytes of a document. Raises BadInput for what cannot be XML at all."""
    if not head.strip():
        raise refusal("empty", "it is empty")
    for magic, what in _ARCHIVES.items():
        if head.startswith(magic):
            raise refusal("archive", f"it is {what}")


def watch(parser: XMLParserType, begin: Begin) -> None:
    """Let the parser stop at anything dangerous, and call `begin` with the root of a GraphML document."""

    def declaration(version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            message = f"its encoding {encoding[:40]!r} is not accepted"
            raise refusal("encoding", message, parser.CurrentLineNumber)

    def doctype(name: str, system: str | None, public: str | None, internal: int) -> NoReturn:
        raise refusal("doctype", "it has a DOCTYPE", parser.CurrentLineNumber)

    def root(name: str, attributes: list[str]) -> None:
        _check_root(name, parser.CurrentLineNumber)
        begin(name, attributes)

    parser.XmlDeclHandler = declaration
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root


@lru_cache(maxsize=4096)
def split(name: str) -> tuple[str, str, str]:
    """(namespace, local name, prefix) of a name as the parser gives it."""
    parts = name.split(SEPARATOR)
    if len(parts) == 1:
        return "", name, ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def _check_root(name: str, line: int) -> None:
    namespace, local, _ = split(name)
    host = namespace.removeprefix("http://").removeprefix("https://")
    if local != "graphml" or (namespace and not host.startswith(_KNOWN_HOST)):
        hint = f'the root must be <graphml xmlns="{GRAPHML}">'
        raise refusal("not-graphml", f"it is XML but not GraphML: its root is <{local}>", line, hint)
