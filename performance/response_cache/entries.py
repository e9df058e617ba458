"""Answers as they are kept: what they were computed under, their headers, their bytes."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

# Other headers belong to one request (its id, its cookies) or to the server (Date).
KEPT_HEADERS = frozenset(
    {
        "allow",
        "content-type",
        "content-length",
        "content-language",
        "content-security-policy",
        "cross-origin-opener-policy",
        "link",
        "referrer-policy",
        "strict-transport-security",
        "vary",
        "x-content-type-options",
        "x-frame-options",
    }
)
# What the name of an entry already holds.
NAMED_IN_VARY = frozenset({"accept", "authorization", "cookie", "x-api-key", "host"})

type Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    etag: str
    headers: Headers
    body: bytes

    def pack(self, versions: bytes) -> bytes:
        """Return the entry for these versions."""
        return b"\n".join([versions, self.etag.encode(), orjson.dumps(self.headers), self.body])


# Few answers differ in their headers: most are told apart by their length alone.
_parsed_headers: dict[bytes, Headers] = {}


def unpack(entry: Any, versions: bytes) -> Answer | None:
    """Return the answer that an entry holds, or None when it is stale, poisoned or absent."""
    if not isinstance(entry, bytes) or not entry.startswith(versions + b"\n"):
        return None
    try:
        _, etag, packed_headers, body = entry.split(b"\n", 3)
        headers = _parsed_headers.get(packed_headers)
        if headers is None:
            headers = [(str(name), str(value)) for name, value in orjson.loads(packed_headers)]
            if len(_parsed_headers) > 1000:
                _parsed_headers.clear()
            _parsed_headers[packed_headers] = headers
        return Answer(etag.decode("ascii"), headers, body)
    except (ValueError, TypeError):
        return None


def etag_of(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def may_be_kept(status: str, headers: Headers) -> bool:
    """Whether an answer is one that a cache may keep."""
    if not status.startswith("200 "):
        return False
    has_length = False
    for name, value in headers:
        name = name.lower()
        has_length |= name == "content-length"
        if name == "set-cookie" or (name == "cache-control" and "no-store" in value):
            return False
        if name == "vary" and not {part.strip().lower() for part in value.split(",")} <= NAMED_IN_VARY:
            return False
    return has_length


def matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as RFC 9110 asks of If-None-Match."""
    offered = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in offered or "*" in offered
