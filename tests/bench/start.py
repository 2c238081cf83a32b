"""CPU of commands that people wait for: bars 0.15 s for --help, 0.35 s for the others."""

from __future__ import annotations

from tests.bench import graphs, measure
from tests.bench.measure import Used

COUNTED = 5
COMMANDS = {
    "--help": 0.15,
    "list": 0.35,
    "status hello": 0.35,
    "hold hello": 0.35,
    "jobs hello": 0.35,
}


def main() -> None:
    """Print one line a command."""
    given = measure.options(__doc__)
    folder = measure.scratch()
    made = graphs.chain(3)
    made.name = "hello"
    document = graphs.written(made, folder)
    where = ["--workdir", str(folder / "w")]
    measure.run([*measure.DEFT, "init", *where])
    measure.run([*measure.DEFT, "import", str(document), *where])

    def once(command: str) -> Used:
        used = measure.run([*measure.DEFT, *command.split(), *(where if command != "--help" else ())])
        if command.startswith("hold"):  # the next one is to find it as this one did
            measure.run([*measure.DEFT, "resume", "hello", *where])
        return used

    rows = []
    for command, bar in COMMANDS.items():
        used = measure.medians(lambda command=command: once(command), max(given.runs, COUNTED))  # type: ignore[misc]
        rows.append((f"deft {command}", used.cpu_s, bar))
    measure.table(("command", "CPU s", "bar"), rows)


if __name__ == "__main__":
    main()
