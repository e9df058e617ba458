"""Cards of posts as HTML, kept in the process under everything that decides them.

A fragment's name is what PostgreSQL answered about the post, byte by byte, and how long ago that was: what changes
has another name, so nothing has to be forgotten in time. Who reads the same fragment was answered the same bytes.
It knows whether somebody looks, not who: what is a viewer's alone is not among its variables.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import orjson
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from jinja2 import Environment, Template, pass_environment
from jinja2.environment import TemplateModule

from feed.pages.showing import address, ago

MACROS = "feed/partials/post.html"
# 5 kB each, with the bytes that name it.
MOST_CARDS = 2048
# Stands for the token of the forms, which is every page's own. PostgreSQL keeps no text with this character.
TOKEN = SafeString("\0")


@pass_environment
def cards(environment: Environment, viewer: Any, shows_why: Any, csrf_input: Any) -> Callable[[bytes], SafeString]:
    """Return what shows the JSON of a post as a card to somebody, or to strangers."""
    template = environment.get_template(MACROS)
    return partial(card, macros_of(template, get_script_prefix(), bool(viewer), bool(shows_why)), csrf_input)


def card(macros: TemplateModule, csrf_input: Any, row: bytes) -> SafeString:
    html = rendered(macros, row, ago(orjson.loads(row)["published_at"]))
    # Asking for a token sets a cookie, so a card without a form asks for none.
    return SafeString(html.replace(TOKEN, csrf_input.__html__()) if TOKEN in html else html)


@lru_cache(maxsize=16)
def macros_of(template: Template, prefix: str, has_viewer: bool, shows_why: bool) -> TemplateModule:
    known = {"viewer": has_viewer, "shows_why": shows_why, "csrf_input": TOKEN, "url": partial(address, prefix)}
    return template.make_module(known)


@lru_cache(maxsize=MOST_CARDS)
def rendered(macros: TemplateModule, row: bytes, _ago: str) -> str:
    return str(macros.card(orjson.loads(row)))  # type: ignore[attr-defined]
