"""What every text goes through before it is stored."""

import re
import unicodedata

# NUL cannot be stored by PostgreSQL, lone surrogates by no UTF-8; the other controls are noise in a text.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return `text` in NFC, with unix line ends and without what cannot be stored."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNSTORABLE.sub("", text)).strip()


def shorten(text: str, length: int) -> str:
    """Return `text` on one line of at most `length` characters, cut at a word."""
    line = " ".join(clean(text).split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"
