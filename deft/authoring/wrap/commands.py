"""Read a list of commands: one a line, as people write them for a loop or for GNU parallel.

Blank lines and lines that begin with # are left out; a backslash at the end of a line joins it with the
next. A first line `#!/bin/bash` says which shell reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deft.authoring.wrap import directives
from deft.base.errors import BadInput, Finding

LONGEST = 100_000  # Linux refuses a single argument above 128 KiB
MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands as a file with one a line (below a first line that names the shell, if it was given)."""

    content: bytes
    count: int
    findings: tuple[Finding, ...]


def read(path: Path) -> Commands:
    """The commands of a file. Raises NotFound, and BadInput where there is none or one is too long."""
    text, findings = directives.plain_text(path)
    lines = text.split(b"\n")
    shell = [lines.pop(0)] if lines[0].startswith(b"#!") else []
    commands = list(_commands(lines))
    if not commands:
        raise _refusal("no-commands", f"{path} holds no command")
    if len(commands) > MOST:
        raise _refusal("too-many-commands", f"{path} holds more than {MOST:,} commands")
    long = next((number for number, one in enumerate(commands, 1) if len(one) > LONGEST), None)
    if long is not None:
        raise _refusal("long-command", f"{path}: command {long} is longer than {LONGEST:,} bytes")
    return Commands(b"\n".join([*shell, *commands, b""]), len(commands), tuple(findings))


def _commands(lines: Iterable[bytes]) -> Iterator[bytes]:
    begun = b""
    for line in lines:
        if not begun and (not line.strip() or line.lstrip().startswith(b"#")):
            continue
        if _goes_on(line):
            begun += line[:-1]
            continue
        yield begun + line
        begun = b""
    if begun.strip():
        yield begun


def _goes_on(line: bytes) -> bool:
    """Whether it ends in a backslash that no other one takes away."""
    return (len(line) - len(line.rstrip(b"\\"))) % 2 == 1


def _refusal(code: str, message: str) -> BadInput:
    return BadInput(message, [Finding(code, message)])
