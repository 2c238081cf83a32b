"""`deft import validate`: Meta-Tasks come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from deft.authoring.templates import sources
from deft.base.errors import BadInput, DeftError, Finding, NotFound
from deft.base.limits import Limits
from deft.cli import context, printing, values
from deft.engine import intake


def warn(findings: Sequence[Finding]) -> None:
    """Say on stderr what was dropped, coerced or looks odd."""
    for finding in findings:
        click.echo(f"{finding.effect or 'warning'}: {printing.safe(str(finding))}", err=True)


@click.command("import")
@click.argument("source", metavar="FILE|TEMPLATE", required=False)
@values.from_option
@click.option(
    "--from-pyutilib", "workflow", metavar="MODULE:FACTORY", help="Short for --from pyutilib MODULE:FACTORY."
)
@click.option("--name", metavar="NAME", help="Call the Meta-Task so.")
@click.option("--project", metavar="NAME", help="Put it into this project.")
@click.option("--set", "given", metavar="K=V", multiple=True, help="A parameter's value.")
@values.set_file_option
@click.option("--start", is_flag=True, help="Arm it at once, in the same transaction.")
@click.option("--strict", is_flag=True, help="Take anything dropped or coerced as an error.")
@context.workdir_option
@context.json_option
@click.pass_context
def import_command(
    ctx: click.Context, /, source: str | None, workflow: str | None, given: Sequence[str],
    set_files: Sequence[Path], as_json: bool, workdir: str | None, **options: Any,
) -> None:  # fmt: skip
    """Import a Meta-Task. FILE has a slash or ends in .graphml[.gz]; anything else is a template's name.

    \b
    deft import ./production.graphml --name mc26a
    deft import census --set top=30 --start
    deft import montage.json --from wfformat
    """
    if (source is None) == (workflow is None) or (workflow and options["form"]):
        raise click.UsageError("give a FILE, a TEMPLATE, or --from-pyutilib MODULE:FACTORY")
    if workflow is not None:
        options["form"] = sources.PYUTILIB
    named = source or workflow or ""
    wanted = values.given(given, set_files)
    with context.database(ctx, workdir=workdir) as session:
        answer = values.importing(session, wanted, source=named, quiet=as_json, **options)
    if as_json:
        printing.emit_json(answer)
        return
    warn(answer.warnings)
    click.echo(f"imported {answer.metatask}: {answer.tasks} tasks, {answer.datasets} datasets")
    if not options["start"]:
        click.echo(f"it does not run yet; `deft start {answer.metatask.split('/')[1]}` arms it")


@click.command("validate")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--set", "given", metavar="K=V", multiple=True, help="A parameter's value.")
@values.set_file_option
@click.option("--strict", is_flag=True, help="Take anything dropped or coerced as an error.")
@context.json_option
@click.pass_context
def validate_command(
    ctx: click.Context, files: Sequence[str], given: Sequence[str], set_files: Sequence[Path], strict: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Check GraphML files or templates; nothing is stored.

    \b
    deft validate production.graphml
    deft validate census --set top=5
    """
    wanted = values.given(given, set_files)
    limits = _limits(ctx)
    verdicts = {source: _verdict(source, wanted, strict, limits) for source in files}
    if as_json:
        printing.emit_json({source: findings for source, (findings, _) in verdicts.items()})
    else:
        for source, (findings, wrong) in verdicts.items():
            click.echo(f"{source}: {'refused' if wrong else 'ok'}")
            for finding in findings:
                click.echo(f"  {finding.effect or finding.severity}: {printing.safe(str(finding))}")
    if any(code for _, code in verdicts.values()):
        ctx.exit(max(code for _, code in verdicts.values()))


def _limits(ctx: click.Context) -> Limits:
    """How large a file may be by the settings, those of no work folder where there is none."""
    try:
        return context.settings_of(ctx).graphml
    except NotFound:
        return context.settings_in(ctx, Path.cwd()).graphml


def _verdict(
    source: str, given: Mapping[str, str], strict: bool, limits: Limits
) -> tuple[tuple[Finding, ...], int]:
    """The findings of one file, and the exit code it earns."""
    try:
        return intake.read_source(source, given, Path.cwd(), strict=strict, limits=limits)[1], 0
    except BadInput as fault:
        return fault.findings or (Finding("refused", str(fault)),), fault.exit_code
    except DeftError as fault:
        return (Finding("refused", str(fault)),), fault.exit_code
