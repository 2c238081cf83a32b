"""Values as Slurm spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deft.authoring.wrap import values
from deft.authoring.wrap.values import Indices

TIMES = {
    "90": 5400,
    "0": None,
    "UNLIMITED": None,
    "infinite": None,
    "10:30": 630,
    "2:00:00": 7200,
    "1-0": 86400,
    "1-12": 129600,
    "1-12:30": 131400,
    "0-00:00:01": 1,
    "7-23:59:59": 691199,
}
MEMORY = {"4000": 4000, "4000M": 4000, "1K": 1, "1025K": 2, "4G": 4096, "4GB": 4096, "2t": 2097152, "0": 0}
INDICES = {
    "0-9": Indices("0-9", 10),
    "1-20:2": Indices("1-19:2", 10),
    "1,3,7": Indices("1,3,7", 3),
    "0-9%5": Indices("0-9", 10, 5),
    "3,1,2,2": Indices("1-3", 3),
    "1-3,10-30:10%2": Indices("1-3,10-30:10", 6, 2),
    "5": Indices("5", 1),
    "1,2,4,6,8": Indices("1-2,4-8:2", 5),
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_in_every_form(text: str) -> None:
    assert values.seconds(text) == TIMES[text]


@pytest.mark.parametrize("text", MEMORY)
def test_a_size_is_read_in_every_unit(text: str) -> None:
    assert values.megabytes(text) == MEMORY[text]


@pytest.mark.parametrize("text", INDICES)
def test_indices_are_read_in_every_form(text: str) -> None:
    assert values.indices(text) == INDICES[text]


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "1-", "-5", "1.5", "$TIME", "1h"])
def test_a_wrong_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        values.seconds(text)


@pytest.mark.parametrize("text", ["", "G", "4.5G", "-1", "4X", "4 G"])
def test_a_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        values.megabytes(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "neither"),
        ("a", "neither"),
        ("1,,2", "neither"),
        ("1:2", "neither"),
        ("9-1", "ends before it begins"),
        ("1-9:0", "step is 0"),
        ("1-9%0", "limit"),
        ("1-9%", "limit"),
        ("1%2,3", "limit"),
        ("0-9999999", "above"),
    ],
)
def test_wrong_indices_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        values.indices(text)


@given(st.sets(st.integers(0, 300), min_size=1))
def test_the_short_spelling_of_indices_reads_back(numbers: set[int]) -> None:
    spelled = values.indices(",".join(map(str, numbers)))
    assert (spelled.size, values.indices(spelled.spelled)) == (len(numbers), spelled)
