"""What cannot be published: a problem document that names the field, and nothing half done."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.response import Response

from agents.models import Profile
from posts.publishing.models import Publication, PublicationEvent, SocialAccount, WebhookEndpoint
from tests.conftest import MakeClient
from tests.factories import make_post
from tests.posts.publishing.test_images import png_bomb
from tests.posts.publishing.test_text import FAMILY
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db

type Send = Callable[[dict[str, Any]], Response]


@pytest.fixture
def account(alice: Profile) -> SocialAccount:
    return make_account(owner=alice)


@pytest.fixture
def schedule(alice: Profile, client_of: MakeClient) -> Send:
    client = client_of(alice)
    return lambda body: client.post("/api/schedule", body, format="json")


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


def assert_problem(answer: Response, field: str, words: str) -> None:
    """Check a refusal, and that it is one: no row, no event."""
    assert answer.status_code == 400, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert [(error["field"], words in error["detail"]) for error in errors] == [(field, True)], errors
    assert not Publication.objects.exists() and not PublicationEvent.objects.exists()


# The last text that fits, and one more of its smallest part.
@pytest.mark.parametrize(
    ("network", "body", "more", "words"),
    [
        ("mastodon", FAMILY * 500, "a", "500 characters; this text has 501"),
        ("bluesky", "ש" * 300, "ש", "300 graphemes; this text has 301"),
        ("bluesky", FAMILY * 120, "a", "3000 bytes; this text has 3001"),
        ("x", "鳥" * 139 + "ab", "c", "280 weighted characters; this text has 281"),
        ("linkedin", "🐦" * 1499 + "ab", "c", "3000 characters; this text has 3001"),
        ("facebook", "a" * 63_206, "a", "63206 characters; this text has 63207"),
    ],
)
def test_a_text_at_the_limit_is_taken_and_one_more_is_refused(
    network: str, body: str, more: str, words: str, alice: Profile, schedule: Send
) -> None:
    account = make_account(owner=alice, network=network)
    wanted = {"accounts": [account.pk], "scheduled_at": in_days(1)}
    assert_problem(schedule(wanted | {"text": body + more}), f"accounts.{account.pk}", words)
    assert schedule(wanted | {"text": body}).status_code == 202
    assert Publication.objects.get().text == body


@pytest.mark.parametrize(
    ("when", "field", "words"),
    [
        ({"scheduled_at": in_days(-1)}, "scheduled_at", "has passed"),
        ({"scheduled_at": in_days(3 * 365)}, "scheduled_at", "one year ahead"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at", "wrong format"),
        ({"local_time": "2026-02-30T10:00", "time_zone": "Europe/Berlin"}, "local_time", "no such time"),
        ({"local_time": "2027-02-01T10:00", "time_zone": "Europe/Atlantis"}, "time_zone", "no such time zone"),
    ],
)
def test_a_moment_that_cannot_be_is_named(
    when: dict[str, str], field: str, words: str, account: SocialAccount, schedule: Send
) -> None:
    assert_problem(schedule({"accounts": [account.pk], "text": "Soon"} | when), field, words)


def test_an_account_without_slots_is_named(account: SocialAccount, schedule: Send) -> None:
    answer = schedule({"accounts": [account.pk], "text": "Soon", "next_slot": True})
    assert_problem(answer, f"accounts.{account.pk}", "no posting slots")


@pytest.mark.parametrize("days", [-1, 3 * 365])
def test_what_is_scheduled_is_not_moved_out_of_reach(
    days: int, account: SocialAccount, alice: Profile, client_of: MakeClient
) -> None:
    publication = make_publication(account=account, scheduled_at=timezone.now() + timedelta(hours=1))
    body = {"scheduled_at": in_days(days)}
    answer = client_of(alice).patch(f"/api/schedule/{publication.pk}", body, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "scheduled_at")
    before = publication.scheduled_at
    publication.refresh_from_db()
    assert publication.scheduled_at == before


def test_somebody_elses_account_is_named_and_nothing_goes_to_ones_own(
    account: SocialAccount, charlie: Profile, schedule: Send
) -> None:
    theirs = make_account(owner=charlie, platform_user_id="8")
    answer = schedule({"accounts": [account.pk, theirs.pk], "text": "Mine", "scheduled_at": in_days(1)})
    assert_problem(answer, "accounts", f"no account {theirs.pk}")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (png_bomb(5_001, 5_000), "more than 25 megapixels"),
        (io.BytesIO(b"\x00\x00\x00\x18ftypmp42 a video as PNG"), "not a JPEG, PNG, WebP or GIF"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"cut"), "not a JPEG, PNG, WebP or GIF"),
    ],
    ids=["bomb", "video", "cut"],
)
def test_an_image_that_is_none_is_named_and_leaves_no_file(
    image: io.BytesIO,
    words: str,
    alice: Profile,
    account: SocialAccount,
    schedule: Send,
    settings: Settings,
    tmp_path: Path,
) -> None:
    settings.MEDIA_ROOT = tmp_path
    post = make_post(author=alice)
    # As it came before images were looked at, or from an import.
    post.image.save("bird.png", ContentFile(image.getvalue()))
    answer = schedule({"accounts": [account.pk], "post": post.pk, "scheduled_at": in_days(1)})
    assert_problem(answer, f"accounts.{account.pk}", words)
    assert not list(tmp_path.glob("publications/**/*.*"))


def test_one_network_that_needs_an_image_keeps_the_text_from_all(
    account: SocialAccount, alice: Profile, schedule: Send
) -> None:
    instagram = make_account(owner=alice, network="instagram")
    answer = schedule({"accounts": [account.pk, instagram.pk], "text": "Bare", "scheduled_at": in_days(1)})
    assert_problem(answer, f"accounts.{instagram.pk}", "no post without an image")


ADDRESSES = [
    ("http://169.254.169.254/latest", "Only https"),
    ("https://169.254.169.254/latest", "not on the public internet"),
    ("https://[::ffff:10.0.0.1]/", "not on the public internet"),
    ("https://0x7f000001/", "valid URL"),
    ("https://user:pass@example.com/", "user name"),
    ("https://example.com/#fragment", "an address such as"),
]


@pytest.mark.parametrize(("address", "words"), ADDRESSES)
def test_an_address_inside_is_refused_for_accounts_and_for_webhooks(
    address: str, words: str, alice: Profile, client_of: MakeClient
) -> None:
    client = client_of(alice)
    body: dict[str, Any] = {"network": "webhook", "base_url": address}
    assert_problem(client.post("/api/accounts", body, format="json"), "base_url", words)
    body = {"url": address, "kinds": ["published"]}
    assert_problem(client.post("/api/webhooks", body, format="json"), "url", words)
    assert not SocialAccount.objects.exists() and not WebhookEndpoint.objects.exists()


def test_a_file_that_is_no_csv_is_named(account: SocialAccount, alice: Profile, client_of: MakeClient) -> None:
    body = {"csv": f'account,text\n{account.pk},"open', "preview": False}
    assert_problem(client_of(alice).post("/api/schedule/import", body, format="json"), "csv", "is not CSV")
