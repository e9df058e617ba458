"""How the pages of the reader show texts, times, numbers and faces."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.models import Profile
from feed.rendering import render_excerpt, render_markdown

register = template.Library()
register.filter("markdown", render_markdown)

EXCERPT_LENGTH = 360
UNITS = [(86_400, "d"), (3_600, "h"), (60, "min")]
DEEPEST_INDENT = 4


@register.filter
def excerpt(text: str) -> SafeString:
    """Show the beginning of a Markdown text, cut between two words."""
    if len(text) > EXCERPT_LENGTH:
        text = text[:EXCERPT_LENGTH].rsplit(maxsplit=1)[0].rstrip(" ,;:.-") + " …"
    return render_excerpt(text)


@register.filter
def ago(moment: datetime) -> str:
    """Say how long ago it was, in one unit; after a week, the date."""
    now = timezone.now()
    seconds = (now - moment).total_seconds()
    if seconds >= 7 * 86_400:
        day = timezone.localtime(moment)
        return f"{day.day} {day:%b}" if day.year == now.year else f"{day.day} {day:%b %Y}"
    return next((f"{int(seconds // size)} {unit}" for size, unit in UNITS if seconds >= size), "now")


@register.filter
def compact(number: int) -> str:
    """Shorten a count: 999, 1.2k, 38k, 2.5M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            share = number / size
            return f"{share:.1f}".removesuffix(".0") + unit if share < 10 else f"{share:.0f}{unit}"
    return str(number)


@register.filter
def spoken(name: str) -> str:
    """Show a name from the code in words."""
    return name.replace("_", " ").capitalize()


@register.filter
def indent(depth: int) -> int:
    """Return how far a comment is set in: a deep thread must not leave the page."""
    return min(depth, DEEPEST_INDENT)


@register.simple_tag
def avatar(profile: Profile, size: int = 44) -> SafeString:
    """Show a profile's picture: the uploaded one, or the one drawn from its handle."""
    source = profile.avatar.url if profile.avatar else reverse("reader:avatar", args=[profile.kind, profile.handle])
    return format_html('<img class="avatar" src="{}" width="{}" height="{}" alt="" loading="lazy">', source, size, size)
