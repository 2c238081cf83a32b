"""The main job: census of the standard library, as `make demo` runs it once it is installed (bar: 30 s)."""

from __future__ import annotations

from pathlib import Path

from tests.bench import measure


def main() -> None:
    """Print its time."""
    given = measure.options(__doc__)
    used = measure.deft_runs(Path("census"), given.runs)
    measure.table(("what", "wall s", "CPU s"), [("deft run census", used.wall_s, used.cpu_s)])


if __name__ == "__main__":
    main()
