"""Scheduling from a page: counted the network's way first, queued once, nothing typed is lost."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django.fixtures import Settings

from agents.models import Agent, Profile
from agents.services.people import set_time_zone
from feed.pages.studio.calendar import scheduling
from posts.publishing.models import Publication, SocialAccount
from posts.publishing.services.policies import change_account
from posts.publishing.states import Status
from tests.budgets import assert_within_budget
from tests.factories import make_post
from tests.feed.pages.studio.calendar.conftest import may
from tests.publishing import make_account

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
NEW = "/studio/calendar/new"


def form(account: SocialAccount, **changes: object) -> dict[str, object]:
    fields = {"text": "A small bird sang.", "accounts": [account.pk], "when": "at", "day": may(12).date()}
    return fields | {"time": "09:30", "token": "one", "schedule": "yes"} | changes


@pytest.mark.parametrize("count", [2, 20])
def test_the_form_takes_four_statements(count: int, alice: Profile, wren: Agent, browser_of: BrowserOf) -> None:
    # The user; the post that is to go out, if one is; the accounts; what is unread.
    for number in range(count):
        make_account(owner=alice, platform_user_id=str(number), handle=f"<b>{number}")
    post = make_post(author=wren.profile)
    page = assert_within_budget(browser_of(alice), f"{NEW}?post={post.pk}", exact=True)
    assert "Mastodon &lt;b&gt;1" in page.text


def test_without_an_account_the_page_says_what_to_do(alice: Profile, browser_of: BrowserOf) -> None:
    assert "There is no account to publish to yet" in browser_of(alice).get(NEW).text


@pytest.mark.parametrize(
    ("now", "proposed"),
    [("06:59", "2027-05-12 09:00"), ("07:01", "2027-05-12 10:00"), ("21:30", "2027-05-13 00:00")],
)
def test_the_moment_that_the_form_proposes_has_not_passed(
    now: str, proposed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.fromisoformat(f"2027-05-12T{now}:00Z")
    monkeypatch.setattr(scheduling.timezone, "now", lambda: moment)
    berlin = ZoneInfo("Europe/Berlin")
    assert f"{scheduling.proposed(moment.astimezone(berlin).date(), berlin):%Y-%m-%d %H:%M}" == proposed
    assert f"{scheduling.proposed(date(2027, 6, 1), berlin):%Y-%m-%d %H:%M}" == "2027-06-01 09:00"


def test_a_look_at_a_moment_that_has_passed_says_so_without_being_refused(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    data = form(account, day=date(2020, 5, 1), preview="yes")
    assert browser_of(alice).post(NEW, data).status_code == 200
    del data["preview"]
    assert browser_of(alice).post(NEW, data).status_code == 422


def test_a_text_goes_into_the_queue_at_the_persons_own_time(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    assert alice.user
    set_time_zone(user=alice.user, name="Europe/Berlin")
    client = browser_of(alice)
    answer = client.post(NEW, form(account, text="One.\r\nTwo."))
    assert answer["Location"] == f"/studio/calendar/?day={may(12).date()}"
    publication = Publication.objects.get()
    assert publication.scheduled_at == may(12, 7) + timedelta(minutes=30)
    assert (publication.text, publication.status) == ("One.\nTwo.", Status.SCHEDULED)
    assert "Goes to wren on" in client.get("/studio/calendar/").text


def test_a_preview_counts_as_each_network_does_and_writes_nothing(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    other = make_account(owner=alice, network="x")
    text = "Owls 🦉 https://example.org/a/very/long/address/that/counts/as/23 " + "x" * 240
    data = form(account, text=text, accounts=[account.pk, other.pk], preview="yes")
    del data["schedule"]
    page = browser_of(alice).post(NEW, data)
    assert page.status_code == 200
    assert "of 500" in page.text and "of 280" in page.text
    # The emoji counts one on Mastodon and two on X.
    assert "271 of 500" in page.text and 'class="error">272 of 280' not in page.text and "272 of 280" in page.text
    assert not Publication.objects.exists()


def test_a_text_that_is_too_long_is_refused_and_kept_and_can_become_a_thread(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    client = browser_of(alice)
    text = "Herons stand still for a very long time. " * 20
    refused = client.post(NEW, form(account, text=text))
    assert refused.status_code == 422
    assert "Mastodon takes at most 500" in refused.text and "Herons stand still" in refused.text
    client.post(NEW, form(account, text=text, split="on"))
    assert Publication.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"day": "2001-01-01"}, "This moment has passed."),
        ({"day": "2099-01-01"}, "at most one year"),
        ({"day": ""}, "Give a day."),
        ({"time": "25:99"}, "Enter a valid time."),
        ({"text": "   "}, "There is nothing to publish."),
        ({"text": "a\x00b"}, "Null characters"),
        ({"accounts": []}, "required"),
        ({"when": "slot"}, "no posting slots"),
        ({"when": "never"}, "Select a valid choice"),
        ({"post": "999999999999999999999"}, "less than or equal"),
    ],
)
def test_what_cannot_be_scheduled_is_said_and_kept(
    changes: dict[str, str], words: str, alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    refused = browser_of(alice).post(NEW, form(account, **changes))
    assert refused.status_code == 422 and words in refused.text
    assert not Publication.objects.exists()


def test_the_account_of_somebody_else_is_no_choice(
    alice: Profile, bob: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    others = make_account(owner=bob, platform_user_id="8", handle="bobs_own")
    client = browser_of(alice)
    assert "bobs_own" not in client.get(NEW).text
    assert client.post(NEW, form(account, accounts=[others.pk])).status_code == 422
    assert not Publication.objects.exists()


def test_sending_twice_schedules_once_and_another_text_asks_again(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    client = browser_of(alice)
    first, second = (client.post(NEW, form(account))["Location"] for _ in range(2))
    assert first == second and Publication.objects.count() == 1
    # Back in the browser, another text, sent again.
    refused = client.post(NEW, form(account, text="Another one."))
    assert refused.status_code == 422 and "was sent already" in refused.text and "Another one." in refused.text
    token = refused.text.partition('name="token" value="')[2].partition('"')[0]
    assert token != "one"
    client.post(NEW, form(account, text="Another one.", token=token))
    assert Publication.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_schedule_once(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    clients = [browser_of(alice) for _ in range(4)]
    answers: list[int] = []

    def click(client: Client) -> None:
        answers.append(client.post(NEW, form(account)).status_code)
        connection.close()

    threads = [Thread(target=click, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4 and Publication.objects.count() == 1


def test_the_next_free_slot_of_each_account(alice: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    change_account(account=account, slots=["mon 09:00"])
    client = browser_of(alice)
    for token in ("one", "two"):
        client.post(NEW, form(account, when="slot", day="", time="", token=token))
    first, second = Publication.objects.order_by("pk").values_list("scheduled_at", flat=True)
    assert first and second and second - first == timedelta(days=7) and first > timezone.now()


def test_a_post_of_ones_agent_comes_with_its_text(
    alice: Profile, bob: Profile, wren: Agent, account: SocialAccount, browser_of: BrowserOf
) -> None:
    mine, others = make_post(author=wren.profile, title="First frost", body=""), make_post(author=bob, title="Bobs")
    client = browser_of(alice)
    assert "First frost</textarea>" in client.get(f"{NEW}?post={mine.pk}").text
    assert "Bobs" not in client.get(f"{NEW}?post={others.pk}").text
    client.post(NEW, form(account, post=mine.pk))
    client.post(NEW, form(account, post=others.pk, token="two"))
    assert list(Publication.objects.order_by("pk").values_list("post", flat=True)) == [mine.pk, None]


def test_each_network_can_have_its_own_text_and_do_without_the_image(
    alice: Profile, wren: Agent, account: SocialAccount, browser_of: BrowserOf, tmp_path: Path, settings: Settings
) -> None:
    settings.MEDIA_ROOT = tmp_path
    other, client = make_account(owner=alice, network="x"), browser_of(alice)
    post = make_post(author=wren.profile, title="First frost", body="")
    picture = BytesIO()
    Image.new("RGB", (8, 8), "#223355").save(picture, "PNG")
    post.image.save("frost.png", ContentFile(picture.getvalue()))
    shown = client.get(f"{NEW}?post={post.pk}").text
    assert "X says" in shown and "No image on Mastodon" in shown
    wanted = form(account, post=post.pk, accounts=[account.pk, other.pk], text_x="Frost.\r\nX", imageless_mastodon="on")
    tried = client.post(NEW, {**wanted, "schedule": []}).text
    assert "A small bird sang." in tried and "8 of 280" in tried and tried.count('class="picture"') == 1
    client.post(NEW, wanted)
    mastodon, x = Publication.objects.order_by("network")
    assert (mastodon.text, bool(mastodon.image)) == ("A small bird sang.", False)
    assert (x.text, bool(x.image)) == ("Frost.\nX", True)


def test_one_text_for_all_needs_only_the_variant_of_the_network_it_is_too_long_for(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    other, client = make_account(owner=alice, network="x"), browser_of(alice)
    wanted = form(account, accounts=[account.pk, other.pk], text="Herons. " * 50)
    refused = client.post(NEW, wanted)
    assert refused.status_code == 422 and "X takes at most 280" in refused.text
    assert 'class="error">399 of 280' in refused.text and "399 of 500" in refused.text
    assert client.post(NEW, {**wanted, "text_x": "Herons."}).status_code == 302
    too_long = client.post(NEW, {**wanted, "text_x": "y" * 281, "token": "two"})
    assert (
        too_long.status_code == 422
        and "281 of 280" in too_long.text
        and '<details class="variants" open' in too_long.text
    )
