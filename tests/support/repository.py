"""The checkout as the house tests read it: its root, its modules, its texts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Top-level folders and files that the project does not own.
GENERATED = frozenset({"build", "demo", "dist"})
TEXT = frozenset(
    {
        "",
        ".cfg",
        ".css",
        ".graphml",
        ".html",
        ".js",
        ".json",
        ".md",
        ".mako",
        ".py",
        ".sh",
        ".sql",
        ".toml",
        ".xml",
    }
)


@cache
def texts() -> tuple[Path, ...]:
    """Every text file of the project, sorted."""
    return tuple(path for path in sorted(_walk(ROOT)) if path.suffix in TEXT)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if folder == ROOT and (path.name in GENERATED or _is_foreign(path)):
            continue
        if path.is_symlink() or path.name == "__pycache__" or path.suffix == ".egg-info":
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def _is_foreign(path: Path) -> bool:
    return path.name.startswith(".") and path.name not in (".ci", ".gitignore")


@cache
def modules() -> tuple[Path, ...]:
    """Every Python file of the project."""
    return tuple(path for path in texts() if path.suffix == ".py")


def name(path: Path) -> str:
    """A path as it stands in the checkout."""
    return path.relative_to(ROOT).as_posix()


def deft(
    *arguments: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run `deft` in a process of its own, as a user does."""
    command: Sequence[str] = (sys.executable, "-m", "deft", *arguments)
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
    )
