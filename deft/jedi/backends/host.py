"""Where the commands of a scheduler are carried out: started, not waited for, and heard of when they end."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be carried out, within how many seconds."""

    words: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended; `exit_code` None: it was not heard of in time, and may have done its work."""

    exit_code: int | None
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """Its last words, on one line."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        said = "; ".join(lines[-3:]) or "it said nothing"
        return said if self.exit_code is not None else f"no answer in time: {said}"


class Host(Protocol):
    """Carries out commands beside us."""

    def start(self, lane: str, command: Command) -> None:
        """Begin a command; a lane carries one at a time."""

    def finished(self) -> list[tuple[str, Said]]:
        """The commands that ended since the last time, with their lanes."""

    def fds(self) -> list[int]:
        """Descriptors that become readable when a command ends."""

    def wake_in_s(self) -> float:
        """Seconds until a command has had its time."""

    def close(self) -> None:
        """Wait for no command any more; those under way come to their end alone."""


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    pidfd: int
    stdout: IO[bytes]
    stderr: IO[bytes]
    deadline: float

    def said(self) -> Said:
        timed_out = self.process.returncode is None
        if timed_out:
            self.process.kill()
            self.process.wait()
        os.close(self.pidfd)
        stdout, stderr = (_content(stream) for stream in (self.stdout, self.stderr))
        return Said(None if timed_out else self.process.returncode, stdout, stderr)


def _unnamed() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _content(stream: IO[bytes]) -> str:
    with stream:
        stream.seek(0)
        return stream.read().decode("utf-8", "replace")


class Here:
    """This machine. What commands say goes to files without a name: a pipe may fill while nobody reads."""

    def __init__(self, environ: Mapping[str, str], folder: str) -> None:
        self._environ, self._folder = dict(environ), folder
        self._running: dict[str, _Running] = {}
        self._failed: list[tuple[str, Said]] = []

    def start(self, lane: str, command: Command) -> None:
        stdout, stderr = _unnamed(), _unnamed()
        try:
            process = _popen(command.words, self._environ, self._folder, stdout, stderr)
        except OSError as fault:
            stdout.close()
            stderr.close()
            self._failed.append((lane, Said(127, "", f"{command.words[0]}: {fault.strerror}")))
            return
        deadline = time.monotonic() + command.timeout_s
        self._running[lane] = _Running(process, os.pidfd_open(process.pid), stdout, stderr, deadline)

    def finished(self) -> list[tuple[str, Said]]:
        ended, self._failed = self._failed, []
        now = time.monotonic()
        for lane, one in list(self._running.items()):
            if one.process.poll() is not None or now >= one.deadline:
                del self._running[lane]
                ended.append((lane, one.said()))
        return ended

    def fds(self) -> list[int]:
        return [one.pidfd for one in self._running.values()]

    def wake_in_s(self) -> float:
        if self._failed:
            return 0.0
        now = time.monotonic()
        return min((max(0.0, one.deadline - now) for one in self._running.values()), default=float("inf"))

    def close(self) -> None:
        """What runs is not killed: an sbatch that was killed may have done its work all the same."""
        for one in self._running.values():
            os.close(one.pidfd)
            one.stdout.close()
            one.stderr.close()
            one.process.returncode = 0  # nobody waits for it: it is left alone
        self._running.clear()


def _popen(
    words: Sequence[str], environ: Mapping[str, str], folder: str, stdout: IO[bytes], stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
        start_new_session=True,
    )  # fmt: skip
