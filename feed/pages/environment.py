"""The template engine of the pages.

Jinja2 compiles a template to Python code, which renders a page of posts five times as fast as Django's own
engine; the admin and the packages keep theirs.
"""

from functools import cache, partial
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils.functional import cached_property
from django.utils.html import format_html, linebreaks
from django.utils.safestring import SafeString, mark_safe
from django_htmx.jinja import htmx_script
from jinja2 import Environment

from feed.pages import showing
from feed.pages.engine import PageEngine
from feed.pages.fragments import cards
from feed.pages.once import once_input
from feed.rendering import render_markdown

FILTERS = (
    showing.ago,
    showing.clock,
    showing.compact,
    showing.excerpt,
    showing.host,
    showing.indent,
    showing.month,
    showing.with_mark,
)
FUNCTIONS = (cards, once_input, showing.avatar, showing.querystring, showing.url, cache(static), cache(htmx_script))


def environment(**options: Any) -> Environment:
    """Return the engine with what templates may call."""
    engine = PageEngine(**options)
    engine.filters |= {show.__name__: show for show in FILTERS}
    engine.filters |= {"plural": showing.plural, "spoken": showing.spoken, "markdown": render_markdown}
    engine.filters["paragraphs"] = lambda text: mark_safe(linebreaks(text, autoescape=True))
    engine.globals |= {function.__name__: function for function in FUNCTIONS}
    return engine


class TokenInput:
    """The field with the token of the forms. A page without a form asks for none, so that no cookie is set for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _html(self) -> SafeString:
        return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(self._request))

    def __html__(self) -> SafeString:
        return self._html


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Give every template what is found once for a page: `csrf_input`, masked, and `url`, below the script's prefix."""
    return {"csrf_input": TokenInput(request), "url": partial(showing.address, get_script_prefix())}
