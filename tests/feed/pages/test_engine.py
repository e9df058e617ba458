"""The engine of the pages shows what Jinja2 itself would show."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import SafeString
from jinja2 import Environment, StrictUndefined, pass_context
from markupsafe import Markup

from feed.pages.engine import PageEngine

type Show = Callable[..., str]

ROW = {"title": "<i>Tide & 'time'\"", "items": [1, 2], "author": {"handle": "wren"}, "none": None}


@pytest.fixture(params=[PageEngine, Environment])
def show(request: pytest.FixtureRequest) -> Show:
    engine = request.param(autoescape=True)
    return lambda source, **context: engine.from_string(source).render(**context)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<script>\"'&", "&lt;script&gt;&#34;&#39;&amp;"),
        (lazystr("<b>"), "&lt;b&gt;"),
        (["<b>"], "[&#39;&lt;b&gt;&#39;]"),
        (SafeString("<b>"), "<b>"),
        (Markup("<b>"), "<b>"),
        (12, "12"),
        (True, "True"),
        (None, "None"),
    ],
)
def test_what_is_shown_is_escaped_once_unless_it_is_safe(show: Show, value: Any, shown: str) -> None:
    macro = "{% macro say(it) %}{{ it }}{% endmacro %}"
    for source in ("{{ value }}", macro + "{{ say(value) }}", "{% set said %}{{ value }}{% endset %}{{ said }}"):
        found = show(source, value=value)
        assert unescape(found) == unescape(shown)
        assert ("<" in found) is ("<" in shown)
        assert '"' not in found
        assert "'" not in found


def test_a_key_and_a_method_of_a_dictionary_are_found(show: Show) -> None:
    assert show("{{ row.author.handle }}{{ row.keys()|length }}{{ row.missing }}{{ row.none }}", row=ROW) == "wren4None"


def test_a_key_wins_over_the_method_of_its_name() -> None:
    engine = PageEngine(autoescape=True, undefined=StrictUndefined)
    assert engine.from_string("{{ row.items|join('-') }}").render(row=ROW) == "1-2"


def test_callables_get_what_they_ask_for(show: Show) -> None:
    @pass_context
    def told(context: Any, word: str, *, end: str) -> str:
        return f"{context['name']} {word}{end}"

    def plain(word: str, *, end: str = "") -> str:
        return word + end

    source = """{% macro both(word, end="?") %}{{ plain(word, end=end) }}{{ told(word, end=end) }}{% endmacro %}
    {%- for word in words %}{{ both(word) }}{{ both(word, end="!") }}{{ word.upper() }}{% endfor %}"""
    found = show(source, words=["a", "b"], told=told, plain=plain, name="wren")
    assert found == "a?wren a?a!wren a!Ab?wren b?b!wren b!B"
