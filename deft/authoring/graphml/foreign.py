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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TypeAlias

from deft.authoring.graphml.prologue import GRAPHML, SEPARATOR, split
from deft.model.tasks import Foreign

XML = "http://www.w3.org/XML/1998/namespace"
_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_ATTRIBUTE = _TEXT | {ord('"'): "&quot;", ord("\n"): "&#10;", ord("\t"): "&#9;"}
_SPECIAL = re.compile('[&<>"\t\r\n]')


def text(value: str) -> str:
    """A text as the content of an element."""
    # As _TEXT says, in a third of the time that `translate` takes.
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def attribute(value: str) -> str:
    """A text as the value of an attribute between double quotes."""
    return value.translate(_ATTRIBUTE) if _SPECIAL.search(value) else value


# A start with its name and attributes as the parser gives them, a text, or (None) an end.
Event: TypeAlias = tuple[str, list[str]] | str | None
# An element that nobody looked into: its prefixes with their namespaces, and its events. Plain values.
Whole: TypeAlias = tuple[tuple[tuple[str, str], ...], list[Event]]
Prefixes: TypeAlias = Callable[[], tuple[tuple[str, str], ...]]


def pairs(attributes: Sequence[str]) -> list[tuple[str, str]]:
    """The attributes of an element as the parser gives them, by `{namespace}local` or `local`."""
    names = attributes[::2]
    if SEPARATOR in "".join(names):
        names = [_bare(name) for name in names]
    return list(zip(names, attributes[1::2], strict=True))


def _bare(name: str) -> str:
    namespace, local, _ = split(name)
    return f"{{{namespace}}}{local}" if namespace else local


def spelled(graphml: str, whole: Whole) -> str:
    """An element, canonical; `graphml` is the document's own namespace."""
    outer, events = whole
    names = (name for event in events if isinstance(event, tuple) for name in (event[0], *event[1][::2]))
    inner = {prefix: namespace for namespace, _, prefix in map(split, names) if prefix}
    spelling = Spelling(graphml, inner | dict(outer))
    for event in events:
        if event is None:
            spelling.end()
        elif isinstance(event, str):
            spelling.text(event)
        else:
            name, attributes = event
            spelling.start(name, pairs(attributes))
    return spelling.result


def frozen(graphml: str, fragments: Iterable[tuple[str, str | Whole]]) -> Foreign:
    """Fragments as a task holds them, all spelled."""
    return Foreign(
        tuple((slot, said if isinstance(said, str) else spelled(graphml, said)) for slot, said in fragments)
    )


class Spelling:
    """Spells one element after another, canonical; `bound` are the prefixes that the document has for it.

    What was spelled already may be put in as it is (`put`).
    """

    def __init__(self, graphml: str, bound: Mapping[str, str]) -> None:
        self._graphml = graphml
        self._bound = bound
        self._pieces: list[str] = []
        self._scopes: list[dict[str, str]] = [{}]
        self._tags: list[str] = []
        self._is_open = False  # the last start tag lacks its end: > or />

    @property
    def result(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def start(self, name: str, attributes: Sequence[tuple[str, str]]) -> None:
        """An element begins; its name is the parser's, those of its attributes are `pairs`."""
        namespace, local, prefix = split(name)
        scope = self._scopes[-1]
        is_plain = not any("}" in key for key, _ in attributes)
        if is_plain and namespace in (self._graphml, GRAPHML, ""):
            tag, listed = local, sorted(attributes)
        elif is_plain and scope.get(prefix) == namespace:
            tag, listed = f"{prefix}:{local}", sorted(attributes)
        else:
            here = _Names(self._graphml, scope, self._bound)
            tag = here.element(namespace, local, prefix)
            named = sorted((here.attribute(key), value) for key, value in sorted(attributes))
            listed = [*sorted(here.declared), *named]
            scope = here.scope
        self.put(f"<{tag}" + "".join([f' {key}="{attribute(value)}"' for key, value in listed]))
        self._is_open = True
        self._tags.append(tag)
        self._scopes.append(scope)

    def text(self, content: str) -> None:
        """A piece of text."""
        if content:
            self.put(text(content))

    def put(self, piece: str) -> None:
        """A piece that is canonical already."""
        if self._is_open:
            self._is_open = False
            piece = ">" + piece
        self._pieces.append(piece)

    def end(self) -> None:
        """The innermost element ends."""
        tag = self._tags.pop()
        self._scopes.pop()
        self._pieces.append("/>" if self._is_open else f"</{tag}>")
        self._is_open = False


class _Names:
    """The prefixes of one element: those its parents declared, and those it must declare itself."""

    def __init__(self, graphml: str, scope: Mapping[str, str], bound: Mapping[str, str]) -> None:
        self._graphml = graphml
        self._bound = bound
        self._used: dict[str, str] = {}
        self.scope = dict(scope)
        self.declared: list[tuple[str, str]] = []

    def element(self, namespace: str, local: str, prefix: str) -> str:
        """The name of an element, which needs no prefix where it is GraphML's."""
        if namespace in (self._graphml, GRAPHML):
            return local
        return self._name(namespace, local, prefix)

    def attribute(self, name: str) -> str:
        """The name of an attribute."""
        namespace, _, local = name.rpartition("}")
        return self._name(namespace[1:], local, "")

    def _name(self, namespace: str, local: str, prefix: str) -> str:
        if not namespace:
            return local
        if namespace == XML:
            return f"xml:{local}"
        return f"{self._prefix(namespace, prefix)}:{local}"

    def _prefix(self, uri: str, wanted: str) -> str:
        prefix = next(p for p in self._candidates(uri, wanted) if self._used.setdefault(p, uri) == uri)
        if self.scope.get(prefix) != uri:
            self.scope[prefix] = uri
            self.declared.append((f"xmlns:{prefix}", uri))
        return prefix

    def _candidates(self, uri: str, wanted: str) -> Iterator[str]:
        """What it had, what is declared already, what the document declared, a new one."""
        if wanted:
            yield wanted
        yield from sorted(prefix for prefix, bound in self.scope.items() if bound == uri)
        yield from sorted(prefix for prefix, bound in self._bound.items() if bound == uri and prefix)
        taken = self.scope.keys() | self._bound.keys()
        yield from (prefix for n in count() if (prefix := f"ns{n}") not in taken)
