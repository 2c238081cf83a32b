"""Every finding of reading a document: its code, what became of the thing, and what it means.

The one table that the reader and the reference page share.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

# refused: the document is not read; coerced: taken as something near; dropped: left out.
Effect = Literal["refused", "coerced", "dropped"]


class Code(NamedTuple):
    """What a code says."""

    effect: Effect
    meaning: str


_REFUSED = {
    "unreadable": "the file cannot be opened or read",
    "empty": "it holds nothing",
    "archive": "it is a zip or another archive; gzip alone is unpacked",
    "bad-gzip": "the gzip stream is broken or cut off",
    "gzip-bomb": "it grows out of proportion when unpacked",
    "not-xml": "it is not well-formed XML",
    "not-graphml": "its root is no `<graphml>`",
    "doctype": "it has a DOCTYPE",
    "entity": "it uses an entity that XML does not know by itself",
    "encoding": "it is neither UTF-8, UTF-16, ASCII nor ISO-8859-1",
    "too-large": "it has too many bytes",
    "element-too-large": "one element, or what stands between two, has too many bytes",
    "token-too-large": "one tag, comment or text has too many bytes",
    "text-too-long": "one value or one foreign element has too many characters",
    "too-deep": "elements are nested too deep",
    "too-many-attributes": "an element has too many XML attributes",
    "too-many-keys": "it declares too many keys",
    "too-many-graphs": "it has too many groups",
    "too-many-values": "it has too many data elements",
    "too-many-fragments": "it has too many pieces of other tools",
    "too-many-nodes": "it has too many nodes, or its edges name too many",
    "too-many-edges": "it has too many edges",
    "too-many-faults": "more faults than are listed",
    "newer-profile": "it was written for a newer DEFT",
    "no-graph": "it has no `<graph>`",
    "two-graphs": "it has several graphs",
    "undirected": "its edges have no direction",
    "undirected-edge": "an edge has no direction",
    "hyperedge": "a hyperedge joins no two tasks",
    "locator": "it refers to another document, which is never fetched",
    "nested-graph": "an edge holds a graph",
    "misplaced": "an element of GraphML stands where it means nothing",
    "no-id": "a key or a node has no id",
    "bad-id": "an id is empty, too long, a path, or has characters that cannot be seen",
    "duplicate-node": "two nodes have one id",
    "duplicate-task": "two nodes are one task",
    "duplicate-edge": "two edges between the same tasks have one id",
    "dangling-edge": "an edge names a node that does not exist",
    "edge-to-group": "an edge begins or ends at a group",
    "self-loop": "an edge leads from a task to itself",
    "cycle": "the edges run in a circle; its path is shown",
    "group-with-settings": "a group has settings of a task",
    "bad-key": "a key is for something that GraphML does not have",
    "duplicate-key": "two keys of one scope have one id and say different things",
    "reserved-key": "a key's id is one of DEFT's, its name is not",
    "undeclared-key": "data names a key that is not declared",
    "no-key": "data names no key",
    "duplicate-value": "an element has a value twice",
    "bad-value": "a value is not of its key's type, or out of its range",
}
_COERCED = {
    "no-edgedefault": "the graph does not say whether it is directed: read as directed",
    "coerced": "a value is spelled otherwise than its type has it, such as `True` or `3.0`",
    "same-key": "a key is declared twice in the same words: the first one is taken",
    "other-scope": "a foreign key is used where it is not declared: kept there",
    "late-key": "a key is declared inside the graph: taken",
    "task-renamed": "a node's id is no name of a task: a name was made of it",
    "near-name": "a key that DEFT does not know is called almost like one that it knows: kept unread",
    "shared-id": "edges between different tasks have one id, as NetworkX writes them",
    "filled-in": "a value may be a tool's, which knows none that is absent: it stands",
    "parse-count": "the file says another number of nodes or edges than it has",
}
_DROPPED = {
    "empty-value": "a value is empty, or not a number: taken as absent",
    "group": "a group is no task: its nodes are, its edges are; the group itself is kept for other tools",
    "default-ignored": "a default for the names of tasks, which must differ",
}

CODES: dict[str, Code] = {
    **{code: Code("refused", meaning) for code, meaning in _REFUSED.items()},
    **{code: Code("coerced", meaning) for code, meaning in _COERCED.items()},
    **{code: Code("dropped", meaning) for code, meaning in _DROPPED.items()},
}
