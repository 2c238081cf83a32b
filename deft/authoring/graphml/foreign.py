"""What other tools wrote and we only keep: how it stands in `Foreign.fragments`.

A fragment is (slot, text). The slot says where it goes back:

    @NAME    an XML attribute of the element; NAME may be {namespace}local; the text is its value
    =KEY     a data element of the foreign key KEY that holds plain text
    <KEY     the same with markup or further attributes; the text is the whole canonical element
    <        any other child (desc, port, elements of another namespace), whole and canonical

and on the Meta-Task also

    #KEY     the declaration of a foreign key, whole and canonical
    /...     any slot above, on the root <graphml> instead of the <graph>

Canonical: no comments, attributes sorted, GraphML's own elements without prefix, others always with one,
namespaces declared where they are first used. So a fragment can be written anywhere as it is, and reading
it back gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from lxml import etree

from deft.authoring.graphml.prologue import GRAPHML

XML = "http://www.w3.org/XML/1998/namespace"
_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ATTRIBUTE = _TEXT | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}
_SPECIAL = re.compile('[&<>"\t\r\n]')


class TooDeep(Exception):
    """Elements are nested deeper than the limit."""


def text(value: str) -> str:
    """A text as the content of an element."""
    return value.translate(_TEXT) if _SPECIAL.search(value) else value


def attribute(value: str) -> str:
    """A text as the value of an attribute between double quotes."""
    return value.translate(_ATTRIBUTE) if _SPECIAL.search(value) else value


def canonical(element: etree._Element, graphml: str, depth: int) -> str:
    """The element without its tail; `graphml` is the document's own namespace."""
    return "".join(_pieces(element, graphml, {}, depth))


def _pieces(element: etree._Element, graphml: str, scope: Mapping[str, str], depth: int) -> Iterable[str]:
    if depth < 1:
        raise TooDeep
    here = _Names(element, graphml, scope)
    tag = here.name(str(element.tag), element.prefix)
    items = sorted((str(name), str(value)) for name, value in element.items())
    attributes = sorted((here.name(name, None, own=False), value) for name, value in items)
    spelled = [*sorted(here.declared), *attributes]
    yield "".join([f"<{tag}", *(f' {name}="{attribute(value)}"' for name, value in spelled)])
    if not len(element) and not element.text:
        yield "/>"
        return
    yield ">" + text(element.text or "")
    for child in element:
        yield from _pieces(child, graphml, here.scope, depth - 1)
        yield text(child.tail or "")
    yield f"</{tag}>"


class _Names:
    """The prefixes of one element: those its parents declared, and those it must declare itself."""

    def __init__(self, element: etree._Element, graphml: str, scope: Mapping[str, str]) -> None:
        self._graphml = graphml
        self._bound = sorted((prefix, uri) for prefix, uri in element.nsmap.items() if prefix)
        self._used: dict[str, str] = {}
        self.scope = dict(scope)
        self.declared: list[tuple[str, str]] = []

    def name(self, qualified: str, prefix: str | None, *, own: bool = True) -> str:
        """The name as it is written; `own`: an element, which needs no prefix where it is GraphML's."""
        uri, _, local = qualified.rpartition("}")
        uri = uri[1:]
        if not uri or (own and uri in (self._graphml, GRAPHML)):
            return local
        if uri == XML:
            return f"xml:{local}"
        return f"{self._prefix(uri, prefix)}:{local}"

    def _prefix(self, uri: str, wanted: str | None) -> str:
        prefix = next(p for p in self._candidates(uri, wanted) if self._used.setdefault(p, uri) == uri)
        if self.scope.get(prefix) != uri:
            self.scope[prefix] = uri
            self.declared.append((f"xmlns:{prefix}", uri))
        return prefix

    def _candidates(self, uri: str, wanted: str | None) -> Iterator[str]:
        """What it had, what is declared already, what the document declared, a new one."""
        if wanted:
            yield wanted
        yield from sorted(prefix for prefix, bound in self.scope.items() if bound == uri)
        yield from (prefix for prefix, bound in self._bound if bound == uri)
        taken = self.scope.keys() | dict(self._bound).keys()
        yield from (prefix for n in count() if (prefix := f"ns{n}") not in taken)
