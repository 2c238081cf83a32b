"""The root of the command line: which commands there are, loaded by name when they are called."""

from __future__ import annotations

import importlib
import os
import sys
from difflib import get_close_matches
from typing import Any

import click

from deft.base.errors import BadInput, DeftError
from deft.cli import annex
from deft.version import VERSION

# name -> (module, what it does). A command's module is imported when the command is called.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Import, start and execute a Meta-Task until nothing moves."),
    "init": ("service", "Make a work folder with a database."),
    "import": ("intake", "Import a Meta-Task from GraphML or a template."),
    "clone": ("clone", "Copy a Meta-Task, whole or in part, with other values."),
    "diff": ("diff", "What differs between a Meta-Task and another, a file or a template."),
    "names": ("names", "What datasets are called, or would be."),
    "export": ("export", "Write a stored Meta-Task as GraphML."),
    "validate": ("intake", "Check GraphML files without storing anything."),
    "template": ("template", "Templates: list, show, new, check."),
    "wrap": ("wrap", "Make a Meta-Task of batch scripts or a list of commands."),
    "list": ("look", "All Meta-Tasks, a line each."),
    "status": ("look", "Where a Meta-Task stands, task by task."),
    "show": ("look", "A Meta-Task or task in full."),
    "explain": ("explain", "Why something does not move, and what would make it."),
    "draw": ("draw", "A picture of a Meta-Task, as it stands or as it is written down."),
    "simulate": ("simulate", "What would happen from here on."),
    "history": ("look", "What changed, when, by whom and why."),
    "commands": ("commands", "Who ordered what, and what came of it."),
    "start": ("control", "Arm tasks, so that they run when their input is there."),
    "disarm": ("control", "Take tasks that have not started back."),
    "hold": ("control", "Stop tasks for a while."),
    "resume": ("control", "Let held tasks go on."),
    "finish": ("control", "Let tasks end with what they have."),
    "abort": ("control", "Stop tasks for good; what is done stays."),
    "retry": ("control", "Run what failed again."),
    "set": ("alter", "Change settings of tasks that do not run."),
    "recover": ("recover", "Make lost data again."),
    "scan": ("data", "Look whether all files are still there."),
    "augment": ("data", "Give data from outside more files."),
    "close": ("data", "Say that no more files come."),
    "set-state": ("set_state", "Lead tasks to a state, by the verbs that lead there."),
    "reset": ("reset", "Throw away what tasks have done, and begin anew."),
    "obsolete": ("control", "Retire the data of tasks, for good."),
    "sweep": ("service", "Move tasks by what changed."),
    "db": ("db", "The database: upgrade, check, size, archive, delete."),
    "doctor": ("service", "Look for what may be wrong here."),
}

# Set, it shows where a fault of DEFT itself came from.
_DEBUG = "DEFT_TRACEBACK"


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *annex.names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"deft.cli.{COMMANDS[cmd_name][0]}")
            found: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
            return found
        return annex.command(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of our output went away, as `head` does
            _stop_writing()
            ctx.exit(0)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            near = get_close_matches(args[0], known, 3)
            hint = f" Did you mean {', '.join(near)}?" if near else " `deft --help` lists them."
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, text) for name, (_, text) in COMMANDS.items()] + annex.lines()
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 the thing asked about failed, 2 usage, 3 not found, 4 refused by state, "
    "5 not allowed, 6 bad input, 7 a service is unreachable.",
)
@click.version_option(VERSION, prog_name="deft")
@click.option(
    "--workdir",
    "-w",
    metavar="DIR",
    help="The work folder (default: $DEFT_WORKDIR, or the nearest with a deft.toml).",
)
@click.option("--config", metavar="FILE", help="A settings file, read before all others.")
@click.pass_context
def cli(ctx: click.Context, workdir: str | None, config: str | None) -> None:
    """DEFT runs large scientific productions: graphs of tasks, joined by datasets.

    \b
    deft run census --workdir W         run a shipped template from nothing to finished data
    deft status census                  where it stands
    deft hold census --reason "disk"    stop it for a while;  deft resume census  lets it go on
    """
    ctx.obj = {"workdir": workdir, "config": config}


def main() -> None:
    """Run the command line; every error of ours becomes its message and its exit code."""
    try:
        code = cli.main(standalone_mode=False)  # what `ctx.exit` was given
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except DeftError as fault:
        _tell(fault)
        sys.exit(fault.exit_code)
    except OSError as fault:
        _stop_writing()
        where = fault.filename if fault.filename is not None else "the output"
        click.echo(f"deft: {where}: {fault.strerror or fault}", err=True)
        sys.exit(DeftError.exit_code)
    except Exception as fault:
        if os.environ.get(_DEBUG):
            raise
        click.echo(
            f"deft: a fault of DEFT itself, not of what you gave it: {type(fault).__name__}: {fault}\n"
            f"deft: please report it, with what the same command says under {_DEBUG}=1",
            err=True,
        )
        sys.exit(DeftError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _stop_writing() -> None:
    """Standard output takes no more: what is still buffered goes nowhere, without a second error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(fault: DeftError) -> None:
    click.echo(f"deft: {fault}", err=True)
    if isinstance(fault, BadInput) and fault.findings:
        errors = sum(1 for finding in fault.findings if finding.severity == "error")
        stored = (
            ""
            if all(finding.code.startswith("config-") for finding in fault.findings)
            else "; nothing was stored"
        )
        click.echo(f"deft: {errors} finding{'s' if errors != 1 else ''}{stored}", err=True)
