"""What commands really print with --json, and what jobs leave, is what the schemas say: no more, no less."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa

from deft.authoring.builder import Builder
from deft.authoring.graphml import writer
from tests.support import schemas, typed_schema
from tests.support.repository import ROOT, deft

pytestmark = pytest.mark.slow

HELLO = str(ROOT / "docs" / "examples" / "hello.graphml")
CHAIN = str(ROOT / "tests" / "data" / "importers" / "chain-1.4.json")
OK, FAILED, BAD = 0, 1, 6


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, the schema of its answer, and the exit code that is expected."""

    schema: str
    words: str
    code: int = OK


# In this order: each finds what those before it have made.
STORY = (
    Asked("init", "init"),
    Asked("validate", f"validate {HELLO} {CHAIN}"),
    Asked("validate", "validate broken.graphml", BAD),
    Asked("import", f"import {HELLO}"),
    Asked("import", f"import {CHAIN}"),
    Asked("import", "import open.graphml"),
    Asked("clone", "clone hello again"),
    Asked("diff", "diff hello chain", FAILED),
    Asked("diff", "diff hello again"),
    Asked("names", "names hello"),
    Asked("export", "export hello -o hello.graphml"),
    Asked("export", "export hello"),
    Asked("draw", "draw hello -o hello.svg"),
    Asked("start", "start again --yes"),
    Asked("start", "start chain/simul* --dry-run"),
    Asked("hold", "hold again --yes --reason disk"),
    Asked("status", "status again"),
    Asked("resume", "resume again --yes"),
    Asked("disarm", "disarm again --yes"),
    Asked("abort", "abort again --dry-run"),
    Asked("set", "set again/greet resources.memory_mb=2000"),
    Asked("set-state", "set-state again aborted --dry-run"),
    Asked("simulate", "simulate again --start"),
    Asked("run", f"run {HELLO}"),
    Asked("run", "run fails.graphml", FAILED),
    Asked("list", "list"),
    Asked("status", "status hello"),
    Asked("status", "status h* fails"),
    Asked("status-watch", "status hello --watch"),
    Asked("show", "show hello"),
    Asked("show", "show fails/breaks"),
    Asked("explain", "explain fails"),
    Asked("explain", "explain fails/breaks"),
    Asked("history", "history hello"),
    Asked("commands", "commands"),
    Asked("jobs", "jobs hello"),
    Asked("jobs", "jobs fails"),
    Asked("logs", "logs 1"),
    Asked("retry", "retry fails --dry-run"),
    Asked("finish", "finish fails/breaks --dry-run"),
    Asked("db-archive", "db archive hello --to archive --dry-run"),
    Asked("obsolete", "obsolete hello --dry-run"),
    Asked("scan", "scan hello"),
    Asked("jedi-scan", "jedi scan hello", FAILED),
    Asked("recover", "recover hello --dry-run"),
    Asked("recover", "recover hello --yes"),
    Asked("jedi-apply", "jedi apply"),
    Asked("jedi-once", "jedi once"),
    Asked("jedi-status", "jedi status"),
    Asked("start", "start open --yes"),
    Asked("sweep", "sweep"),
    Asked("augment", "augment open --dataset list broken.graphml"),
    Asked("reset", "reset hello --discard --yes"),
    Asked("augment", "augment hello --graph part.graphml"),
    Asked("close", "close open --dataset list"),
    Asked("template-list", "template list"),
    Asked("template-show", "template show census"),
    Asked("template-new", "template new -o new.graphml"),
    Asked("template-check", "template check census"),
    Asked("wrap", "wrap job.sbatch -o wrapped.graphml"),
    Asked("db-check", "db check"),
    Asked("db-upgrade", "db upgrade"),
    Asked("db-size", "db size"),
    Asked("abort", "abort again --yes"),
    Asked("db-archive", "db archive again --to archive"),
    Asked("db-delete", "db delete chain --yes"),
    Asked("db-vacuum", "db vacuum"),
    Asked("doctor", "doctor"),
)
LINES = ("run", "status-watch")  # an object a line
UNHEARD = {"jedi-run"}  # it serves until it is told to stop, and answers nothing


@dataclass(frozen=True, slots=True)
class Told:
    """What one command printed."""

    asked: Asked
    documents: tuple[Any, ...]


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents of all kinds."""
    folder = tmp_path_factory.mktemp("answers")
    fails = Builder("fails")
    # One job fails at once, the other takes long enough to be looked at.
    payload = "[ {unit.key} = 2 ] && sleep 2.5 && echo 2 > {output}"
    breaks = fails.task("breaks", payload, jobs=2, max_attempts=1)
    breaks.then("waits", "cat {input} > {output}")
    opened = Builder("open")
    source = opened.external("files", "data/*.txt", open=True)
    source.feeds(opened.task("count", "wc {inputs} > {output}"), type="list")
    part = Builder("part")
    part.task("more", "true")
    for name, made in {"fails": fails, "open": opened, "part": part}.items():
        stream = io.BytesIO()
        writer.write(made.metatask, stream)
        (folder / f"{name}.graphml").write_bytes(stream.getvalue())
    (folder / "broken.graphml").write_text("<graphml><graph/></graphml>")
    (folder / "job.sbatch").write_text("#!/bin/sh\n#SBATCH --mem=1G\n#SBATCH --odd=1\ntrue\n")
    return folder


@pytest.fixture(scope="module")
def told(workdir: Path) -> Mapping[str, list[Told]]:
    """What every command of the story printed, by schema."""
    found: dict[str, list[Told]] = {}
    for asked in STORY:
        if asked.schema == "jedi-scan":
            _lose_a_file(workdir)
        ran = deft(*asked.words.split(), "--json", cwd=workdir)
        assert ran.returncode == asked.code, f"deft {asked.words}: {ran.stdout}{ran.stderr}"
        found.setdefault(asked.schema, []).append(Told(asked, tuple(_documents(asked, ran.stdout))))
    return found


def _lose_a_file(workdir: Path) -> None:
    (lost, *_) = sorted(workdir.glob("data/default.hello.gather.*/*"))
    lost.unlink()


def _documents(asked: Asked, text: str) -> Iterator[Any]:
    if asked.schema in LINES:
        yield from map(json.loads, text.splitlines())
    else:
        yield json.loads(text)


def _validator(path: Path) -> jsonschema.Draft202012Validator:
    schema = typed_schema.closed(json.loads(path.read_text(encoding="utf-8")))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(schema, format_checker=checker)


def test_every_command_is_asked() -> None:
    assert set(schemas.ANSWERS) - {asked.schema for asked in STORY} == UNHEARD


@pytest.mark.parametrize("name", sorted({asked.schema for asked in STORY}))
def test_an_answer_is_what_its_schema_says(told: Mapping[str, list[Told]], name: str) -> None:
    validator = _validator(schemas.path(name))
    for one in told[name]:
        assert one.documents, one.asked.words
        for document in one.documents:
            validator.validate(document)


def test_a_run_tells_all_kinds_of_events(told: Mapping[str, list[Told]]) -> None:
    kinds = {event["event"] for one in told["run"] for event in one.documents}
    assert {"state", "progress", "failure", "end"} <= kinds


@pytest.mark.parametrize("name", ["job", "attempt"])
def test_what_lies_in_the_folder_of_an_attempt_is_what_its_schema_says(
    workdir: Path, told: Mapping[str, list[Told]], name: str
) -> None:
    validator = _validator(ROOT / "schemas" / f"{name}{schemas.SUFFIX}")
    files = sorted(workdir.glob(f"jobs/*/*/*/*/{name}.json"))
    assert len(files) > 5
    for path in files:
        validator.validate(json.loads(path.read_text(encoding="utf-8")))
    classes = {json.loads(path.read_text())["class"] for path in files if name == "attempt"}
    assert name == "job" or classes == {"ok", "exit"}


def test_what_lies_in_an_archive_is_what_its_schema_says(
    workdir: Path, told: Mapping[str, list[Told]]
) -> None:
    (manifest,) = workdir.glob("archive/*/*.json")
    _validator(schemas.path("manifest")).validate(json.loads(manifest.read_text(encoding="utf-8")))


def test_answers_of_jedi_are_what_their_schema_says(workdir: Path, told: Mapping[str, list[Told]]) -> None:
    validator = _validator(ROOT / "schemas" / f"answer{schemas.SUFFIX}")
    engine = sa.create_engine(f"sqlite:///{workdir / 'deft.db'}")
    with engine.connect() as conn:
        bodies = [
            json.loads(body) for body in conn.execute(sa.text("SELECT body FROM wire_answer")).scalars()
        ]
    engine.dispose()
    assert {"tasks", "same"} <= {key for body in bodies for key in body}
    for body in bodies:
        validator.validate(body)


@pytest.mark.parametrize(
    ("values", "good"), [({"a": 1, "b": ["x", 2.5, True]}, True), ({"a": {"b": 1}}, False)]
)
def test_files_of_values_are_what_their_schema_says(values: object, good: bool) -> None:
    validator = _validator(ROOT / "schemas" / f"values{schemas.SUFFIX}")
    assert validator.is_valid(values) is good
