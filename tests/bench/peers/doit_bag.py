"""The bag as doit does it, with its record in SQLite: python doit_bag.py JOBS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from doit.cmd_base import ModuleTaskLoader  # type: ignore[import-not-found]
from doit.doit_cmd import DoitMain  # type: ignore[import-not-found]

DOIT_CONFIG = {"backend": "sqlite3", "dep_file": "doit.db", "verbosity": 0, "reporter": "zero"}


def task_bag() -> Iterator[dict[str, Any]]:
    """A task a job."""
    for n in range(int(sys.argv[1])):
        yield {"name": str(n), "actions": ["/bin/true"]}


if __name__ == "__main__":
    sys.exit(DoitMain(ModuleTaskLoader(globals())).run([]))
