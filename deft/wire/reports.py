"""Reports of JEDI: absolute values, overwritten; reading one twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InputReport:
    """One input edge: `unfed` available units without a row, `missing` lost units without an ok row."""

    edge_id: int
    task_id: int
    dataset_id: int
    unfed: int = 0
    missing: int = 0
    seen_version: int = 0


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """One dataset: numbers of units, events and bytes; `expected` 0 where it is not known."""

    dataset_id: int
    order_seq_applied: int = 0
    available: int = 0
    lost: int = 0
    expected: int = 0
    events: int = 0
    bytes: int = 0
    version: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task: units by what became of them, jobs, and what JEDI does. See DESIGN words in docs."""

    task_id: int
    order_seq_applied: int = 0
    idle: bool = False
    rejected: bool = False
    ready: int = 0
    running: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    jobs: int = 0
    jobs_running: int = 0
    jobs_ok: int = 0
    jobs_failed: int = 0
    phase: str | None = None
    reason: str | None = None
    summary: str | None = None
    inputs: tuple[InputReport, ...] = field(default=())
