"""Every finding of reading a document: its code, what became of the thing, what it means, what to do.

The one table that the reader and the reference page share.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

# refused: the document is not read; coerced: taken as something near; dropped: left out.
Effect = Literal["refused", "coerced", "dropped"]


class Code(NamedTuple):
    """What a code says, and what may be done about it where the finding itself says nothing better."""

    effect: Effect
    meaning: str
    hint: str


def _limit(setting: str) -> str:
    return f"raise `{setting}` in the section [graphml] of deft.toml, if you trust the file"


# code: (what it means, what to do)
_REFUSED = {
    "unreadable": ("the file cannot be opened or read", "look at its path and permissions"),
    "empty": ("it holds nothing", "save it again in the tool that wrote it"),
    "archive": ("it is a zip or another archive", "unpack it first; of packed files only gzip is read"),
    "bad-gzip": ("the gzip stream is broken or cut off", "pack or copy it again"),
    "gzip-bomb": ("it grows out of proportion when unpacked", _limit("ratio")),
    "not-xml": ("it is not well-formed XML", "save it again in the tool that wrote it, or mend that line"),
    "not-graphml": ("its root is no `<graphml>`", "export it as GraphML"),
    "doctype": ("it has a DOCTYPE", "remove the line; GraphML needs no DTD and no entities"),
    "entity": (
        "it uses an entity that XML does not know by itself",
        "GraphML needs no entities; write the sign itself, or &amp; for &",
    ),
    "encoding": ("it is neither UTF-8, UTF-16, ASCII nor ISO-8859-1", "save it as UTF-8"),
    "too-large": ("it has too many bytes", _limit("bytes")),
    "element-too-large": ("one element, or what stands between two, has too many bytes", _limit("element")),
    "token-too-large": ("one tag, comment or text has too many bytes", _limit("token")),
    "text-too-long": ("one value or one foreign element has too many characters", _limit("text")),
    "too-deep": ("elements are nested too deep", _limit("depth")),
    "too-many-attributes": ("an element has too many XML attributes", _limit("attributes")),
    "too-many-keys": ("it declares too many keys", _limit("keys")),
    "too-many-graphs": ("it has too many groups", _limit("keys")),
    "too-many-values": ("it has too many data elements", _limit("values")),
    "too-many-fragments": ("it has too many elements of other tools", _limit("fragments")),
    "too-many-nodes": ("it has too many nodes, or its edges name too many", _limit("nodes")),
    "too-many-edges": ("it has too many edges", _limit("edges")),
    "too-many-faults": ("it has more faults than are listed", "mend these first"),
    "newer-profile": ("it was written for a newer DEFT", "use a newer DEFT"),
    "no-graph": ("it has no `<graph>`", 'add <graph edgedefault="directed">'),
    "two-graphs": ("it has several graphs", "one file holds one Meta-Task"),
    "undirected": (
        "its edges have no direction", 'a Meta-Task is directed: write edgedefault="directed"'
    ),
    "undirected-edge": ("an edge has no direction", 'remove directed="false"'),
    "hyperedge": ("a hyperedge joins no two tasks", "draw one edge for each producer and consumer"),
    "locator": ("it refers to another document, which is never fetched", "put the content here"),
    "nested-graph": ("an edge holds a graph", "move it out"),
    "misplaced": ("an element of GraphML stands where it means nothing", "move it out"),
    "no-id": ("a key or a node has no id", "give it one"),
    "bad-id": (
        "an id is empty, too long, a path, or has characters that cannot be seen",
        "use letters, digits, - and _",
    ),
    "duplicate-node": ("two nodes have one id", "give one of them another id"),
    "duplicate-task": ("two nodes are one task", "give one of them another name"),
    "duplicate-edge": ("two edges between the same tasks have one id", "give one of them another id"),
    "dangling-edge": ("an edge names a node that does not exist", "add the node, or remove the edge"),
    "edge-to-group": ("an edge begins or ends at a group", "draw it to a task in the group"),
    "self-loop": ("an edge leads from a task to itself", "remove it"),
    "cycle": (
        "the edges run in a circle; its path is shown",
        "a Meta-Task is acyclic: remove one of these edges",
    ),
    "group-with-settings": (
        "a group has settings of a task", "give them to the tasks in it, or ungroup it"
    ),
    "bad-key": ("a key is for something that GraphML does not have", 'write for="node", "edge" or "graph"'),
    "duplicate-key": ("two keys of one scope have one id and say different things", "rename one"),
    "reserved-key": ("a key's id is one of DEFT's, its name is not", "give it another id"),
    "undeclared-key": ("data names a key that is not declared", "declare it by a <key>"),
    "no-key": ("data names no key", 'write <data key="…">'),
    "duplicate-value": ("an element has a value twice", "remove one"),
    "bad-value": (
        "a value is not of its key's type, or out of its range",
        "the reference of the profile lists the values of each key",
    ),
}  # fmt: skip
_COERCED = {
    "no-edgedefault": (
        "the graph does not say whether it is directed: read as directed",
        'write edgedefault="directed"',
    ),
    "coerced": ("a value is spelled otherwise than its type has it, such as `True` or `3.0`", ""),
    "same-key": ("a key is declared twice in the same words: the first one is taken", "remove one"),
    "other-scope": ("a foreign key is used where it is not declared: kept there", 'write for="all"'),
    "late-key": ("a key is declared inside the graph: taken", "move it before the graph"),
    "task-renamed": (
        "a node's id is no name of a task: a name was made of it",
        "give it a name by the key task",
    ),
    "near-name": (
        "a key that DEFT does not know is called almost like one that it knows: kept unread",
        "correct its name",
    ),
    "shared-id": ("edges between different tasks have one id, as NetworkX writes them", ""),
    "filled-in": (
        "a value may be a tool's, which knows none that is absent: it stands",
        "remove the key where it is not meant",
    ),
    "parse-count": (
        "the file says another number of nodes or edges than it has", "was it cut short?"
    ),
}  # fmt: skip
_DROPPED = {
    "empty-value": ("a value is empty, or not a number: taken as absent", ""),
    "group": (
        "a group is no task: its nodes are, its edges are; the group itself is kept for other tools",
        "use a node of the kind metatask for a part",
    ),
    "default-ignored": ("a default for the names of tasks, which must differ", "remove the default"),
}

CODES: dict[str, Code] = {
    **{code: Code("refused", *said) for code, said in _REFUSED.items()},
    **{code: Code("coerced", *said) for code, said in _COERCED.items()},
    **{code: Code("dropped", *said) for code, said in _DROPPED.items()},
}


def hint(code: str) -> str | None:
    """What to do about it; None where nothing can be said, or the code is of somebody else."""
    return CODES[code].hint or None if code in CODES else None
