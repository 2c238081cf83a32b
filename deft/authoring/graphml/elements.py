"""What was read -> pieces: values by the keys of the profile, what is foreign as fragments.

A piece of a node is (id, line, index, name, kind, names, values, slots, texts), one of an edge (id, line,
begin, end, names, values, slots, texts); name and kind are None where they are the id and a task. Where data
names a key that is not declared yet, that element and all after it wait until the document has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from deft.authoring.graphml.collector import Collector
from deft.authoring.graphml.declarations import Column, Declarations, Declared, Holder, shown
from deft.authoring.graphml.foreign import Spelling, Whole, spelled
from deft.authoring.graphml.held import Held, Item, unpacked
from deft.authoring.graphml.judge import PLAIN_ID, Judge, called
from deft.authoring.graphml.limits import Limits, refusal
from deft.authoring.graphml.rows import Content
from deft.authoring.graphml.shapes import OWN, Shape, Shapes
from deft.authoring.graphml.spool import Spool
from deft.model.keys import Value
from deft.model.tasks import NAME, is_name

Fragments = list[tuple[str, str | Whole]]  # what is foreign, some of it not spelled yet

# Attributes of GraphML itself; parse.* are hints of the writer, which only the counts are held against.
_GIVEN: dict[Holder, frozenset[str]] = {
    "graphml": frozenset(),
    "graph": frozenset({"edgedefault"}),
    "node": frozenset({"id"}),
    "edge": frozenset({"id", "source", "target", "directed"}),
}
_BATCH = 1000
_PLACES: dict[
    tuple[str, ...], Callable[[list[str]], tuple[str, str, str]]
] = {  # where id, source and target stand among the attributes of an edge
    ("id", "source", "target"): itemgetter(1, 3, 5),
    ("source", "target", "id"): itemgetter(5, 1, 3),
    ("source", "id", "target"): itemgetter(3, 1, 5),
    ("source", "target"): lambda attributes: ("", attributes[1], attributes[3]),
}
_HINT = "parse."
_SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}"
_UNDIRECTED = frozenset({"false", "0"})


class Elements:
    """Takes keys, nodes and edges; `nodes` and `edges` are the pieces they made."""

    def __init__(self, namespace: str, data: str, found: Collector, limits: Limits) -> None:
        self.namespace, self._data, self._found, self._limits = namespace, data, found, limits
        self.declared = Declarations(found)
        self.judge = Judge(found, limits)
        self._index = self.judge.index
        self.nodes, self.edges = Spool(), Spool()
        self.belongs = ""  # the Meta-Task of which the first node that says so is a part
        self.groups: Fragments = []
        self._group_size = 0
        self.node_count = self.edge_count = 0
        tables = self.declared.tables
        self._node_shapes, self._edge_shapes = Shapes("node", tables["node"]), Shapes("edge", tables["edge"])
        self._late: Spool | None = None  # what waits for the end

    def key(self, key: Declared) -> None:
        """Declare a key."""
        self.declared.add(key)

    # --- plain elements, fast ------------------------------------------------------------------------------

    def node(self, attributes: list[str], line: int, content: Content) -> bool:
        """Take a node by its attributes and content; False: `take` must look closer.

        The texts of the content are replaced by values.
        """
        starts, row, others = content
        shapes = self._node_shapes
        shape = shapes.last if starts == shapes.last.starts else shapes.find(starts)
        if shape is None or len(attributes) != 2 or attributes[0] != "id" or self._late is not None:
            return False
        if shape.typed and not shape.is_filled(row):
            return False
        id = attributes[1]
        name: str = row[shape.task] if shape.task >= 0 else id
        # A word without a _ before it and of usual length is a name; a match takes four times as long.
        is_word = name.isidentifier() and name.isascii() and name[0] != "_" and len(name) <= 64
        if not (is_word or NAME.match(name)):
            return False
        slots, texts = shape.slots, shape.foreign(row)
        if others:
            columns = self._columns("node", shape, row, others)
            if columns is None:
                return False
            slots, texts = columns
        self.node_count += 1
        if shape.metatask >= 0 and not self.belongs:
            self.belongs = str(row[shape.metatask]).strip()
        is_id = name == id
        index = self.judge.node(id, line, is_plain=is_id)
        if index >= 0 and (is_id or self.judge.name(index, name, line)):
            kind = row[shape.kind] if shape.kind >= 0 else None
            kept = None if is_id else name
            self.nodes.add((id, line, index, kept, kind, shape.names, shape.settings(row), slots, texts))
        return True

    def edge(self, attributes: list[str], line: int, content: Content) -> bool:
        """Take an edge likewise."""
        starts, row, others = content
        shapes = self._edge_shapes
        shape = shapes.last if starts == shapes.last.starts else shapes.find(starts)
        places = _PLACES.get(tuple(attributes[::2]))
        if shape is None or places is None or self._late is not None:
            return False
        id, source, target = places(attributes)
        is_plain = id.isidentifier() and id.isascii()  # letters, digits and _: the usual id
        if not (is_plain or not id or PLAIN_ID.match(id)) or len(id) > self._limits.id:
            return False
        if shape.typed and not shape.is_filled(row):
            return False
        slots, texts = shape.slots, shape.foreign(row)
        if others:
            columns = self._columns("edge", shape, row, others)
            if columns is None:
                return False
            slots, texts = columns
        self.edge_count += 1
        begin, end = self._index.get(source, -1), self._index.get(target, -1)
        if not -1 < begin < end:
            ends = self.judge.ends(id, source, target, line)
            if ends is None:
                return True
            begin, end = ends
        self.edges.add((id, line, begin, end, shape.names, shape.settings(row), slots, texts))
        return True

    def _columns(
        self, holder: Holder, shape: Shape, row: list[Value], others: list[tuple[int, Whole]]
    ) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
        """(slots, texts) of all that is foreign, in its order; None where some of it is not."""
        found: list[tuple[int, str, Any]] = [
            (at, slot, row[at]) for at, slot in zip(shape.places, shape.slots, strict=True)
        ]
        for after, whole in others:
            start, slot = whole[1][0], "<"
            assert isinstance(start, tuple)
            name, attributes = start
            if name == self._data:
                id = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("key", "")
                column = self.declared.tables[holder].get(id)
                if column is None or column.key is not None or column.dropped:
                    return None
                column.used = True
                slot = f"<{id}"
            found.append((after - 1, slot, whole))
        found.sort(key=itemgetter(0))
        return tuple(slot for _, slot, _ in found), tuple(said for _, _, said in found)

    def pack(self) -> None:
        """Put away what was taken so far. Raises BadInput where it is too much."""
        self.nodes.pack()
        self.judge.keep_edges(self.edges.pack())
        if self._late is not None:
            self._late.pack()
        for what, count, most in (
            ("nodes", self.node_count, self._limits.nodes),
            ("edges", self.edge_count, self._limits.edges),
        ):
            if count > most:
                raise refusal(f"too-many-{what}", f"it has more than {most:,} {what}")

    # --- any element ---------------------------------------------------------------------------------------

    def take(self, held: Held) -> None:
        """Take a node or an edge, whatever it holds."""
        if held.kind == "node":
            self.node_count += 1
        else:
            self.edge_count += 1
        if self._late is None and self._names_unknown(held):
            self._late = Spool()
        if self._late is not None:
            self._late.add(held.piece)
        else:
            self._judge(held)

    def _names_unknown(self, held: Held) -> bool:
        table = self.declared.tables[held.kind]
        return any(item.key is not None and item.key not in table for item in held.items)

    def finish(self) -> None:
        """All keys are declared: take what waited for that, and judge the whole."""
        late, self._late = self._late, None
        for number, piece in enumerate(late or ()):
            self._judge(unpacked(piece))
            if number % _BATCH == 0:
                self.pack()
        if late is not None:
            late.close()
        self.pack()
        self.judge.settle(self.edges)

    def _judge(self, held: Held) -> None:
        if held.inner is not None:
            self._group(held, held.inner)
        elif held.kind == "node":
            self._node(held)
        else:
            self._edge(held)

    def _node(self, held: Held) -> None:
        settings, fragments = self.filled(held)
        own = {name: str(settings.pop(name, "")).strip() for name in OWN["node"]}
        self.belongs = self.belongs or own["metatask"]
        id = dict(held.attributes).get("id")
        if id is None:
            self._found.error("no-id", "a <node> has no id", held.line)
            return
        index = self.judge.node(id, held.line)
        if index < 0:
            return
        name: str | None = own["task"]
        if not name and not is_name(id):
            name = self.judge.make_name(index, id, held.line)
        elif not name or name == id:
            name = None
        elif not self.judge.accepts(name, "task name", held.line) or not self.judge.name(
            index, name, held.line
        ):
            return
        values, slots, texts = tuple(settings.values()), *_apart(fragments)
        kind = own["kind"] or None
        self.nodes.add((id, held.line, index, name, kind, tuple(settings), values, slots, texts))

    def _edge(self, held: Held) -> None:
        settings, fragments = self.filled(held)
        given = dict(held.attributes)
        id, source, target = given.get("id", ""), given.get("source"), given.get("target")
        if given.get("directed", "true") in _UNDIRECTED:
            self._found.error("undirected-edge", f"{called(id)} is undirected", held.line)
        if source is None or target is None:
            missing = "source" if source is None else "target"
            self._found.error("dangling-edge", f"{called(id)} has no {missing}", held.line, subject=id)
            return
        if id and not self.judge.accepts(id, "edge id", held.line):
            return
        ends = self.judge.ends(id, source, target, held.line)
        if ends is not None:
            values, slots, texts = tuple(settings.values()), *_apart(fragments)
            self.edges.add((id, held.line, *ends, tuple(settings), values, slots, texts))

    def _group(self, held: Held, inner: Held) -> None:
        """A group is no task; it is kept without what is in it, for the tool that drew it."""
        settings, _ = self.filled(held)
        id = dict(held.attributes).get("id", "")
        if own := sorted(name for name in settings if name != "metatask"):
            message = f"the group {shown(id)} has settings of a task: {', '.join(own[:5])}"
            self._found.error("group-with-settings", message, held.line, subject=id)
        self.judge.group(id, held.line)
        if inner.members:
            message = f"{shown(id)} is a group: its nodes are tasks, it is none, and is kept for other tools"
            self._found.warning("group", message, held.line, subject="group")
        spelling = Spelling(self.namespace, {})
        self._spell(held, spelling, "node")
        result = spelling.result
        self._group_size += len(result)
        if self._group_size > self._limits.element:
            raise refusal(
                "element-too-large", f"its groups have more than {self._limits.element:,} characters"
            )
        self.groups.append(("<", result))

    def _spell(self, held: Held, spelling: Spelling, tag: str) -> None:
        spelling.start(tag, held.attributes)
        for item in held.items:
            if item.whole:
                spelling.put(spelled(self.namespace, item.whole))
            elif not self._is_ours(item, held.kind):
                spelling.start("data", [("key", item.key or "")])
                spelling.text(item.text or "")
                spelling.end()
        if held.inner is not None:
            self._spell(held.inner, spelling, "graph")
        spelling.end()

    def _is_ours(self, item: Item, holder: Holder) -> bool:
        column = self.declared.tables[holder].get(item.key or "")
        return column is None or column.key is not None or column.dropped

    # --- values --------------------------------------------------------------------------------------------

    def filled(self, held: Held) -> tuple[dict[str, Value], Fragments]:
        """Its settings by the profile, and what is foreign."""
        holder = held.kind
        settings: dict[str, Value] = {}
        who = _who(held)
        fragments: Fragments = [
            ("@" + name, value)
            for name, value in sorted(held.attributes)
            if name not in _GIVEN[holder] and not name.startswith((_HINT, _SCHEMA))
        ]
        for item in held.items:
            column = self._column(item, holder) if item.is_data else None
            if column is None:
                if item.whole and not item.is_data:
                    fragments.append(("<", item.whole))
            elif column.key is not None:
                self._set(settings, column, item, who)
            elif not column.dropped:
                column.used = True
                if item.whole:
                    fragments.append(("<" + column.id, item.whole))
                else:
                    fragments.append(("=" + column.id, item.text or ""))
        return settings, fragments

    def _column(self, item: Item, holder: Holder) -> Column | None:
        if item.key is None:
            self._found.error("no-key", "a <data> names no key", item.line)
            return None
        column = self.declared.tables[holder].get(item.key)
        if column is not None:
            return column
        what = f"the key {shown(item.key)} is not declared for {holder}s"
        column = self.declared.elsewhere(item.key, holder)
        if column is not None:
            self._found.warning("other-scope", f"{what}: it is kept", item.line, subject=item.key)
        else:
            hint = f'declare it: <key id="{item.key[:40]}" for="{holder}" .../>'
            self._found.error("undeclared-key", what, item.line, subject=item.key, hint=hint)
        return column

    def _set(self, settings: dict[str, Value], column: Column, item: Item, who: str) -> None:
        name = column.name
        if item.text is None:
            self._found.error(
                "bad-value", f"{who}: {name} holds elements, not a text", item.line, subject=name
            )
        elif name in settings:
            self._found.error("duplicate-value", f"{who} has {name!r} twice", item.line, subject=name)
        else:
            value = self.parsed(column, item.text, item.line, who)
            if value is not None:
                settings[name] = value

    def parsed(self, column: Column, text: str, line: int, who: str) -> Value | None:
        """The value of a text; None, and a finding, where there is none."""
        try:
            value, coerced = column.value(text)
        except ValueError as fault:
            message = f"{who}: {column.name} = {shown(text)} {fault}"
            self._found.error("bad-value", message, line, subject=column.name, hint=column.expected)
            return None
        if column.is_filled_in and column.name == "armed" and value is False:
            message = "armed is false, which igraph writes where nothing was said"
            self._found.warning("filled-in", message, line, subject="armed")
        if coerced:
            code = "empty-value" if value is None else "coerced"
            self._found.warning(code, f"{who}: {column.name} {coerced}", line, subject=column.name)
            column.told(text, value)
        return value


def _who(held: Held) -> str:
    """An element as a message names it."""
    id = dict(held.attributes).get("id", "")
    if held.kind == "edge":
        return called(id)
    return shown(id) if held.kind == "node" else f"the {held.kind}"


def _apart(fragments: Fragments) -> tuple[tuple[str, ...], tuple[str | Whole, ...]]:
    """(slots, texts) of fragments."""
    return tuple(slot for slot, _ in fragments), tuple(text for _, text in fragments)
