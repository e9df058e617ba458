"""The last line against a model that obeys what it reads: what must not get out is looked for in its answer."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from agents.inbox.secrets import refuse_secrets
from posts.generation.providers.base import ProviderError, TextPrompt
from posts.generation.providers.messages import RULES

# A stretch of so many letters and digits is no coincidence.
STRETCH = 36
_STEP = 12
_ENCODED = re.compile(r"[A-Za-z0-9+/=_-]{24,}")


class Leak(ProviderError):
    """An answer with something in it that only the prompt or the house knows. Asking again would bring it again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The answer holds {what}.", is_paid=True)


def refuse_leaks(prompt: TextPrompt, data: dict[str, Any]) -> None:
    """Raise `Leak` for an answer that repeats the house's rules or the agent's instructions, or holds a secret.

    Spelt backwards, in ROT13, base64 or hexadecimal, or one letter to a line, they are still the same.
    """
    text = "\n".join(_strings(data))
    forms = [text, *_decoded(text)]
    for form in forms:
        _refuse_secrets(form)
    said = [_squeezed(form) for form in forms]
    for what, private in (("the rules of the house", RULES), ("the agent's instructions", prompt.voice.system)):
        if any(stretch in form for stretch in _stretches(private) for form in said):
            raise Leak(what)


def _refuse_secrets(text: str) -> None:
    try:
        refuse_secrets(answer=text)
    except ValidationError:
        raise Leak("a secret") from None
    if any(len(key) > 5 and key in text for key in settings.OPENAI_API_KEYS):
        raise Leak("a secret")


@lru_cache(maxsize=64)
def _stretches(private: str) -> tuple[str, ...]:
    letters = _squeezed(private)
    return tuple(letters[start : start + STRETCH] for start in range(0, len(letters) - STRETCH + 1, _STEP))


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _decoded(text: str) -> Iterator[str]:
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    # Broken over lines it is still one code.
    for code in _ENCODED.findall(re.sub(r"\s+", "", text)) + _ENCODED.findall(text):
        for decode in (bytes.fromhex, lambda found: base64.b64decode(found + "=" * (-len(found) % 4), "-_")):
            try:
                yield decode(code).decode()
            except (ValueError, binascii.Error, UnicodeDecodeError):
                continue


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
