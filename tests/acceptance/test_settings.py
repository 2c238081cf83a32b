"""Settings and databases that are not right: what is wrong, where it stands, and never a password."""

from __future__ import annotations

import sqlite3

import pytest

from tests.acceptance.scene import Place
from tests.support.postgres import Cluster

SECRET = "opensesame"
URL = f"postgresql+psycopg://deft:{SECRET}@127.0.0.1:1/deft"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[jedi\n", ("']'", "line 1")),
        ("[jedy]\nslots = 1\n", ("unknown section [jedy]", "did you mean jedi?")),
        ("[jedi]\nslotz = 1\n", ("no setting 'slotz'", "did you mean slots?")),
        ("[jedi]\nslots = 'many'\n", ("slots = 'many'", "whole number")),
        ("[jedi]\nslots = -1\n", ("slots = -1", "whole number")),
        ("jedi = 3\n", ("jedi is a section", "write [jedi]")),
        ("[database]\npassword_file = '/none'\nurl = 'postgresql://deft@127.0.0.1:1/d'\n", ("/none",)),
    ],
)
@pytest.mark.parametrize("command", [("list",), ("run", "census")], ids=["list", "run"])
def test_settings_that_are_wrong_are_refused(
    place: Place, command: tuple[str, ...], content: str, words: tuple[str, ...]
) -> None:
    place.work.mkdir()
    (place.work / "deft.toml").write_text(content)
    ran = place.said(*command)
    assert (ran.code, ran.out) == (6, "")
    for word in words:
        assert word in ran.err
    assert {path.name for path in place.work.iterdir()} <= {"deft.toml", "deft.run.lock"}


def test_the_file_of_a_wrong_setting_is_named_and_all_of_them_are(place: Place) -> None:
    (place.folder / "mine.toml").write_text("[jedi]\nslots = 'x'\npoll_s = []\n")
    ran = place.said("--config", "mine.toml", "list", DEFT_WORKDIR=str(place.folder))
    assert ran.code == 6
    assert ran.err.count("mine.toml: ") == 2
    assert "2 findings\n" in ran.err


@pytest.mark.parametrize("config", ["gone.toml", "/"])
def test_a_settings_file_that_was_named_must_be_there(place: Place, config: str) -> None:
    ran = place.said("--config", config, "run", "census")
    assert ran.code == 6
    assert config in ran.err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DEFT_JEDI__SLOTZ", "1", ("$DEFT_JEDI__SLOTZ", "slots")),
        ("DEFT_JEDI__SLOTS", "many", ("$DEFT_JEDI__SLOTS", "'many'")),
        ("DEFT_JEDY__SLOTS", "1", ("$DEFT_JEDY__SLOTS", "jedi")),
    ],
)
def test_a_variable_that_is_wrong_is_named(
    place: Place, variable: str, value: str, words: tuple[str, ...]
) -> None:
    place.work.mkdir()
    ran = place.said("list", **{variable: value})
    assert ran.code == 6
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", ("not a database URL", "postgresql+psycopg://")),
        ("oracel://x", ("oracel",)),
        (f"mysql://deft:{SECRET}@localhost/d", ("mysql", "sqlite, postgresql, oracle")),
    ],
)
def test_a_url_that_is_none_is_refused(place: Place, url: str, words: tuple[str, ...]) -> None:
    place.work.mkdir()
    ran = place.said("list", DEFT_DATABASE__URL=url)
    assert ran.code == 7
    assert SECRET not in ran.err
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize("command", [("list",), ("run", "census"), ("init",), ("doctor",), ("db", "upgrade")])
def test_a_server_that_is_not_there_is_named_without_its_password(
    place: Place, command: tuple[str, ...]
) -> None:
    place.work.mkdir()
    ran = place.said(*command, DEFT_DATABASE__URL=URL)
    assert ran.code == (1 if command == ("doctor",) else 7)
    told = ran.out + ran.err
    assert "deft:***@127.0.0.1:1/deft does not answer" in told
    assert SECRET not in told


def test_a_wrong_password_is_not_printed(place: Place, postgres: Cluster) -> None:
    place.work.mkdir()
    wrong = postgres.url("postgres").replace(postgres.password, SECRET)
    ran = place.said("list", DEFT_DATABASE__URL=wrong)
    assert ran.code == 7
    assert "password authentication failed" in ran.err
    assert SECRET not in ran.err


@pytest.mark.parametrize(
    ("revision", "words"), [("9999", "newer than this program"), ("0000", "deft db upgrade")]
)
def test_a_database_of_another_revision_is_refused(place: Place, revision: str, words: str) -> None:
    place.ok("init")
    with sqlite3.connect(place.work / "deft.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    for command in (("list",), ("run", "census"), ("init",), ("db", "check"), ("start", "census")):
        ran = place.said(*command)
        assert ran.code == 7, ran.err
        assert f"revision {revision}" in ran.err
        assert words in ran.err
    assert place.said("doctor").code == 1
    upgraded = place.said("db", "upgrade")
    assert upgraded.code == 7
    assert f"revision {revision}" in upgraded.err


@pytest.mark.parametrize("command", [("list",), ("run", "census"), ("init",), ("doctor",)])
def test_a_file_that_is_no_database_is_left_alone(place: Place, command: tuple[str, ...]) -> None:
    place.work.mkdir()
    (place.work / "deft.db").write_text("Dear diary, " * 100)
    ran = place.said(*command)
    assert ran.code == (1 if command == ("doctor",) else 7)
    assert "not a database" in ran.out + ran.err
    assert "move that file away" in ran.out + ran.err
    assert (place.work / "deft.db").read_text().startswith("Dear diary")


@pytest.mark.parametrize(
    "command", [("list",), ("start", "m"), ("export", "m"), ("doctor",), ("db", "check")]
)
def test_without_a_work_folder_the_way_to_one_is_said(place: Place, command: tuple[str, ...]) -> None:
    ran = place.said(*command)
    assert ran.code == 3
    assert f"there is no work folder {place.work}; `deft init --workdir {place.work}` makes one" in ran.err
    ran = place.said(*command, DEFT_WORKDIR="")
    assert ran.code == 3
    assert "no deft.toml here" in ran.err


def test_a_work_folder_that_cannot_be_written_is_named(place: Place) -> None:
    for command in ("init", "run census"):
        ran = place.said(*command.split(), "--workdir", "/proc/none")
        assert ran.code == 6
        assert "/proc/none" in ran.err
    ran = place.said("run", "census", "--workdir", "/proc")
    assert ran.code == 6
    assert "give another one with --workdir" in ran.err
    (place.folder / "file").touch()
    assert place.said("run", "census", "--workdir", "file").code == 6
