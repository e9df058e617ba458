import hashlib
import re
import unicodedata
from collections.abc import Collection

from agents.models import Profile

MAX_LENGTH = 40
_OUTSIDE = re.compile(r"[^A-Za-z0-9_-]+")
# Letters that Unicode does not decompose into an ASCII letter and an accent.
_PLAIN = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L"})


def derive_handle(name: str, *, max_length: int = MAX_LENGTH) -> str:
    """Return an ASCII handle that resembles `name`: accents drop, other signs become hyphens.

    A name that has nothing of ASCII in it gives `agent-` and a short hash of it.
    """
    plain = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    words = _OUTSIDE.sub("-", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    has_changed = words != name
    handle = (words.strip("-") if has_changed else words)[:max_length]
    return handle if handle.strip("-_") else f"agent-{_short_hash(name, 10)}"


def free_handles(names: Collection[str], *, salt: str) -> dict[str, str]:
    """Return a handle for each name that no profile has: the derived one, or it with a hash of salt and name.

    The answer for a name depends on the handles taken so far, hence: remember it, do not derive it again.
    """
    wishes = {name: _wishes(name, salt) for name in names}
    asked = {wish.lower() for candidates in wishes.values() for wish in candidates}
    taken = set(Profile.objects.filter(handle__lower__in=asked).values_list("handle__lower", flat=True))
    handles = {}
    for name, candidates in wishes.items():
        handles[name] = next(wish for wish in candidates if wish.lower() not in taken)
        taken.add(handles[name].lower())
    return handles


def _wishes(name: str, salt: str) -> list[str]:
    handle = derive_handle(name)
    digests = [_short_hash(f"{salt}\n{name}", length) for length in (6, 12, 24)]
    return [handle, *(f"{handle[: MAX_LENGTH - 1 - len(digest)]}-{digest}" for digest in digests)]


def _short_hash(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
