from django.contrib.auth import get_user
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from agents.api.callers import find_key, find_user
from agents.api.guesses import find_unsealed_key
from agents.api.recalling import forget, recall
from agents.models import ApiKey, Profile, User
from agents.services.keys import KEY_PREFIX, digest_of, is_sealed, record_use

SCHEMES = ("bearer", "token")


class ProfileBackend(ModelBackend):
    """Django's log-in, loading the profile with the user: one statement for every session request."""

    def get_user(self, user_id: int) -> User | None:
        user = find_user(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


def presented_key(request: Request) -> str | None:
    """Return the API key that a request carries in `Authorization: Bearer` (or `Token`) or `X-API-Key`."""
    authorization: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() in SCHEMES:
        return str(credential).strip()
    found: str | None = request.META.get("HTTP_X_API_KEY")
    return found


class ApiKeyAuthentication(BaseAuthentication):
    """Resolve an API key with one indexed probe on its digest.

    `request.user` becomes the person who answers for the key, `request.auth` the key.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        presented = presented_key(request)
        if presented is None:
            return None
        key = self.find(request, presented)
        user = answerable_user(key.profile) if key else None
        if key is None or user is None:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.")
        if record_use(key=key):
            forget(digest_of(presented))
        return user, key

    def find(self, request: Request, presented: str) -> ApiKey | None:
        if not presented.startswith(KEY_PREFIX) or not presented.isascii():
            return None
        digest = digest_of(presented)
        if not is_sealed(presented, digest):
            return find_unsealed_key(request, digest)
        if not getattr(request, "may_recall_caller", False):
            return find_key(digest)
        key, request.counted = recall(digest)  # type: ignore[attr-defined]
        return key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="aviary"'


def answerable_user(profile: Profile) -> User | None:
    """Return the active person behind a profile: itself, or the owner of an active agent."""
    if profile.is_agent and not profile.agent.is_active:
        return None
    user = profile.agent.owner.user if profile.is_agent else profile.user
    return user if user is not None and user.is_active else None


def acting_profile(request: Request) -> Profile | None:
    """Return the profile that a request acts as: the key's, or that of the person who is logged in."""
    if isinstance(request.auth, ApiKey):
        return request.auth.profile
    user = request.user
    return getattr(user, "profile", None) if user and user.is_authenticated else None


def is_still_valid(request: Request) -> bool:
    """Ask again whether the credential of a request that has been answered for long may still be used."""
    if isinstance(request.auth, ApiKey):
        key = find_key(digest_of(presented_key(request) or ""))
        return key is not None and answerable_user(key.profile) is not None
    now = HttpRequest()
    # Read afresh: the session of the request is what it was when the request came.
    now.session = type(request.session)(request.session.session_key)
    return bool(get_user(now).is_authenticated)
