"""Every network under every fault: what was asked for is out exactly once, or a person is asked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from agents.models import Profile
from posts.publishing.models import AccountEvent, Publication, SocialAccount
from posts.publishing.networks.base import Credentials, Identity, Network
from posts.publishing.services import outcomes
from posts.publishing.services.connecting import disconnect, save_account
from posts.publishing.services.recurring import schedule_due
from posts.publishing.states import Status
from posts.publishing.worker import Worker
from tests.conftest import MakeClient
from tests.networks.server import NetworkServer
from tests.networks.speakers import (
    BlueskySpeaker,
    GraphSpeaker,
    LinkedInSpeaker,
    MastodonSpeaker,
    Speaker,
    WebhookSpeaker,
    XSpeaker,
)
from tests.publishing import make_publication, make_recurring_post, publish_all

pytestmark = pytest.mark.django_db(transaction=True)

type MakeAccount = Callable[..., SocialAccount]

PUBLISHING_PATH = {
    "mastodon": "/api/v1/statuses",
    "bluesky": "/xrpc/com.atproto.repo.createRecord",
    "x": "/2/tweets",
    "linkedin": "/rest/posts",
    "facebook": "/v25.0/page/feed",
    "webhook": "/hook",
}
SPEAKERS: dict[str, type[Speaker]] = {
    "mastodon": MastodonSpeaker,
    "bluesky": BlueskySpeaker,
    "x": XSpeaker,
    "linkedin": LinkedInSpeaker,
    "facebook": GraphSpeaker,
}
LOST = [
    {"kind": "timeout", "after": False},
    {"kind": "timeout", "after": True},
    {"kind": "reset", "after": False},
    {"kind": "reset", "after": True},
    {"kind": "reset_mid_body", "after": True},
    {"kind": "status", "status": 500, "after": False},
    {"kind": "status", "status": 503, "after": True},
    {"kind": "garbage", "after": True},
]


def name_of(fault: dict[str, Any]) -> str:
    return f"{fault.get('status', fault['kind'])}-{'after' if fault['after'] else 'before'}"


@pytest.mark.parametrize("fault", LOST, ids=name_of)
@pytest.mark.parametrize("network", SPEAKERS)
def test_a_lost_answer_is_read_back_and_the_post_is_out_once(
    network: str, fault: dict[str, Any], networks: NetworkServer, account_on: MakeAccount
) -> None:
    speaker = SPEAKERS[network]()
    networks.speakers.append(speaker)  # type: ignore[arg-type]
    publication = make_publication(account=account_on(network))
    networks.fail(path=PUBLISHING_PATH[network], **fault)
    publish_all()
    publication.refresh_from_db()
    assert speaker.texts() == ["A small bird sang."]
    assert publication.status == Status.PUBLISHED
    assert publication.remote_id


@pytest.mark.parametrize("fault", LOST, ids=name_of)
@pytest.mark.parametrize("remembers", [True, False])
def test_a_receiver_that_cannot_be_read_back_is_repeated_with_its_key_or_not_at_all(
    fault: dict[str, Any], remembers: bool, networks: NetworkServer, webhook: WebhookSpeaker, account_on: MakeAccount
) -> None:
    webhook.remembers = remembers
    account = account_on("webhook", limits={"takes_idempotency_key": remembers})
    publication = make_publication(account=account)
    networks.fail(path="/hook", **fault)
    if fault["kind"] == "garbage":
        # Success in any words is success for a receiver of somebody's own.
        publish_all()
        assert len(webhook.posts) == 1
        return
    publish_all()
    publication.refresh_from_db()
    if remembers:
        assert publication.status == Status.PUBLISHED
        assert len(webhook.posts) == 1
    else:
        assert publication.status == Status.UNKNOWN
        assert list(Publication.objects.awaiting_review()) == [publication]
        assert len(webhook.posts) == fault["after"]
        assert AccountEvent.objects.filter(kind="review").count() == 1


def test_a_post_that_is_not_there_after_a_lost_answer_is_sent_again_only_then(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    publication = make_publication(account=account_on("x"))
    networks.fail("timeout", path="/2/tweets")
    publish_all()
    steps = publication.events.order_by("id").values_list("to_status", "reason")
    assert [status for status, _ in steps] == [
        "queued",
        "sending",
        "unknown",
        "queued",
        "sending",
        "published",
    ]
    assert steps[3][1] == "Read back: certainly not there"


def test_an_older_post_with_the_same_words_is_not_taken_for_this_one(
    networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    account = account_on("mastodon")
    make_publication(account=account)
    publish_all()
    again = make_publication(account=account)
    networks.fail("timeout", path="/api/v1/statuses")
    publish_all()
    again.refresh_from_db()
    assert len(mastodon.posts) == 2
    assert again.remote_id == mastodon.posts[0]["id"]


def test_two_rows_in_doubt_with_the_same_words_end_as_two_posts(
    networks: NetworkServer, linkedin: LinkedInSpeaker, account_on: MakeAccount
) -> None:
    account = account_on("linkedin")
    first, second = make_publication(account=account), make_publication(account=account)
    networks.fail("timeout", path="/rest/posts", after=True, times=2)
    publish_all()
    assert len(linkedin.posts) == 2
    ids = Publication.objects.filter(pk__in=[first.pk, second.pk]).values_list("remote_id", flat=True)
    assert set(ids) == {post["urn"] for post in linkedin.posts}


def test_a_duplicate_refused_because_of_a_lost_attempt_is_adopted(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    publication = make_publication(account=account_on("x"))
    networks.fail("call", path="/2/tweets", action=lambda: x.add("A small bird sang."))
    publish_all()
    publication.refresh_from_db()
    assert (publication.status, publication.remote_id) == (Status.PUBLISHED, x.posts[0]["id"])
    assert len(x.posts) == 1


def test_a_duplicate_refused_because_of_an_older_post_fails_with_that_reason(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount
) -> None:
    old = x.add("A small bird sang.")
    old["at"] = old["at"].replace(year=old["at"].year - 1)
    publication = make_publication(account=account_on("x"))
    publish_all()
    publication.refresh_from_db()
    assert (publication.status, publication.error_class) == (Status.FAILED, "duplicate")


def test_a_network_that_is_down_is_tried_again_later(networks: NetworkServer, account_on: MakeAccount) -> None:
    account = account_on("mastodon", base_url="http://127.0.0.1:9")
    publication = make_publication(account=account)
    Worker(networks=["mastodon"]).run(seconds=1)
    publication.refresh_from_db()
    assert publication.status == Status.QUEUED
    assert publication.due_at is not None and publication.due_at > publication.created_at
    assert publication.error_class == "unreachable"


def test_a_worker_whose_lease_went_to_another_one_cannot_write(
    networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    publication = make_publication(account=account_on("mastodon"))

    def another_worker_claims() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE publishing_publication SET fence = fence + 1, status = 'unknown', due_at = NULL")
        connection.close()

    networks.fail("call", path="/api/v1/statuses", after=True, action=another_worker_claims)
    Worker(networks=["mastodon"]).run(seconds=5)
    publication.refresh_from_db()
    assert publication.status == Status.UNKNOWN
    assert publication.remote_id is None


def test_a_row_whose_sender_vanished_is_unknown_and_is_read_back(
    networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    publication = make_publication(account=account_on("mastodon"))
    mastodon.add("A small bird sang.", key=None)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publishing_publication SET status = 'sending', fence = 1, attempt = 1, first_sent_at = now(),"
            " lease_until = now() - interval '1 second', due_at = now() - interval '1 second'"
        )
    publish_all()
    publication.refresh_from_db()
    assert publication.status == Status.PUBLISHED
    assert len(mastodon.posts) == 1
    assert publication.events.filter(to_status="unknown", reason="The lease ran out").exists()


def test_an_answer_outlives_a_database_that_goes_away_meanwhile(
    networks: NetworkServer, webhook: WebhookSpeaker, account_on: MakeAccount
) -> None:
    publication = make_publication(account=account_on("webhook"))

    def end_the_workers_connection() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.close()

    networks.fail("call", path="/hook", after=True, action=end_the_workers_connection)
    Worker(networks=["webhook"]).run(seconds=5)
    # Nobody is asked, though this receiver can neither be read back nor be sent the same again.
    steps = publication.events.order_by("id").values_list("to_status", flat=True)
    assert list(steps) == ["queued", "sending", "published"]
    assert len(webhook.posts) == 1


def test_a_refusal_that_a_deadlock_undid_is_written_down_once_more(
    networks: NetworkServer, x: XSpeaker, account_on: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = make_publication(account=account_on("x"))
    networks.fail("status", path="/2/tweets", status=403)
    told = outcomes.announce
    undone = [OperationalError("deadlock detected")]

    def announce(**options: Any) -> None:
        if undone:
            raise undone.pop()
        told(**options)

    monkeypatch.setattr(outcomes, "announce", announce)
    Worker(networks=["x"]).run(seconds=5)
    publication.refresh_from_db()
    assert (publication.status, publication.error_class, undone) == (Status.FAILED, "refused", [])
    assert publication.events.filter(to_status="failed").count() == 1


def test_a_text_never_goes_out_through_an_account_that_belongs_to_somebody_else_by_now(
    alice: Profile, charlie: Profile, client_of: MakeClient, mastodon: MastodonSpeaker, account_on: MakeAccount
) -> None:
    account = account_on("mastodon")
    publication = make_publication(account=account)
    recurring = make_recurring_post(account=account)
    outcomes.record_failed(publication, "Refused", error_class="refused")
    disconnect(account=account, actor=alice)
    identity = Identity(account.platform_user_id, "wren")
    save_account(owner=charlie, network="mastodon", base_url="", identity=identity, credentials=Credentials("token"))
    # What is left to alice is a failed publication and a recurring post.
    assert client_of(alice).post(f"/api/publications/{publication.pk}/retry").status_code == 200
    publish_all()
    publication.refresh_from_db()
    assert publication.status == Status.CANCELLED
    assert schedule_due() == 0
    recurring.refresh_from_db()
    assert recurring.problem == "This account belongs to another profile now."
    assert mastodon.posts == []


def test_network_threads_hold_no_database_connection(
    networks: NetworkServer, mastodon: MastodonSpeaker, account_on: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_publication(account=account_on("mastodon"))
    held: list[Any] = []
    original = Network.call

    def watched(self: Network, *args: Any, **options: Any) -> Any:
        held.append(connection.connection)
        return original(self, *args, **options)

    monkeypatch.setattr(Network, "call", watched)
    publish_all()
    assert held == [None]
