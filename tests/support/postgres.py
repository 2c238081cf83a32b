"""A throwaway PostgreSQL cluster: real, on loopback, owned by an ordinary user, gone with its process.

PostgreSQL refuses to run as root, so root hands it to the user `postgres`, or to `nobody`. A watchdog in a
session of its own holds one end of a pipe: when this process ends, however it ends, the pipe closes, and
the watchdog stops the server and removes its folder.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

PROGRAMS = ("initdb", "pg_ctl", "postgres")
HOW = "Bring it: apt-get install postgresql (no running service is needed)."
ADMIN = "deft"
START_TRIES = 5

WATCHDOG = 'cat >/dev/null; "$@"; rm -rf "$0"'  # $0 is the folder, the rest stops the server

# fsync stays on: tests kill the server. A zone far from UTC finds times that lost theirs.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "jit": "off",
    "timezone": "Asia/Kolkata",
    "log_min_messages": "warning",
}


class NoCluster(Exception):
    """The cluster could not be made or started; the message holds PostgreSQL's own words."""


def find_programs() -> Path | None:
    """The folder of the server's programs: on the path, else Debian's folder of the newest version."""
    on_path = shutil.which("initdb")
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(versions, key=lambda folder: _number(folder.parent.name), reverse=True)
    candidates = [Path(on_path).resolve().parent] if on_path else []
    for folder in [*candidates, *newest_first]:
        if all(os.access(folder / program, os.X_OK) for program in PROGRAMS):
            return folder
    return None


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


@dataclass(slots=True)
class Cluster:
    """A running cluster. Databases are made, dropped and reached by name."""

    programs: Path
    folder: Path
    user: str | None
    port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    watchdog: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log"

    def url(self, database: str) -> str:
        """The URL of a database, as DEFT takes it."""
        return f"postgresql+psycopg://{ADMIN}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> None:
        """Make a database as a copy of another one, which nobody may be using."""
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database, and whoever is still connected to it."""
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _administer(self, statement: str, *names: str) -> None:
        where = f"host=127.0.0.1 port={self.port} user={ADMIN} password={self.password} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def start(self) -> None:
        """Start the server on its port and wait until it answers. Raises NoCluster."""
        options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
        port = f"-c port={self.port}"
        self._run(
            "pg_ctl",
            "start",
            "-w",
            "-t",
            "60",
            "-D",
            self._data,
            "-l",
            str(self.log),
            "-o",
            f"{options} {port}",
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast`, or `immediate` for a crash."""
        self._run(*self._stopping(mode))

    def restart(self, mode: str = "fast") -> None:
        """Stop and start on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server for good and remove its folder."""
        if self.watchdog is not None and self.watchdog.stdin is not None:
            self.watchdog.stdin.close()
            self.watchdog.wait(timeout=60)
            self.watchdog = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _stopping(self, mode: str) -> Sequence[str]:
        return ("pg_ctl", "stop", "-w", "-t", "30", "-m", mode, "-D", self._data)

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self.programs / program), *arguments]
        if self.user is None:
            return command
        return ["setpriv", f"--reuid={self.user}", f"--regid={_group(self.user)}", "--clear-groups", *command]

    def _run(self, program: str, *arguments: str) -> None:
        # To a file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open.
        with tempfile.TemporaryFile() as output:
            command = self._command(program, *arguments)
            code = subprocess.call(
                command,
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if code:
            log = self.log.read_text(errors="replace")[-2000:] if self.log.is_file() else ""
            raise NoCluster(
                f"{program} of {self.programs} ended with exit code {code}:\n{said}\n{log}".rstrip()
            )

    def _initialize(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self.user is not None:
            _give(self.folder, self.user)
            _give(secret, self.user)
        facts = ("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", "--no-instructions")
        self._run("initdb", "-D", self._data, f"--username={ADMIN}", f"--pwfile={secret}", *facts)
        self.watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, str(self.folder), *self._command(*self._stopping("immediate"))],
            cwd="/",
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def open_cluster(programs: Path) -> Cluster:
    """Make and start a cluster in a new temporary folder. Raises NoCluster with the reason."""
    folder = Path(tempfile.mkdtemp(prefix="deft-pg-"))
    cluster = Cluster(programs, folder, _ordinary_user())
    try:
        cluster._initialize()
        _start_on_a_free_port(cluster)
    except BaseException:
        cluster.close()
        raise
    return cluster


def _start_on_a_free_port(cluster: Cluster) -> None:
    for attempt in range(START_TRIES):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cluster.port = probe.getsockname()[1]
        try:
            return cluster.start()
        except NoCluster:
            # Somebody may have taken the port in between; anything else fails every time.
            if attempt == START_TRIES - 1:
                raise
    return None


def _ordinary_user() -> str | None:
    """Whom root hands the server to; None where this process is no root and runs it itself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise NoCluster("PostgreSQL does not run as root, and there is no user postgres or nobody to run it")


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _give(path: Path, user: str) -> None:
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    # No PG... variable of the user may lead the programs elsewhere.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
