"""What a task of a WfFormat document runs: a stand-in that says so, or the command that was recorded."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from deft.wire import placeholders

SCALE = "runtime_scale"
# A recorded command ran where its files lay under their own names: so does this one, in a folder of its own.
_TAKE = (
    'take() { [ $# = 3 ] || { echo "the input $2 is not there" >&2; exit 1; }; '
    'mkdir -p "$(dirname "$2")" && $1 "$3" "$2"; }'
)


@dataclass(frozen=True, slots=True)
class Named:
    """A file by the name that the command knows it by, and the type of its dataset."""

    file: str
    type: str


def stand_in(called: str, runtime_s: float, outputs: Sequence[str]) -> str:
    """Sleep the recorded time, scaled by a parameter, and write a line into each output (types)."""
    lines = []
    if runtime_s:
        scale = f"{{param.{SCALE}}}"
        slept = f"\"$(awk -v scale={scale} 'BEGIN {{print {runtime_s!r} * scale}}')\""
        lines.append(f"{{ [ {scale} = 0 ] || sleep {slept}; }}")
    if outputs:
        places = " ".join(f"{{output.{type}}}" for type in outputs)
        said = placeholders.escape(shlex.quote(f"stand-in for what {called} made"))
        lines.append(f'for file in {places}; do echo {said} > "$file" || exit; done')
    return " && ".join(lines) or "true"


def recorded(command: str, inputs: Sequence[Named], outputs: Sequence[Named], empty: Sequence[str]) -> str:
    """The command itself, among its files under their own names; `empty` are types that hold nothing."""
    lines = ["mkdir work && cd work"]
    written = {one.file for one in outputs}
    if inputs:
        lines.append(_TAKE)
    for one in inputs:
        if _is_near(one.file):
            # What it writes over must not be what another task has made.
            how = "cp" if one.file in written else "'ln -s'"
            lines.append(f"take {how} {_word(one.file)} {{input.{one.type}}}")
    folders = {posixpath.dirname(one.file) for one in outputs if _is_near(one.file)} - {""}
    if folders:
        lines.append(f"mkdir -p {' '.join(map(_word, sorted(folders)))}")
    lines.append(f"{{ {placeholders.escape(command)}\n}}")
    lines += [f"mv {_word(one.file)} {{output.{one.type}}}" for one in outputs]
    lines += [f": > {{output.{type}}}" for type in empty]
    return " &&\n".join(lines)


def is_outside(file: str) -> bool:
    """True for a name that leads out of the folder where the command runs."""
    return ".." in file.split("/")


def _is_near(file: str) -> bool:
    """False for a file that the command finds by itself: an absolute path, or something like s3://…"""
    return not file.startswith("/") and "://" not in file


def _word(file: str) -> str:
    return placeholders.escape(shlex.quote(f"./{file}" if file.startswith("-") else file))
