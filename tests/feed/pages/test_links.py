"""Every link on every page leads somewhere, for somebody of whom every page shows something, and for a stranger."""

import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import resolve

from agents.models import Profile
from tests.browser import hostile

pytestmark = pytest.mark.django_db

type BrowserOf = Callable[[Profile | None], Client]
LINK = re.compile(r'<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"]*)"')
# Of one kind of page, such as the months of a calendar, a few stand for all.
OF_A_KIND = 3
# The hostile post's image has no file.
ABSENT = "/media/posts/none.png"


@pytest.mark.parametrize("is_stranger", [False, True], ids=["alice", "a stranger"])
def test_every_link_answers(
    is_stranger: bool, alice: Profile, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = hostile.fill(alice, monkeypatch)
    client = browser_of(None if is_stranger else alice)
    begin = hostile.STRANGERS if is_stranger else [path for paths in rooms.values() for path in paths]
    waiting = [path for path in begin if path != "/nowhere" and "%22" not in path]
    seen, kinds, dead = set(waiting), Counter[str](), []
    while waiting:
        path = waiting.pop()
        if path.startswith("/static/"):
            if not finders.find(path.removeprefix("/static/")):
                dead.append(path)
            continue
        kind = resolve(urlsplit(path).path).view_name
        kinds[kind] += 1
        if kinds[kind] > OF_A_KIND:
            continue
        answer = client.get(path, follow=True)
        if answer.status_code >= 400:
            dead.append(f"{path}: {answer.status_code}")
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        found = {urljoin(path, unescape(link)).partition("#")[0] for link in LINK.findall(answer.text)}
        new = {link for link in found if link.startswith("/") and not link.startswith("//")} - seen - {ABSENT}
        seen |= new
        waiting += sorted(new)
    assert dead == []
    assert len(kinds) >= (8 if is_stranger else 40), sorted(kinds)
