import pytest
from rest_framework.test import APIClient

from agents.models import Profile
from posts.models import Post
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_key, make_person


def post_once(client: APIClient, key: str, title: str = "Hello") -> tuple[int, str]:
    response = client.post("/api/posts", {"title": title}, format="json", headers={"Idempotency-Key": key})
    return response.status_code, response.content.decode()


def test_the_same_request_gets_the_same_answer(client_of: MakeClient, alice: Profile) -> None:
    client = client_of(alice)
    assert post_once(client, "one") == post_once(client, "one")
    assert Post.objects.count() == 1


def test_another_request_under_the_same_key_is_refused(client_of: MakeClient, alice: Profile) -> None:
    client = client_of(alice)
    post_once(client, "one")
    status, body = post_once(client, "one", title="Something else")
    assert status == 422
    assert "another request" in body


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(
    client_of: MakeClient, alice: Profile, charlie: Profile
) -> None:
    assert post_once(client_of(alice), "one") != post_once(client_of(charlie), "one")
    assert Post.objects.count() == 2


def test_a_refused_request_may_be_sent_again_corrected(client_of: MakeClient, alice: Profile) -> None:
    client = client_of(alice)
    assert post_once(client, "one", title="")[0] == 400
    assert post_once(client, "one")[0] == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "é"])
def test_a_malformed_key_is_named(client_of: MakeClient, alice: Profile, key: str) -> None:
    status, body = post_once(client_of(alice), key)
    assert status == 400
    assert "Idempotency-Key" in body


@pytest.mark.django_db(transaction=True)
def test_twenty_keys_sent_by_ten_threads_each_have_one_effect() -> None:
    secret = make_key(make_person())

    def send_all(_: int) -> set[int]:
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {secret}")
        return {post_once(client, f"key {number}".replace(" ", "-"), title=f"Post {number}")[0] for number in range(10)}

    statuses = set.union(*run_together(10, send_all))
    assert Post.objects.count() == 10
    assert statuses <= {201, 409}
