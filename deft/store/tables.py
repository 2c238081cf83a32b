"""DEFT's own tables: the graph as node and edge adjacency, datasets, tokens, history, the dirty journal.

JEDI neither reads nor writes them. Controls (armed, hold, force, finish, abort) are flags on the node, so
that a guard reads one row; who set one, when and why stands in deft_control. A dataset has one producer at
most because it has one column for it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from deft.base.constraints import counters, flags, one_of
from deft.base.database import Flag, Name, Utc, Word, metadata, row_id
from deft.model import keys
from deft.model.tasks import Membership, NodeKind, State

__all__ = [
    "deft_command", "deft_command_metatask", "deft_control", "deft_count", "deft_dataset", "deft_dirty",
    "deft_edge", "deft_history", "deft_metatask", "deft_node", "metadata",
]  # fmt: skip

_DOCUMENT_ORDER = "Order in the document"
_FOREIGN = "JSON: what other tools wrote"


def _flag(name: str, comment: str, default: int = 0) -> Column[int]:
    return Column(name, Flag, nullable=False, server_default=str(default), comment=comment)


def _reference(name: str, target: str, comment: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, sa.BigInteger, ForeignKey(f"{target}.id"), nullable=nullable, comment=comment)


def _key(name: str, target: str, comment: str) -> Column[int]:
    to = ForeignKey(f"{target}.id")
    return Column(name, sa.BigInteger, to, primary_key=True, autoincrement=False, comment=comment)


def _policy(name: str) -> tuple[Column[str], CheckConstraint]:
    """A word of the profile that the consumer of an edge says, and which words there are."""
    key = keys.find("edge", name)
    assert key is not None
    return Column(name, Word, nullable=False, comment=key.help.capitalize()), one_of(name, key.choices)


deft_metatask = Table(
    "deft_metatask",
    metadata,
    row_id(),
    Column("project", sa.String(64), nullable=False, comment="As it was first written"),
    Column("name", sa.String(64), nullable=False, comment="As it was first written"),
    Column(
        "name_key", Name, nullable=False, comment="project/name in lower case: unique without regard to case"
    ),
    Column("owner", Name, nullable=False, comment="Who stored it: user@host"),
    Column("settings", Text, nullable=False, comment="JSON: the graph's keys of the profile"),
    Column("foreign_parts", Text, comment=_FOREIGN),
    Column("origin", Text, comment="The file or template it came from"),
    Column("folder", Text, comment="Where the payload files of its template lie"),
    Column("written", Text, comment="The document before it was filled; null where nothing was to be filled"),
    _flag("hold", "1: the whole Meta-Task is on hold"),
    Column("created", Utc, nullable=False, comment="When it was stored"),
    UniqueConstraint("name_key"),
    flags("hold"),
    comment="Meta-Tasks",
)

deft_node = Table(
    "deft_node",
    metadata,
    row_id(),
    _reference("metatask_id", "deft_metatask", "Its Meta-Task"),
    Column("name", Name, nullable=False, comment="Unique in its Meta-Task"),
    Column("kind", Word, nullable=False, comment="task, or entry or exit, which hold no tokens"),
    Column("position", Integer, nullable=False, comment=_DOCUMENT_ORDER),
    Column("depth", Integer, nullable=False, comment="Longest path to it: a topological level"),
    Column("document_id", Name, comment="The node's id in the document it came from"),
    Column("settings", Text, nullable=False, comment="JSON: the node's keys of the profile"),
    Column("foreign_parts", Text, comment=_FOREIGN),
    Column("state", Word, nullable=False, server_default=State.DEFINED.value, comment="Exactly one"),
    _flag("complete", "1: the definition is complete"),
    _flag("arms", "1: `start META` arms it", 1),
    _flag("armed", "1: it was started: it runs when its input is there"),
    _flag("hold", "1: it is on hold; its state stays as it is"),
    _flag("force", "1: it starts on the input that is there; used up by the next start"),
    _flag("finish", "1: it was told to end with what it has"),
    _flag("abort", "1: it was told to stop for good"),
    _flag("started", "1: a run order was sent since creation or reset"),
    _flag("allow_empty", "1: with no input at all it is done, not failed"),
    Column("goal", sa.Float, nullable=False, server_default="1", comment="0 to 1: units that must be ok"),
    Column("done_revision", Integer, nullable=False, server_default="0", comment="0 until first done"),
    Column("order_seq", sa.BigInteger, nullable=False, server_default="0", comment="Last order written"),
    Column("reason", Text, comment="Why it is in this state, where there is something to say"),
    Column("changed", Utc, nullable=False, comment="When its state last changed"),
    UniqueConstraint("metatask_id", "name"),
    Index(None, "metatask_id", "state"),
    one_of("state", State),
    one_of("kind", NodeKind),
    flags("complete", "arms", "armed", "hold", "force", "finish", "abort", "started", "allow_empty"),
    counters("position", "depth", "done_revision", "order_seq"),
    CheckConstraint("goal >= 0 AND goal <= 1", name="goal"),
    comment="Nodes of the graph: tasks with their tokens, entries and exits",
)

deft_dataset = Table(
    "deft_dataset",
    metadata,
    row_id(),
    _reference("metatask_id", "deft_metatask", "Its Meta-Task"),
    _reference("producer_id", "deft_node", "The one task that makes it; null: it comes from outside, or is "
               "the numbers of a generator", nullable=True),
    Column("name", Name, nullable=False, comment="Unique everywhere: the folder of its files"),
    Column("type", sa.String(64), nullable=False, comment="Kind of data, a part of its name"),
    Column("format", Word, comment="Suffix of its files, without a dot"),
    Column("membership", Word, nullable=False, comment="Whether more units may come; closed: none"),
    Column(
        "revision", Integer, nullable=False, server_default="1", comment="+1 each time it is opened again"
    ),
    Column("order_seq", sa.BigInteger, nullable=False, server_default="0", comment="Last order about it"),
    Column("synthetic", Integer, nullable=False, server_default="0", comment="Units of a generator's input"),
    _flag("open", "1: external and may still grow"),
    Column("sources", Text, comment="JSON: where the files of an external dataset lie"),
    Column(
        "series", Integer, nullable=False, server_default="1", comment="In its name; +1 when it is discarded"
    ),
    UniqueConstraint("name"),
    Index(None, "producer_id"),
    Index(None, "metatask_id"),
    one_of("membership", Membership),
    flags("open"),
    counters("order_seq", "synthetic"),
    CheckConstraint("revision >= 1 AND series >= 1", name="revisions"),
    CheckConstraint("producer_id IS NULL OR (open = 0 AND synthetic = 0)", name="source"),
    comment="Datasets: what edges carry; at most one producer, any number of consumers",
)  # fmt: skip

deft_edge = Table(
    "deft_edge",
    metadata,
    row_id(),
    _reference("metatask_id", "deft_metatask", "Its Meta-Task"),
    _reference("source_id", "deft_node", "Null: the implicit input of a generator", nullable=True),
    _reference("target_id", "deft_node", "The consumer"),
    _reference("dataset_id", "deft_dataset", "What it carries"),
    Column("position", Integer, nullable=False, comment=f"{_DOCUMENT_ORDER}; -1: it stands in none"),
    Column("document_id", Name, comment="The edge's id in the document it came from"),
    Column("settings", Text, nullable=False, comment="JSON: the edge's keys of the profile"),
    Column("foreign_parts", Text, comment=_FOREIGN),
    *_policy("role"),
    Column("start_kind", Word, nullable=False, comment="How start_amount is meant, or complete: all"),
    Column("start_amount", Integer, nullable=False, server_default="0", comment="Units, or per cent"),
    *_policy("on_growth"),
    *_policy("on_loss"),
    *_policy("on_abort"),
    _flag("reduce", "1: one job over all units, made when every input is closed"),
    Index(None, "target_id"),
    Index(None, "source_id"),
    Index(None, "dataset_id"),
    Index(None, "metatask_id"),
    one_of("start_kind", ("complete", "count", "percent")),
    flags("reduce"),
    counters("start_amount"),
    CheckConstraint("source_id <> target_id", name="ends"),
    comment="Edges of the graph: producer, consumer, the dataset between them, the consumer's policies",
)

deft_control = Table(
    "deft_control",
    metadata,
    row_id(),
    _reference("metatask_id", "deft_metatask", "Its Meta-Task"),
    _reference("node_id", "deft_node", "The task; null: the whole Meta-Task", nullable=True),
    Column("kind", Word, nullable=False, comment="Which control"),
    Column("mode", Word, comment="Of a hold: what becomes of jobs under way"),
    Column("actor", Name, nullable=False, comment="Who set it: user@host"),
    Column("reason", Text, comment="Why, in the words of whoever set it"),
    Column("created", Utc, nullable=False, comment="When it was set"),
    Index(None, "node_id", "kind"),
    Index(None, "metatask_id"),
    one_of("kind", ("armed", "hold", "force", "finish", "abort")),
    one_of("mode", ("drain", "requeue", "kill")),
    comment="Who set a control that is in force, when and why",
)

deft_count = Table(
    "deft_count",
    metadata,
    _key("metatask_id", "deft_metatask", "The Meta-Task"),
    Column("state", Word, primary_key=True, comment="A state of tasks"),
    Column("tasks", Integer, nullable=False, comment="How many are in it"),
    one_of("state", State),
    counters("tasks"),
    comment="How many tasks of a Meta-Task are in each state: kept by every change of state",
)

deft_history = Table(
    "deft_history",
    metadata,
    row_id(),
    _reference("metatask_id", "deft_metatask", "Its Meta-Task"),
    _reference("node_id", "deft_node", "The task; null: the whole Meta-Task", nullable=True),
    Column("at", Utc, nullable=False, comment="When"),
    Column("actor", Name, nullable=False, comment="Who: user@host, or system"),
    Column("cause", Word, nullable=False, comment="The transition or verb"),
    Column("old", Word, comment="State before"),
    Column("new", Word, comment="State after"),
    Column("reason", Text, comment="Why, in plain words"),
    Index(None, "metatask_id", "id"),
    Index(None, "node_id", "id"),
    one_of("old", State),
    one_of("new", State),
    comment="Every change: who, when, from, to, why",
)

deft_command = Table(
    "deft_command",
    metadata,
    row_id(),
    Column("idempotency_key", Name, comment="Given again, the first answer is given again; null if refused"),
    Column("actor", Name, nullable=False, comment="Who: user@host"),
    Column("verb", Word, nullable=False, comment="What was ordered"),
    Column("selection", Text, comment="What it was to act on, as it was written"),
    Column("options", Text, nullable=False, comment="JSON: what else was said"),
    Column("created", Utc, nullable=False, comment="When it was given"),
    Column("outcome", Word, nullable=False, comment="What came of it"),
    Column("tasks", Integer, nullable=False, server_default="0", comment="How many tasks it changed"),
    Column("why", Text, comment="Why it was refused"),
    Column("answer", Text, comment="JSON: its answer, where it has a key"),
    UniqueConstraint("idempotency_key"),
    one_of("outcome", ("done", "refused")),
    counters("tasks"),
    comment="Commands of operators and what came of them: append-only",
)

deft_command_metatask = Table(
    "deft_command_metatask",
    metadata,
    _key("command_id", "deft_command", "The command"),
    _key("metatask_id", "deft_metatask", "A Meta-Task it was about"),
    Index(None, "metatask_id", "command_id"),
    comment="The Meta-Tasks that a command was about",
)

deft_dirty = Table(
    "deft_dirty",
    metadata,
    row_id(),
    # No foreign key: a task that is gone meanwhile is passed over, and every sweep writes here.
    Column("node_id", sa.BigInteger, nullable=False, comment="The task"),
    comment="Journal of tasks to look at; the sweep deletes what it has looked at",
)
