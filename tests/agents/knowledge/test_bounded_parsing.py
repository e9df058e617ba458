import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.knowledge.parsing import bounded
from agents.knowledge.parsing.bounded import UnparsableDocument, parse
from agents.knowledge.parsing.feeds import read_feed

BOMBS = {
    "billion laughs": '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><rss version='2.0'><channel><item><description>&a11;</description></item></channel></rss>",
    "quadratic blow-up": f'<!DOCTYPE b [<!ENTITY a "{"a" * 50_000}">]><rss><channel><item>'
    f"<description>{'&a;' * 50_000}</description></item></channel></rss>",
    "deep nesting": "<rss><channel>" + "<a>" * 400_000,
    "deep nesting in an entry": f"<rss><channel><item><description>{'&lt;b&gt;' * 150_000}</description></item>",
    "unclosed tags": "<rss><channel><item>" + "<" * 1_200_000,
    "unclosed comments": "<rss><channel>" + "<!--" * 300_000,
    "unclosed sections": "<rss><channel><item><description>" + "<![CDATA[" * 130_000,
    "ampersands": "<rss><channel><item><description>" + "&" * 1_200_000,
    "a million attributes": "<rss " + "".join(f"a{n}='' " for n in range(120_000)) + ">",
    "doctypes": "<!DOCTYPE a [" * 90_000,
    "entities unclosed": "<!ENTITY a '" * 100_000,
    "many items": "<rss version='2.0'><channel>" + "<item><title>x</title></item>" * 40_000 + "</channel></rss>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_over_within_three_seconds_of_work(name: str) -> None:
    start = time.process_time()
    try:
        feed = read_feed(BOMBS[name].encode())
    except UnparsableDocument as reason:
        assert str(reason)
    else:
        assert sum(len(entry.text) for entry in feed.entries) < 10_000_000
    # The parser's processor time is limited in its own process; this one only waits.
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]><rss version="2.0"><channel><item>'
        "<description>&x;</description></item></channel></rss>",
        '<!DOCTYPE r SYSTEM "file://{secret}"><rss version="2.0"><channel><item>'
        "<description>a &x;</description></item></channel></rss>",
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file://{secret}"> %p;]><feed xmlns="http://www.w3.org/2005/Atom">'
        '<entry><content type="xhtml"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}"/>'
        "</content></entry></feed>",
        "{secret}",
        "file://{secret}",
    ],
)
def test_an_external_entity_reads_no_file(document: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET-CANARY")
    try:
        feed = read_feed(document.format(secret=secret).encode())
    except UnparsableDocument:
        return
    assert "CANARY" not in repr(feed)


@pytest.mark.parametrize("act", ["open('/etc/hostname')", "__import__('socket').socket()"])
def test_a_sealed_parser_can_open_neither_file_nor_socket(act: str) -> None:
    program = f"import socket; from agents.knowledge.parsing import child; child.seal(); {act}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Too many open files" in done.stderr


def test_a_document_that_is_too_large_never_reaches_the_parser() -> None:
    with pytest.raises(UnparsableDocument, match="larger than"):
        parse("feed", b" " * (10 * 1024 * 1024 + 1))


def parser_of(kind: str) -> int:
    """Return the process that parses the next document of that kind."""
    return bounded._idle[os.getpid(), kind][-1]._process.pid


def test_one_warm_parser_takes_document_after_document_and_forgets_each() -> None:
    feeds = [f"<rss version='2.0'><channel><title>{name}</title></channel></rss>" for name in ("One", "Two")]
    first = read_feed(feeds[0].encode()), parser_of("feed")
    second = read_feed(feeds[1].encode()), parser_of("feed")
    assert (first[0].title, second[0].title) == ("One", "Two")
    assert first[1] == second[1]


def test_a_parser_that_ended_meanwhile_is_replaced() -> None:
    feed = b"<rss version='2.0'><channel><title>One</title></channel></rss>"
    read_feed(feed)
    before = parser_of("feed")
    os.kill(before, signal.SIGKILL)
    assert read_feed(feed).title == "One"
    assert parser_of("feed") != before


def test_a_document_that_takes_too_long_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bounded.end_parsers()
    monkeypatch.setattr(bounded, "CPU_SECONDS", 0.2)
    with pytest.raises(UnparsableDocument, match=r"not within 0.2 s of processor time"):
        read_feed(BOMBS["quadratic blow-up"].encode() * 4)
    before = parser_of("feed")
    assert read_feed(b"<rss version='2.0'><channel><title>One</title></channel></rss>").title == "One"
    assert parser_of("feed") == before
    bounded.end_parsers()


def test_a_parser_that_answers_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded.end_parsers()
    monkeypatch.setattr(bounded, "WALL_SECONDS", 0.1)
    monkeypatch.setattr(bounded, "GRACE_SECONDS", 0.1)
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(bounded, "_CHILD", sleeper)
    with pytest.raises(UnparsableDocument, match="it ended"):
        read_feed(b"<rss/>")
    assert not bounded._idle[os.getpid(), "feed"]
