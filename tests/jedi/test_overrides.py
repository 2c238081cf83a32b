"""`retry.rules` of a task: its own outcome rules, before the built-in ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deft.base.errors import BadInput
from deft.jedi import overrides
from deft.jedi.jobs import Ending, Fed, Result
from deft.jedi.retry import Case, Verdict
from tests.jedi.bench import Bench, spec, synthetic
from tests.jedi.work import logging_spec

AGAIN, FAIL = Verdict(Fed.READY, "again"), Verdict(Fed.FAILED, "fail")


def _judge(
    rules: object, ending: Ending, folder: Path, *, code: int = 1, attempts: int = 1
) -> Verdict | None:
    case = Case(ending, attempts, 0, 3, 5)
    return overrides.judge(overrides.parse(json.dumps(rules)), case, Result(ending, exit_code=code), folder)


def test_the_first_rule_that_fits_decides(tmp_path: Path) -> None:
    rules = [{"class": "exit", "exit_code": [3, 4], "do": "fail"}, {"class": ["exit", "signal"], "memory": 2}]
    assert _judge(rules, Ending.EXIT, tmp_path, code=3) == FAIL
    assert _judge(rules, Ending.EXIT, tmp_path, code=5) == Verdict(Fed.READY, "again", 2.0)
    assert _judge(rules, Ending.SIGNAL, tmp_path) == Verdict(Fed.READY, "again", 2.0)
    assert _judge(rules, Ending.TIMEOUT, tmp_path) is None


def test_a_limit_of_its_own_may_be_larger_than_that_of_the_task(tmp_path: Path) -> None:
    rules = [{"limit": 5}]
    assert _judge(rules, Ending.EXIT, tmp_path, attempts=4) == AGAIN
    assert _judge(rules, Ending.EXIT, tmp_path, attempts=5) is None


def test_a_rule_may_look_at_the_end_of_the_log(tmp_path: Path) -> None:
    rules = [{"log": r"bad_alloc\b", "do": "fail"}]
    assert _judge(rules, Ending.EXIT, tmp_path) is None
    (tmp_path / "stderr").write_text("x" * 9000 + "\nstd::bad_alloc\n")
    assert _judge(rules, Ending.EXIT, tmp_path) == FAIL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "no JSON"),
        ("{}", "no list of rules"),
        ("[1]", "rule 1: 1 is no object"),
        ('[{"klass": "exit"}]', "unknown klass; known: class"),
        ('[{"class": "ok"}]', "'ok' is none of"),
        ('[{"class": ["exit", 7]}]', "7 is none of"),
        ('[{"exit_code": "three"}]', "no whole number"),
        ('[{"do": "dance"}]', "neither again nor fail"),
        ('[{"memory": 0.5}]', "no factor"),
        ('[{"log": "("}]', "no regular expression"),
    ],
)
def test_a_rule_that_cannot_be_read_breaks_its_task(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput) as fault:
        overrides.parse(text)
    assert words in str(fault.value)
    bench = Bench(tmp_path)
    bench.run(spec("true", settings={"retry.rules": text}))
    bench.work()
    assert bench.task()["rejected"] == 1
    assert words in bench.task()["reason"]
    bench.engine.dispose()


def test_on_this_machine_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    rules = json.dumps([{"exit_code": 3, "do": "fail"}, {"exit_code": 4, "limit": 4}])
    bench.run(logging_spec(bench, "echo 3 >> $LOG; exit 3", settings={"retry.rules": rules}))
    numbers = (synthetic(1, edge=2, dataset=2),)
    other = {"task": 2, "inputs": numbers, "settings": {"retry.rules": rules}}
    bench.run(logging_spec(bench, "echo 4 >> $LOG; exit 4", **other))
    bench.work()
    assert sorted(bench.log()) == ["3", "4", "4", "4", "4"]
    bench.check_books()
    bench.engine.dispose()
