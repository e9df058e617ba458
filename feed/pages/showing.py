"""How pages show texts, times, numbers and faces."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from agents.knowledge.quotes import Marked
from feed.rendering import render_excerpt

EXCERPT_LENGTH = 360
UNITS = [(86_400, "d"), (3_600, "h"), (60, "min")]
DEEPEST_INDENT = 4
ABBREVIATIONS = {"seo": "SEO", "url": "URL"}
PARAGRAPH = re.compile(r"(\n\s*\n)")


def excerpt(text: str) -> SafeString:
    """Show the beginning of a Markdown text, cut between two words."""
    if len(text) > EXCERPT_LENGTH:
        text = text[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0].rstrip(" ,;:.-") + " …"
    return render_excerpt(text)


@lru_cache(maxsize=8192)
def moment(value: datetime | str) -> datetime:
    """Return a moment as such, also where it comes from JSON."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=8192)
def clock(value: datetime | str) -> str:
    """Show a moment in full: 3 May 2026, 14:05 UTC."""
    at = moment(value)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def month(value: datetime | str) -> str:
    return f"{moment(value):%B %Y}"


def ago(value: datetime | str) -> str:
    """Say how long ago it was, in one unit; after a week, the date."""
    at, now = moment(value), timezone.now()
    seconds = (now - at).total_seconds()
    if seconds >= 7 * 86_400:
        return f"{at.day} {at:%b}" if at.year == now.year else f"{at.day} {at:%b %Y}"
    return next((f"{int(seconds // size)} {unit}" for size, unit in UNITS if seconds >= size), "now")


def compact(number: int) -> str:
    """Shorten a count: 999, 1.2k, 38k, 2.5M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            share = number / size
            return f"{share:.1f}".removesuffix(".0") + unit if share < 10 else f"{share:.0f}{unit}"
    return str(number)


def spoken(name: str) -> str:
    """Show a name from the code in words."""
    return ABBREVIATIONS.get(name) or name.replace("_", " ").capitalize()


def plural(number: int, ending: str = "s") -> str:
    """Return what a noun ends in after this number."""
    return "" if number == 1 else ending


def indent(depth: int) -> int:
    """Return how far a comment is set in: a deep thread must not leave the page."""
    return min(depth, DEEPEST_INDENT)


def host(address: str) -> str:
    """Show only where an address leads."""
    return urlsplit(address).netloc


def with_mark(marked: Marked) -> SafeString:
    """Show a text in paragraphs, the quoted words of it in a `mark` that an address can lead to.

    A quotation that goes over several paragraphs has a `mark` in each; the first one has the name.
    """
    parts = [(False, marked.before), (True, marked.quote), (False, marked.after)]
    shown, is_named = [], False
    for is_quote, text in parts:
        for piece in PARAGRAPH.split(text):
            if PARAGRAPH.fullmatch(piece):
                shown.append(SafeString("</p>\n\n<p>"))
            elif is_quote and piece.strip():
                name = SafeString("" if is_named else ' id="quote"')
                shown.append(format_html("<mark{}>{}</mark>", name, piece))
                is_named = True
            else:
                shown.append(conditional_escape(piece))
    return mark_safe("<p>" + "".join(shown) + "</p>")


def url(name: str, *arguments: Any) -> str:
    """Return a page's address."""
    return address(get_script_prefix(), name, *arguments)


@lru_cache(maxsize=8192)
def address(prefix: str, name: str, *arguments: Any) -> str:
    """Return a page's address below a prefix; kept, because a page of posts asks for two hundred."""
    return reverse(name, args=arguments)


@lru_cache(maxsize=8192)
def picture(source: str, size: int) -> SafeString:
    return format_html('<img class="avatar" src="{}" width="{}" height="{}" alt="" loading="lazy">', source, size, size)


def avatar(profile: Any, size: int = 44) -> SafeString:
    """Show a profile's picture: the uploaded one, or the one drawn from its handle."""
    if isinstance(profile, dict):
        uploaded, kind, handle = profile["avatar"], profile["kind"], profile["handle"]
    else:
        uploaded, kind, handle = profile.avatar and profile.avatar.url, profile.kind, profile.handle
    return picture(uploaded or url("reader:avatar", kind, handle), size)


def querystring(request: HttpRequest, **changes: str) -> str:
    """Return the address's query with changes."""
    if not request.GET:
        return f"?{urlencode(changes)}"
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"
