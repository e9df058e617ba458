"""What a provider answered is text from outside: cleaned before anything of it is stored."""

import re

from posts.generation.extracts import plain
from posts.services.telling import MENTION

_COMMENT = re.compile(r"<!--[\s\S]*?(-->|\Z)")
_SCRIPT = re.compile(r"<(script|style)\b[\s\S]*?(</\1\s*>|\Z)", re.IGNORECASE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])[^>]*>?")
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)")
_BARE_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+")
_REFERENCE = re.compile(r"^\[[^\]]+\]:.*$", re.MULTILINE)


def clean_line(text: str, *, limit: int) -> str:
    """Return one line without markup, links and control characters, at most `limit` characters."""
    line = MENTION.sub(r"\1", _BARE_URL.sub("", plain(text))).strip().strip('"').strip()
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0] + "…"


def clean_body(text: str, *, allowed_urls: frozenset[str] = frozenset()) -> str:
    """Return Markdown without HTML, images, control characters and links to anywhere but the sources."""

    def keep_source(match: re.Match[str]) -> str:
        return match.group() if match.group(2) in allowed_urls and match.group()[0] != "!" else match.group(1)

    def keep_url(match: re.Match[str]) -> str:
        return match.group() if match.group() in allowed_urls else ""

    text = "".join(char for char in text if char.isprintable() or char in "\n\t")
    text = _TAG.sub("", _SCRIPT.sub("", _COMMENT.sub("", text)))
    text = _REFERENCE.sub("", _LINK.sub(keep_source, text))
    # Whom a text mentions is told of it: that is for people to do.
    text = MENTION.sub(r"\1", _BARE_URL.sub(keep_url, text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
