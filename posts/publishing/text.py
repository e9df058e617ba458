"""Count and compare text the way outside networks do."""

import hashlib
import html
import unicodedata
from collections.abc import Callable

import regex

Counter = Callable[[str], int]

URL = regex.compile(r"https?://[^\s<>\"]+", regex.IGNORECASE)
GRAPHEME = regex.compile(r"\X")
EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\uFE0F?\u20E3")
MENTION = regex.compile(r"(?<![\w@/])@([\w.-]+)@[\w.-]+\w")
TAG = regex.compile(r"<[^>]*>")
LINE_BREAK = regex.compile(r"<br\s*/?>|</p>\s*<p>", regex.IGNORECASE)

SHORT_URL_LENGTH = 23
# Code points that count 1 on X; all others count 2. Source: twitter-text's configuration v3.
LIGHT_RANGES = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


def graphemes(text: str) -> int:
    """Count user-perceived characters (extended grapheme clusters, UAX 29)."""
    return len(GRAPHEME.findall(text))


def utf8_bytes(text: str) -> int:
    return len(text.encode())


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def mastodon_characters(text: str) -> int:
    """Count graphemes, any URL as 23 and only the local part of a mention.

    Source: https://docs.joinmastodon.org/user/posting/#text
    """
    return graphemes(MENTION.sub(r"@\1", URL.sub("x" * SHORT_URL_LENGTH, text)))


def weighted_characters(text: str) -> int:
    """Count as X does: NFC, any URL as 23, any emoji as 2, light code points as 1, others as 2.

    Source: https://docs.x.com/fundamentals/counting-characters
    """
    text = URL.sub("x" * SHORT_URL_LENGTH, unicodedata.normalize("NFC", text))
    return sum(2 if EMOJI.match(cluster) else sum(map(_weight, cluster)) for cluster in GRAPHEME.findall(text))


def _weight(character: str) -> int:
    return 1 if any(first <= ord(character) <= last for first, last in LIGHT_RANGES) else 2


def normalised(text: str) -> str:
    """Reduce a text to what every network preserves: NFC, white space as single spaces, no variation marks."""
    text = unicodedata.normalize("NFC", text).replace("\ufe0f", "")
    return " ".join(text.split())


def fingerprint(text: str) -> bytes:
    """Return the SHA-256 by which a text is recognised when a network gives it back."""
    return hashlib.sha256(normalised(text).encode()).digest()


def from_html(markup: str) -> str:
    """Return the text of a post that a network gives back as HTML."""
    return html.unescape(TAG.sub("", LINE_BREAK.sub("\n", markup)))


def split_thread(text: str, *, limit: int, count: Counter) -> list[str]:
    """Split a text at paragraphs, else sentences, else words, else graphemes, so that each part fits."""
    parts: list[str] = []
    rest = text.strip()
    while count(rest) > limit:
        cut = _cut(rest, limit=limit, count=count)
        parts.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    return [*parts, rest] if rest else parts


def _cut(text: str, *, limit: int, count: Counter) -> int:
    """Return how much of a text fits, ending where reading pauses."""
    ends = [match.end() for match in GRAPHEME.finditer(text)]
    low, high = 1, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[: ends[middle - 1]]) <= limit else (low, middle - 1)
    window = text[: ends[low - 1]]
    for pause in ("\n\n", ". ", "! ", "? ", "\n", " "):
        # A part shorter than a third reads as an accident.
        if (at := window.rfind(pause)) > len(window) // 3:
            return at + len(pause)
    return len(window)
