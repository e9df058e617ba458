"""Sketches are stored: what is computed today must be comparable with what was computed before."""

import pytest

from agents.knowledge.near_duplicates import sketch_of


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("one two three four five six seven eight", [-1915741172, -1802779343, -1767759766]),
        (" ".join(f"word{number * number}" for number in range(3000)), [-1587060929, -833411661, -515241184]),
    ],
)
def test_a_sketch_is_the_same_as_those_that_are_stored(text: str, first: list[int]) -> None:
    assert sketch_of(text)[:3] == first


def test_a_text_of_few_words_has_no_sketch() -> None:
    assert sketch_of("one two three four five") == []
