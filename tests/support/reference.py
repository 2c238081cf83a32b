"""Write the tables of docs/reference that follow from the code: `make docs`.

A page holds `<!-- begin NAME -->` and `<!-- end NAME -->`; what stands between is written here, and
tests/house/test_reference.py holds it equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from deft.authoring.graphml import codes
from deft.base import config, errors
from deft.model import fields as selectable
from deft.model import keys
from tests.support import net_reference
from tests.support.repository import ROOT
from tests.support.tables import table

FOLDER = ROOT / "docs" / "reference"

MEANINGS = {
    "database.url": "the database; empty: the file `deft.db` in the work folder",
    "database.password_file": "a file whose first line is the password of the URL",
    "sweep.every_s": "seconds between two sweeps that nothing asked for",
    "jedi.cluster": "where jobs of tasks run that name no cluster: `local`, or NAME of a section below",
    "jedi.slots": "jobs that run at once on this machine; 0: as many as the cores it may use",
    "jedi.poll_s": "seconds between two looks that no hint asked for",
    "jedi.beat_s": "seconds between two signs of life of a job's wrapper",
    "jedi.log_max_mb": "how much of a job's output and error text is kept, each, MB",
    "jedi.max_losses": "how often a job may be lost through no fault of its own before it fails",
    "jedi.kill_grace_s": "seconds between asking a job to end and killing it",
    "jedi.url": "the same database with JEDI's own user; empty: DEFT's user does for both",
    "jedi.password_file": "a file whose first line is the password of that URL",
    "graphml.bytes": "bytes of a document, unpacked",
    "graphml.ratio": "times that a gzip stream may grow, once it gave `ratio_from` bytes",
    "graphml.ratio_from": "bytes below which it may grow as it likes",
    "graphml.element": "bytes of one node, edge or key, and of what the graph itself holds",
    "graphml.token": "bytes of one tag, comment or piece of text",
    "graphml.text": "characters of one value or one piece of another tool",
    "graphml.depth": "elements inside each other",
    "graphml.attributes": "XML attributes of an element",
    "graphml.keys": "keys; as many groups",
    "graphml.values": "data elements",
    "graphml.fragments": "elements of other tools, which are only kept",
    "graphml.nodes": "nodes",
    "graphml.edges": "edges",
    "graphml.id": "characters of an id",
    "clusters.NAME.scheduler": "what runs jobs there: `slurm`",
    "clusters.NAME.conf": "path of its slurm.conf; empty: its commands find it themselves",
    "clusters.NAME.partition": "partition of tasks that name none; empty: the cluster's default",
    "clusters.NAME.account": "account of tasks that name none",
    "clusters.NAME.qos": "quality of service of tasks that name none",
    "clusters.NAME.options": "further options of every submission",
    "clusters.NAME.python": "the Python, 3.6 or newer, that runs the wrapper on a node",
    "clusters.NAME.environment": "names of our environment variables that jobs get, separated by blanks",
    "clusters.NAME.max_jobs": "jobs queued and running there at once",
    "clusters.NAME.max_array": "jobs of one array at most; the cluster's own limits are kept, too",
    "clusters.NAME.poll_s": "seconds between two looks at its queue; six times that while nothing changes",
    "clusters.NAME.grace_s": "seconds that a job of which nobody knows may still turn up",
    "clusters.NAME.timeout_s": "seconds that one command of the cluster may take",
    "clusters.NAME.beat_s": "seconds between two signs of life of a wrapper there",
    "clusters.NAME.exclude_after": "faults in an hour after which a node gets no more jobs; 0: never",
}


def key_table(scope: keys.Scope) -> Iterator[str]:
    """The keys of one scope of the GraphML profile."""
    rows = [(f"`{key.name}`", key.kind, _range(key), key.help) for key in keys.KEYS if key.scope == scope]
    rows += [(f"`{prefix}x`", "string", "any", "any name after the dot") for prefix in keys.FAMILIES[scope]]
    return table(("key", "type", "values", "meaning"), rows)


def _range(key: keys.Key) -> str:
    if key.choices:
        return ", ".join(key.choices)
    low = "" if key.low is None else f"{key.low:g} or more"
    if key.high is None:
        return low or "any"
    return f"{key.low or 0:g} to {key.high:,.15g}"


def settings_table() -> Iterator[str]:
    """Every setting with its default and its variable."""
    rows = [
        (
            f"[{section}] `{one.name}`",
            _default(one.default),
            _variable(section, one.name),
            _meaning(section, one.name),
        )
        for section, kind in {**config.SECTIONS, "clusters.NAME": config.Cluster}.items()
        for one in fields(kind)
    ]
    return table(("setting", "default", "in the environment", "meaning"), rows)


def _default(value: object) -> str:
    return f"`{value}`" if value != "" else "empty"


def _variable(section: str, name: str) -> str:
    return f"`DEFT_{section.upper().replace('.', '__')}__{name.upper()}`"


def _meaning(section: str, name: str) -> str:
    found = MEANINGS.get(f"{section}.{name}") or (
        MEANINGS[f"graphml.{name}"] if section == "upload" else None
    )
    if found is None:
        raise KeyError(f"tests/support/reference.py has no meaning for the setting {section}.{name}")
    return found


def error_table() -> Iterator[str]:
    """The tree of errors with its exit codes."""
    rows = [
        (str(kind.exit_code), f"`{kind.__name__}`", str(kind.http_status), "yes" if kind.transient else "")
        for kind in sorted(_tree(errors.DeftError), key=lambda kind: kind.exit_code)
    ]
    return table(("exit code", "error", "HTTP status", "may pass by itself"), rows)


def _tree(root: type[errors.DeftError]) -> Iterator[type[errors.DeftError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


def code_table() -> Iterator[str]:
    """What a reading may find."""
    rows = [(f"`{name}`", one.effect, one.meaning, one.hint) for name, one in codes.CODES.items()]
    return table(("code", "so it is", "because", "what to do"), rows)


def field_table() -> Iterator[str]:
    """What a condition may speak of."""
    rows = [(f"`{one.name}`", KINDS[one.type], _also(one)) for one in selectable.FIELDS]
    rows += [(f"`{prefix}NAME`", KINDS["free"], help) for prefix, help in selectable.FAMILIES.items()]
    rows += [(f"`{word}('NAME')`", KINDS["flag"], help) for word, help in selectable.RELATIONS.items()]
    return table(("field", "is", "meaning"), rows)


KINDS = {
    "state": "a state",
    "text": "text",
    "number": "a number",
    "time": "a moment",
    "age": "a duration",
    "flag": "yes or no",
    "free": "text or number",
}


def _also(field: selectable.Field) -> str:
    return field.help + "".join(f"; also `{alias}`" for alias in field.aliases)


TABLES: dict[str, dict[str, Callable[[], Iterator[str]]]] = {
    "graphml.md": {
        "graph keys": lambda: key_table("graph"),
        "node keys": lambda: key_table("node"),
        "edge keys": lambda: key_table("edge"),
        "codes": code_table,
    },
    "settings.md": {"settings": settings_table},
    "exit-codes.md": {"errors": error_table},
    "selection.md": {"fields": field_table},
    "net.md": {
        "automatic": net_reference.automatic,
        "verbs": net_reference.verbs,
        "words": net_reference.words,
        "tokens": net_reference.tokens,
        "picture": net_reference.picture,
    },
}


def rendered(page: Path) -> str:
    """The page with its tables as they follow from the code. Raises ValueError for a mark that is missing."""
    text = page.read_text(encoding="utf-8")
    for name, written in TABLES[page.name].items():
        marked = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not marked.search(text):
            raise ValueError(f"{page} has no place for the table {name!r}")
        content = "\n".join(written()) + "\n"
        text = marked.sub(lambda mark, content=content: mark[1] + content + mark[2], text)  # type: ignore[misc]
    return text


def main() -> None:
    """Write every page anew."""
    for name in TABLES:
        page = FOLDER / name
        page.write_text(rendered(page), encoding="utf-8")


if __name__ == "__main__":
    main()
