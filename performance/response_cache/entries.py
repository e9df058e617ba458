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
        # Replaced by one that names all that chose the answer.
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


def read_headers(status: str, headers: Headers) -> tuple[Headers, Headers, bool]:
    """Return the headers that are kept with an answer, the other ones, and whether a cache may keep it."""
    kept: Headers = []
    rest: Headers = []
    may_be_kept, has_length = status.startswith("200 "), False
    for pair in headers:
        name, value = pair[0].lower(), pair[1]
        (kept if name in KEPT_HEADERS else rest).append(pair)
        if name == "content-length":
            has_length = True
        elif name == "set-cookie" or (name == "cache-control" and "no-store" in value):
            may_be_kept = False
        elif name == "vary":
            kept.pop()
            may_be_kept &= {part.strip().lower() for part in value.split(",")} <= NAMED_IN_VARY
    return kept, rest, may_be_kept and has_length


def matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as RFC 9110 asks of If-None-Match."""
    offered = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in offered or "*" in offered
