"""The folder of an attempt as evidence: who may run it, who does, and how it ended.

`claim` belongs to whoever creates it first: a wrapper that runs the payload, or we, to take it back.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deft.jedi.jobs import Result, read_result

CLAIM, RESULT, BEAT, CLOSED = "claim", "attempt.json", "beat", "closed"
GIVEN_UP = b"given up\n"
SILENT_S = 300.0  # a wrapper on another host that does not beat for so long is dead
WRITING_S = 2.0  # a claim without content is being written, for no longer than this
DYING_S = 5.0  # killed processes are gone after this, or stuck in the kernel


@dataclass(frozen=True, slots=True)
class Claim:
    """Who runs an attempt: a wrapper, by pid and start time, and its payload once that has begun."""

    pid: int
    start: str
    host: str
    payload: int | None
    job_id: str = ""


def start_time(pid: int) -> str:
    """When a process began, as /proc says it; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def is_alive(pid: int, start: str) -> bool:
    """Whether that very process lives (not a zombie, not a later one of the same pid)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False
    return fields[19].decode() == start and fields[0] not in (b"Z", b"X")


def revoke(folder: Path) -> bool:
    """Take an attempt back before anybody runs it; False where somebody was first."""
    try:
        fd = os.open(folder / CLAIM, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return False
    except FileNotFoundError:
        return True  # never handed over: the folder was not even made
    os.write(fd, b'{"revoked": true}\n')
    os.close(fd)
    return True


def is_revoked(folder: Path) -> bool:
    """Whether the claim is ours."""
    try:
        return b"revoked" in (folder / CLAIM).read_bytes()
    except OSError:
        return False


def give_up(folder: Path) -> bool:
    """Wait no longer for the word of an attempt that somebody claimed; False where it is being said just now.

    From then on a wrapper that lives after all publishes nothing.
    """
    try:
        fd = os.open(folder / CLOSED, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return (folder / CLOSED).read_bytes() == GIVEN_UP
    except FileNotFoundError:
        return True  # the folder is gone
    os.write(fd, GIVEN_UP)
    os.close(fd)
    return True


def read_claim(folder: Path) -> Claim | None:
    """Who holds the claim; None where it is ours (revoked) or says nothing."""
    facts: dict[str, Any] = {}
    with contextlib.suppress(OSError):
        for line in (folder / CLAIM).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                facts.update(json.loads(line))
    if "pid" not in facts:
        return None
    start, host = str(facts.get("start", "")), str(facts.get("host", ""))
    return Claim(int(facts["pid"]), start, host, facts.get("payload"), str(facts.get("job", "")))


def holder_lives(folder: Path, claim: Claim) -> bool:
    """Whether the wrapper that holds a claim still runs: here we can look, elsewhere it must beat."""
    if claim.host == socket.gethostname():
        return is_alive(claim.pid, claim.start)
    signs = [_age_s(folder / name) for name in (CLAIM, BEAT)]
    return min(signs) < SILENT_S


def _age_s(path: Path) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return float("inf")


def is_being_written(folder: Path) -> bool:
    """Whether a claim is so young that its content may still come."""
    return _age_s(folder / CLAIM) < WRITING_S


def result_in(folder: Path) -> Result | None:
    """What attempt.json says; None where there is none."""
    try:
        return read_result(json.loads((folder / RESULT).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError):
        return None


def kill_payload(claim: Claim | None, token: str) -> None:
    """Kill what is left of an attempt whose wrapper died: whoever has its token in the environment.

    Again and again until nobody is left: one that is being killed may just have started another.
    """
    deadline = time.monotonic() + DYING_S
    while (left := _marked(f"DEFT_ATTEMPT={token}".encode())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    if claim is not None and claim.payload is not None and not os.path.isdir("/proc"):
        with contextlib.suppress(OSError):
            os.killpg(claim.payload, signal.SIGKILL)


def _marked(mark: bytes) -> list[int]:
    """The living processes that have this line in their environment; never ourselves."""
    names = os.listdir("/proc") if os.path.isdir("/proc") else ()
    return [int(n) for n in names if n.isdigit() and int(n) != os.getpid() and mark in _environment(n)]


def _environment(pid: str) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
