"""The places of the code that hand a statement to the database, found by reading it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.repository import ROOT

# Whoever calls what lies here is the place; what is done inside is theirs.
HELPERS = ("deft/base/database.py", "deft/base/idlists.py")


@dataclass(frozen=True, slots=True)
class Place:
    """One call, and the lines it takes."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}"


def all_places() -> list[Place]:
    """Every call of the code that executes a statement, the helpers' own aside."""
    found: list[Place] = []
    for path in sorted((ROOT / "deft").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name not in HELPERS:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += (Place(name, call.lineno, call.end_lineno or call.lineno) for call in _calls(tree))
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _executes(node))


def _executes(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr="execute" | "exec_driver_sql"):
            return True
        case ast.Attribute(attr="scalar" | "scalars"):
            return bool(call.args)  # without a statement it reads the answer of another call
        case ast.Name(id="insert_rows" | "update_rows" | "execute_text"):
            return True
    return False
