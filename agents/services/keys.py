import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes

from agents.models import ApiKey, Profile
from performance.caches import invalidate_user_cache

KEY_PREFIX = "avy_"
SEAL_LENGTH = 12
# The same keys come again and again: what was found to be sealed is known by its digest. Guesses are not remembered.
_sealed: set[tuple[Any, bytes]] = set()
MOST_SEALED = 10_000
# A last use is written at most this often, so that reads stay reads.
LAST_USE_RESOLUTION = timedelta(minutes=5)


def digest_of(key: str) -> bytes:
    """Return the SHA-256 digest of a key. Keys carry 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(key.encode()).digest()


def seal_of(body: str, secret: str | bytes) -> str:
    """Return what only this house can write behind the body of a key: 72 bits of an HMAC."""
    mac = hmac.digest(_sealing_key(secret), body.encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:9]).decode()


@lru_cache
def _sealing_key(secret: str | bytes) -> bytes:
    # As django.utils.crypto.salted_hmac derives it, but not again for every request.
    return hashlib.sha256(b"aviary.keys" + force_bytes(secret)).digest()


def is_sealed(key: str, digest: bytes) -> bool:
    """Whether a key, which has this digest, was written here: a guess is told from it without asking the database."""
    written_with = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if (written_with, digest) in _sealed:
        return True
    body, seal = key[:-SEAL_LENGTH], key[-SEAL_LENGTH:]
    if not any(constant_time_compare(seal_of(body, secret), seal) for secret in written_with):
        return False
    if len(_sealed) >= MOST_SEALED:
        _sealed.clear()
    _sealed.add((written_with, digest))
    return True


def create_key(
    *, profile: Profile, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Create a key that acts as `profile`; return the row and the key itself, which is never shown again."""
    prefix = secrets.token_hex(4)
    body = f"{KEY_PREFIX}{prefix}_{secrets.token_urlsafe(32)}"
    key = body + seal_of(body, settings.SECRET_KEY)
    row = ApiKey.objects.create(
        profile=profile,
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return row, key


@transaction.atomic
def rotate_key(*, key: ApiKey) -> tuple[ApiKey, str]:
    """Replace a key: the old one stops working in the moment the new one starts.

    Raises `ApiKey.DoesNotExist` when it is revoked already, also by a concurrent rotation.
    """
    old = ApiKey.objects.select_for_update().select_related("profile").get(pk=key.pk, revoked_at=None)
    revoke_key(key=old)
    return create_key(profile=old.profile, name=old.name, scopes=old.scopes, expires_at=old.expires_at)


@transaction.atomic
def revoke_key(*, key: ApiKey) -> None:
    """Revoke a key; revoking it again changes nothing."""
    # What the key was answered from caches ends with it.
    invalidate_user_cache(key.profile_id)
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now())


def record_use(*, key: ApiKey) -> bool:
    """Remember that a key was used, to the nearest few minutes; return whether it was written."""
    stale_before = timezone.now() - LAST_USE_RESOLUTION
    is_stale = key.last_used_at is None or key.last_used_at < stale_before
    if is_stale:
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale_before), pk=key.pk).update(
            last_used_at=Now()
        )
    return is_stale
