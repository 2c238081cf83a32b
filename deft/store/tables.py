"""DEFT's own tables: the graph as node and edge adjacency, datasets, tokens, history, the dirty journal.

JEDI neither reads nor writes them. Controls (armed, hold, force, finish, abort) are flags on the node, so
that a guard reads one row; who set one, when and why stands in deft_control.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from deft.base.database import Flag, Id, Name, Utc, Word, metadata
from deft.model.tasks import Membership, NodeKind, State

__all__ = [
    "deft_command", "deft_command_metatask", "deft_control", "deft_count", "deft_dataset", "deft_dirty",
    "deft_edge", "deft_history", "deft_metatask", "deft_node", "metadata",
]  # fmt: skip


def _one_of(column: str, words: type[State] | type[Membership] | type[NodeKind]) -> CheckConstraint:
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _flag(name: str, default: int = 0, comment: str | None = None) -> Column[int]:
    return Column(name, Flag, nullable=False, server_default=str(default), comment=comment)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, sa.BigInteger, ForeignKey(f"{target}.id"), nullable=nullable)


deft_metatask = Table(
    "deft_metatask",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("project", sa.String(64), nullable=False),
    Column("name", sa.String(64), nullable=False),
    Column(
        "name_key", Name, nullable=False, comment="project/name in lower case: unique without regard to case"
    ),
    Column("owner", Name, nullable=False),
    Column("settings", Text, nullable=False, comment="JSON: the graph's keys of the profile"),
    Column("foreign_parts", Text, comment="JSON: what other tools wrote"),
    Column("origin", Text, comment="The file or template it came from"),
    Column("folder", Text, comment="Where the payload files of its template lie"),
    Column("written", Text, comment="The document before it was filled; null where nothing was to be filled"),
    _flag("hold", comment="1: the whole Meta-Task is on hold"),
    Column("created", Utc, nullable=False),
    UniqueConstraint("name_key"),
    comment="Meta-Tasks",
)

deft_node = Table(
    "deft_node",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _reference("metatask_id", "deft_metatask"),
    Column("name", Name, nullable=False),
    Column("kind", Word, nullable=False, comment="task, or entry or exit, which hold no tokens"),
    Column("position", Integer, nullable=False, comment="Order in the document"),
    Column("depth", Integer, nullable=False, comment="Longest path to it: a topological level"),
    Column("document_id", Name, comment="The node's id in the document it came from"),
    Column("settings", Text, nullable=False, comment="JSON: the node's keys of the profile"),
    Column("foreign_parts", Text, comment="JSON: what other tools wrote"),
    Column("state", Word, nullable=False, server_default=State.DEFINED.value),
    _flag("complete", comment="1: the definition is complete"),
    _flag("arms", 1, "1: `start META` arms it"),
    _flag("armed"),
    _flag("hold"),
    _flag("force"),
    _flag("finish"),
    _flag("abort"),
    _flag("started", comment="1: a run order was sent since creation or reset"),
    _flag("allow_empty"),
    Column("goal", sa.Float, nullable=False, server_default="1"),
    Column("done_revision", Integer, nullable=False, server_default="0", comment="0 until first done"),
    Column("order_seq", sa.BigInteger, nullable=False, server_default="0", comment="Last order written"),
    Column("reason", Text, comment="Why it is in this state, where there is something to say"),
    Column("changed", Utc, nullable=False, comment="When its state last changed"),
    UniqueConstraint("metatask_id", "name"),
    Index(None, "metatask_id", "state"),
    _one_of("state", State),
    _one_of("kind", NodeKind),
    comment="Nodes of the graph: tasks with their tokens, entries and exits",
)

deft_dataset = Table(
    "deft_dataset",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _reference("metatask_id", "deft_metatask"),
    _reference("producer_id", "deft_node", nullable=True),
    Column("name", Name, nullable=False),
    Column("type", sa.String(64), nullable=False),
    Column("format", Word),
    Column("membership", Word, nullable=False),
    Column(
        "revision", Integer, nullable=False, server_default="1", comment="+1 each time it is opened again"
    ),
    Column("order_seq", sa.BigInteger, nullable=False, server_default="0", comment="Last order about it"),
    Column("synthetic", Integer, nullable=False, server_default="0", comment="Units of a generator's input"),
    _flag("open", comment="1: external and may still grow"),
    Column("sources", Text, comment="JSON: where the files of an external dataset lie"),
    Column(
        "series", Integer, nullable=False, server_default="1", comment="In its name; +1 when it is discarded"
    ),
    UniqueConstraint("name"),
    Index(None, "producer_id"),
    Index(None, "metatask_id"),
    _one_of("membership", Membership),
    comment="Datasets: what edges carry; at most one producer, any number of consumers",
)

deft_edge = Table(
    "deft_edge",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _reference("metatask_id", "deft_metatask"),
    Column(
        "source_id",
        sa.BigInteger,
        ForeignKey("deft_node.id"),
        comment="Null: the implicit input of a generator",
    ),
    _reference("target_id", "deft_node"),
    _reference("dataset_id", "deft_dataset"),
    Column("position", Integer, nullable=False, comment="Order in the document"),
    Column("document_id", Name, comment="The edge's id in the document it came from"),
    Column("settings", Text, nullable=False, comment="JSON: the edge's keys of the profile"),
    Column("foreign_parts", Text, comment="JSON: what other tools wrote"),
    Column("role", Word, nullable=False),
    Column("start_kind", Word, nullable=False, comment="complete, count or percent"),
    Column("start_amount", Integer, nullable=False, server_default="0"),
    Column("on_growth", Word, nullable=False),
    Column("on_loss", Word, nullable=False),
    Column("on_abort", Word, nullable=False),
    _flag("reduce"),
    Index(None, "target_id"),
    Index(None, "source_id"),
    Index(None, "dataset_id"),
    Index(None, "metatask_id"),
    comment="Edges of the graph: producer, consumer, the dataset between them, the consumer's policies",
)

deft_control = Table(
    "deft_control",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _reference("metatask_id", "deft_metatask"),
    _reference("node_id", "deft_node", nullable=True),
    Column("kind", Word, nullable=False, comment="armed, hold, force, finish, abort"),
    Column("mode", Word, comment="Of a hold: drain, requeue or kill"),
    Column("actor", Name, nullable=False),
    Column("reason", Text),
    Column("created", Utc, nullable=False),
    Index(None, "node_id", "kind"),
    Index(None, "metatask_id"),
    comment="Who set a control that is in force, when and why",
)

deft_count = Table(
    "deft_count",
    metadata,
    Column(
        "metatask_id", sa.BigInteger, ForeignKey("deft_metatask.id"), primary_key=True, autoincrement=False
    ),
    Column("state", Word, primary_key=True),
    Column("tasks", Integer, nullable=False),
    comment="How many tasks of a Meta-Task are in each state: kept by every change of state",
)

deft_history = Table(
    "deft_history",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    _reference("metatask_id", "deft_metatask"),
    _reference("node_id", "deft_node", nullable=True),
    Column("at", Utc, nullable=False),
    Column("actor", Name, nullable=False, comment="Who: user@host, or system"),
    Column("cause", Word, nullable=False, comment="The transition or verb"),
    Column("old", Word, comment="State before"),
    Column("new", Word, comment="State after"),
    Column("reason", Text),
    Index(None, "metatask_id", "id"),
    Index(None, "node_id", "id"),
    comment="Every change: who, when, from, to, why",
)

deft_command = Table(
    "deft_command",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("idempotency_key", Name, comment="Given again, the first answer is given again; null if refused"),
    Column("actor", Name, nullable=False, comment="Who: user@host"),
    Column("verb", Word, nullable=False),
    Column("selection", Text, comment="What it was to act on, as it was written"),
    Column("options", Text, nullable=False, comment="JSON: what else was said"),
    Column("created", Utc, nullable=False),
    Column("outcome", Word, nullable=False, comment="done or refused"),
    Column("tasks", Integer, nullable=False, server_default="0", comment="How many tasks it changed"),
    Column("why", Text, comment="Why it was refused"),
    Column("answer", Text, comment="JSON: its answer, where it has a key"),
    UniqueConstraint("idempotency_key"),
    comment="Commands of operators and what came of them: append-only",
)

deft_command_metatask = Table(
    "deft_command_metatask",
    metadata,
    Column("command_id", sa.BigInteger, ForeignKey("deft_command.id"), primary_key=True, autoincrement=False),
    Column(
        "metatask_id", sa.BigInteger, ForeignKey("deft_metatask.id"), primary_key=True, autoincrement=False
    ),
    Index(None, "metatask_id", "command_id"),
    comment="The Meta-Tasks that a command was about",
)

deft_dirty = Table(
    "deft_dirty",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("node_id", sa.BigInteger, nullable=False),
    comment="Journal of tasks to look at; the sweep deletes what it has looked at",
)
