"""The template engine of the pages.

Jinja2 compiles a template to Python code, which renders a page of posts five times as fast as Django's own
engine; the admin and the packages keep theirs.
"""

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.templatetags.static import static
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html, linebreaks
from django.utils.safestring import mark_safe
from django_htmx.jinja import htmx_script
from jinja2 import Environment

from feed.pages import showing
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
FUNCTIONS = (once_input, showing.avatar, showing.querystring, showing.url, static, htmx_script)


def environment(**options: Any) -> Environment:
    """Return the engine with what templates may call."""
    engine = Environment(**options)
    engine.filters |= {show.__name__: show for show in FILTERS}
    engine.filters |= {"plural": showing.plural, "spoken": showing.spoken, "markdown": render_markdown}
    engine.filters["paragraphs"] = lambda text: mark_safe(linebreaks(text, autoescape=True))
    engine.globals |= {function.__name__: function for function in FUNCTIONS}
    return engine


def token_context(request: HttpRequest) -> dict[str, Any]:
    """Give every template `csrf_input`, masked once for a page and not once for each of its forms."""
    field = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    return {"csrf_input": SimpleLazyObject(lambda: format_html(field, get_token(request)))}
