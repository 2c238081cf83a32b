"""Settings: where they are looked for, what they are called, what they may be.

The work folder of a command is `--workdir`, else `$DEFT_WORKDIR`, else the nearest parent with a
`deft.toml`, else (for `run` and `init` only) the current folder. Files, each filling the gaps of those
before it: `--config`, `$DEFT_CONFIG`, `deft.toml` of the work folder, `~/.config/deft/deft.toml`,
`/etc/deft/deft.toml`. `DEFT_SECTION__KEY` in the environment beats them all.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from deft.base.errors import BadInput, Finding, NotFound
from deft.base.limits import Limits, Upload

FILE = "deft.toml"
DATABASE_FILE = "deft.db"


@dataclass(frozen=True, slots=True)
class Database:
    """`[database]`: `url`, or the embedded `deft.db` of the work folder where it is empty.

    The password of a URL may stand alone in `password_file`.
    """

    url: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """`[sweep]`: `every_s`, the period of the sweep that finds what a lost hint hid."""

    every_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Jedi:
    """`[jedi]`: slots of the local pool (0: the cores this process may use), periods, limits.

    `log_max_mb`: what is kept of one job's stdout or stderr. `beat_s`: the wrapper's heartbeat.
    `max_losses`: how often a job may be lost through no fault of its own before it fails.
    `cluster`: where the jobs of tasks run that name no cluster. `url`: the same database as in `[database]`,
    with JEDI's own user; empty: DEFT's user does for both.
    """

    cluster: str = "local"
    slots: int = 0
    poll_s: float = 5.0
    beat_s: float = 2.0
    log_max_mb: int = 64
    max_losses: int = 5
    kill_grace_s: float = 5.0
    url: str = ""
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """`[clusters.NAME]`: a batch system, and how jobs are given to it.

    `conf` is the path of its slurm.conf, where its commands do not know that themselves. `partition`,
    `account`, `qos` are for tasks that name none; `options` go to every submission. `python` runs the
    wrapper on a node. `max_jobs`: jobs queued and running there at once; `max_array`: in one array.
    `poll_s`: least time between two looks at the queue; `grace_s`: how long a job of which nobody knows may
    still turn up; `timeout_s`: of one command. `environment`: variables of ours that jobs get, by name.
    """

    scheduler: str = "slurm"
    conf: str = ""
    partition: str = ""
    account: str = ""
    qos: str = ""
    options: str = ""
    python: str = "python3"
    environment: str = ""
    max_jobs: int = 1000
    max_array: int = 1000
    poll_s: float = 10.0
    grace_s: float = 60.0
    timeout_s: float = 120.0
    beat_s: float = 30.0
    exclude_after: int = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one command, and the folder it works in."""

    workdir: Path
    database: Database = field(default_factory=Database)
    sweep: Sweep = field(default_factory=Sweep)
    jedi: Jedi = field(default_factory=Jedi)
    graphml: Limits = field(default_factory=Limits)
    upload: Upload = field(default_factory=Upload)
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    @property
    def embedded(self) -> bool:
        """True where the database is the file `deft.db` in the work folder."""
        return not self.database.url

    @property
    def database_url(self) -> str:
        """The URL to open, with the password of `password_file` filled in."""
        if self.embedded:
            return f"sqlite:///{self.workdir / DATABASE_FILE}"
        return _with_password(self.database)

    @property
    def jedi_url(self) -> str:
        """The same for JEDI, which may have a user of its own."""
        return _with_password(self.jedi) if self.jedi.url else self.database_url


def _with_password(given: Database | Jedi) -> str:
    if not given.password_file:
        return given.url
    from deft.base import urls  # noqa: PLC0415  only a database by URL pays for this

    password = read_secret(Path(given.password_file))
    return urls.parse(given.url).set(password=password).render_as_string(hide_password=False)


_WORDS = {int: "whole number of 0 or more", float: "number of 0 or more", str: "text"}
SECTIONS = {"database": Database, "sweep": Sweep, "jedi": Jedi, "graphml": Limits, "upload": Upload}
LOCAL = "local"  # the cluster that is always there: this machine
CLUSTERS = "clusters"
SCHEDULERS = ("slurm",)
_CLUSTER_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


def read_secret(path: Path) -> str:
    """The first line of a secret's file. Raises BadInput where it cannot be read."""
    try:
        return path.expanduser().read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError) as fault:
        raise BadInput(f"cannot read the secret in {path}: {fault}") from None


def find_workdir(given: str | None, environ: Mapping[str, str], *, create: bool = False) -> Path:
    """The work folder of this command; `create` for `run` and `init`, which may make one.

    Raises NotFound where there is none.
    """
    named = given or environ.get("DEFT_WORKDIR")
    here = Path.cwd()
    if named:
        folder = Path(named).expanduser().absolute()
        if create:
            _make(folder)
        elif not folder.is_dir():
            raise NotFound(f"there is no work folder {folder}; `deft init --workdir {folder}` makes one")
        return folder
    for parent in (here, *here.parents):
        if (parent / FILE).is_file():
            return parent
    if create or (here / DATABASE_FILE).is_file():
        return here
    near = sorted(found.parent.name for found in here.glob(f"*/{DATABASE_FILE}"))
    meant = f" (--workdir {near[0]}?)" if near else ""
    raise NotFound(
        f"no {FILE} here ({here}) or above; give --workdir DIR{meant} or set DEFT_WORKDIR, or `deft init` one"
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise BadInput(f"cannot make the work folder {folder}: {fault.strerror}") from None


def load(workdir: Path, environ: Mapping[str, str], config: str | None = None) -> Settings:
    """Read all settings. Raises BadInput with every fault found in one list."""
    found: list[Finding] = []
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    clusters: dict[str, dict[str, Any]] = {}
    read = []
    for path, required in _candidates(workdir, environ, config):
        document = _read_toml(path, required, found)
        if document is not None:
            read.append(path)
            _fill_clusters(clusters, document.pop(CLUSTERS, {}), str(path), found)
            _fill(values, document, str(path), found)
    _override(values, clusters, environ, found)
    found += _unfit(values, clusters)
    if found:
        raise BadInput("the settings are not right:", found)
    made = {name: kind(**values[name]) for name, kind in SECTIONS.items()}
    named = {name: Cluster(**clusters[name]) for name in sorted(clusters)}
    return Settings(workdir=workdir, files=tuple(read), clusters=named, **made)


def _unfit(values: Mapping[str, Mapping[str, Any]], clusters: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong between settings that are right by themselves."""
    for name, given in clusters.items():
        scheduler = given.get("scheduler", SCHEDULERS[0])
        if name == LOCAL or not _CLUSTER_NAME.fullmatch(name):
            hint = "small letters, digits and dashes, beginning with a letter; local is this machine"
            yield Finding("config-cluster", f"[{CLUSTERS}.{name}] is no name for a cluster", hint=hint)
        if scheduler not in SCHEDULERS:
            message = f"[{CLUSTERS}.{name}] scheduler = {scheduler!r} is none that DEFT knows"
            yield Finding("config-value", message, hint=f"known: {', '.join(SCHEDULERS)}")
    chosen = values["jedi"].get("cluster", LOCAL)
    if chosen != LOCAL and chosen not in clusters:
        message = f"[jedi] cluster = {chosen!r}: there is no section [{CLUSTERS}.{chosen}]"
        yield Finding("config-cluster", message, hint=_near(chosen, {LOCAL: 0, **clusters}))


def _candidates(workdir: Path, environ: Mapping[str, str], config: str | None) -> list[tuple[Path, bool]]:
    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "/")) / ".config")
    named = [(Path(p).expanduser(), True) for p in (config, environ.get("DEFT_CONFIG")) if p]
    return [*named, *((p, False) for p in (workdir / FILE, home / "deft" / FILE, Path("/etc/deft") / FILE))]


def _read_toml(path: Path, required: bool, found: list[Finding]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            found.append(Finding("config-missing", f"there is no settings file {path}"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        found.append(Finding("config-unreadable", f"{path}: {fault}"))
    return None


def _fill(
    values: dict[str, dict[str, Any]], document: dict[str, Any], where: str, found: list[Finding]
) -> None:
    for section, content in document.items():
        kind = SECTIONS.get(section)
        if kind is not None and not isinstance(content, dict):
            hint = f"write [{section}] above its settings"
            found.append(Finding("config-section", f"{where}: {section} is a section", hint=hint))
            continue
        if kind is None:
            found.append(
                Finding(
                    "config-section", f"{where}: unknown section [{section}]", hint=_near(section, SECTIONS)
                )
            )
            continue
        for key, value in content.items():
            checked = _checked(kind, section, key, value, where, found)
            if checked is not None:
                values[section].setdefault(key, checked)


def _fill_clusters(
    clusters: dict[str, dict[str, Any]], given: object, where: str, found: list[Finding]
) -> None:
    if not isinstance(given, dict) or not all(isinstance(content, dict) for content in given.values()):
        hint = f"write [{CLUSTERS}.NAME] above the settings of a cluster"
        found.append(Finding("config-section", f"{where}: {CLUSTERS} holds one section a cluster", hint=hint))
        return
    for name, content in given.items():
        known = clusters.setdefault(name, {})
        for key, value in content.items():
            checked = _checked(Cluster, f"{CLUSTERS}.{name}", key, value, where, found)
            if checked is not None:
                known.setdefault(key, checked)


def _override(
    values: dict[str, dict[str, Any]],
    clusters: dict[str, dict[str, Any]],
    environ: Mapping[str, str],
    found: list[Finding],
) -> None:
    for name, text in environ.items():
        if not name.startswith("DEFT_") or "__" not in name:
            continue
        section, _, key = name.removeprefix("DEFT_").lower().partition("__")
        if section == CLUSTERS:
            cluster, _, key = key.partition("__")
            checked = _checked(Cluster, f"{CLUSTERS}.{cluster}", key, text, f"${name}", found)
            if checked is not None:
                clusters.setdefault(cluster, {})[key] = checked
            continue
        kind = SECTIONS.get(section)
        if kind is None:
            found.append(
                Finding(
                    "config-section", f"${name}: unknown section {section!r}", hint=_near(section, SECTIONS)
                )
            )
            continue
        checked = _checked(kind, section, key, text, f"${name}", found)
        if checked is not None:
            values[section][key] = checked


def _checked(
    kind: type[Any], section: str, key: str, value: Any, where: str, found: list[Finding]
) -> object | None:
    defaults: dict[str, Any] = {f.name: f.default for f in fields(kind)}
    if key not in defaults:
        found.append(
            Finding("config-key", f"{where}: [{section}] has no setting {key!r}", hint=_near(key, defaults))
        )
        return None
    wanted: Any = type(defaults[key])
    try:
        if isinstance(value, bool) or (wanted is int and isinstance(value, float)):
            raise ValueError
        number = wanted(value)
        if wanted in (int, float) and not 0 <= number < float("inf"):
            raise ValueError
    except (TypeError, ValueError):
        message = f"{where}: [{section}] {key} = {value!r} is no {_WORDS[wanted]}"
        found.append(Finding("config-value", message))
        return None
    return cast(object, number)


def _near(word: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415  only a mistake pays for this

    near = get_close_matches(word, known, 3)
    return f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"


def as_environ(settings: Settings) -> dict[str, str]:
    """The variables that give another process these very settings."""
    sections = {name: getattr(settings, name) for name in SECTIONS}
    sections |= {f"{CLUSTERS}__{name}": cluster for name, cluster in settings.clusters.items()}
    return {
        f"DEFT_{section}__{setting.name}".upper(): str(getattr(content, setting.name))
        for section, content in sections.items()
        for setting in fields(content)
    }


def with_cluster(settings: Settings, name: str | None) -> Settings:
    """The same, with another cluster for tasks that name none. Raises BadInput where there is none such."""
    if name is None:
        return settings
    if name != LOCAL and name not in settings.clusters:
        known = ", ".join([LOCAL, *settings.clusters])
        raise BadInput(
            f"there is no cluster {name!r}; the settings know {known}: "
            f"a section [{CLUSTERS}.{name}] in deft.toml makes one"
        )
    return replace(settings, jedi=replace(settings.jedi, cluster=name))


def workers_allowed() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0))
