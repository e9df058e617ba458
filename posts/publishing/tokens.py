"""Encrypt the credentials of outside networks at rest, with keys that can be rotated."""

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

HIDDEN: Final = "••••••••"


def derived_key(secret: str) -> str:
    """Derive a Fernet key from a longer secret, for a house that sets no TOKEN_KEYS."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"aviary.tokens:" + secret.encode()).digest()).decode()


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> "MultiFernet":
    # Six megabytes that no process needs which sends nothing to a network.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> "MultiFernet":
    """Return the cipher: the first key encrypts, every key decrypts."""
    secrets = (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))
    return _cipher(tuple(settings.TOKEN_KEYS) or tuple(derived_key(secret) for secret in secrets))


class Secret(str):
    """A credential on its way to a request: it is what it is, but prints as dots in an error page's variables."""

    def __repr__(self) -> str:
        return repr(HIDDEN)


class Token:
    """A sealed credential. It prints as dots everywhere: logs, admin, error pages, tracebacks."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: str) -> None:
        self.sealed = sealed

    @classmethod
    def seal(cls, plain: str) -> Self:
        return cls(cipher().encrypt(plain.encode()).decode() if plain else "")

    def reveal(self) -> Secret:
        """Decrypt the credential.

        Raises `cryptography.fernet.InvalidToken` when no key in TOKEN_KEYS fits.
        """
        return Secret(cipher().decrypt(self.sealed.encode()).decode() if self.sealed else "")

    def bearer(self) -> dict[str, str]:
        """Return the header that speaks in the name of whom the credential belongs to."""
        return bearer(self.reveal())

    def rotated(self) -> "Token":
        """Return the same credential, sealed with the newest key."""
        return Token(cipher().rotate(self.sealed.encode()).decode()) if self.sealed else self

    def __bool__(self) -> bool:
        return bool(self.sealed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self.sealed == other.sealed

    def __hash__(self) -> int:
        return hash(self.sealed)

    def __repr__(self) -> str:
        return HIDDEN if self.sealed else ""


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": Secret(f"Bearer {credential}")}


class TokenField(models.TextField[Token, Token]):
    """A column that only ever holds ciphertext; in Python it is a `Token`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        options: dict[str, Any] = {"blank": True, "editable": False, "default": ""} | kwargs
        super().__init__(*args, **options)

    def from_db_value(self, value: str | None, *args: Any) -> Token:
        return Token(value or "")

    def to_python(self, value: Any) -> Token:
        return value if isinstance(value, Token) else Token(value or "")

    def get_default(self) -> Token:
        return Token("")

    def get_prep_value(self, value: Any) -> str:
        if isinstance(value, str) and value:
            raise TypeError("Seal a credential with Token.seal() before it is stored.")
        return value.sealed if isinstance(value, Token) else ""

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.get_prep_value(self.value_from_object(obj)))
