"""What must never be connected to: 120 cases, a scripted resolver, and not one connection."""

import socket
from typing import NoReturn

import pytest

from agents.knowledge.fetching import ForbiddenAddress, fetch

NAMED = {
    # What a hostile name server may answer, alone or beside a global address.
    "loopback.example": ["127.0.0.1"],
    "loopback6.example": ["::1"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
    "mixed6.example": ["2606:2800:220:1::1", "::ffff:169.254.169.254"],
    "metadata.example": ["169.254.169.254"],
    "private.example": ["192.168.1.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "sixtofour.example": ["2002:7f00:1::"],
    "scoped.example": ["fe80::1%eth0"],
    "zero.example": ["0.0.0.0"],
    "nothing.example": [],
    "localhost": ["127.0.0.1"],
    "sub.localhost": ["127.0.0.1"],
    "metadata.google.internal": ["169.254.169.254"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "xn--bcher-kva.example": ["127.0.0.1"],
}
ADDRESSES = """
127.0.0.1 127.0.0.2 127.255.255.254 127.1.2.3 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254
100.100.100.200 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.254 192.0.0.1 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 192.168.255.254 198.18.0.1 198.19.255.254 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255 168.63.129.16
[::] [::1] [::2] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:7f00:1] [::ffff:0:127.0.0.1]
[::ffff:169.254.169.254] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [100::1] [2001::1] [2001:db8::1]
[2001:10::1] [2002:7f00:1::] [2002:a9fe:a9fe::1] [2002:0a00:0001::] [3fff::1] [5f00::1] [fc00::1] [fd00:ec2::254]
[fe80::1] [fe80::1%25eth0] [fec0::1] [ff02::1] [ff0e::1] [0:0:0:0:0:0:0:1] [0:0:0:0:0:ffff:7f00:1]
2130706433 017700000001 0x7f000001 0x7f.0.0.1 0x7f.1 0177.0.0.1 0177.1 127.1 127.0.1 00000127.0.0.1 127.0.0.01
0x7f.0x0.0x0.0x1 0300.0250.0.1 3232235521 2852039166 0xa9fea9fe 169.254.43518 0 0x0 00 1 256.256.256.256 1.1.1.1.1
127.0.0.1. 127.0.0.0x1 127.0.0.1.0x
１２７.０.０.１ 127。0。0。1 ①②⑦.⓪.⓪.① ｌocalhost
"""
URLS = [
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "FILE:///etc/passwd",
    "ftp://example.org/",
    "gopher://example.org:70/_GET",
    "dict://example.org:11211/stat",
    "ldap://example.org/",
    "jar:http://example.org!/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "//example.org/",
    "http:///path",
    "http://",
    "http:example.org",
    "http://user@example.org/",
    "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org\\.evil.example/",
    "http://example.org\r\nHost: evil/",
    "http://example.org/\0",
    "http://exa mple.org/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://example.org:port/",
    "http://[::1",
    "http://[fe80::1%lo]/",
    "http://[v1.fe80]/",
    "http://..example.org/",
    "http://.../",
    "http://" + "a" * 2000 + ".example/",
    "http://-example.org/",
]
CASES = [f"http://{host}/" for host in [*NAMED, *ADDRESSES.split()]] + URLS


def scripted(host: str, port: int, timeout: float) -> list[str]:
    return NAMED.get(host, [])


def no_connection(address: tuple[str, int], timeout: float) -> NoReturn:
    pytest.fail(f"A connection was opened to {address}.")


def test_the_corpus_has_120_cases() -> None:
    assert len(set(CASES)) >= 120


@pytest.mark.parametrize("url", CASES)
def test_no_connection_is_opened(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        fetch(url, resolve=scripted, connect=no_connection)


def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked: list[str] = []
    connected: list[str] = []

    def rebinding(host: str, port: int, timeout: float) -> list[str]:
        asked.append(host)
        return next(answers)

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    with pytest.raises(Exception, match="no usable answer"):
        fetch("http://rebind.example/", resolve=rebinding, connect=connect)
    assert (asked, connected) == (["rebind.example"], ["93.184.216.34"])


def test_a_connection_that_ends_up_elsewhere_is_dropped_before_a_byte_is_sent() -> None:
    near, far = socket.socketpair()

    class Elsewhere(socket.socket):
        def getpeername(self) -> tuple[str, int]:
            return "127.0.0.1", 80

    elsewhere = Elsewhere(fileno=near.detach())
    with far, pytest.raises(ForbiddenAddress):
        fetch("http://example.org/", resolve=lambda *_: ["93.184.216.34"], connect=lambda *_: elsewhere)
        assert far.recv(1) == b""
