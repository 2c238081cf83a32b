"""What running jobs say of themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deft.jedi import progress
from tests.jedi import bench as benches
from tests.jedi.bench import Bench


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("3 4", 0.75), ("3/4", 0.75), ("75%", 0.75), ("75 %", 0.75), ("0.75", 0.75), ("1", 1.0),
        ("0 10", 0.0), ("", None), ("nearly", None), ("5 4", None), ("1 0", None), ("-1 4", None),
        ("120%", None), ("nan", None),
    ],
)  # fmt: skip
def test_a_line_says_how_far_a_job_is(line: str, part: float | None) -> None:
    assert progress.read(line) == part


def test_the_last_line_that_says_anything_counts(tmp_path: Path) -> None:
    (tmp_path / progress.FILE).write_bytes(b"1 4\n2 4\n\xff\n")
    assert progress.of_job(tmp_path) == 0.5
    assert progress.of_job(tmp_path / "nowhere") is None


def test_the_word_of_a_running_job_reaches_the_report(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    flag = tmp_path / "go"
    wait = f"echo 1 2 > $DEFT_PROGRESS; while [ ! -e {flag} ]; do sleep 0.05; done"
    bench.run(benches.spec(wait, inputs=(benches.synthetic(1),)))
    served = bench.start()
    benches.until(lambda: json.loads(bench.task().get("summary") or "{}").get("inside") == 0.5)
    flag.touch()
    benches.until(lambda: bench.task()["ok"])
    assert "inside" not in json.loads(bench.task()["summary"])
    benches.stop(served)
