"""Which addresses may be connected to.

Sources: the special-purpose address registries of IANA (RFC 6890), the URL standard's rule for hosts that
end in a number, and the metadata addresses of the large clouds.
"""

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

type Resolve = Callable[[str, int, float], list[str]]

_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
# Per the URL standard a host whose last label looks like a number is an IPv4 address, and resolvers read
# decimal, octal and hexadecimal forms of it (inet_aton).
_NUMERIC_LABEL = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})")
_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_DOCUMENTATION_V6 = IPv6Network("3fff::/20")
_REFUSED_V4 = (
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure's metadata service has a global address
)


class ForbiddenAddress(Exception):
    """The address may not be connected to; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, taken apart."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port != _PORTS[self.scheme] else "")


def target_of(url: str) -> Target:
    """Take a URL apart; raise `ForbiddenAddress` for all but plain http(s) ones."""
    if len(url) > 2000 or _UNSAFE.search(url):
        raise ForbiddenAddress("The URL is too long or holds spaces, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenAddress(f"This is not a URL: {error}.") from None
    if parts.scheme not in _PORTS:
        raise ForbiddenAddress("Only http and https URLs are fetched.")
    if "@" in parts.netloc:
        raise ForbiddenAddress("The URL must not hold a user name or password.")
    host = _host(parts.hostname or "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, parts.scheme, host, _PORTS[parts.scheme] if port is None else port, _ascii(path))


def _host(name: str) -> str:
    if ":" in name:
        try:
            return str(IPv6Address(name))
        except ValueError:
            raise ForbiddenAddress("The URL's host is not an IPv6 address.") from None
    try:
        # Also maps full-width digits and dots to the plain ones that the resolver would see.
        name = name.encode("idna").decode().lower().removesuffix(".")
    except UnicodeError:
        raise ForbiddenAddress("The URL's host is not a name.") from None
    if not _HOST.fullmatch(name) or ".." in name:
        raise ForbiddenAddress("The URL's host is not a name.")
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise ForbiddenAddress("Write an IPv4 address as four decimal numbers.") from None
    return name


def _ascii(path: str) -> str:
    return "".join(c if c.isascii() else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in path)


def is_global(address: IPv4Address | IPv6Address) -> bool:
    """Say whether an address is one of the public internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_global(IPv4Address(int(address) & 0xFFFFFFFF))
        # Mapped, compatible, local and site-local forms lie outside of 2000::/3.
        wraps_v4 = address.sixtofour or address.teredo
        return address in _GLOBAL_V6 and address.is_global and not wraps_v4 and address not in _DOCUMENTATION_V6
    special = address.is_multicast or address.is_reserved or any(address in net for net in _REFUSED_V4)
    return address.is_global and not special


def may_connect(address: str) -> bool:
    """Say whether an IP address is global or in a network that the settings allow."""
    ip = ip_address(address.partition("%")[0])
    return is_global(ip) or any(ip in ip_network(net) for net in settings.FETCH_ALLOWED_NETWORKS)


def is_number(host: str) -> bool:
    """Say whether a host is an IP address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def checked_addresses(target: Target, *, resolve: Resolve, timeout: float) -> list[str]:
    """Return the IP addresses of a target; raise `ForbiddenAddress` if any of them is not global."""
    addresses = [target.host] if is_number(target.host) else resolve(target.host, target.port, timeout)
    if not addresses:
        raise ForbiddenAddress("The host has no address.")
    if not all(may_connect(address) for address in addresses):
        raise ForbiddenAddress("The host is not on the public internet.")
    return addresses


def system_resolve(host: str, port: int, timeout: float) -> list[str]:
    """Ask the system for a host's addresses; an answer that takes longer than `timeout` seconds is none."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    # The system's resolver knows no time limit.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout)
    return list(found)
