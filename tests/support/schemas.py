"""Write schemas/answers: the JSON Schema of what each command prints with --json. `make docs`.

Readers of an answer ignore keys that they do not know: a later DEFT may add some. tests/house/test_schemas.py
holds the files equal to this table, and tests/acceptance/test_answers.py real answers to the files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from deft.authoring.templates.catalogue import Described, Listed
from deft.authoring.wrap.wrapping import WrapAnswer
from deft.base.errors import Finding
from deft.engine.alter import SetAnswer
from deft.engine.archive import ArchiveAnswer
from deft.engine.archive_folder import Manifest
from deft.engine.augment import AugmentAnswer, CloseAnswer
from deft.engine.controls import ControlAnswer
from deft.engine.deletion import DeleteAnswer
from deft.engine.diff import DiffAnswer
from deft.engine.grow import GraphAnswer
from deft.engine.intake import ImportAnswer
from deft.engine.names import NamesAnswer
from deft.engine.recover import RecoverAnswer, RecoverPlan
from deft.engine.reset import ResetAnswer
from deft.engine.scan import ScanAnswer
from deft.engine.set_state import SetStateAnswer
from deft.engine.sweep import SweepAnswer
from deft.engine.vacuum import Vacuumed
from deft.observe.because import Change
from deft.observe.drawing import Drawing
from deft.observe.explain import Explanation
from deft.observe.health import Check
from deft.observe.results import Result
from deft.observe.simulate import Simulation
from deft.observe.sizes import Sizes
from deft.observe.status import DatasetLine, MetaTaskLine, Status, TaskLine
from deft.store.commands import Past
from tests.support import typed_schema
from tests.support.repository import ROOT
from tests.support.typed_schema import Like

TOP = ROOT / "schemas"
FOLDER = TOP / "answers"
SUFFIX = ".schema.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command prints: the type, and what it is in a sentence."""

    kind: Any
    says: str


class Note(TypedDict):
    """Something worth a sentence."""

    event: Literal["note"]
    at: datetime
    text: str


class StateEvent(TypedDict):
    """A task has another state."""

    event: Literal["state"]
    at: datetime
    task: str
    state: str
    ok: int
    expected: int
    failed: int
    reason: str | None


class FailureEvent(TypedDict):
    """Jobs of a task failed."""

    event: Literal["failure"]
    at: datetime
    task: str
    jobs_failed: int
    reason: str | None


class ProgressEvent(TypedDict):
    """How far a task is that runs, once a second: the part from 0 to 1, units, jobs, seconds left."""

    event: Literal["progress"]
    at: datetime
    task: str
    part: float
    ok: int
    expected: int
    running: int
    failed: int
    jobs_running: int
    left_s: float | None


class EndEvent(TypedDict):
    """The last line: where it stands, the final data, and commands that may come next."""

    event: Literal["end"]
    status: Status
    results: tuple[Result, ...]
    interrupted: bool
    next: tuple[str, ...]


class Initialised(TypedDict):
    """The work folder, its database, and whether tables were made."""

    workdir: Path
    database: str
    made: bool


class Revision(TypedDict):
    """The revision of the tables, which is the one needed."""

    revision: str


class Upgraded(TypedDict):
    """The revision before, null where there were no tables, and after."""

    before: str | None
    after: str


class Shown(TypedDict):
    """A Meta-Task or task in full: where it stands, its datasets, its settings by task."""

    status: Status
    datasets: tuple[DatasetLine, ...]
    settings: Mapping[str, Mapping[str, str | int | float | bool]]


class Begun(TypedDict):
    """The file that was written."""

    file: Path
    topology: str
    steps: tuple[str, ...]
    width: int


class Job(TypedDict):
    """A job with its newest attempt: units, exit code, seconds, MB; `asked_…` is what it may use."""

    job: int
    task: str
    number: int
    state: str
    attempts: int
    units: int
    exit: int | None
    cluster: str | None
    cluster_job: str | None
    host: str | None
    wall_s: float | None
    asked_s: float | None
    cpu_s: float | None
    max_rss_mb: float | None
    asked_mb: int | None
    progress: float | None
    message: str | None


class JobsInState(TypedDict):
    """How many jobs are in a state."""

    state: str
    jobs: int


class Text(TypedDict):
    """What it says."""

    text: str


_WATCHED = Like("WatchedTask", TaskLine, more={"part": float, "left_s": float | None, "waits_for": str})
_CONTROLLED = ControlAnswer | tuple[ControlAnswer, ...]
_CONTROL = "what became of the tasks: an object where one Meta-Task was named, else a list of these"
_FINDINGS = "findings by source; empty where nothing is wrong"


_EXPORTED = Like(
    "Exported",
    None,
    more={"metatask": str, "for": str, "tasks": int, "edges": int, "file": NotRequired[Path],
          "document": NotRequired[str]},
    says="What was written: to a file, or the document itself.",
)  # fmt: skip
_AT_ONE_MOMENT = Like(
    "Watched",
    None,
    more={"metatask": str, "state": str, "tasks": [_WATCHED]},
    says="A Meta-Task, with its tasks.",
)
_DRAWN = Like("Drawn", Drawing, frozenset({"content"}), {"file": Path})
_SCANNED = Like("Scan", ScanAnswer, more={"missing": int})

ANSWERS: dict[str, Answer] = {
    "run": Answer(
        StateEvent | ProgressEvent | FailureEvent | Note | EndEvent, "an event; one line of what is printed"
    ),
    "init": Answer(Initialised, "the work folder"),
    "import": Answer(ImportAnswer, "what was stored"),
    "clone": Answer(ImportAnswer, "what was stored"),
    "diff": Answer(DiffAnswer, "what differs, item by item"),
    "names": Answer(NamesAnswer, "what datasets are called, or would be"),
    "export": Answer(
        _EXPORTED,
        "what was written; the document itself, where no file was named",
    ),
    "validate": Answer(Mapping[str, tuple[Finding, ...]], _FINDINGS),
    "template-check": Answer(Mapping[str, tuple[Finding, ...]], _FINDINGS),
    "template-list": Answer(tuple[Listed, ...], "all templates"),
    "template-new": Answer(Begun, "the file that was written"),
    "template-show": Answer(Described, "a template in full"),
    "wrap": Answer(WrapAnswer, "what became of each script"),
    "list": Answer(tuple[MetaTaskLine, ...], "all Meta-Tasks, newest first"),
    "status": Answer(
        Status | tuple[Status, ...], "where it stands: an object where one Meta-Task was named, else a list"
    ),
    "status-watch": Answer(
        _AT_ONE_MOMENT,
        "where it stands at one moment; one line of what is printed with --watch",
    ),
    "show": Answer(Shown, "a Meta-Task or task in full"),
    "explain": Answer(Explanation, "why it is where it is, and what would move it"),
    "draw": Answer(_DRAWN, "the picture that was written"),
    "simulate": Answer(Simulation, "what would happen, round by round"),
    "history": Answer(tuple[Change, ...], "what changed, oldest first"),
    "commands": Answer(tuple[Past, ...], "who ordered what, oldest first"),
    **{verb: Answer(_CONTROLLED, _CONTROL)
       for verb in ("start", "disarm", "hold", "resume", "finish", "abort", "retry", "obsolete")},
    "set": Answer(SetAnswer, "which settings changed"),
    "recover": Answer(RecoverAnswer | RecoverPlan, "what is made again; with --dry-run what would be"),
    "scan": Answer(_SCANNED, "what lies on the disk"),
    "augment": Answer(AugmentAnswer | GraphAnswer, "what was added: files, or with --graph tasks"),
    "close": Answer(CloseAnswer, "the dataset that gets no more files"),
    "set-state": Answer(SetStateAnswer, "which verbs led there, and what follows"),
    "reset": Answer(ResetAnswer, "what was thrown away"),
    "sweep": Answer(SweepAnswer, "what fired"),
    "db-archive": Answer(ArchiveAnswer, "what was archived"),
    "db-check": Answer(Revision, "the revision of the tables"),
    "db-delete": Answer(DeleteAnswer, "what was deleted"),
    "db-size": Answer(Sizes, "what takes how much room"),
    "db-upgrade": Answer(Upgraded, "revisions before and after"),
    "db-vacuum": Answer(Vacuumed, "the size before and after"),
    "doctor": Answer(tuple[Check, ...], "what was looked at, and what was found"),
    "jobs": Answer(tuple[Job, ...], "jobs, by task and number"),
    "logs": Answer(Text, "the end of a log"),
    "jedi-run": Answer(Text, "nothing: it serves until it is told to stop"),
    "jedi-once": Answer(tuple[JobsInState, ...], "how many jobs are in which state"),
    "jedi-apply": Answer(Text, "that it is done"),
    "jedi-status": Answer(tuple[JobsInState, ...], "how many jobs are in which state"),
    "jedi-scan": Answer(_SCANNED, "what lies on the disk"),
}  # fmt: skip


# Files that hold a dataclass of ours; the schemas of others are written by hand.
FILES = {
    "manifest": Answer(
        Manifest, "what lies in the folder of an archived Meta-Task; its rows are lines of JSON"
    )
}

_GROUPS = ("db", "jedi", "template")
_LATER = "Keys that are not named here may be added later."


def path(name: str) -> Path:
    """The file of a schema."""
    return (TOP if name in FILES else FOLDER) / f"{name}{SUFFIX}"


def rendered(name: str) -> str:
    """A schema as its file must be."""
    answer = FILES.get(name) or ANSWERS[name]
    schema = typed_schema.document(
        answer.kind,
        id=f"urn:deft:schema:{name if name in FILES else f'answers:{name}'}",
        title=f"{name}.json" if name in FILES else f"deft {command(name)} --json",
        description=f"{answer.says[0].upper()}{answer.says[1:]}. {_LATER}",
    )
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def command(name: str) -> str:
    """The words of the command line that a schema is of."""
    group, dash, rest = name.partition("-")
    if name == "status-watch":
        return "status --watch"
    return f"{group} {rest}" if dash and group in _GROUPS else name


def main() -> None:
    """Write all of them, and remove what is no answer any more."""
    FOLDER.mkdir(exist_ok=True)
    for left in set(FOLDER.glob(f"*{SUFFIX}")) - {path(name) for name in ANSWERS}:
        left.unlink()
    for name in (*ANSWERS, *FILES):
        path(name).write_text(rendered(name), encoding="utf-8")


if __name__ == "__main__":
    main()
