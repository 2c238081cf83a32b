"""What the guides show really runs."""

from __future__ import annotations

from pathlib import Path

from tests.support.repository import ROOT, deft

HELLO = ROOT / "docs" / "examples" / "hello.graphml"


def test_the_example_of_the_guide_says_hello_four_times(tmp_path: Path) -> None:
    ran = deft("run", str(HELLO), "--workdir", str(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    gathered = [path.read_text() for path in (tmp_path / "data").glob("*.gather.*/*") if path.is_file()]
    assert [sorted(text.splitlines()) for text in gathered] == [
        [f"Hello from number {n}" for n in range(1, 5)]
    ]


def test_the_guide_shows_pieces_of_the_example() -> None:
    guide = (ROOT / "docs" / "how-to" / "write-a-meta-task.md").read_text(encoding="utf-8")
    example = {line.strip() for line in HELLO.read_text(encoding="utf-8").splitlines()}
    steps = guide.partition("## Real input")[0]
    shown = [line.strip() for line in steps.splitlines() if line.strip().startswith("<")]
    assert shown
    assert [line for line in shown if line not in example] == []
