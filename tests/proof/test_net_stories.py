"""What the rows of the net do, told step by step; the same stories catch mutants of the table."""

from __future__ import annotations

import pytest

from tests.proof.stories import Story, stories, tell


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_it_ends_as_told(story: Story) -> None:
    assert tell(story) == story.ends
