"""DEFT: a database engine for tasks. What it offers to Python is in `deft.api`, loaded at first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from deft import version

if TYPE_CHECKING:  # the command line must not pay for what it does not use
    from deft.api import MetaTask, Node, Run, control, from_networkx, open_run, read, runs, to_networkx

__version__ = version.VERSION
__all__ = [
    "MetaTask", "Node", "Run", "__version__", "control", "from_networkx", "open_run", "read", "runs",
    "to_networkx",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("deft.api"), name)
    raise AttributeError(f"module 'deft' has no attribute {name!r}")
