"""The Petri net as rows of data: one sub-net per task, dataset and edge; its transitions and its words.

Every transition is a guarded command over committed rows (level-triggered): none depends on having received
a message. The first row of AUTOMATIC whose guard holds fires; the guards of rows that leave one state
exclude one another, so that the order decides nothing but what is tried first. Hold on the task or on its
Meta-Task blocks every automatic row. docs/reference/net.md prints these tables; a test holds them equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from deft.base.guards import Expr, Type, Vocabulary
from deft.model.tasks import Membership, State
from deft.wire.orders import OrderKind

TOKENS: dict[str, dict[str, Type]] = {
    "task": {
        "state": "word",
        "complete": "flag",  # the definition is complete: there is a command
        "armed": "flag",
        "hold": "flag",
        "metatask_hold": "flag",
        "force": "flag",
        "finish": "flag",
        "abort": "flag",
        "started": "flag",  # a run order was sent since creation or reset
        "done_revision": "number",  # 0 until first done
        "order_seq": "number",  # last order written
        "allow_empty": "flag",
        "goal": "number",
        # JEDI's report of the task
        "order_seq_applied": "number",
        "idle": "flag",
        "rejected": "flag",
        "ready": "number",
        "running": "number",
        "ok": "number",
        "failed": "number",
        "skipped": "number",
    },
    "inputs": {
        "role": "word",
        "start_kind": "word",  # complete, count, percent
        "start_amount": "number",
        "on_growth": "word",
        "on_loss": "word",
        "on_abort": "word",
        "reduce": "flag",
        "membership": "word",
        "producer": "word",  # the producer's state; none where the dataset is external
        "dataset_order_seq": "number",
        # JEDI's reports of the dataset and of the edge
        "dataset_order_seq_applied": "number",
        "available": "number",
        "lost": "number",
        "expected": "number",  # 0 where it is not known
        "version": "number",
        "reported_unfed": "number",
        "reported_missing": "number",
        "seen_version": "number",
    },
    "outputs": {
        "membership": "word",
        "output_lost": "number",
        "consumers_alive": "number",  # consumers of it that have not ended
    },
}

WORDS: dict[str, dict[str, str]] = {
    "task": {
        "held": "hold or metatask_hold",
        "order_applied": "order_seq_applied == order_seq",
        "fresh": "order_applied and every(inputs, seen_version == version and order_seen)",
        "quiet": "fresh and idle and ready == 0 and running == 0",
        "all_ok": "failed == 0 and skipped == 0 and ok > 0 and every(inputs, secondary or unfed == 0)",
        "retired": "some(inputs, membership == 'retired') or some(outputs, membership == 'retired')",
        "supplied": "some(inputs, not secondary and order_seen and available >= 1)",
        "orphaned": "some(inputs, producer == 'aborted' and on_abort == 'propagate')",
        "ready_to_end": "state == 'running' and not rejected and quiet",
        "ending": "ready_to_end and not abort and (finish or every(inputs, spent))",
        "perfect": "all_ok and every(inputs, whole)",
        "goal_met": "ok >= goal * (ok + failed + skipped + total(inputs, missing))",
        "starved": "some(inputs, not secondary) and every(inputs, membership == 'closed' and not producing) "
        "and every(inputs, order_seen) and every(inputs, secondary or (available == 0 and loss_accepted))",
        # A reduce task is fed when every input is closed, and JEDI learns that by an order alone; while its
        # one job runs it takes nothing in, so that an order then would be given again and again.
        "feedable": "some(inputs, reduce) and every(inputs, membership == 'closed') and running == 0 or "
        "idle and every(inputs, not reduce)",
        "hungry": "not rejected and some(inputs, unfed > 0) and feedable",
        "ended_well": "state in ('done', 'finished', 'failed')",
        "ended": "state in ('done', 'finished', 'failed', 'aborted', 'broken')",
        "retryable": "state in ('finished', 'failed', 'exhausted', 'aborted', 'broken') and not retired",
        "inactive": "state in ('defined', 'waiting', 'exhausted')",
        "remakable": "started and (state in ('done', 'finished', 'failed', 'exhausted') or "
        "state == 'running' and not abort)",
        "gives_back": "every(outputs, membership != 'retired') and some(outputs, output_lost > 0)",
        "reopenable": "ended_well and armed and not finish and not abort and not retired and order_applied",
        "grown": "some(inputs, process and (unfed > 0 or regrows))",
        "asked": "some(inputs, ask and unfed > 0)",
    },
    "inputs": {
        "secondary": "role == 'secondary'",
        "order_seen": "dataset_order_seq == dataset_order_seq_applied",
        "unfed": "reported_unfed if task.started else available",
        "missing": "reported_missing if task.started else lost",
        "loss_accepted": "missing == 0 or on_loss == 'proceed'",
        "spent": "membership == 'closed' and unfed == 0 and loss_accepted",
        "producing": "producer in ('defined', 'waiting', 'running', 'exhausted')",
        "made": "producer in ('none', 'done', 'finished') or producer == 'aborted' and on_abort == "
        "'use_partial'",
        "settled": "membership == 'closed' and made and order_seen and loss_accepted",
        "enough": "order_seen and (start_kind == 'count' and available >= start_amount or "
        "start_kind == 'percent' and expected > 0 and available * 100 >= start_amount * expected)",
        "met": "settled or not secondary and membership != 'retired' and enough",
        "whole": "membership == 'closed' and producer in ('none', 'done') and missing == 0",
        "process": "on_growth == 'process' and not secondary",
        "ask": "on_growth == 'ask' or on_growth == 'process' and secondary",
        "regrows": "producer != 'none' and membership in ('open', 'declared')",
    },
    "outputs": {},
}

VOCABULARY = Vocabulary(TOKENS, WORDS)


@dataclass(frozen=True, slots=True)
class Row:
    """One transition: when `guard` holds, do all of the rest in one transaction.

    `state`: the new state (None: stays). `put`, `drop`: controls set and cleared. `outputs`: what becomes of
    the membership of all its outputs. `order`: what is ordered of JEDI. `only_started`: the order is given
    only where JEDI knows the task. `start`, `done`: note that it was started, that it was done at the
    present revision of its inputs; `forget`: that it never was either. `list_inputs`: order a listing of
    external inputs that never had one, `list_again` of all external inputs.
    `reason`: whose words explain it: a fixed text, or `report` for JEDI's own.
    """

    name: str
    guard: str
    state: State | None = None
    put: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    outputs: Membership | None = None
    order: OrderKind | None = None
    only_started: bool = False
    start: bool = False
    done: bool = False
    forget: bool = False
    list_inputs: bool = False
    list_again: bool = False
    reason: str = ""

    @property
    def expr(self) -> Expr:
        """The guard as an expression."""
        return _parsed(self.guard)


@cache
def _parsed(guard: str) -> Expr:
    return VOCABULARY.parse(guard)


def _auto(name: str, guard: str, state: State | None = None, **effect: object) -> Row:
    return Row(name, f"not held and ({guard})", state, **effect)  # type: ignore[arg-type]


CLOSED, OPEN, DECLARED = Membership.CLOSED, Membership.OPEN, Membership.DECLARED
FINAL = ("finish", "abort")

AUTOMATIC: tuple[Row, ...] = (
    _auto("ready", "state == 'defined' and armed and complete", State.WAITING, list_inputs=True),
    _auto(
        "propagate",
        "state in ('waiting', 'defined') and not started and orphaned",
        State.ABORTED,
        outputs=CLOSED,
        reason="a producer of its input was aborted",
    ),
    _auto(
        "start",
        "state == 'waiting' and armed and supplied and (force or every(inputs, met))",
        State.RUNNING,
        start=True,
        drop=("force",),
        outputs=OPEN,
        order=OrderKind.RUN,
    ),
    _auto(
        "no-input",
        "state == 'waiting' and armed and starved and not allow_empty",
        State.FAILED,
        drop=("force",),
        outputs=CLOSED,
        reason="input",
    ),
    _auto(
        "no-input-allowed",
        "state == 'waiting' and armed and starved and allow_empty",
        State.DONE,
        drop=("force",),
        outputs=CLOSED,
        done=True,
        reason="its input is empty, and allow_empty is set",
    ),
    _auto("finalize-failed", "ending and ok == 0", State.FAILED, outputs=CLOSED, reason="report"),
    _auto("finalize-done", "ending and perfect", State.DONE, drop=FINAL, outputs=CLOSED, done=True),
    _auto(
        "finalize-finished",
        "ending and ok > 0 and not perfect and (finish or goal_met)",
        State.FINISHED,
        outputs=CLOSED,
        reason="report",
    ),
    _auto(
        "finalize-exhausted",
        "ending and ok > 0 and not (finish or goal_met)",  # what is perfect has met its goal
        State.EXHAUSTED,
        outputs=CLOSED,
        reason="report",
    ),
    _auto(
        "end-abort",
        "ready_to_end and abort and done_revision == 0",
        State.ABORTED,
        outputs=CLOSED,
    ),
    _auto(
        "end-abort-done",
        "ready_to_end and abort and done_revision > 0",
        State.FINISHED,
        outputs=CLOSED,
    ),
    _auto(
        "reject",
        "state == 'running' and order_applied and rejected",
        State.BROKEN,
        outputs=CLOSED,
        reason="report",
    ),
    _auto(
        "refeed",
        "state == 'running' and not finish and not abort and order_applied and hungry",
        order=OrderKind.RUN,
    ),
    _auto(
        "promote",
        "state == 'finished' and quiet and perfect",
        State.DONE,
        drop=FINAL,
        done=True,
    ),
    _auto("reopen", "reopenable and started and grown", State.RUNNING, outputs=OPEN, order=OrderKind.RUN),
    _auto(
        # Not while it is starved: it would fail again at once, round and round.
        "reopen-unstarted",
        "reopenable and not started and (grown or asked) and not starved",
        State.WAITING,
        outputs=DECLARED,
    ),
    _auto(
        "reopen-ask",
        "reopenable and started and not grown and asked",
        State.EXHAUSTED,
        reason="input grew; `deft retry` takes it in",
    ),
)


def row(name: str) -> Row:
    """The automatic row of that name. Raises KeyError."""
    return _BY_NAME[name]


_BY_NAME = {one.name: one for one in AUTOMATIC}
