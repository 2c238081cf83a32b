"""`import deft`: the Python face. Build a Meta-Task, submit it, wait for it, steer it, ask about it.

import deft

production = deft.MetaTask("ttbar", params={"events": 1000})
evgen = production.task("evgen", "./evgen --events {param.events} > {output}", jobs=10)
evgen.then("merge", "cat {inputs} > {output}", reduce=True)
run = production.submit("work")
print(run.wait().state)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deft.access.roles import owner_of_database
from deft.authoring import exchange
from deft.authoring.builder import Builder, Node
from deft.authoring.graphml import writer
from deft.authoring.templates import instantiate
from deft.base import config
from deft.base.errors import BadInput
from deft.engine import alter, augment, controls, grow, intake, recover, reset, run, scan, set_state
from deft.engine.alter import SetAnswer, SetRequest
from deft.engine.augment import AugmentAnswer, AugmentRequest, CloseAnswer, CloseRequest
from deft.engine.controls import ControlAnswer, ControlRequest
from deft.engine.grow import GraphAnswer, GraphRequest
from deft.engine.recover import RecoverAnswer, RecoverRequest
from deft.engine.reset import ResetAnswer, ResetRequest
from deft.engine.scan import ScanAnswer, ScanRequest
from deft.engine.set_state import SetStateAnswer, SetStateRequest
from deft.model import graph, keys, rules
from deft.model.keys import Value
from deft.observe import explain, pasts, results, simulate, status
from deft.observe.explain import Explanation
from deft.observe.results import Result
from deft.observe.simulate import SimulateRequest, Simulation
from deft.observe.status import Status
from deft.store import archive_state, graphs, schema, selection
from deft.store import session as sessions
from deft.store.commands import Past as Command
from deft.store.session import Session

if TYPE_CHECKING:  # networkx takes a tenth of a second to import, and most callers never name its types
    import networkx as nx

__all__ = [
    "MetaTask", "Node", "Run", "control", "from_networkx", "open_run", "read", "runs", "to_networkx",
]  # fmt: skip


class MetaTask(Builder):
    """A Meta-Task in the making; see `deft.authoring.builder.Builder` for its words."""

    def write(self, path: str | Path) -> None:
        """Write it as GraphML."""
        with Path(path).open("wb") as stream:
            writer.write(self._valid(), stream)

    def submit(self, workdir: str | Path | None = None, *, start: bool = True) -> Run:
        """Store it, and start it. Raises BadInput with every finding, Refused where the name is taken."""
        made = self._valid()
        with _database(workdir, create=True) as session:
            answer = intake.enter(session, made, actor=owner_of_database(), start=start, resume=True)
            return Run(answer.metatask, session.settings.workdir)

    def run(self, workdir: str | Path | None = None) -> Status:
        """Submit it and wait for its end."""
        return self.submit(workdir).wait()

    def _valid(self) -> graph.MetaTask:
        facts = instantiate.facts_here(template=self.metatask.folder, workdir=str(Path.cwd()))
        made = instantiate.instantiate(self.metatask, {}, facts)
        findings = rules.errors(rules.validate(made))
        if findings:
            raise BadInput(f"{made.full_name} is not a valid Meta-Task:", findings)
        return made


class Run:
    """A stored Meta-Task, by its name `project/name`."""

    def __init__(self, name: str, workdir: Path) -> None:
        self.name = name
        self.workdir = workdir

    def wait(self) -> Status:
        """Execute it in this process until nothing can move without an operator; its status then.

        Raises Refused where another process executes in this work folder, Unreachable where the executor
        cannot be kept alive.
        """
        with self._open() as session, run.alone(self.workdir):
            with session.reading() as conn:
                chosen = selection.resolve(conn, self.name)
            run.run(session, chosen.metatask_id, self.name, actor=owner_of_database(), watch=lambda _: None)
            return status.status(session, owner_of_database(), self.name)

    def status(self, task: str = "", *, where: str | None = None) -> Status:
        """Where it stands now; of one task, of tasks by a glob, or of those for which a condition holds."""
        with self._open() as session:
            return status.status(session, owner_of_database(), self._selection(task), where=where)

    def results(self) -> list[Result]:
        """Its final data."""
        with self._open() as session:
            return results.of(session, owner_of_database(), self.name)

    def start(
        self, task: str = "", *, where: str | None = None, force: bool = False, key: str | None = None
    ) -> ControlAnswer:
        """Arm it, or some of its tasks. `key`, of every verb: given again, it answers the same."""
        return self._control("force" if force else "start", task, where=where, key=key)

    def hold(
        self, task: str = "", *, where: str | None = None, reason: str | None = None, mode: str | None = None,
        key: str | None = None,
    ) -> ControlAnswer:  # fmt: skip
        """Stop it for a while."""
        return self._control("hold", task, where=where, reason=reason, mode=mode, key=key)

    def resume(self, task: str = "", *, where: str | None = None, key: str | None = None) -> ControlAnswer:
        """Let it go on."""
        return self._control("resume", task, where=where, key=key)

    def finish(
        self, task: str = "", *, where: str | None = None, reason: str | None = None, hard: bool = False,
        key: str | None = None,
    ) -> ControlAnswer:  # fmt: skip
        """Let it end with what it has; `hard`: running jobs are stopped, too."""
        return self._control("finish-hard" if hard else "finish", task, where=where, reason=reason, key=key)

    def abort(
        self, task: str = "", *, where: str | None = None, reason: str | None = None, key: str | None = None
    ) -> ControlAnswer:
        """Stop it for good."""
        return self._control("abort", task, where=where, reason=reason, key=key)

    def retry(self, task: str = "", *, where: str | None = None, key: str | None = None) -> ControlAnswer:
        """Run what failed again."""
        return self._control("retry", task, where=where, key=key)

    def reset(self, task: str = "", *, discard: bool, **options: Any) -> ResetAnswer:
        """Throw away what was done, with all that followed from it. Options as in `ResetRequest`."""
        with self._open() as session:
            request = ResetRequest(owner_of_database(), self._selection(task), discard, **options)
            return reset.reset(session, request)

    def obsolete(self, task: str = "", *, reason: str | None = None, key: str | None = None) -> ControlAnswer:
        """Retire data, for good."""
        return self._control("obsolete", task, reason=reason, key=key)

    def set(self, task: str = "", settings: Mapping[str, Value] | None = None, **options: Any) -> SetAnswer:
        """Change settings by the profile's keys. Options as in `SetRequest`."""
        given = {name: keys.render(value) for name, value in (settings or {}).items()}
        with self._open() as session:
            request = SetRequest(owner_of_database(), self._selection(task), given, **options)
            return alter.set_keys(session, request)

    def set_state(self, task: str, state: str, **options: Any) -> SetStateAnswer:
        """Lead tasks to a state. Options as in `SetStateRequest`."""
        with self._open() as session:
            request = SetStateRequest(owner_of_database(), self._selection(task), state, **options)
            return set_state.set_state(session, request)

    def add(
        self, source: str | Path, params: Mapping[str, Value] | None = None, **options: Any
    ) -> GraphAnswer:
        """Add the tasks and edges of a GraphML file or template. Options as in `GraphRequest`."""
        given = {name: keys.render(value) for name, value in (params or {}).items()}
        with self._open() as session:
            request = GraphRequest(owner_of_database(), self.name, str(source), given, **options)
            return grow.augment_graph(session, request)

    def explain(self, task: str = "", *, limit: int = explain.SHOWN) -> Explanation:
        """Why it, or one task, is where it is: what is missing, who brings it, what would happen then."""
        with self._open() as session:
            return explain.explain(session, owner_of_database(), self._selection(task), limit)

    def simulate(
        self, *, hold: Sequence[str] = (), fail: Mapping[str, int | None] | None = None,
        grow: Mapping[str, int] | None = None, start: bool = False,
    ) -> Simulation:  # fmt: skip
        """Play it forward from where it stands, in memory.

        `fail`: how many units of a task fail, None for all; `grow`: how many units a dataset from outside
        gets; `start`: as if it were started first.
        """
        failing = tuple(task if units is None else f"{task}={units}" for task, units in (fail or {}).items())
        growing = tuple(f"{dataset}={units}" for dataset, units in (grow or {}).items())
        request = SimulateRequest(owner_of_database(), self.name, tuple(hold), failing, growing, start=start)
        with self._open() as session:
            return simulate.simulate(session, request)

    def commands(self) -> list[Command]:
        """Who ordered what, and what came of it."""
        with self._open() as session:
            return pasts.commands(session, owner_of_database(), self.name)

    def scan(self, task: str = "") -> ScanAnswer:
        """Look whether all its files are still there. Raises Unreachable where JEDI does not answer."""
        with self._open() as session:
            return scan.scan(session, ScanRequest(owner_of_database(), self._selection(task)))

    def recover(
        self, task: str = "", *, where: str | None = None, depth: int | None = None, consumers: bool = False
    ) -> RecoverAnswer:
        """Let the jobs that made what is lost run again; `wait` executes them."""
        request = RecoverRequest(owner_of_database(), self._selection(task), depth, consumers, where=where)
        with self._open() as session:
            return recover.recover(session, request)

    def augment(self, *files: str | Path, dataset: str | None = None) -> AugmentAnswer:
        """Give data from outside more files: paths and globs."""
        given = tuple(map(str, files))
        request = AugmentRequest(owner_of_database(), self.name, given, dataset, Path.cwd())
        with self._open() as session:
            return augment.augment(session, request)

    def close(self, dataset: str | None = None) -> CloseAnswer:
        """Say that no more files come for open data from outside."""
        with self._open() as session:
            return augment.close(session, CloseRequest(owner_of_database(), self.name, dataset))

    def graph(self, *, state: bool = False) -> nx.MultiDiGraph[str]:
        """It as a NetworkX graph, as `to_networkx` gives it."""
        with self._open() as session:
            return _stored_graph(session, self.name, state)

    def _control(self, verb: str, task: str, **options: Any) -> ControlAnswer:
        with self._open() as session:
            request = ControlRequest(owner_of_database(), verb, self._selection(task), **options)
            return controls.control(session, request)

    def _selection(self, task: str) -> str:
        return f"{self.name}/{task}" if task else self.name

    @contextmanager
    def _open(self) -> Iterator[Session]:
        with _database(self.workdir) as session:
            yield session


def open_run(name: str, workdir: str | Path | None = None) -> Run:
    """A stored Meta-Task by its name. Raises NotFound."""
    with _database(workdir) as session, session.reading() as conn:
        return Run(selection.resolve(conn, name).full_name, session.settings.workdir)


def runs(where: str | None = None, workdir: str | Path | None = None) -> list[Run]:
    """The stored Meta-Tasks, newest first; `where`: those with such a task. Raises BadInput."""
    with _database(workdir) as session:
        lines = status.list_metatasks(session, owner_of_database(), where=where)
        return [Run(line.metatask, session.settings.workdir) for line in lines]


def control(
    verb: str, selection: str = "", *, where: str | None = None, workdir: str | Path | None = None,
    reason: str | None = None, mode: str | None = None, dry_run: bool = False,
) -> tuple[ControlAnswer, ...]:  # fmt: skip
    """Do a verb on tasks of any number of Meta-Tasks, all or nothing; an answer for each Meta-Task.

    `selection` and `where` are those of the command line. Raises Refused, NotFound, BadInput.
    """
    with _database(workdir) as session:
        request = ControlRequest(owner_of_database(), verb, selection, reason, mode, dry_run, where=where)
        return controls.control_all(session, request).answers


def read(source: str, params: Mapping[str, Value] | None = None) -> MetaTask:
    """A Meta-Task of a GraphML file or a template, filled with parameters, to be changed or submitted.

    Raises BadInput with every finding, NotFound.
    """
    given = {name: str(value) for name, value in (params or {}).items()}
    found, _ = intake.read_source(source, given, Path.cwd())
    return _builder(found)


def to_networkx(
    metatask: str | MetaTask, *, state: bool = False, workdir: str | Path | None = None
) -> nx.MultiDiGraph[str]:
    """A NetworkX graph of a stored Meta-Task, by its name, or of one in the making.

    Graph, nodes and edges have the profile's keys with typed values, and plain data of other tools; with
    `state` also where a stored one stands, as `state.*`. Raises NotFound.
    """
    if isinstance(metatask, MetaTask):
        return exchange.to_networkx(metatask.metatask)
    with _database(workdir) as session:
        return _stored_graph(session, metatask, state)


def from_networkx(found: nx.DiGraph[Any], name: str | None = None) -> MetaTask:
    """A Meta-Task of any directed NetworkX graph: attributes that are keys of the profile say what it does.

    Others are kept as data of other tools; `state.*` is left out. Raises ValueError for an undirected graph
    or a value that a key does not allow.
    """
    return _builder(exchange.from_networkx(found, name))


def _stored_graph(session: Session, name: str, state: bool) -> nx.MultiDiGraph[str]:
    with session.reading() as conn:
        metatask_id = selection.resolve(conn, name).metatask_id
        told = archive_state.States(conn, metatask_id) if state else None
        return exchange.to_networkx(graphs.load(conn, metatask_id), told)


def _builder(found: graph.MetaTask) -> MetaTask:
    made = MetaTask(found.name, project=found.project)
    made.metatask = found
    return made


@contextmanager
def _database(workdir: str | Path | None, *, create: bool = False) -> Iterator[Session]:
    folder = config.find_workdir(None if workdir is None else str(workdir), os.environ, create=create)
    settings = config.load(folder, os.environ)
    with sessions.opened(settings, must_exist=not create) as session:
        if create and schema.revision(session.engine) is None:
            schema.create(session.engine)
        schema.check(session.engine)
        yield session
