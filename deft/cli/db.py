"""`deft db archive delete size vacuum`: housekeeping, beside what `service` has of `deft db`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from deft.cli import context, control, printing
from deft.cli.service import db_command
from deft.engine import archive as archives
from deft.engine import deletion
from deft.engine.archive import ArchiveAnswer, Archived, ArchiveRequest
from deft.engine.deletion import DeleteAnswer, DeleteRequest
from deft.engine.vacuum import vacuum
from deft.observe import sizes
from deft.observe.sizes import Sizes
from deft.store.session import Session

__all__ = ["db_command"]

_SHOWN = 12


@db_command.command("archive")
@click.argument("selection", metavar="META...", nargs=-1, required=True)
@click.option("--to", metavar="FOLDER", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="Where the folders of the archives go.")  # fmt: skip
@click.option("--keep", is_flag=True, help="Write the archive, and delete nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would be archived, and do nothing.")
@context.workdir_option
@context.json_option
@click.pass_context
def archive_command(
    ctx: click.Context, selection: tuple[str, ...], to: Path, keep: bool, dry_run: bool, as_json: bool,
    workdir: str | None,
) -> None:  # fmt: skip
    """Move Meta-Tasks that have ended out of the database, each into a folder of its own.

    Rows are deleted when the archive was written and read back. Files of data and jobs stay.

    \b
    deft db archive census --to archive
    deft db archive 'test*' --to archive --dry-run
    """
    request = ArchiveRequest(context.actor(), " ".join(selection), to, keep, dry_run)
    with context.database(ctx, workdir=workdir) as session:
        answer = archives.archive(session, request)
    if as_json:
        printing.emit_json(answer)
    else:
        _print_archive(answer)


def _print_archive(answer: ArchiveAnswer) -> None:
    for one in answer.archived:
        click.echo(_archived(one, answer.dry_run))
        for path, other in one.moved.items():
            click.echo(f"  {path} is now {other}")
    for passed in answer.passed_over:
        click.echo(f"{passed.metatask}: passed over: {passed.why}")


def _archived(one: Archived, dry_run: bool) -> str:
    rows = printing.count(sum(one.counts.values()), "row")
    if dry_run:
        return f"{one.metatask}: {rows} would go to {one.folder}"
    gone = "and deleted from the database" if one.deleted else "and kept in the database"
    return f"{one.metatask}: {rows} archived in {one.folder} ({printing.size(one.bytes)}), {gone}"


@db_command.command("delete")
@click.argument("metatask", metavar="META")
@click.option("--with-data", is_flag=True, help="Delete the files of its data and jobs, too.")
@click.option("--reason", metavar="TEXT", help="Why; kept in the log of commands.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@context.workdir_option
@context.json_option
@click.pass_context
def delete_command(
    ctx: click.Context, metatask: str, with_data: bool, reason: str | None, dry_run: bool, yes: bool,
    as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """Delete a Meta-Task that has ended or never began, without an archive. It asks for its name first.

    \b
    deft db delete test7 --dry-run        rows by table, and what becomes of its files
    deft db delete test7 --with-data
    """
    control.check_questions(ctx, yes=yes, dry_run=dry_run, as_json=as_json)
    request = DeleteRequest(context.actor(), metatask, with_data, dry_run, reason)
    with context.database(ctx, workdir=workdir) as session:
        if not (yes or dry_run):
            _ask(session, request)
        answer = deletion.delete(session, request)
    if as_json:
        printing.emit_json(answer)
    else:
        _print_delete(answer)
    if answer.left:
        ctx.exit(1)


def _ask(session: Session, request: DeleteRequest) -> None:
    preview = deletion.delete(session, replace(request, dry_run=True))
    _print_delete(preview)
    name = preview.metatask
    given = click.prompt(
        f"this cannot be taken back; type {name} to delete it", default="", show_default=False
    )
    if given.strip() != name:
        raise click.Abort


def _print_delete(answer: DeleteAnswer) -> None:
    would = "would be deleted" if answer.dry_run else "deleted"
    rows = printing.count(sum(answer.rows.values()), "row")
    click.echo(f"{answer.metatask}: {rows} {would}")
    lines = [(table, count) for table, count in answer.rows.items() if count]
    printing.table(("TABLE", "ROWS"), sorted(lines, key=lambda one: -one[1]), right=(1,))
    if answer.folders:
        click.echo()
        _print_folders(answer)


def _print_folders(answer: DeleteAnswer) -> None:
    rows = [
        (one.path, one.fate if one.now is None or one.fate != "moved" else f"now {one.now}",
         "" if one.files is None else one.files, "" if one.bytes is None else printing.size(one.bytes))
        for one in answer.folders[:_SHOWN]
    ]  # fmt: skip
    printing.table(("FOLDER", "BECOMES", "FILES", "SIZE"), rows, right=(2, 3))
    if len(answer.folders) > _SHOWN:
        click.echo(f"… and {len(answer.folders) - _SHOWN} more; --json shows all")
    for one in answer.left[:_SHOWN]:
        click.echo(f"{one.path} is still there: {one.fate}", err=True)


@db_command.command("size")
@click.option("--limit", type=click.IntRange(0), default=sizes.SHOWN, show_default=True,
              help="At most so many Meta-Tasks, the largest.")  # fmt: skip
@click.option("--database", "only_database", is_flag=True, help="Do not look at the work folder.")
@context.workdir_option
@context.json_option
@click.pass_context
def size_command(
    ctx: click.Context, limit: int, only_database: bool, as_json: bool, workdir: str | None
) -> None:
    """How large the database and the work folder are: by table, by Meta-Task, and what archiving would free.

    \b
    deft db size
    deft db size --database --limit 5        without a look at every file
    """
    with context.database(ctx, workdir=workdir) as session:
        found = sizes.sizes(session, context.actor(), limit=limit, files=not only_database)
    if as_json:
        printing.emit_json(found)
    else:
        _print_sizes(found)


def _print_sizes(found: Sizes) -> None:
    free = f", {printing.size(found.free)} of it free" if found.free else ""
    click.echo(f"{found.database}: {printing.size(found.bytes)}{free}\n")
    tables = [
        (one.table, one.rows, "" if one.bytes is None else printing.size(one.bytes)) for one in found.tables
    ]
    printing.table(("TABLE", "ROWS", "SIZE"), tables, right=(1, 2))
    lines = [
        (one.metatask, "yes" if one.ended else "", one.tasks, one.jobs, one.changes, printing.size(one.bytes))
        for one in found.metatasks
    ]
    click.echo()
    printing.table(("META-TASK", "ENDED", "TASKS", "JOBS", "CHANGES", "ABOUT"), lines, right=(2, 3, 4, 5))
    if found.more:
        click.echo(f"… and {found.more} smaller")
    ended = printing.count(found.archivable_metatasks, "Meta-Task")
    click.echo(f"to archive the {ended} that ended frees about {printing.size(found.archivable)} for others")
    if found.folders:
        click.echo()
        rows = [(one.path, one.files, printing.size(one.bytes)) for one in found.folders]
        printing.table(("FOLDER", "FILES", "SIZE"), rows, right=(1, 2))


@db_command.command("vacuum")
@click.option(
    "--full", is_flag=True, help="PostgreSQL: write the tables anew, which nobody can use meanwhile."
)
@context.workdir_option
@context.json_option
@click.pass_context
def vacuum_command(ctx: click.Context, full: bool, as_json: bool, workdir: str | None) -> None:
    """Give back the space of what was deleted.

    \b
    deft db vacuum
    """
    with context.database(ctx, workdir=workdir) as session:
        done = vacuum(session, context.actor(), full=full)
    if as_json:
        printing.emit_json(done)
    else:
        click.echo(f"the database takes {printing.size(done.after)}; it was {printing.size(done.before)}")
