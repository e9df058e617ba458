"""What a publication's state means, in sentences that promise no more than the worker keeps."""

from zoneinfo import ZoneInfo

import pytest

from feed.pages.studio.calendar.outlook import LABELS, actions, is_movable, outlook, words
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.states import Status
from tests.feed.pages.studio.calendar.conftest import may

UTC = ZoneInfo("UTC")


def publication(network: str = "mastodon", **fields: object) -> Publication:
    fields = {"scheduled_at": may(12), "due_at": may(12)} | fields
    return Publication(network=network, account=SocialAccount(network=network, handle="wren"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": Status.PENDING_APPROVAL}, "Nothing leaves the house before you approve it"),
        ({"status": Status.PENDING_APPROVAL, "scheduled_at": None}, "then it goes out at once"),
        ({"status": Status.SCHEDULED}, "It goes out to Mastodon by itself."),
        ({"status": Status.SCHEDULED, "previous_id": 1}, "It follows the part before it."),
        ({"status": Status.QUEUED}, "It goes out within seconds."),
        (
            {"status": Status.QUEUED, "error_class": "needs_reconnect"},
            "until wren is connected to Mastodon again",
        ),
        ({"status": Status.QUEUED, "error_class": "rate_limited"}, "Mastodon wants no more just now"),
        ({"status": Status.QUEUED, "error_class": "unreachable", "attempt": 3}, "attempt 3 of 8"),
        ({"status": Status.SENDING}, "can no longer be called off"),
        ({"status": Status.UNKNOWN}, "We will first look whether it is there"),
        ({"status": Status.UNKNOWN}, "again under the same key"),
        ({"status": Status.UNKNOWN, "network": "x"}, "if it is certainly not, it is sent again"),
        ({"status": Status.UNKNOWN, "due_at": None, "network": "linkedin"}, "LinkedIn cannot be asked"),
        ({"status": Status.FAILED, "error_class": "refused"}, "sends the same text once more"),
        ({"status": Status.FAILED, "error_class": "duplicate"}, "takes no text twice"),
        ({"status": Status.FAILED, "error_class": "unreachable"}, "It is certainly not out."),
        ({"status": Status.PUBLISHED}, "Mastodon accepted it."),
        ({"status": Status.CANCELLED}, "It stays here."),
        ({"status": Status.DRAFT}, "It stays here."),
    ],
)
def test_an_outlook_says_what_will_happen(fields: dict[str, object], sentence: str) -> None:
    assert sentence in outlook(publication(**fields), UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", Status)
def test_every_state_has_words_and_its_decisions_have_labels(status: Status) -> None:
    for due_at in (None, may(12)):
        row = publication(status=status, due_at=due_at)
        assert words(row)
        assert set(actions(row)) <= set(LABELS)
        assert is_movable(row) is (status in (Status.SCHEDULED, Status.PENDING_APPROVAL))
    assert bool(actions(row)) is (status not in (Status.SENDING, Status.UNKNOWN, Status.PUBLISHED, Status.CANCELLED))
