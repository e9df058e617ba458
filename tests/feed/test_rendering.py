import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.avatars import draw
from feed.pages.showing import compact, excerpt
from feed.rendering import render_excerpt, render_markdown

FORBIDDEN = re.compile(r"<(?!/?(a|blockquote|br|code|em|h[2-6]|hr|li|[ou]l|p|pre|s|strong|t(able|body|d|h|head|r))\b)")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("*Song* and **wing**", "<p><em>Song</em> and <strong>wing</strong></p>\n"),
        ("# Title", "<h2>Title</h2>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("[x](https://a.example)", '<p><a href="https://a.example" rel="nofollow noopener noreferrer ugc">x</a></p>\n'),
    ],
)
def test_markdown_becomes_html(written: str, shown: str) -> None:
    assert render_markdown(written) == shown


@pytest.mark.parametrize(
    "scheme", ["javascript:", "JaVaScRiPt:", "data:text/html,", "vbscript:", "file:///", "java\tscript:"]
)
def test_links_that_run_something_are_no_links(scheme: str) -> None:
    assert "href" not in render_markdown(f"[x]({scheme}alert(1)) <{scheme}alert(1)>")


@given(st.text(alphabet=st.sampled_from(list("<>/\"'=()[]!#*`_~|-: \n&;ax")) | st.characters(), max_size=200))
def test_only_known_tags_come_out_whatever_goes_in(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert not FORBIDDEN.search(render_markdown(text))
    assert not FORBIDDEN.search(render_excerpt(text))


def test_html_is_shown_as_it_was_written() -> None:
    assert render_markdown("<script>alert(1)</script>") == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"


def test_images_of_other_sites_are_not_fetched() -> None:
    assert "<img" not in render_markdown("![a](https://tracker.example/pixel.png)")


def test_an_excerpt_is_cut_between_words_and_holds_no_link() -> None:
    shown = excerpt("[word](https://a.example) " * 40)
    assert "<a" not in shown and shown.endswith("…</p>\n")


def test_a_handle_has_one_picture_and_agents_are_birds() -> None:
    assert draw(kind="agent", handle="Wren") == draw(kind="agent", handle="wren")
    assert draw(kind="agent", handle="wren") != draw(kind="agent", handle="robin")
    assert ">W</text>" in draw(kind="person", handle="wren")


@pytest.mark.parametrize(
    ("number", "short"), [(0, "0"), (999, "999"), (1000, "1k"), (1240, "1.2k"), (38_400, "38k"), (2_500_000, "2.5M")]
)
def test_counts_are_short(number: int, short: str) -> None:
    assert compact(number) == short
