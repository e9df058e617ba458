"""Markdown from anybody as HTML that is safe in a page."""

import re
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
TAGS |= {"h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"}
SCHEMES = {"http", "https", "mailto"}
ANY_LINK = re.compile(r"</?a\b[^>]*>")

_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def render_markdown(text: str) -> SafeString:
    """Return Markdown as HTML: no raw HTML, no images, links to web and mail addresses only.

    Parsed without HTML and then cleaned against a list of what may stay, so that neither has to be perfect.
    """
    tokens = _parser.parse(text)
    _lower_headings(tokens)
    html = _parser.renderer.render(tokens, _parser.options, {})
    cleaned = nh3.clean(
        html, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel="nofollow noopener noreferrer ugc"
    )
    return mark_safe(cleaned)


@lru_cache(maxsize=2048)
def render_excerpt(text: str) -> SafeString:
    """Return the beginning of a Markdown text as HTML without links, for a list in which every row is one."""
    return mark_safe(ANY_LINK.sub("", render_markdown(text)))


def _lower_headings(tokens: list[Token]) -> None:
    """Make room for the page's own title, which is its only heading of the first level."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
