"""A throwaway Slurm: real, on loopback, in a short folder of its own, gone with the process that made it.

One controller and four virtual nodes (`slurmd -N`), with a munge of its own; on request slurmdbd with
MariaDB. As root, where the memory controller of cgroup v1 is mounted, memory limits are those of the
kernel; else Slurm looks at the memory of jobs each second. A watchdog in a session of its own holds one end
of a pipe: when this process ends, however it ends, it kills what was started and removes the folder.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import slurm_conf, slurm_reaper
from tests.support.slurm_reaper import CGROUPS, lives, processes, reap, steps_above

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "sacct", "sacctmgr")
HOW = "Bring it: apt-get install munge slurmctld slurmd slurm-client (no running service is needed)."
HOW_ACCOUNTING = "Bring it: apt-get install slurmdbd mariadb-server (no running service is needed)."
NODES, CPUS, MEMORY_MB = 4, 16, 64000
START_TRIES = 3
START_S, START_ACCOUNTING_S, COMMAND_S = 30.0, 90.0, 60.0
PLACES = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")


class NoSlurm(Exception):
    """The cluster could not be started; the message holds Slurm's own words."""


def find(programs: Sequence[str]) -> bool:
    """Whether all these programs are on this machine."""
    return all(shutil.which(program, path=path()) for program in programs)


def has_memory_cgroup() -> bool:
    """Whether the kernel can hold jobs to their memory here."""
    return os.geteuid() == 0 and os.access(CGROUPS / "memory" / "memory.limit_in_bytes", os.R_OK)


def path() -> str:
    """Where the programs are looked for: daemons lie where users do not look."""
    return os.pathsep.join((os.environ.get("PATH", ""), *PLACES))


@dataclass(slots=True)
class Cluster:
    """A running cluster. `nodes` are named after its folder, as cgroups of all clusters lie side by side."""

    folder: Path
    accounting: bool
    min_job_age_s: int
    by_kernel: bool  # memory limits are those of the kernel; else Slurm looks each second
    ports: dict[str, int] = field(default_factory=dict)
    watchdog: subprocess.Popen[bytes] | None = None
    database: subprocess.Popen[bytes] | None = None

    @property
    def tag(self) -> str:
        """A short word that no other cluster of this machine has."""
        return self.folder.name.rpartition("-")[2]

    @property
    def name(self) -> str:
        """What Slurm calls it."""
        return f"t{self.tag}"

    @property
    def nodes(self) -> list[str]:
        """Its nodes."""
        return [f"{self.name}n{number}" for number in range(1, NODES + 1)]

    @property
    def conf(self) -> Path:
        """Its slurm.conf."""
        return self.folder / "slurm.conf"

    @property
    def environ(self) -> dict[str, str]:
        """The environment in which Slurm's commands speak to it."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("SLURM", "DEFT_"))}
        return {**kept, "SLURM_CONF": str(self.conf), "PATH": path(), "LC_ALL": "C"}

    # --- what a test does with it ---

    def run(self, *command: str, check: bool = True) -> str:
        """The output of a command of Slurm. Raises NoSlurm where it fails and `check` is set."""
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=COMMAND_S, check=False,
            cwd=self.folder,
        )  # fmt: skip
        if check and done.returncode:
            raise NoSlurm(f"{' '.join(command)} ended with exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def queue(self, fields: str = "%i|%T|%j", *more: str) -> list[list[str]]:
        """The jobs that squeue shows, each element on its own."""
        text = self.run("squeue", "-h", "-r", "-o", fields, *more)
        return [line.split("|") for line in text.splitlines()]

    def clear(self) -> None:
        """Cancel all jobs and wait until every node is idle again."""
        self.start_missing()
        self.run("scancel", f"--user={getpass.getuser()}", check=False)
        self._await(lambda: not self.queue(), "the queue is empty")
        self._await(self._resumed, "all nodes are idle")

    def _resumed(self) -> bool:
        """Whether all nodes are ready; those that Slurm took out of service are put back."""
        if self._is_ready():
            return True
        names = ",".join(self.nodes)
        self.run("scontrol", "update", f"nodename={names}", "state=resume", check=False)
        time.sleep(0.2)
        return False

    def pid(self, daemon: str) -> int:
        """The process of `slurmctld`, `slurmdbd`, `munged`, or of a node; 0 where it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / "run" / f"{daemon}.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
            return pid if os.fsencode(self.folder) in words else 0
        return 0

    def kill(self, daemon: str) -> None:
        """SIGKILL a daemon."""
        pid = self.pid(daemon)
        if pid:
            os.kill(pid, signal.SIGKILL)
            self._await(lambda: not lives(pid), f"{daemon} is dead")

    def stop(self, daemon: str) -> None:
        """Let a daemon end in order."""
        pid = self.pid(daemon)
        if pid:
            os.kill(pid, signal.SIGTERM)
            self._await(lambda: not lives(pid), f"{daemon} has ended")

    def kill_node(self, node: str) -> None:
        """A node dies with everything that runs on it, payloads too."""
        self.kill(node)
        mark = f"SLURMD_NODENAME={node}".encode()
        for pid in list(processes(self.folder)):
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    for one in (*steps_above(pid), pid):
                        os.kill(one, signal.SIGKILL)

    def start_missing(self) -> None:
        """Start every daemon that does not run."""
        if not self.pid("munged"):
            self._munge()
        if self.accounting:
            self._start_database()
        if not self.pid("slurmctld"):
            self._daemon("slurmctld", "-f", str(self.conf))
        for node in self.nodes:
            if not self.pid(node):
                self._daemon("slurmd", "-N", node, "-f", str(self.conf))
        self._await(self._answers, "the controller and all nodes answer")

    def close(self) -> None:
        """Kill all of it and remove its folder."""
        if self.watchdog is not None and self.watchdog.stdin is not None:
            self.watchdog.stdin.close()
            self.watchdog.wait(timeout=60)
            self.watchdog = None
        reap(self.folder)
        if self.database is not None:
            self.database.wait()

    # --- starting ---

    def _prepare(self) -> None:
        for name in ("run", "log", "state", "spool", *(f"spool/{node}" for node in self.nodes)):
            (self.folder / name).mkdir(exist_ok=True)
        wanted = ["ctld", "dbd", "mysql", *self.nodes]
        self.ports = dict(zip(wanted, _free_ports(len(wanted)), strict=True))
        facts = {
            "name": self.name,
            "host": socket.gethostname().partition(".")[0],
            "user": getpass.getuser(),
            "folder": str(self.folder),
            "min_job_age": self.min_job_age_s,
            "cpus": CPUS,
            "memory": MEMORY_MB,
        }
        ports = {name: self.ports[name] for name in ("ctld", "dbd", "mysql")}
        nodes = "".join(
            slurm_conf.NODE.format(**{**facts, "name": node, "port": self.ports[node]}) for node in self.nodes
        )
        limits = slurm_conf.BY_CGROUP if self.by_kernel else slurm_conf.BY_LOOKING
        books = (
            slurm_conf.WITH_DATABASE if self.accounting else "AccountingStorageType=accounting_storage/none\n"
        )
        self.conf.write_text(nodes + (slurm_conf.MAIN + limits + books).format(**facts, **ports))
        (self.folder / "cgroup.conf").write_text(slurm_conf.CGROUP)
        _secret(self.folder / "slurmdbd.conf", slurm_conf.DATABASE.format(**facts, **ports).encode())
        _secret(self.folder / "munge.key", secrets.token_bytes(128))

    def _start(self) -> None:
        self._prepare()
        self.watchdog = subprocess.Popen(
            [sys.executable, "-S", "-E", slurm_reaper.__file__, str(self.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
            start_new_session=True,
        )  # fmt: skip
        self.start_missing()

    def _munge(self) -> None:
        run, log = self.folder / "run", self.folder / "log"
        self._daemon(
            "munged", f"--socket={self.folder}/munge.sock", f"--key-file={self.folder}/munge.key",
            f"--pid-file={run}/munged.pid", f"--log-file={log}/munged.log",
            f"--seed-file={run}/munged.seed", "--num-threads=4", "--force",
        )  # fmt: skip

    def _start_database(self) -> None:
        data, sock = self.folder / "mysql", f"{self.folder}/mysql.sock"
        if not data.is_dir():
            self._daemon(
                "mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}",
                "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
            )  # fmt: skip
        speak = ["mariadb", "--no-defaults", "-uroot", "-S", sock, "-e"]
        if not self.pid("mysql"):
            with (self.folder / "log" / "mysql.out").open("ab") as out:
                self.database = subprocess.Popen(
                    ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={sock}",
                     f"--pid-file={self.folder}/run/mysql.pid", f"--user={getpass.getuser()}",
                     "--bind-address=127.0.0.1", f"--port={self.ports['mysql']}", "--skip-name-resolve",
                     "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
                     "--innodb-lock-wait-timeout=900", "--innodb-flush-log-at-trx-commit=0"],
                    env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                    start_new_session=True,
                )  # fmt: skip
            self._await(lambda: self._says(*speak, "select 1"), "MariaDB answers")
            if "slurm_acct_db" not in self.run(*speak, "show databases"):
                self.run(*speak, slurm_conf.GRANTS)
        if not self.pid("slurmdbd"):
            self._daemon("slurmdbd")
            self._await(lambda: self._says("sacctmgr", "-n", "show", "cluster"), "slurmdbd answers")
            if self.name not in self.run("sacctmgr", "-n", "show", "cluster", "format=cluster%30"):
                self.run("sacctmgr", "-i", "add", "cluster", self.name)
                self.run("sacctmgr", "-i", "add", "account", "deft", f"cluster={self.name}")
                self.run("sacctmgr", "-i", "add", "user", getpass.getuser(), "account=deft")

    def _daemon(self, *command: str) -> None:
        with tempfile.TemporaryFile() as said:
            code = subprocess.call(
                command, env=self.environ, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.folder
            )
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
        if code:
            raise NoSlurm(f"{' '.join(command)} ended with exit code {code}: {words}")

    def _says(self, *command: str) -> bool:
        return subprocess.run(
            command, env=self.environ, capture_output=True, check=False, cwd=self.folder, timeout=COMMAND_S
        ).returncode == 0  # fmt: skip

    def _answers(self) -> bool:
        """Whether every node has made itself known; it may run jobs."""
        with contextlib.suppress(NoSlurm):
            states = self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%T").split()
            return len(states) == NODES and not any("*" in one or "unk" in one for one in states)
        return False

    def _is_ready(self) -> bool:
        with contextlib.suppress(NoSlurm):
            states = self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%N %T").splitlines()
            return [line.split()[1] for line in states] == ["idle"] * NODES
        return False

    def _await(self, claim: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + (START_ACCOUNTING_S if self.accounting else START_S)
        while not claim():
            if time.monotonic() > end:
                log = self.folder / "log" / "slurmctld.log"
                words = log.read_text(errors="replace")[-2000:] if log.is_file() else ""
                raise NoSlurm(f"never came true: {what}\n{words}")
            time.sleep(0.02)


def open_cluster(
    *, accounting: bool = False, min_job_age_s: int = 300, by_kernel: bool | None = None
) -> Cluster:
    """Make and start a cluster in a new temporary folder. Raises NoSlurm with the reason."""
    by_kernel = has_memory_cgroup() if by_kernel is None else by_kernel
    for attempt in range(START_TRIES):
        # Short: the name of a socket has room for some 100 letters. Not under $TMPDIR for the same reason.
        folder = Path("/tmp") / f"ds-{secrets.token_hex(2)}"
        try:
            folder.mkdir(mode=0o755)
        except FileExistsError:
            continue
        cluster = Cluster(folder, accounting, min_job_age_s, by_kernel)
        try:
            cluster._start()
        except BaseException as fault:
            cluster.close()
            # Somebody may have taken a port in between; anything else fails every time.
            if not isinstance(fault, NoSlurm) or attempt == START_TRIES - 1:
                raise
        else:
            return cluster
    raise NoSlurm("no folder of its own could be made")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _secret(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
