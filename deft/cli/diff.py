"""`deft diff`: what differs between a stored Meta-Task and another one, a file or a template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import click

from deft.authoring.graphml.recognise import Restored
from deft.base.errors import DeftError
from deft.cli import context, printing, values
from deft.cli.intake import warn
from deft.engine import diff
from deft.engine.diff import DiffAnswer, DiffRequest
from deft.model import diff as differences
from deft.model.diff import Change, Item, Said, What

_ONLY = {
    "tasks": (What.TASK, What.LAYOUT),
    "edges": (What.EDGE, What.DATASET),
    "settings": (What.PARAMETER, What.SETTING),
}
_SIGNS = {
    Change.ADDED: ("+", "green"), Change.REMOVED: ("-", "red"), Change.CHANGED: ("~", "yellow"),
    Change.RENAMED: (">", "yellow"),
}  # fmt: skip
_NOUNS = {
    What.PARAMETER: "parameter", What.SETTING: "setting", What.TASK: "task", What.EDGE: "edge",
    What.DATASET: "dataset", What.LAYOUT: "label or position",
}  # fmt: skip
_WHYS = {"filled": "filled in", "respelled": "written in other words"}
_LONG = 60  # characters of both sides that go into one line


@click.command("diff")
@click.argument("metatask", metavar="META")
@click.argument("other", metavar="FILE|META|TEMPLATE")
@click.option("--set", "given", metavar="K=V", multiple=True, help="Of a file or template: a value.")
@values.set_file_option
@click.option("--only", type=click.Choice(list(_ONLY)), multiple=True, help="Nothing else (several times).")
@click.option("--layout", is_flag=True, help="Labels, positions and colours, too.")
@context.workdir_option
@context.json_option
@click.pass_context
def diff_command(
    ctx: click.Context, metatask: str, other: str, given: Sequence[str], set_files: Sequence[Path],
    only: Sequence[str], layout: bool, as_json: bool, workdir: str | None,
) -> None:  # fmt: skip
    """What it takes to come from META to the other: tasks, edges, data, parameters, settings.

    Exit code 0 where nothing differs, 1 where something does.

    \b
    deft diff mc_chain again
    deft diff mc_chain ./edited.graphml --only edges
    deft diff census census              with the template it was made of
    """
    request = DiffRequest(context.actor(), metatask, other, values.given(given, set_files), layout)
    with context.database(ctx, workdir=workdir) as session:
        answer = _narrowed(diff.compare(session, request), only)
    if as_json:
        printing.emit_json(answer)
    else:
        warn(answer.warnings)
        for line in told(answer):
            click.echo(line)
    ctx.exit(0 if answer.equal else DeftError.exit_code)


def _narrowed(answer: DiffAnswer, only: Sequence[str]) -> DiffAnswer:
    if not only:
        return answer
    wanted = {what for name in only for what in _ONLY[name]}
    items = tuple(item for item in answer.items if item.what in wanted)
    return replace(answer, items=items, equal=not items)


def told(answer: DiffAnswer) -> Iterator[str]:
    """It in words, grouped by task."""
    if answer.equal:
        yield f"{answer.old} and {answer.new}: nothing differs"
    else:
        yield f"{answer.old} -> {answer.new}: {_counts(answer.items)}"
        own = [item for item in answer.items if not item.follows]
        yield from grouped(own)
        if len(own) < len(answer.items):
            yield "\nfrom these parameters follows:"
            yield from grouped([item for item in answer.items if item.follows])
    if answer.kept:
        pieces = printing.count(answer.kept, "piece")
        yield f"{pieces} of other tools, which DEFT only keeps, differ{'s' if answer.kept == 1 else ''}"
    yield from restored(answer.restored)


def restored(pieces: Sequence[Restored]) -> Iterator[str]:
    """What a tool had lost or bent, and stays as it was; by the reason, with the first few of each."""
    for why in sorted({one.why for one in pieces}):
        mine = [one for one in pieces if one.why == why]
        named = [f"{one.subject}: {one.key}" if one.key else one.subject for one in mine]
        values = printing.count(len(mine), "value")
        shown = printing.safe(printing.listed(named))
        yield f"restored: {values} that a tool has {_WHYS.get(why, why)} ({shown})"


def _counts(items: Sequence[Item]) -> str:
    """How many things differ; a task or an edge with several other settings is one."""
    found = Counter(what for what, *_ in {_thing(item) for item in items})
    return ", ".join(printing.count(found[what], _NOUNS[what]) for what in What if found[what])


def _thing(item: Item) -> tuple[What, object]:
    if item.what is What.TASK:
        return item.what, item.task
    return item.what, item.edge or (item.task, item.key, item.type)


def grouped(items: Iterable[Item]) -> Iterator[str]:
    """Items under the task they are of."""
    for task, group in groupby(_shown(items), key=lambda item: item.task):
        yield ""
        yield click.style(task or "the Meta-Task", bold=True)
        for item in group:
            sign, colour = _SIGNS[item.change]
            first, *more = sentence(item)
            yield f"  {click.style(f'{sign} {first}', fg=colour)}"
            yield from (f"    {click.style(line, fg=colour)}" for line in more)


def _shown(items: Iterable[Item]) -> Iterator[Item]:
    """Without what is said about a parameter that comes or goes as a whole."""
    known = list(items)
    whole = {f"param.{item.key}" for item in known if item.what is What.PARAMETER and _one_sided(item)}
    return (
        item for item in known if item.what is not What.SETTING or item.key.rpartition(".")[0] not in whole
    )


def _one_sided(item: Item) -> bool:
    return item.change in (Change.ADDED, Change.REMOVED)


def sentence(item: Item) -> Iterator[str]:
    """One item in a line, or in three where its texts are long."""
    about = _about(item)
    if not item.key:
        yield about + _brief(item)
    elif item.change is Change.RENAMED:
        yield f"it seems to be {item.old} under another name"
    elif _one_sided(item):
        yield f"{about}{item.key} = {_value(item.new if item.old is None else item.old)}{_users(item)}"
    else:
        old, new = _value(item.old), _value(item.new)
        if len(old) + len(new) <= _LONG:
            yield f"{about}{item.key}: {old} -> {new}{_users(item)}"
        else:
            yield from (f"{about}{item.key}:", f"  {old}", f"  -> {new}")


def _users(item: Item) -> str:
    return f"   (used by {printing.listed(item.used_by)})" if item.used_by else ""


def _about(item: Item) -> str:
    if item.edge is not None:
        source, target, _ = item.edge
        side = f"from {source}" if target == item.task else f"{source} -> {target}"
        return f"{side} ({item.type}) "
    return f"makes {item.type}" if item.what is What.DATASET else ""


def _brief(item: Item) -> str:
    """What of a whole piece is told."""
    whole = item.new if item.new is not None else item.old
    if not isinstance(whole, Mapping):
        return ""
    said = {name: value for name, value in whole.items() if name not in ("kind", "type")}
    kind = f"{whole['kind']} " if "kind" in whole else ""
    return kind + ", ".join(f"{name} = {_value(value)}" for name, value in said.items())


def _value(value: Said) -> str:
    return printing.safe(differences.shown(value))
