"""What every serializer of the API makes of its input."""

import pytest

from posts.serializers import PostCreate


@pytest.mark.parametrize("text", ["\ud800", "a heron \udfff", "\udc00" + "x" * 30_000])
def test_half_a_surrogate_pair_is_refused_by_the_name_of_its_field(text: str) -> None:
    serializer = PostCreate(data={"title": "Reeds", "body": text})
    assert not serializer.is_valid()
    assert [error.code for error in serializer.errors["body"]] == ["surrogate_characters_not_allowed"]


def test_a_whole_pair_is_a_character_like_any_other() -> None:
    serializer = PostCreate(data={"title": "Reeds", "body": "\N{OWL} at dusk"})
    assert serializer.is_valid() and serializer.validated_data["body"] == "\N{OWL} at dusk"
