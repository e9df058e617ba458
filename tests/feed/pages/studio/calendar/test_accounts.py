"""The slots of accounts: only one's own, and a wrong time is said where it was typed."""

from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from agents.models import Profile
from posts.publishing.models import PostingSlot, SocialAccount
from posts.publishing.services.policies import change_account
from tests.budgets import assert_within_budget
from tests.posts.publishing.conftest import networks  # noqa: F401
from tests.posts.publishing.test_connecting_api import ConsentServer, x_consent  # noqa: F401
from tests.publishing import make_account

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
ACCOUNTS = "/studio/calendar/accounts"


@pytest.mark.parametrize("count", [2, 20])
def test_the_page_takes_four_statements(count: int, alice: Profile, browser_of: BrowserOf) -> None:
    # The user; the accounts; their slots; what is unread.
    for number in range(count):
        account = make_account(owner=alice, platform_user_id=str(number), handle="<b>wren")
        change_account(account=account, slots=["mon 09:00", "mon 17:30"])
    page = assert_within_budget(browser_of(alice), ACCOUNTS, exact=True)
    assert 'value="09:00, 17:30"' in page.text and "&lt;b&gt;wren" in page.text


def test_slots_are_kept_in_the_accounts_own_time_zone(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    form = {
        f"{account.pk}-time_zone": "Europe/Berlin",
        f"{account.pk}-mon": "9:00, 17:30",
        f"{account.pk}-sun": "20:15",
    }
    assert browser_of(alice).post(f"{ACCOUNTS}/{account.pk}", form)["Location"] == ACCOUNTS
    account.refresh_from_db()
    assert account.time_zone == "Europe/Berlin"
    slots = PostingSlot.objects.order_by("weekday", "local_time").values_list("weekday", "local_time")
    assert [(weekday, f"{time:%H:%M}") for weekday, time in slots] == [(0, "09:00"), (0, "17:30"), (6, "20:15")]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("mon", "25:00", "is no time of day"),
        ("tue", "<b>", "is no time of day"),
        ("time_zone", "Mars/X", "no such time"),
    ],
)
def test_what_is_no_slot_is_said_and_kept(
    field: str, typed: str, words: str, alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    form = {f"{account.pk}-time_zone": "UTC", f"{account.pk}-fri": "08:00", f"{account.pk}-{field}": typed}
    page = browser_of(alice).post(f"{ACCOUNTS}/{account.pk}", form)
    assert page.status_code == 422 and words in page.text and 'value="08:00"' in page.text
    assert "<b>" not in page.text.partition('id="sheet"')[2].partition("<h2>Publishing")[0]
    assert not PostingSlot.objects.exists()


def test_somebody_elses_slots_are_out_of_reach(bob: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    form = {f"{account.pk}-time_zone": "UTC", f"{account.pk}-mon": "09:00"}
    assert browser_of(bob).post(f"{ACCOUNTS}/{account.pk}", form).status_code == 404
    assert not PostingSlot.objects.exists()


def test_a_webhook_is_connected_and_its_secret_shown_once(alice: Profile, browser_of: BrowserOf) -> None:
    client = browser_of(alice)
    form = {"network": "webhook", "base_url": "https://example.org/hook", "name": "My <b>hook"}
    page = client.post(f"{ACCOUNTS}/connect", form)
    assert page.status_code == 200 and "whsec_" in page.text and "My &lt;b&gt;hook" in page.text
    assert "whsec_" not in client.get(ACCOUNTS).text


def test_the_way_to_a_consent_page_is_a_link_and_back_is_this_page(
    alice: Profile,
    browser_of: BrowserOf,
    x_consent: ConsentServer,  # noqa: F811
) -> None:
    client = browser_of(alice)
    page = client.post(f"{ACCOUNTS}/connect", {"network": "x"})
    address = unescape(page.text.partition('<a class="button" href="')[2].partition('"')[0])
    state = parse_qs(urlsplit(address).query)["state"][0]
    way = f"/api/accounts/callback/x?state={state}&code=good"
    for words in ("X is connected.", "unknown, used or too old"):
        back = client.get(way, headers={"Accept": "text/html,*/*;q=0.8"})
        assert back["Location"] == ACCOUNTS
        assert words in client.get(ACCOUNTS).text
    assert SocialAccount.objects.get().handle == "wren"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"network": "bluesky"}, "This network needs it."),
        ({"network": "webhook"}, "This network needs it."),
        ({"network": "myspace"}, "Select a valid choice"),
        ({"network": "webhook", "base_url": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"network": "webhook", "base_url": "https://me@example.org"}, "Give an address such as"),
        ({"network": "x"}, "not registered with X"),
    ],
)
def test_what_cannot_be_connected_is_said_and_kept(
    form: dict[str, str], words: str, alice: Profile, browser_of: BrowserOf
) -> None:
    typed = {"identifier": "" if form["network"] == "bluesky" else "kept.example", "password": "hush-hush", **form}
    page = browser_of(alice).post(f"{ACCOUNTS}/connect", typed)
    assert page.status_code == 422 and words in page.text
    assert typed["identifier"] in page.text and "hush-hush" not in page.text
    assert not SocialAccount.objects.exists()


def test_disconnecting_is_the_owners_alone(
    alice: Profile, bob: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    address = f"{ACCOUNTS}/{account.pk}/disconnect"
    assert browser_of(bob).post(address).status_code == 404
    browser_of(alice).post(address)
    account.refresh_from_db()
    assert account.state == SocialAccount.State.DISCONNECTED
