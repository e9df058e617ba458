from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent, ApiKey, Profile
from agents.services.keys import create_key, digest_of, is_sealed, record_use, revoke_key, rotate_key
from tests.concurrency import run_together
from tests.conftest import MakeClient
from tests.factories import make_key, make_person


def test_the_key_itself_is_not_stored(alice: Profile) -> None:
    row, secret = create_key(profile=alice, name="laptop", scopes=["read"])
    stored = ApiKey.objects.values().get(pk=row.pk)
    assert secret not in str(stored)
    assert secret.split("_", 2)[2] not in str(stored)
    assert bytes(stored["digest"]) == digest_of(secret)


@pytest.mark.django_db(transaction=True)
def test_of_many_rotations_at_the_same_moment_one_wins() -> None:
    key, _ = create_key(profile=make_person(), name="laptop", scopes=["read"])

    def rotate(_: int) -> bool:
        try:
            rotate_key(key=key)
        except ApiKey.DoesNotExist:
            return False
        return True

    assert sum(run_together(5, rotate)) == 1
    assert ApiKey.objects.live().count() == 1


def test_a_use_is_written_at_most_every_few_minutes(alice: Profile) -> None:
    key, _ = create_key(profile=alice, name="laptop", scopes=["read"])
    record_use(key=key)
    key.refresh_from_db()
    first = key.last_used_at
    record_use(key=key)
    key.refresh_from_db()
    assert key.last_used_at == first


class TestAuthentication:
    def test_it_accepts_the_key_in_each_of_its_headers(self, client_of: MakeClient, alice: Profile) -> None:
        key = make_key(alice)
        for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"Token {key}"}, {"X-API-Key": key}):
            assert client_of().get("/api/me/profile", headers=headers).json()["handle"] == "alice"

    @pytest.mark.parametrize("key", ["", "avy_", "avy_00000000_x", "x" * 5000, "avy_\xff", "Bearer"])
    def test_it_rejects_what_is_not_a_key(self, client_of: MakeClient, key: str) -> None:
        response = client_of().get("/api/explore", headers={"X-API-Key": key})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_it_rejects_a_revoked_key(self, client_of: MakeClient, alice: Profile) -> None:
        client = client_of(alice)
        revoke_key(key=alice.api_keys.get())
        assert client.get("/api/me/profile").status_code == 401

    def test_it_rejects_an_expired_key(self, client_of: MakeClient, alice: Profile) -> None:
        client = client_of(alice)
        alice.api_keys.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert client.get("/api/me/profile").status_code == 401

    def test_it_rejects_the_key_of_a_deactivated_agent(self, client_of: MakeClient, wren: Agent) -> None:
        client = client_of(wren.profile)
        assert client.get("/api/me/profile").status_code == 200
        Agent.objects.update(is_active=False)
        assert client.get("/api/me/profile").status_code == 401

    def test_it_rejects_the_agent_key_of_a_deactivated_owner(
        self, client_of: MakeClient, wren: Agent, alice: Profile
    ) -> None:
        client = client_of(wren.profile)
        assert alice.user
        alice.user.is_active = False
        alice.user.save()
        assert client.get("/api/me/profile").status_code == 401


class TestScopes:
    def test_a_key_without_the_scope_is_refused(self, client_of: MakeClient, alice: Profile) -> None:
        reader = client_of(alice, scopes=["read"])
        assert reader.get("/api/feed").status_code == 200
        assert reader.post("/api/posts", {"title": "Hello"}, format="json").status_code == 403

    def test_a_key_that_only_writes_cannot_read(self, client_of: MakeClient, alice: Profile) -> None:
        assert client_of(alice, scopes=["post"]).get("/api/feed").status_code == 403

    def test_a_key_makes_none_that_may_more(self, client_of: MakeClient, alice: Profile) -> None:
        client = client_of(alice, scopes=["read", "keys"])
        response = client.post("/api/keys", {"name": "more", "scopes": ["read", "post"]}, format="json")
        assert response.status_code == 400
        assert response.json()["errors"][0]["field"] == "scopes"

    def test_a_key_does_not_rotate_one_that_may_more(self, client_of: MakeClient, alice: Profile) -> None:
        make_key(alice)
        client = client_of(alice, scopes=["read", "keys"])
        stronger = alice.api_keys.order_by("id")[0]
        assert client.post(f"/api/keys/{stronger.pk}/rotate").status_code == 403

    def test_keys_of_others_do_not_exist(self, client_of: MakeClient, alice: Profile, charlie: Profile) -> None:
        make_key(alice)
        client = client_of(charlie)
        key = alice.api_keys.get()
        assert client.delete(f"/api/keys/{key.pk}").status_code == 404
        assert client.post(f"/api/keys/{key.pk}/rotate").status_code == 404
        assert ApiKey.objects.get(pk=key.pk).revoked_at is None


def test_a_key_known_to_be_sealed_is_no_longer_when_the_secret_is_gone(wren: Agent, settings: Any) -> None:
    _, key = create_key(profile=wren.profile, name="bot", scopes=["read"])
    guess = f"{key[:-1]}{'A' if key[-1] != 'A' else 'B'}"
    for _ in range(2):
        assert is_sealed(key, digest_of(key)) and not is_sealed(guess, digest_of(guess))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 50, [settings.SECRET_KEY]
    assert is_sealed(key, digest_of(key))
    settings.SECRET_KEY_FALLBACKS = []
    assert not is_sealed(key, digest_of(key))
