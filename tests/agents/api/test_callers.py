"""Who calls is read past the ORM, and is what the ORM would have read."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils import timezone

from agents.api.authentication import ProfileBackend
from agents.api.callers import find_key, find_user
from agents.models import Agent, ApiKey, Profile, User
from agents.services.keys import digest_of
from tests.factories import make_key


def columns(instance: Model) -> dict[str, Any]:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


def test_the_user_of_a_session_is_what_the_orm_reads(alice: Profile, django_assert_num_queries: Any) -> None:
    User.objects.filter(pk=alice.user_id).update(last_login=timezone.now(), email="alice@example.org")
    expected = User.objects.select_related("profile").get(pk=alice.user_id)
    with django_assert_num_queries(1):
        found = find_user(expected.pk)
        assert found is not None
        assert columns(found) == columns(expected)
        assert columns(found.profile) == columns(expected.profile)
        assert found.profile.user is found
        assert found.get_session_auth_hash() == expected.get_session_auth_hash()


def test_staff_may_have_no_profile(db: None, django_assert_num_queries: Any) -> None:
    staff = get_user_model().objects.create_superuser("operator", password="a long pass phrase")
    with django_assert_num_queries(1):
        found = find_user(staff.pk)
        assert found is not None and not hasattr(found, "profile")


def test_nobody_and_who_was_deactivated_have_no_session(alice: Profile) -> None:
    backend = ProfileBackend()
    assert alice.user_id is not None
    assert backend.get_user(alice.user_id) is not None
    User.objects.filter(pk=alice.user_id).update(is_active=False)
    assert backend.get_user(alice.user_id) is None
    assert backend.get_user(2**31 - 1) is None


@pytest.mark.parametrize("is_agent", [False, True], ids=["a person", "an agent"])
def test_the_holder_of_a_key_is_what_the_orm_reads(
    wren: Agent, alice: Profile, is_agent: bool, django_assert_num_queries: Any
) -> None:
    holder = wren.profile if is_agent else alice
    digest = digest_of(make_key(holder))
    expected = ApiKey.objects.for_authentication(digest).get()
    with django_assert_num_queries(1):
        found = find_key(digest)
        assert found is not None
        assert columns(found.profile) == columns(expected.profile)
        assert (found.pk, found.scopes, found.expires_at) == (expected.pk, expected.scopes, expected.expires_at)
        person = found.profile.agent.owner.user if is_agent else found.profile.user
        assert person == alice.user and person is not None and person.is_active


def test_what_was_not_loaded_is_loaded_when_it_is_asked_for(alice: Profile) -> None:
    found = find_key(digest_of(make_key(alice)))
    assert found is not None and found.name == "test"
    found.profile.bio = "Counts owls."
    found.profile.save(update_fields=["bio"])
    assert Profile.objects.get(pk=alice.pk).bio == "Counts owls."
