"""The options of sbatch, and what becomes of each: a table of rows, and the few that need arithmetic.

`use KEY` takes the value over as that key of the profile, `read NAME` is worked out by the function of that
name below, `keep` leaves the option to the scheduler in `resources.extra`, `drop` leaves it out and says
why. An option that is not in the table is kept, with a warning.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from deft.authoring.wrap import values
from deft.authoring.wrap.values import Indices
from deft.base.errors import Finding
from deft.model.keys import Value

Takes = Literal["value", "flag", "maybe"]
Verdict = Literal["used", "kept", "dropped", "overridden", "unknown", "wrong"]

_LOGS = "DEFT keeps the logs of every job: deft logs"
_MAIL = "DEFT sends no mail for a job"
_CALL = "it concerns the call of sbatch only"
_OWN = "DEFT sets it itself"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of sbatch: its long name, and how it is handled."""

    name: str
    takes: Takes
    act: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """An option as it stands in a script; `option` None: sbatch has none of that name."""

    line: int
    written: str
    value: str | None
    option: Option | None

    @property
    def text(self) -> str:
        """The option in its long form."""
        name = f"--{self.option.name}" if self.option else self.written
        glue = "=" if name.startswith("--") else " "
        return name if self.value is None else f"{name}{glue}{shlex.quote(self.value)}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one directive."""

    line: int
    directive: str
    verdict: Verdict
    becomes: str


def _rows(act: str, takes: Takes, names: str, detail: str = "") -> dict[str, Option]:
    return {name: Option(name, takes, act, detail) for name in names.split()}


OPTIONS: dict[str, Option] = {
    **_rows("use", "value", "ntasks", "resources.tasks"),
    **_rows("use", "value", "ntasks-per-node", "resources.tasks_per_node"),
    **_rows("use", "value", "cpus-per-task", "resources.cores"),
    **_rows("use", "value", "partition", "resources.partition"),
    **_rows("use", "value", "account", "resources.account"),
    **_rows("use", "value", "qos", "resources.qos"),
    **_rows("use", "value", "constraint", "resources.constraint"),
    **_rows("read", "value", "nodes time mem mem-per-cpu mem-per-gpu gres gpus gpus-per-node gpus-per-task"),
    **_rows("read", "value", "array job-name dependency chdir export"),
    **_rows("read", "flag", "hold"),
    **_rows("drop", "value", "output error open-mode", _LOGS),
    **_rows("drop", "value", "mail-type mail-user", _MAIL),
    **_rows("drop", "value", "comment job-id clusters kill-on-invalid-dep", _OWN),
    **_rows("drop", "flag", "requeue no-requeue", _OWN),
    **_rows("drop", "value", "wrap export-file", _CALL),
    **_rows("drop", "flag", "help usage version test-only quiet verbose wait parsable ignore-pbs", _CALL),
    **_rows("drop", "value", "input", "a job of DEFT reads nothing from its standard input"),
    **_rows(
        "keep",
        "value",
        "acctg-freq batch bb bbf begin cluster-constraint container container-id core-spec cores-per-socket "
        "cpu-freq cpus-per-gpu deadline delay-boot distribution exclude extra extra-node-info gid gpu-bind "
        "gpu-freq gpus-per-socket gres-flags hint licenses mcs-label mem-bind mincpus network nodefile "
        "nodelist ntasks-per-core ntasks-per-gpu ntasks-per-socket power prefer priority profile propagate "
        "reservation signal sockets-per-node switches thread-spec threads-per-core time-min tmp tres-bind "
        "tres-per-task uid umask wait-all-nodes wckey",
    ),
    **_rows("keep", "maybe", "exclusive get-user-env nice no-kill"),
    **_rows("keep", "flag", "contiguous oversubscribe overcommit reboot spread-job use-min-nodes"),
}


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


ALIASES = _pairs("tasks ntasks workdir chdir cluster clusters share oversubscribe jobid job-id")
SHORT = _pairs(
    "A account B extra-node-info C constraint D chdir F nodefile G gpus H hold J job-name L licenses "
    "M clusters N nodes O overcommit Q quiet S core-spec V version W wait a array b begin c cpus-per-task "
    "d dependency e error h help i input k no-kill m distribution n ntasks o output p partition q qos "
    "s oversubscribe t time u usage v verbose w nodelist x exclude"
)
_NUMBERS = frozenset({"resources.tasks", "resources.tasks_per_node", "resources.cores"})


def find(written: str) -> Option | None:
    """The option of `-x`, `--name`, or of the beginning of one name only, as getopt takes it."""
    if not written.startswith("--"):
        return OPTIONS.get(SHORT.get(written[1:], ""))
    name = written[2:]
    name = ALIASES.get(name, name)
    begun = [known for known in OPTIONS if known.startswith(name)] if name else []
    return OPTIONS.get(name) or (OPTIONS[begun[0]] if len(begun) == 1 else None)


@dataclass(slots=True)
class Wishes:
    """What the directives of a script ask for. Filled line by line, hence not frozen."""

    subject: str
    settings: dict[str, Value] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    job_name: str | None = None
    array: Indices | None = None
    chdir: str | None = None
    dependencies: list[tuple[int, str]] = field(default_factory=list)  # (line, text)
    fates: list[Fate] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def number(self, key: str) -> int:
        """A setting that is a count, 1 where nothing is said."""
        return int(self.settings.get(key, 1))

    def warn(self, code: str, message: str, line: int, hint: str | None = None) -> None:
        """Report what will not be as the script wants it."""
        text = f"{self.subject}: {message}"
        self.findings.append(Finding(code, text, line, self.subject, hint, severity="warning"))


def interpret(directives: Iterable[Directive], subject: str) -> Wishes:
    """All directives of a script; of the same option the last one counts, as in Slurm."""
    wishes = Wishes(subject)
    given = list(directives)
    last = {_name(one): number for number, one in enumerate(given)}
    # What is counted per node, rank or core needs their numbers, whatever the order of the lines.
    order = sorted(range(len(given)), key=lambda number: _RANK.get(_name(given[number]), 0))
    for number in order:
        one = given[number]
        if last[_name(one)] == number:
            _interpret(wishes, one)
        else:
            line = given[last[_name(one)]].line
            wishes.fates.append(Fate(one.line, one.text, "overridden", f"line {line} says it again"))
    wishes.fates.sort(key=lambda fate: fate.line)
    if wishes.extra:
        wishes.settings["resources.extra"] = " ".join(wishes.extra)
    return wishes


def _name(one: Directive) -> str:
    return one.option.name if one.option else one.written


def _interpret(wishes: Wishes, one: Directive) -> None:
    if one.option is None:
        _unknown(wishes, one)
        return
    try:
        if one.value is None and one.option.takes == "value":
            raise ValueError("has no value")
        verdict, becomes = _ACTS[one.option.act](wishes, one, one.option)
    except ValueError as fault:
        hint = "no variable is filled in on a #SBATCH line" if "$" in (one.value or "") else None
        message = f"{wishes.subject}: {one.text} {fault}"
        wishes.findings.append(Finding("bad-directive", message, one.line, wishes.subject, hint))
        verdict, becomes = "wrong", str(fault)
    wishes.fates.append(Fate(one.line, one.text, verdict, becomes))


def _unknown(wishes: Wishes, one: Directive) -> None:
    wishes.extra.append(one.text)
    wishes.fates.append(Fate(one.line, one.text, "unknown", "resources.extra"))
    wishes.warn("unknown-directive", f"{one.written} is no option of sbatch that DEFT knows", one.line,
                "kept in resources.extra")  # fmt: skip


_Outcome = tuple[Verdict, str]


def _use(wishes: Wishes, one: Directive, option: Option) -> _Outcome:
    text = one.value or ""
    return _set(wishes, option.detail, values.count(text) if option.detail in _NUMBERS else text)


def _set(wishes: Wishes, key: str, value: Value, note: str = "") -> _Outcome:
    wishes.settings[key] = value
    return "used", f"{key} = {value}{note}"


def _keep(wishes: Wishes, one: Directive, _option: Option | None = None) -> _Outcome:
    wishes.extra.append(one.text)
    return "kept", "resources.extra"


def _drop(_wishes: Wishes, _one: Directive, option: Option) -> _Outcome:
    return "dropped", option.detail


def _read(wishes: Wishes, one: Directive, option: Option) -> _Outcome:
    return _READERS[option.name](wishes, one)


_ACTS: dict[str, Callable[[Wishes, Directive, Option], _Outcome]] = {
    "use": _use,
    "keep": _keep,
    "drop": _drop,
    "read": _read,
}


# --- options that need arithmetic or stand for something else ----------------------------------------------


def _nodes(wishes: Wishes, one: Directive) -> _Outcome:
    least, dash, _ = (one.value or "").partition("-")
    return _set(wishes, "resources.nodes", values.count(least), ", the least of them" if dash else "")


def _time(wishes: Wishes, one: Directive) -> _Outcome:
    limit = values.seconds(one.value or "")
    return ("used", "no limit") if limit is None else _set(wishes, "resources.walltime_s", limit)


def _mem(wishes: Wishes, one: Directive) -> _Outcome:
    size = values.megabytes(one.value or "")
    if "resources.memory_mb" in wishes.settings:
        wishes.warn("two-memories", f"{one.text} stands beside memory a core or GPU; it wins", one.line)
    return _memory(wishes, one, size, 1)


def _mem_per_cpu(wishes: Wishes, one: Directive) -> _Outcome:
    cores = wishes.number("resources.cores") * _ranks_a_node(wishes)
    return _memory(wishes, one, values.megabytes(one.value or ""), cores)


def _mem_per_gpu(wishes: Wishes, one: Directive) -> _Outcome:
    gpus = ceil(wishes.number("resources.gpus") / wishes.number("resources.nodes"))
    return _memory(wishes, one, values.megabytes(one.value or ""), gpus)


def _memory(wishes: Wishes, one: Directive, size: int, times: int) -> _Outcome:
    if size == 0:  # all that there is: a word only Slurm understands
        return _keep(wishes, one)
    note = f" ({size} x {times})" if times > 1 else ""
    return _set(wishes, "resources.memory_mb", size * times, note)


def _ranks_a_node(wishes: Wishes) -> int:
    if "resources.tasks_per_node" in wishes.settings:
        return wishes.number("resources.tasks_per_node")
    return ceil(wishes.number("resources.tasks") / wishes.number("resources.nodes"))


def _gres(wishes: Wishes, one: Directive) -> _Outcome:
    gpus, others = 0, []
    for part in (one.value or "").split(","):
        words = part.removeprefix("gres/").removeprefix("gres:").split(":")
        plain = words[0] == "gpu" and len(words) < 3 and (words[1:] or ["1"])[0].isdigit()
        if plain:
            gpus += int((words[1:] or ["1"])[0])
        else:
            others.append(part)
    if others:  # Slurm refuses GPUs with a type beside GPUs without: all of it stays as it is
        return _keep(wishes, one)
    return _set(wishes, "resources.gpus", gpus * wishes.number("resources.nodes"))


def _gpus(per: str | None) -> Callable[[Wishes, Directive], _Outcome]:
    def read(wishes: Wishes, one: Directive) -> _Outcome:
        if not (one.value or "").isdigit():  # a type of GPU
            return _keep(wishes, one)
        times = wishes.number(per) if per else 1
        return _set(wishes, "resources.gpus", int(one.value or "") * times)

    return read


def _array(wishes: Wishes, one: Directive) -> _Outcome:
    found = values.indices(one.value or "")
    wishes.array = found
    if found.max_running is not None:
        wishes.settings["max_running"] = found.max_running
    limit = f", max_running = {found.max_running}" if found.max_running else ""
    return "used", f"{found.size} units{limit}"


def _job_name(wishes: Wishes, one: Directive) -> _Outcome:
    wishes.job_name = one.value
    return "used", "the name of the task"


def _dependency(wishes: Wishes, one: Directive) -> _Outcome:
    wishes.dependencies.append((one.line, one.value or ""))
    return "used", "edges; the warnings say which are not"


def _chdir(wishes: Wishes, one: Directive) -> _Outcome:
    wishes.chdir = one.value
    return "used", "the folder where the script runs"


def _export(wishes: Wishes, one: Directive) -> _Outcome:
    names = [part for part in (one.value or "").split(",") if part]
    if {name.upper() for name in names} & {"NONE", "NIL"}:
        message = "a job of DEFT has the environment of its executor"
        wishes.warn("export-none", f"{one.text}: {message}", one.line)
        return "dropped", message
    given = dict(name.split("=", 1) for name in names if "=" in name)
    for name, value in given.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise ValueError(f"has {name!r}, which is no name of a variable")
        wishes.settings[f"env.{name}"] = value
    return "used", ", ".join(f"env.{name}" for name in given) or "jobs have the executor's environment"


def _hold(wishes: Wishes, _one: Directive) -> _Outcome:
    return _set(wishes, "armed", False, ": start it by deft start META/TASK")


_READERS: dict[str, Callable[[Wishes, Directive], _Outcome]] = {
    "nodes": _nodes,
    "time": _time,
    "mem": _mem,
    "mem-per-cpu": _mem_per_cpu,
    "mem-per-gpu": _mem_per_gpu,
    "gres": _gres,
    "gpus": _gpus(None),
    "gpus-per-node": _gpus("resources.nodes"),
    "gpus-per-task": _gpus("resources.tasks"),
    "array": _array,
    "job-name": _job_name,
    "dependency": _dependency,
    "chdir": _chdir,
    "export": _export,
    "hold": _hold,
}
_RANK = {"gres": 1, "gpus-per-node": 1, "gpus-per-task": 1, "mem-per-cpu": 2, "mem-per-gpu": 2, "mem": 3}
