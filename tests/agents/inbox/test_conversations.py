"""Two profiles write to each other: requests, answers, unread counts, muting, blocking."""

from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from agents.inbox.models import Conversation, Member, Message
from agents.inbox.services.conversations import accept, mute, read_up_to, send_message, start_conversation
from agents.models import Agent, Block, Notification, Profile
from agents.services.blocks import block, unblock
from agents.services.follows import follow
from tests.budgets import assert_within_budget
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_person

PATH = "/api/conversations"


def write(sender: Profile, recipient: Profile, body: str = "Hello", **fields: Any) -> Message:
    return start_conversation(sender=sender, recipient=recipient, body=body, **fields)[1]


def side(profile: Profile) -> Member:
    return Member.objects.for_list(profile).get()


def requests_told(profile: Profile) -> list[str]:
    return list(Notification.objects.filter(profile=profile, kind="message").values_list("text", flat=True))


def test_a_stranger_sends_one_message_until_it_is_accepted(alice: Profile, charlie: Profile) -> None:
    write(charlie, alice)
    assert (side(alice).accepted_at, side(alice).unread_count) == (None, 1)
    assert requests_told(alice) == ["@charlie would like to write to you"]
    with pytest.raises(PermissionDenied, match="not been accepted"):
        write(charlie, alice)
    accept(member=side(alice))
    write(charlie, alice)
    assert (side(alice).unread_count, side(charlie).unread_count) == (2, 0)
    # The second message is told by the count alone.
    assert len(requests_told(alice)) == 1


def test_an_answer_accepts_the_request(alice: Profile, charlie: Profile) -> None:
    write(charlie, alice)
    write(alice, charlie)
    write(charlie, alice)
    assert side(alice).accepted_at is not None
    assert Conversation.objects.count() == 1


def test_followers_owners_and_own_agents_need_not_ask(wren: Agent, alice: Profile, bob: Profile) -> None:
    # Bob follows wren, so wren may write to him; alice owns wren.
    for sender, recipient in ((wren.profile, bob), (alice, wren.profile)):
        write(sender, recipient)
        assert Member.objects.filter(conversation__messages__sender=sender, accepted_at=None).count() == 0


def test_an_owner_is_told_when_a_message_needs_a_person(wren: Agent, alice: Profile, bob: Profile) -> None:
    write(wren.profile, bob)
    write(wren.profile, bob, needs_human_input=True)
    assert requests_told(alice) == requests_told(bob) == ["@wren asks for a person"]
    write(bob, wren.profile, needs_human_input=True)
    assert "@bob asks for a person" in requests_told(alice)


def test_who_mutes_is_not_told_but_counts(alice: Profile, bob: Profile) -> None:
    write(alice, bob)
    write(bob, alice)
    mute(member=side(bob), is_muted=True)
    write(alice, bob, needs_human_input=True)
    assert (requests_told(bob), side(bob).unread_count) == (["@alice would like to write to you"], 1)


def test_reading_counts_what_came_after(alice: Profile, bob: Profile) -> None:
    write(alice, bob)
    write(bob, alice)
    first, _, third = (write(bob, alice, body) for body in "abc")
    assert read_up_to(member=side(alice), message_id=first.pk) == 2
    write(alice, bob)
    assert side(alice).unread_count == 0
    assert read_up_to(member=side(alice), message_id=first.pk) == 0
    assert read_up_to(member=side(bob), message_id=third.pk) == 1


class TestBlocking:
    def test_the_blocked_can_neither_write_nor_follow(self, alice: Profile, bob: Profile) -> None:
        conversation, _ = start_conversation(sender=bob, recipient=alice, body="Hello")
        follow(follower=bob, author=alice)
        assert block(blocker=alice, blocked=bob) is True
        assert block(blocker=alice, blocked=bob) is False
        alice.refresh_from_db()
        assert (alice.follower_count, alice.followers.count()) == (0, 0)
        for sender in (alice, bob):
            with pytest.raises(PermissionDenied, match="blocks"):
                accept(member=side(alice))
                send_message(conversation=conversation, sender=sender, body="Hello")
        with pytest.raises(PermissionDenied, match="does not want"):
            follow(follower=bob, author=alice)
        unblock(blocker=alice, blocked=bob)
        send_message(conversation=conversation, sender=bob, body="Hello")
        follow(follower=bob, author=alice)

    def test_the_api_tells_it_as_a_problem(self, client_of: MakeClient, alice: Profile, bob: Profile) -> None:
        write(bob, alice)
        path = f"{PATH}/{side(alice).conversation_id}"
        assert client_of(alice).post(f"{path}/block").json() == {"is_blocked": True}
        for request in (f"{path}/messages", PATH):
            body = {"body": "Hi"} | ({"to": "alice"} if request == PATH else {})
            response = client_of(bob).post(request, body, format="json")
            assert (response.status_code, response.headers["Content-Type"]) == (403, "application/problem+json")
        assert client_of(bob).post("/api/users/alice/follow").status_code == 403
        assert client_of(alice).post(f"{path}/block", {"is_blocked": False}, format="json").status_code == 200
        assert not Block.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_a_follow_at_the_same_moment_never_outlives_a_block(self) -> None:
        for _ in range(5):
            author, follower = make_person(), make_person()

            def act(number: int, author: Profile = author, follower: Profile = follower) -> None:
                if number:
                    block(blocker=author, blocked=follower)
                    return
                with suppress(PermissionDenied):
                    follow(follower=follower, author=author)

            run_together(2, act)
            assert not author.followers.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_write_at_the_same_moment_meet_in_one_conversation() -> None:
    for _ in range(5):
        pair = make_person(), make_person()
        run_together(2, lambda i, pair=pair: write(pair[i], pair[1 - i]))
    assert (Conversation.objects.count(), Member.objects.count(), Message.objects.count()) == (5, 10, 10)
    assert not Member.objects.filter(accepted_at=None).exists()
    assert set(Member.objects.values_list("unread_count", flat=True)) <= {0, 1}


@pytest.mark.django_db(transaction=True)
def test_every_message_sent_at_the_same_moment_is_counted() -> None:
    sender, recipient = make_person(), make_person()
    write(recipient, sender)
    conversation = side(sender).conversation
    accept(member=side(sender))
    run_together(8, lambda _: send_message(conversation=conversation, sender=sender, body="Hello"))
    assert side(recipient).unread_count == 8


@pytest.mark.parametrize("size", [2, 20])
def test_reading_and_writing_cost_the_same_at_any_size(client_of: MakeClient, alice: Profile, size: int) -> None:
    for _ in range(size):
        other = make_person()
        write(other, alice)
        accept(member=Member.objects.get(profile=alice, accepted_at=None))
        for _ in range(size - 1):
            write(other, alice)
    client = client_of(alice)
    conversations = assert_within_budget(client, PATH, exact=True).json()["results"]
    assert [row["unread_count"] for row in conversations] == [size] * size
    assert conversations[0]["other"]["handle"] == other.handle
    path = f"{PATH}/{conversations[0]['id']}/messages"
    assert len(assert_within_budget(client, path, exact=True).json()["results"]) == size
    assert_within_budget(client, path, method="POST", exact=True, data={"body": "Hi"}, format="json")
    new = make_person()
    data = {"to": new.handle, "body": "Hi"}
    started = assert_within_budget(client, PATH, method="POST", exact=True, data=data, format="json")
    assert started.json()["message"]["body"] == "Hi"


def test_what_a_member_changes_is_its_own(client_of: MakeClient, alice: Profile, charlie: Profile) -> None:
    message = write(charlie, alice)
    path, client = f"{PATH}/{message.conversation_id}", client_of(alice)
    assert client.get(PATH).json()["results"][0]["is_request"] is True
    assert client.post(f"{path}/accept").json()["is_request"] is False
    assert client.post(f"{path}/mute").json()["is_muted"] is True
    assert client.post(f"{path}/mute", {"is_muted": False}, format="json").json()["is_muted"] is False
    assert client.post(f"{path}/read", {"up_to": message.pk}, format="json").json() == {"unread_count": 0}
    assert side(charlie).is_muted is False


@pytest.mark.parametrize("action", ["messages", "accept", "mute", "block", "read"])
def test_a_conversation_of_others_does_not_exist(
    client_of: MakeClient, alice: Profile, bob: Profile, charlie: Profile, action: str
) -> None:
    message = write(alice, bob)
    body = {"messages": {"body": "Hi"}, "read": {"up_to": 1}}.get(action, {})
    response = client_of(charlie).post(f"{PATH}/{message.conversation_id}/{action}", body, format="json")
    assert response.status_code == 404
    if action == "messages":
        assert client_of(charlie).get(f"{PATH}/{message.conversation_id}/messages").status_code == 404


@pytest.mark.parametrize(
    ("to", "status"), [("alice", 400), ("nobody", 404), ("not a handle", 400), ("ALICE", 400), ("bob", 201)]
)
def test_one_writes_to_somebody_else(client_of: MakeClient, alice: Profile, bob: Profile, to: str, status: int) -> None:
    response = client_of(alice).post(PATH, {"to": to, "body": "Hi"}, format="json")
    assert response.status_code == status


@pytest.mark.parametrize(
    "secret",
    [
        "avy_" + "0123abcd_" + "x" * 43,
        "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
        "-----BEGIN " + "PRIVATE KEY-----",
        "sk-" + "proj-abcdefghijklmnop1234",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
    ],
)
def test_a_secret_is_refused_before_it_is_stored(
    client_of: MakeClient, alice: Profile, bob: Profile, secret: str
) -> None:
    response = client_of(alice).post(PATH, {"to": "bob", "body": f"Use {secret}, please."}, format="json")
    (error,) = response.json()["errors"]
    assert (response.status_code, error["field"]) == (400, "body")
    assert secret not in response.content.decode()
    assert not Message.objects.exists() and not Conversation.objects.exists()


@pytest.mark.parametrize("text", ["ask-me-anything-about-this-long-word", "avy_ is how keys start", "A PRIVATE KEY"])
def test_what_only_looks_like_a_secret_is_sent(alice: Profile, bob: Profile, text: str) -> None:
    assert write(alice, bob, text).body == text


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test here writes."""
