"""Read a batch script as sbatch does: the `#SBATCH` lines above its first command, word by word.

What an option means is not known here; see wrap_options for the table of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deft.authoring.wrap import options
from deft.authoring.wrap.options import Directive
from deft.base.errors import BadInput, Finding, NotFound

MAGIC = "#SBATCH"
MAX_BYTES = 16_000_000
_OTHERS = re.compile(r"#(PBS|BSUB|\$|COBALT|OAR) ")
_WORD = re.compile(r"""\s+|(?P<comment>\#.*)|(?P<word>(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)""")
_SHELL_NAMES = re.compile(r"^\s*[^#\s].*?\b(srun|sbatch)\b|^\s*(srun|sbatch)\b", re.MULTILINE)
_SEVERAL_PARTS = frozenset({"hetjob", "packjob", ":"})
_ODD_CALLS = {
    "srun": "calls srun, which only a Slurm job has: a run on this machine fails there",
    "sbatch": "calls sbatch: DEFT knows nothing of the jobs that it submits",
}


@dataclass(frozen=True, slots=True)
class Script:
    """A batch script: its text with plain line ends, its directives in order, and what looked odd."""

    path: Path
    content: bytes
    directives: tuple[Directive, ...]
    findings: tuple[Finding, ...]

    @property
    def has_interpreter(self) -> bool:
        """Whether its first line names the program that reads it."""
        return self.content.startswith(b"#!")


def read(path: Path) -> Script:
    """The script of a file. Raises NotFound, and BadInput for what is no script at all."""
    content, ends = plain_text(path)
    text = content.decode(errors="replace")
    if not text.strip():
        raise _refusal("empty-script", f"{path} is empty")
    lines = text.split("\n")
    body = _first_command(lines)
    found = [*ends, *_first_line(path, text), *_odd(path, lines, body)]
    directives = tuple(_directives(path, lines[:body], found))
    return Script(path, content, directives, tuple(found))


def plain_text(path: Path) -> tuple[bytes, list[Finding]]:
    """The bytes of a text file with plain line ends, and a warning where they were others.

    Raises NotFound, BadInput for a folder, a binary file, or one that is too large.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except (OSError, ValueError) as fault:
        raise _refusal("unreadable", f"{path} cannot be read: {fault}") from None
    if len(content) > MAX_BYTES:
        raise _refusal("too-large", f"{path} is larger than {MAX_BYTES // 1_000_000} MB: no script")
    if b"\0" in content:
        raise _refusal("binary", f"{path} is no text: it holds NUL bytes", "give the script that calls it")
    if b"\r\n" not in content:
        return content.removeprefix(b"\xef\xbb\xbf"), []
    message = f"{path}: the line ends are those of Windows (CR LF); the copy has plain ones"
    found = Finding("crlf", message, subject=path.name, severity="warning")
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n"), [found]


def _refusal(code: str, message: str, hint: str | None = None) -> BadInput:
    return BadInput(message, [Finding(code, message, hint=hint)])


def _first_command(lines: list[str]) -> int:
    """The number of lines above the first that is neither blank nor a comment."""
    bodies = (n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
    return next(bodies, len(lines))


def _first_line(path: Path, text: str) -> Iterator[Finding]:
    if not text.startswith("#!"):
        message = f"{path}: the first line names no interpreter (#!/bin/bash); /bin/sh will read it"
        yield Finding("no-shebang", message, 1, path.name, "sbatch refuses such a script", "warning")


def _odd(path: Path, lines: list[str], body: int) -> Iterator[Finding]:
    for number, line in enumerate(lines, 1):
        if number > body and line.startswith(MAGIC):
            message = f"{path}: {line.strip()} stands below the first command: ignored, as Slurm does"
            yield Finding("late-directive", message, number, path.name, severity="warning")
        elif number <= body and _OTHERS.match(line):
            message = f"{path}: {line.strip()} is for another scheduler: ignored"
            yield Finding("other-scheduler", message, number, path.name, severity="warning")
    commands = "\n".join(lines[body:])
    called = {match[1] or match[2] for match in _SHELL_NAMES.finditer(commands)}
    for name in sorted(called):
        yield Finding(f"calls-{name}", f"{path} {_ODD_CALLS[name]}", None, path.name, severity="warning")


def _directives(path: Path, lines: list[str], found: list[Finding]) -> Iterator[Directive]:
    for number, line in enumerate(lines, 1):
        if not line.startswith(MAGIC):
            continue
        try:
            words = _words(line.removeprefix(MAGIC))
        except ValueError as fault:
            message = f"{path}: {line.strip()} {fault}"
            found.append(Finding("bad-directive", message, number, path.name))
            continue
        yield from _options(path, words, number, found)


def _words(text: str) -> list[str]:
    """The words of a directive; a word that begins with # begins a comment."""
    words, at = [], 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise ValueError("has a quote that does not end")
        if match["comment"]:
            break
        if match["word"]:
            words.extend(shlex.split(match["word"]))
        at = match.end()
    return words


def _options(path: Path, words: list[str], line: int, found: list[Finding]) -> Iterator[Directive]:
    """Words into options: `--name=value`, `--name value`, `-x value`, `-xvalue`."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _SEVERAL_PARTS:
            message = f"{path}: a job of several unlike parts ({word}) is no single task"
            found.append(
                Finding("het-job", message, line, path.name, "wrap each part as a script of its own")
            )
            continue
        if not word.startswith("-") or word in ("-", "--"):
            message = f"{path}: {word!r} is no option; it is left out"
            found.append(Finding("stray-word", message, line, path.name, severity="warning"))
            continue
        written, value = _cut(word)
        option = options.find(written)
        takes = option.takes if option else "value"
        if value is None and takes == "value" and rest and not rest[0].startswith("-"):
            value = rest.pop(0)
        yield Directive(line, written, value, option)


def _cut(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        written, equals, value = word.partition("=")
        return written, value if equals else None
    return word[:2], word[2:].removeprefix("=") or None
