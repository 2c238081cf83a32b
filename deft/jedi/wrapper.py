"""Run the payloads of attempt folders, one after another: the job wrapper.

Standard library only, Python 3.6 and up, nothing of DEFT: this one file is what runs beside the payload.
`python wrapper.py --serve` reads attempt folders, a line each, from standard input (`!folder` cancels one)
and writes one JSON line an event on standard output. `python wrapper.py --element LIST INDEX` runs the folder
on line INDEX (from 0) of a list, as one element of an array in a batch system. Whoever creates `claim` in a
folder first may run it: so a payload never runs twice. When the reader of the events dies, the payload that
runs is finished, its `attempt.json` is written, and nothing that waits is started. It is one file, longer
than others here, on purpose: a back-end has to carry one file only.
"""

import collections
import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time

MB = 1000000
LONG_COMMAND = 100000  # Linux refuses a single argument above 128 KiB
FIRST_TICK_S, SLOWEST_TICK_S = 0.05, 1.0
SPACE = (errno.ENOSPC, errno.EDQUOT)
NO_SPACE = b"No space left on device"
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER


class Job:
    """What job.json says."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(os.path.join(folder, "job.json"), encoding="utf-8") as stream:
            text = json.load(stream)
        self.command = str(text["command"])
        self.env = dict(text["env"])
        self.walltime_s = float(text.get("walltime_s") or 0)
        self.kill_grace_s = float(text.get("kill_grace_s", 5))
        self.beat_s = float(text.get("beat_s") or 0)
        self.log_max_bytes = int(text.get("log_max_bytes") or 0)
        self.outputs = list(text.get("outputs", ()))
        self.guarded = bool(text.get("guarded"))

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)


class Alarm:
    """Signals as bytes on a pipe: a child's end and SIGTERM interrupt a `select` at once."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(writer, False)
        self.stop = False
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, lambda *_: None)  # ignoring it would be inherited by the payload
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        signal.set_wakeup_fd(writer)

    def _ask_to_stop(self, *_: object) -> None:
        self.stop = True

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            os.read(self.reader, 4096)


class Inbox:
    """The folders that wait, and those to cancel; without a descriptor nobody ever says anything."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.open = fd >= 0
        self.folders = collections.deque()  # type: collections.deque[str]
        self.cancelled = set()  # type: set[str]
        self._rest = b""
        self._poll = select.poll()
        if self.open:
            self._poll.register(fd, select.POLLIN)

    def read(self) -> None:
        chunk = os.read(self.fd, 65536)
        self.open = bool(chunk)
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            folder = os.fsdecode(line)
            if folder.startswith("!"):
                self.cancelled.add(folder[1:])
            elif folder:
                self.folders.append(folder)

    def read_waiting(self) -> None:
        while self.open and select.select([self.fd], [], [], 0)[0]:
            self.read()

    def hung_up(self) -> bool:
        """True once the writer is gone, even while lines of it can still be read."""
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))


class Log:
    """One stream of the payload: a file that is cut in the middle when it grows beyond its cap."""

    def __init__(self, path: str, cap: int) -> None:
        self.path, self.cap, self.cut = path, cap, 0
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def trim(self) -> None:
        size = os.fstat(self.fd).st_size
        if not self.cap or size <= self.cap:
            return
        keep = min(MB, self.cap // 3)
        tail = os.pread(self.fd, keep, size - keep)
        self.cut += size - 2 * keep
        os.ftruncate(self.fd, keep)
        os.write(self.fd, b"\n[... %d bytes cut by DEFT, see jedi.log_max_mb ...]\n" % self.cut + tail)

    def tail(self) -> bytes:
        size = os.fstat(self.fd).st_size
        return os.pread(self.fd, 4096, max(0, size - 4096))

    def close(self) -> None:
        os.close(self.fd)


class Payload:
    """One running payload: its process, its clocks, and why it is being stopped."""

    def __init__(self, job: Job, logs: "list[Log]") -> None:
        self.job, self.logs = job, logs
        self.stopping = ""
        self._kill_at = None  # type: float | None
        self.began, self.clock = time.time(), time.monotonic()
        self.child = subprocess.Popen(  # pylint: disable=consider-using-with
            shell(job),
            cwd=job.folder,
            env=dict(os.environ, **job.env),
            stdin=subprocess.DEVNULL,
            stdout=logs[0].fd,
            stderr=logs[1].fd,
            start_new_session=True,
        )
        self._ticks = 0
        self._next_tick = self.clock + FIRST_TICK_S
        self._next_beat = self.clock + job.beat_s
        self.deadline = self.clock + job.walltime_s if job.walltime_s else None

    def stop(self, reason: str) -> None:
        """Ask the whole process group to end; tick() kills it when it does not."""
        if not self.stopping:
            self.stopping = reason
            self._kill_at = time.monotonic() + self.job.kill_grace_s
            send(self.child.pid, signal.SIGTERM)

    def wait_s(self) -> float:
        times = [self._next_tick] + [t for t in (self.deadline, self._kill_at) if t is not None]
        return max(0.0, min(times) - time.monotonic())

    def tick(self) -> bool:
        """What the clock asks for; True at the first tick."""
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.stop("timeout")
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = now + 1.0
            send(self.child.pid, signal.SIGKILL)
        if now < self._next_tick:
            return False
        self._ticks += 1
        self._next_tick = now + min(SLOWEST_TICK_S, FIRST_TICK_S * 2 ** min(self._ticks, 10))
        for log in self.logs:
            log.trim()
        if self.job.beat_s and now >= self._next_beat:
            self._next_beat = now + self.job.beat_s
            with open(self.job.path("beat"), "w"):
                pass
        return self._ticks == 1

    def follow(self, inbox: Inbox, alarm: Alarm, started: object) -> "list[float]":
        """Wait for its end; returns [exit code, signal, wall, cpu, max rss in MB]."""
        while True:
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                break
            fds = [alarm.reader] + ([inbox.fd] if inbox.open else [])
            readable = select.select(fds, [], [], self.wait_s())[0]
            if alarm.reader in readable:
                alarm.drain()
            if inbox.fd in readable:
                inbox.read()
            if alarm.stop or self.job.folder in inbox.cancelled:
                self.stop("cancelled")
            if self.tick() and callable(started):
                started(self)
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + killed if killed else os.WEXITSTATUS(status)
        self.child.returncode = code
        wall = time.monotonic() - self.clock
        return [code, killed, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024.0]


def shell(job: Job) -> "list[str]":
    """The argument list that runs the command; a very long one goes through a file."""
    if len(job.command) < LONG_COMMAND:
        return ["/bin/sh", "-c", job.command]
    with open(job.path("run.sh"), "w", encoding="utf-8") as script:
        script.write(job.command + "\n")
    return ["/bin/sh", job.path("run.sh")]


def send(group: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(group, number)


def start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat; empty where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def claim(job: Job, me: "dict[str, object]") -> "int | None":
    """Take the folder: an open file descriptor of its claim, or None where somebody else has it."""
    try:
        fd = os.open(job.path("claim"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return None
    os.write(fd, json.dumps(me).encode() + b"\n")
    return fd


def close(job: Job) -> bool:
    """Whether we may say how the attempt ends: JEDI, which may think us dead, did not say so before."""
    try:
        os.close(os.open(job.path("closed"), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        return False
    return True


def children() -> "list[int]":
    """Our own living children."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as stream:
                    state, parent = stream.read().rpartition(b")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if int(parent) == os.getpid() and state != b"Z":
                found.append(int(name))
    return found


def clear_leftovers(group: int) -> int:
    """Kill whatever the payload left behind; the number of processes killed."""
    count = 0
    send_left = time.monotonic() + 5.0
    while time.monotonic() < send_left:
        try:
            pid = os.waitpid(-1, os.WNOHANG)[0]
        except OSError:  # no child at all: what is left of the group is not ours to reap
            return count
        if pid:
            continue
        for left in children():
            try:
                os.kill(left, signal.SIGKILL)
                count += 1
            except OSError:
                pass
        send(group, signal.SIGKILL)
        time.sleep(0.002)
    return count


def last_line(log: Log) -> str:
    """The last line of a stream that says something, made printable."""
    for line in reversed(log.tail().splitlines()):
        text = "".join(c if c.isprintable() else "?" for c in line.decode("utf-8", "replace")).strip()
        if text:
            return text[:500]
    return ""


def size_of(path: str) -> int:
    if not os.path.isdir(path):
        return os.stat(path).st_size
    names = (os.path.join(folder, name) for folder, _, files in os.walk(path) for name in files)
    return sum(os.lstat(name).st_size for name in names)


def publish(job: Job) -> "tuple[dict[str, object], str]":
    """Move the outputs to their places; returns them by dataset, and what is missing."""
    found = {}  # type: dict[str, object]
    for output in job.outputs:
        source, target = os.path.join(job.folder, output["file"]), output["target"]
        if os.path.lexists(source):
            found[output["dataset"]] = {"path": target, "bytes": size_of(source)}
        elif output["required"]:
            return {}, f"the payload wrote no output {output['type']} at {source}"
    for output in job.outputs:
        if output["dataset"] in found:
            move(os.path.join(job.folder, output["file"]), output["target"])
    return found, ""


def move(source: str, target: str) -> None:
    """Rename, over what is there; the folder is made at the first need."""
    try:
        os.rename(source, target)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(source, target)
    except OSError as fault:
        if fault.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
            raise
        old = source + ".replaced"
        os.rename(target, old)
        os.rename(source, target)
        remove(old)


def remove(path: str) -> None:
    if not os.path.isdir(path) or os.path.islink(path):
        os.unlink(path)
        return
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def judge(payload: Payload, facts: "list[float]", errors: Log) -> "tuple[str, str, dict[str, object]]":
    """The class of the end, a message, and the outputs published."""
    code, killed = facts[0], facts[1]
    if payload.stopping == "timeout":
        return "timeout", f"longer than the walltime of {payload.job.walltime_s:g} s", {}
    if payload.stopping:
        return payload.stopping, "", {}
    if code == 0:
        outputs, missing = publish(payload.job)
        return ("no-output", missing, {}) if missing else ("ok", "", outputs)
    message = last_line(errors)
    if NO_SPACE in errors.tail():
        return "no-space", message, {}
    return ("signal" if killed else "exit"), message, {}


def record(job: Job, result: "dict[str, object]") -> None:
    """Leave attempt.json, whole or not at all."""
    path = job.path("attempt.json")
    with open(path + ".new", "w", encoding="utf-8") as stream:
        json.dump(result, stream)
    os.rename(path + ".new", path)


class Server:
    """The loop over folders."""

    def __init__(self, inbox: int = 0) -> None:
        self.alarm, self.inbox = Alarm(), Inbox(inbox)
        self.heard = True
        self.host = socket.gethostname()
        self.me = {
            "pid": os.getpid(),
            "start": start_time(os.getpid()),
            "host": self.host,
        }  # type: dict[str, object]

    def serve(self) -> None:
        while self.heard and not self.alarm.stop:
            self.inbox.read_waiting()
            if self.inbox.folders:
                if self.inbox.hung_up():
                    return
                self.take(self.inbox.folders.popleft())
            elif not self.inbox.open:
                return
            elif self.alarm.reader in select.select([self.inbox.fd, self.alarm.reader], [], [])[0]:
                self.alarm.drain()

    def take(self, folder: str) -> None:
        """Run one folder if it is still free, and say how it ended."""
        try:
            result = self.run(Job(folder))
        except (OSError, ValueError, KeyError) as fault:
            full = isinstance(fault, OSError) and fault.errno in SPACE
            result = {"class": "no-space" if full else "wrapper", "message": str(fault), "host": self.host}
        self.inbox.cancelled.discard(folder)
        if result is None:
            self.say({"event": "skipped", "folder": folder})
        else:
            self.say({"event": "ended", "folder": folder, "result": result})

    def run(self, job: Job) -> "dict[str, object] | None":
        fd = claim(job, self.me)
        if fd is None:
            return None
        logs = []  # type: list[Log]
        try:
            for name in ("stdout", "stderr"):
                logs.append(Log(job.path(name), job.log_max_bytes))
            payload = Payload(job, logs)
            os.write(fd, json.dumps({"payload": payload.child.pid}).encode() + b"\n")
            result = self.finish(payload, payload.follow(self.inbox, self.alarm, self.started))
        finally:
            os.close(fd)
            for log in logs:
                log.close()
        return result

    def finish(self, payload: Payload, facts: "list[float]") -> "dict[str, object]":
        """Clean up behind the payload, judge it, publish its outputs and record all that."""
        leftovers = clear_leftovers(payload.child.pid)
        for log in payload.logs:
            log.trim()
        try:
            if payload.job.guarded and not close(payload.job):
                return {"class": "lost", "message": "given up before it ended", "host": self.host}
            kind, message, outputs = judge(payload, facts, payload.logs[1])
        except OSError as fault:
            kind = "no-space" if fault.errno in SPACE else "no-output"
            message, outputs = f"the output could not be published: {fault}", {}
        result = {
            "class": kind,
            "message": message,
            "outputs": outputs,
            "host": self.host,
            "exit_code": int(facts[0]),
            "signal": int(facts[1]),
            "wall_s": round(facts[2], 6),
            "cpu_s": round(facts[3], 6),
            "max_rss_mb": round(facts[4], 1),
            "pid": payload.child.pid,
            "started": payload.began,
            "ended": time.time(),
            "leftovers": leftovers,
            "cut": sum(log.cut for log in payload.logs),
        }  # type: dict[str, object]
        try:
            record(payload.job, result)
        except OSError as fault:  # the event still says it
            if fault.errno in SPACE and kind != "ok":
                result["class"] = "no-space"
        return result

    def started(self, payload: Payload) -> None:
        """Said of payloads that run longer than a moment only."""
        self.say(
            {
                "event": "started",
                "folder": payload.job.folder,
                "pid": payload.child.pid,
                "started": payload.began,
                "host": self.host,
            }
        )

    def say(self, event: "dict[str, object]") -> None:
        text = json.dumps(event).encode() + b"\n"
        try:
            while text:
                text = text[os.write(1, text) :]
        except OSError:  # nobody reads any more: attempt.json says the same
            self.heard = False


class Element(Server):
    """One folder, in a batch system: nobody listens, the folder has it all."""

    def __init__(self) -> None:
        Server.__init__(self, -1)
        self.failed = False
        self.me["job"] = os.environ.get("SLURM_ARRAY_JOB_ID", "")
        self.host = os.environ.get("SLURMD_NODENAME") or self.host

    def say(self, event: "dict[str, object]") -> None:
        result = event.get("result")
        if isinstance(result, dict):
            self.failed = result["class"] != "ok"
            if result["class"] == "wrapper":
                sys.stderr.write("wrapper: {}: {}\n".format(event["folder"], result["message"]))


def folder_at(path: str, index: int) -> str:
    """The folder that a list names on one of its lines."""
    with open(path, "rb") as stream:
        for number, line in enumerate(stream):
            if number == index:
                return os.fsdecode(line.rstrip(b"\n"))
    raise ValueError(f"{path} has no line {index}")


def run_element(path: str, index: str) -> int:
    """Run one element; the exit code is for the books of the batch system."""
    try:
        folder = folder_at(path, int(index))
    except (OSError, ValueError) as fault:
        sys.stderr.write(f"wrapper: {fault}\n")
        return 2
    server = Element()
    server.take(folder)
    return 1 if server.failed else 0


def adopt_orphans() -> None:
    """Become the parent of whatever a payload leaves behind, where the system can do that."""
    try:
        import ctypes  # noqa: PLC0415  not on every machine

        ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def main(arguments: "list[str]") -> int:
    adopt_orphans()
    if len(arguments) == 3 and arguments[0] == "--element":
        return run_element(arguments[1], arguments[2])
    if arguments != ["--serve"]:
        sys.stderr.write("usage: wrapper.py --serve < folders, or wrapper.py --element LIST INDEX\n")
        return 2
    Server().serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
