"""Everything of somebody's as a file: asked for, built by a worker, kept for a week, seen by nobody else."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import orjson
import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from agents.inbox.services.conversations import start_conversation
from agents.models import Agent, Notification, Profile
from agents.services.blocks import block
from agents.services.follows import follow
from feed import exporting, exports
from feed.exports import ask_for_export, build_due, claim, expire
from feed.models import Export, exports_storage
from posts.services.interactions import like_post
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_comment, make_key, make_person, make_post


@pytest.fixture(autouse=True)
def no_other_files() -> Iterator[None]:
    """Neither find what other tests had stored nor leave anything to them."""
    delete_files()
    yield
    delete_files()


def delete_files() -> None:
    for name in stored():
        exports_storage().delete(name)


def stored() -> list[str]:
    return exports_storage().listdir("")[1] if exports_storage().exists("") else []


def lapse() -> None:
    Export.objects.filter(state="asked").update(lease_until=Now())


def files_in(content: bytes) -> dict[str, list[dict[str, Any]]]:
    archive = zipfile.ZipFile(BytesIO(content))
    return {
        name.removesuffix(".jsonl"): [orjson.loads(line) for line in archive.read(name).splitlines()]
        for name in archive.namelist()
        if name.endswith(".jsonl")
    }


def test_ones_data_is_ones_own_and_that_of_ones_agents(
    client_of: MakeClient, alice: Profile, wren: Agent, bob: Profile, charlie: Profile
) -> None:
    post = make_post(author=wren.profile, title="First frost", layer=2)
    theirs = make_post(author=bob, title="Not hers", layer=2)
    make_comment(post=post, author=alice, body="Mine")
    make_comment(post=theirs, author=bob, body="Theirs")
    like_post(profile=alice, post=post)
    follow(follower=alice, author=bob)
    block(blocker=alice, blocked=charlie)
    start_conversation(sender=alice, recipient=bob, body="Between us")
    start_conversation(sender=bob, recipient=charlie, body="Between them")
    key = make_key(wren.profile)
    client = client_of(alice)
    asked = client.post("/api/me/exports")
    assert (asked.status_code, asked.json()["state"]) == (202, "asked")
    path = f"/api/me/exports/{asked.json()['id']}"
    assert client.get(f"{path}/file").status_code == 404
    assert build_due() == 1
    state = client.get(path).json()
    assert state["state"] == "ready" and client.get("/api/me/exports").json()["results"] == [state]
    answer = client.get(f"{path}/file")
    content = answer.content
    assert len(content) == state["size_bytes"] and answer["Cache-Control"] == "no-store"
    files = files_in(content)
    assert {row["handle"] for row in files["profiles"]} == {"alice", "wren"}
    assert [row["title"] for row in files["posts"]] == ["First frost"]
    assert [row["body"] for row in files["comments"]] == ["Mine"]
    assert [row["body"] for row in files["messages"]] == ["Between us"]
    assert [row["author__handle"] for row in files["follows"]] == ["bob"]
    assert {row["blocked__handle"] for row in files["blocks"]} == {"charlie"}
    assert len(files["likes"]) == 1 and len(files["keys"]) == 2 and files["personas"]
    everything = orjson.dumps(files).decode()
    assert "Not hers" not in everything and "Between them" not in everything and "Theirs" not in everything
    assert key not in everything and "password" not in everything and "digest" not in everything
    # Nobody else sees it, and no agent, nor a key that may not manage.
    others = [(bob, None, 404), (wren.profile, None, 404), (None, None, 401), (alice, ["read"], 403)]
    for profile, scopes, status in others:
        for place in (path, f"{path}/file"):
            assert client_of(profile, scopes=scopes).get(place).status_code == status
    assert client_of(wren.profile).post("/api/me/exports").status_code == 403


def test_the_settings_ask_tell_and_offer_it(alice: Profile, bob: Profile) -> None:
    assert alice.user and bob.user
    browser, other = Client(), Client()
    browser.force_login(alice.user)
    other.force_login(bob.user)
    for _ in range(2):
        assert "being put into a file since" in browser.post("/settings/exports", follow=True).text
    export = Export.objects.get()
    place = f"/settings/exports/{export.pk}"
    assert browser.get(place).status_code == 404
    build_due()
    told = Notification.objects.get(profile=alice, kind="export")
    assert told.url == "/settings#data" and f'href="{place}"' in browser.get("/settings").text
    assert browser.get(place)["Content-Disposition"].startswith("attachment")
    assert other.get(place).status_code == 404 and Client().get(place).status_code == 302


def test_an_export_reads_batch_by_batch(charlie: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BATCH", 3)
    titles = [make_post(author=charlie).title for _ in range(8)]
    export = ask_for_export(owner=charlie)
    build_due()
    export.refresh_from_db()
    with export.file.open() as file:
        assert [row["title"] for row in files_in(file.read())["posts"]] == titles


def test_a_worker_that_dies_is_followed_by_another(charlie: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask_for_export(owner=charlie)

    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    # Its file is stored already, and nobody knows of it.
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(exports, "close", die)
        build_due()
    assert stored() == [f"{export.pk}-1.zip"] and build_due() == 0
    lapse()
    assert build_due() == 1 and stored() == [f"{export.pk}-2.zip"]
    assert Notification.objects.filter(kind="export").count() == 1 and build_due() == 0


def test_who_was_paused_beyond_the_lease_writes_nothing(charlie: Profile) -> None:
    ask_for_export(owner=charlie)
    late = claim()
    lapse()
    assert late and build_due() == 1
    before = Export.objects.get()
    assert exports.build(late) is False
    assert Export.objects.get().file == before.file and stored() == [before.file.name]


def test_what_fails_again_and_again_is_given_up_and_said(charlie: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for_export(owner=charlie)
    for _ in range(exports.MOST_ATTEMPTS):
        assert claim()
        lapse()
    assert claim() is None and Export.objects.get().state == "failed"
    assert "ask again" in Notification.objects.get(kind="export").text
    assert ask_for_export(owner=charlie).state == "asked"


def test_a_file_is_deleted_when_its_week_is_over(charlie: Profile) -> None:
    ask_for_export(owner=charlie)
    build_due()
    assert expire() == 0 and len(stored()) == 1
    Export.objects.update(expires_at=Now())
    assert expire() == 1 and not stored() and not Export.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_asking_at_the_same_moment_is_asking_once() -> None:
    owner = make_person()
    found = run_together(6, lambda number: ask_for_export(owner=owner).pk)
    assert len(set(found)) == 1
    claimed = [export for export in run_together(4, lambda number: claim()) if export]
    assert len(claimed) == 1


@pytest.mark.django_db
def test_each_batch_is_read_in_the_order_of_an_index() -> None:
    """An owner with a hundred thousand rows among millions is neither sorted nor looked for, batch after batch."""
    for name, kind in exporting.KINDS.items():
        meta = kind.model._meta
        order = [meta.get_field(field).column for field in dict.fromkeys([kind.of, kind.by])]
        with connection.cursor() as cursor:
            indexes = connection.introspection.get_constraints(cursor, meta.db_table).values()
        ordered = [index["columns"] for index in indexes if index["index"] or index["unique"]]
        assert order in [columns[: len(order)] for columns in ordered], (name, order)
