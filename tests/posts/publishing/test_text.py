import pytest

from posts.publishing import text
from posts.publishing.networks import network_named
from tests.publishing import make_account

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("body", "graphemes", "utf16", "utf8", "weighted"),
    [
        ("", 0, 0, 0, 0),
        ("bird", 4, 4, 4, 4),
        ("é", 1, 1, 2, 1),
        ("cafe\u0301", 4, 5, 6, 4),
        (FAMILY, 1, 11, 25, 2),
        ("🙋🏽", 1, 4, 8, 2),
        ("🇺🇸", 1, 4, 8, 2),
        ("1️⃣", 1, 3, 7, 2),
        ("鳥", 1, 1, 3, 2),
        ("שלום", 4, 4, 8, 4),
        ("\r\n", 1, 2, 2, 2),
        ("“”", 2, 2, 6, 2),
        ("see https://example.com/a/very/long/path/that/goes/on", 53, 53, 53, 27),
    ],
)
def test_each_unit_counts_as_its_network_does(body: str, graphemes: int, utf16: int, utf8: int, weighted: int) -> None:
    assert text.graphemes(body) == graphemes
    assert text.utf16_units(body) == utf16
    assert text.utf8_bytes(body) == utf8
    assert text.weighted_characters(body) == weighted


def test_mastodon_counts_links_as_23_and_mentions_without_their_domain() -> None:
    assert text.mastodon_characters("hi @wren@birds.example") == len("hi @wren")
    assert text.mastodon_characters("https://example.com/" + "a" * 100) == 23


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("network", "fits", "is_over"),
    [
        ("bluesky", FAMILY * 100, FAMILY * 121),
        ("bluesky", "a" * 300, "a" * 301),
        ("x", "鳥" * 140, "鳥" * 140 + "a"),
        ("x", FAMILY * 140, FAMILY * 140 + "a"),
        ("mastodon", FAMILY * 500, FAMILY * 501),
        ("linkedin", "🐦" * 1500, "🐦" * 1500 + "a"),
        ("instagram", "🐦" * 1100, "🐦" * 1100 + "a"),
        ("facebook", "a" * 63_206, "a" * 63_207),
    ],
)
def test_a_text_at_the_limit_fits_and_one_more_does_not(network: str, fits: str, is_over: str) -> None:
    rules = network_named(network).text_rules(make_account(network=network))
    assert all(rule.count(fits) <= rule.limit for rule in rules)
    assert any(rule.count(is_over) > rule.limit for rule in rules)


@pytest.mark.parametrize(
    "given_back",
    ["Birds  sing.\nThey do.", "Birds sing.\n\nThey do. ", "Birds sing. They do."],
)
def test_white_space_that_a_network_changes_does_not_change_the_fingerprint(given_back: str) -> None:
    assert text.fingerprint(given_back) == text.fingerprint("Birds sing.\n\nThey do.")


def test_html_that_mastodon_gives_back_reads_as_what_was_sent() -> None:
    markup = (
        '<p>Tits &amp; finches <a href="https://birds.example/a"><span class="invisible">https://</span>'
        '<span class="ellipsis">birds.exam</span><span class="invisible">ple/a</span></a></p><p>Two<br />lines</p>'
    )
    sent = "Tits & finches https://birds.example/a\n\nTwo\nlines"
    assert text.fingerprint(text.from_html(markup)) == text.fingerprint(sent)


def test_a_thread_loses_nothing_and_every_part_fits() -> None:
    body = " ".join(f"Sentence number {number} is here." for number in range(60))
    parts = text.split_thread(body, limit=100, count=text.graphemes)
    assert " ".join(parts) == body
    assert all(text.graphemes(part) <= 100 for part in parts)
    assert all(part.endswith(".") for part in parts)


def test_a_word_longer_than_a_part_is_cut_between_graphemes() -> None:
    parts = text.split_thread(FAMILY * 25, limit=10, count=text.graphemes)
    assert parts == [FAMILY * 10, FAMILY * 10, FAMILY * 5]
