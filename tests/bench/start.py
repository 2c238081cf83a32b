"""CPU of commands that people wait for: bars 0.15 s for --help, 0.35 s for the others."""

from __future__ import annotations

from tests.bench import graphs, measure

COMMANDS = {
    "--help": 0.15,
    "list": 0.35,
    "status hello": 0.35,
    "hold hello --dry-run": 0.35,
    "jobs hello": 0.35,
}


def main() -> None:
    """Print one line a command."""
    given = measure.options(__doc__)
    with measure.scratch() as folder:
        made = graphs.chain(3)
        made.name = "hello"
        document = graphs.written(made, folder)
        measure.run([*measure.DEFT, "init", "--workdir", str(folder / "w")])
        measure.run([*measure.DEFT, "import", str(document), "--workdir", str(folder / "w")])
        rows = []
        for command, bar in COMMANDS.items():
            where = [] if command == "--help" else ["--workdir", str(folder / "w")]
            words = [*measure.DEFT, *command.split(), *where]
            used = measure.medians(lambda words=words: measure.run(words), max(given.runs, 5))  # type: ignore[misc]
            rows.append((f"deft {command}", used.cpu_s, bar))
        measure.table(("command", "CPU s", "bar"), rows)


if __name__ == "__main__":
    main()
