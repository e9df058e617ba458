"""Importing from a page: every line looked at, all of them or none, and what was pasted stays."""

import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Profile
from posts.publishing.models import Publication, SocialAccount
from tests.budgets import assert_within_budget
from tests.feed.pages.studio.calendar.conftest import may

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
IMPORT = "/studio/calendar/import"


def csv_of(account: SocialAccount, *texts: str, moment: str = "") -> str:
    moment = moment or may(12).isoformat()
    return "account,text,scheduled_at\n" + "".join(f'{account.pk},"{text}",{moment}\n' for text in texts)


def test_the_page_takes_three_statements(alice: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    # The user; the accounts; what is unread.
    page = assert_within_budget(browser_of(alice), IMPORT, exact=True)
    assert f"<code>{account.pk}</code> Mastodon wren" in page.text


def test_a_file_is_looked_at_and_then_imported_once(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    client = browser_of(alice)
    file = SimpleUploadedFile("plan.csv", csv_of(account, "One", "Two <b>").encode())
    page = client.post(IMPORT, {"file": file, "token": "t", "look": "yes"})
    assert page.status_code == 200 and "2 lines: all good" in page.text and "Two &lt;b&gt;" in page.text
    assert not Publication.objects.exists()
    for _ in range(2):
        answer = client.post(IMPORT, {"text": csv_of(account, "One", "Two <b>"), "token": "t", "import": "yes"})
        assert answer["Location"] == f"/studio/calendar/?day={may(12).date()}"
    assert Publication.objects.count() == 2


def test_json_can_be_imported_too(alice: Profile, account: SocialAccount, browser_of: BrowserOf) -> None:
    rows = [{"account": account.pk, "text": "One", "scheduled_at": may(12).isoformat()}]
    browser_of(alice).post(IMPORT, {"text": json.dumps(rows), "token": "t", "import": "yes"})
    assert Publication.objects.get().scheduled_at == may(12)


def test_one_bad_line_keeps_all_of_them_out_and_is_named(
    alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    text = csv_of(account, "One", "x" * 501) + "999,<i>Three</i>,2001-01-01T00:00:00Z\n"
    page = browser_of(alice).post(IMPORT, {"text": text, "token": "t", "import": "yes"})
    assert page.status_code == 422 and "3 lines: 2 need mending" in page.text
    assert "this text has 501" in page.text and "You have no such account." in page.text
    assert "This moment has passed." in page.text
    assert "&lt;i&gt;Three" in page.text and "<i>Three" not in page.text
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Choose a file"),
        ("a,b\n1,2\n", "The columns are"),
        ("account,text\n", "There are no lines"),
        ("[1, 2]", "a list of objects"),
        ('{"account": 1}', "a list of objects"),
        ("[", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ('[{"account": "1", "text": "a\\u0000b"}]', "a character that no text has"),
        ('[{"account": "1", "text": "a\\ud800b"}]', "a character that no text has"),
        ("[{}]", "need"),
        ("x" * 900_001, "at most 900000"),
    ],
)
def test_what_is_no_import_is_said(
    text: str, words: str, alice: Profile, account: SocialAccount, browser_of: BrowserOf
) -> None:
    page = browser_of(alice).post(IMPORT, {"text": text, "token": "t", "import": "yes"})
    assert page.status_code == 422 and words in page.text
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe\x00", "not text in UTF-8"), (b"a\x00b", "not text"), (b"x" * 900_001, "larger than 900 kB")],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, words: str, alice: Profile, browser_of: BrowserOf) -> None:
    page = browser_of(alice).post(IMPORT, {"file": SimpleUploadedFile("plan.csv", content), "token": "t"})
    assert page.status_code == 422 and words in page.text
