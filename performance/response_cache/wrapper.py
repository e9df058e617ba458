import re
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from django.conf import settings

from performance.caches.invalidation import (
    EVERYTHING,
    WITHDRAWN,
    add_missing_versions,
    gathering,
    joined,
    shown,
    tag_keys,
)
from performance.caches.named import register_store
from performance.caches.statistics import record
from performance.caches.store import Store
from performance.caches.valkey import UNREACHABLE, key
from performance.caches.wire import Command, ask_all
from performance.response_cache.entries import Answer, Headers, etag_of, matches, read_headers, unpack
from performance.response_cache.viewers import ENVIRON_KEY, Credentials, Viewer, carries_session

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type Application = Callable[[Environ, StartResponse], Iterable[bytes]]

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
NAME = "responses"
LOCK_MS = 5000
# What every entry is computed under; its viewer and what its path names come on top.
TAGS = (EVERYTHING, f"cache:{NAME}", WITHDRAWN)
HIT = [("X-Cache", "HIT")]
VARY = ("Vary", "Accept, Authorization, Cookie, X-API-Key")
PRIVATE, PUBLIC = ("Cache-Control", "private, no-cache"), ("Cache-Control", "public, no-cache")
# An entry is told to be in use at most this often by each process.
TOUCH_SECONDS = 5.0


class ResponseCache:
    """A WSGI application that answers what it knows and passes the rest on. See the package for what holds."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.credentials = Credentials()
        self.rules = [(re.compile(pattern), seconds) for pattern, seconds in settings.RESPONSE_CACHE_SECONDS.items()]
        self.store = Store(
            NAME, most_entries=settings.RESPONSE_CACHE_MAX_ENTRIES, most_bytes=settings.RESPONSE_CACHE_MAX_BYTES
        )
        self._touched: dict[str, float] = {}
        register_store(NAME, lambda: self.store)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in SAFE:
            return self._write(environ, start_response)
        if method != "GET" or not environ["PATH_INFO"].startswith("/api/"):
            return self.application(environ, start_response)
        lifetime, named = self._rule(environ["PATH_INFO"])
        if not lifetime:
            return self._pass_on(environ, start_response, "BYPASS")
        return self._read(environ, start_response, lifetime, named)

    def _rule(self, path: str) -> tuple[int, list[str]]:
        """Return how many seconds an answer to a path is kept, and the tags of what the path names."""
        for pattern, seconds in self.rules:
            if (found := pattern.fullmatch(path)) is not None:
                return seconds, [shown(kind, name) for kind, name in found.groupdict().items()]
        return 0, []

    def _write(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        # Django has committed and nothing has been sent yet: whoever sees the answer sees the write.
        with gathering() as told:
            answer = self.application(environ, start_response)
            viewer: Viewer | None = environ.get(ENVIRON_KEY)
            if environ["PATH_INFO"].startswith(settings.RESPONSE_CACHE_WITHDRAWN_BY):
                told.tags.add(WITHDRAWN)
            elif viewer is not None:
                told.tags.add(viewer.tag)
            return answer

    def _read(
        self, environ: Environ, start_response: StartResponse, lifetime: int, named: list[str]
    ) -> Iterable[bytes]:
        credential, name = names_of(environ)
        viewer = self.credentials.viewer_of(credential)
        if viewer is None:
            return self._pass_on(environ, start_response, "MISS", credential=credential)
        tags = [*TAGS, viewer, *named]
        entry = self.store.entry(name)
        replies = ask_all(("MGET", entry, *tag_keys(tags)))
        if replies is UNREACHABLE or not isinstance(replies[0], list):
            return self._pass_on(environ, start_response, "BYPASS")
        answer, versions = _valid(replies[0]), b""
        if answer is None:
            answer, versions = self._claim(name, tags)
        if answer is not None:
            self._touch(name)
            record(NAME, "hits")
            return reply(environ, start_response, answer, HIT)
        record(NAME, "misses")
        return self._pass_on(
            environ, start_response, "MISS", credential=credential, name=name, versions=versions, lifetime=lifetime
        )

    def _claim(self, name: str, tags: list[str]) -> tuple[Answer | None, bytes]:
        """Return the answer that another has computed meanwhile, or the versions to compute it under."""
        lock, keys = key("lock", NAME, name), tag_keys(tags)
        give_up, pause = time.monotonic() + LOCK_MS / 1000, 0.004
        while True:
            replies = ask_all(
                ("SET", lock, "1", "NX", "PX", str(LOCK_MS)),
                *add_missing_versions(tags),
                ("MGET", self.store.entry(name), *keys),
            )
            if replies is UNREACHABLE or not isinstance(replies[-1], list):
                return None, b""
            if (answer := _valid(replies[-1])) is not None:
                if replies[0] is not None:
                    ask_all(("DEL", lock))
                return answer, b""
            if replies[0] is not None or time.monotonic() > give_up:
                return None, joined(replies[-1][1:]) or b""
            time.sleep(pause)
            pause = min(pause * 2, 0.05)

    def _pass_on(
        self, environ: Environ, start_response: StartResponse, outcome: str, *, credential: str = "",
        name: str = "", versions: bytes = b"", lifetime: int = 0,
    ) -> Iterable[bytes]:  # fmt: skip
        """Let Django answer; keep the answer when it may be kept."""
        is_locked = bool(name)
        try:
            started: list[Any] = []
            chunks = self.application(environ, lambda *arguments: started.append(arguments))
            status, headers, *_ = started[0]
            kept, rest, may_be_kept = read_headers(status, headers)
            for_whom = privacy(carries_credential(environ), rest)
            if not may_be_kept:
                start_response(status, [*kept, *rest, *for_whom, ("X-Cache", outcome)])
                return chunks
            body = b"".join(chunks)
            if (close := getattr(chunks, "close", None)) is not None:
                close()
            etag = etag_of(body)
            answer = Answer(etag, [*kept, *for_whom, ("ETag", etag)], body)
            viewer: Viewer | None = environ.get(ENVIRON_KEY)
            if viewer is not None and outcome == "MISS":
                is_locked &= not self._keep(answer, viewer, credential, name, versions, lifetime)
            return reply(environ, start_response, answer, [*rest, ("X-Cache", outcome)])
        finally:
            if is_locked:
                ask_all(unlocking(name))

    def _keep(self, answer: Answer, viewer: Viewer, credential: str, name: str, versions: bytes, lifetime: int) -> bool:
        """Keep an answer and let go of its lock, or return False."""
        known = self.credentials.viewer_of(credential) if name else None
        if known != viewer.tag:
            # Its version was not read before the answer was computed: the next answer can be kept.
            self.credentials.learn(credential, viewer.tag)
            return False
        lasts = lifetime if viewer.lasts_seconds is None else min(lifetime, viewer.lasts_seconds)
        if not versions or lasts < 1 or len(answer.body) > settings.CACHE_MAX_ENTRY_BYTES:
            return False
        payload = answer.pack(versions)
        evicted = self.store.put(name, payload, lifetime_ms=lasts * 1000, then=(unlocking(name),))
        if evicted:
            record(NAME, "evictions", evicted)
        return True

    def _touch(self, name: str) -> None:
        now = time.monotonic()
        if self._touched.get(name, 0.0) < now - TOUCH_SECONDS:
            if len(self._touched) > self.store.most_entries:
                self._touched.clear()
            self._touched[name] = now
            self.store.touch(name, now_ms=int(time.time() * 1000))


def unlocking(name: str) -> Command:
    return "DEL", key("lock", NAME, name)


def names_of(environ: Environ) -> tuple[str, str]:
    """Return the names of a request's credential (empty for a stranger) and of the entry that answers it."""
    cookies = environ.get("HTTP_COOKIE", "")
    parts = [environ.get("HTTP_AUTHORIZATION", ""), environ.get("HTTP_X_API_KEY", "")]
    parts.append(cookies if carries_session(cookies) else "")
    credential = _digest(parts) if any(parts) else ""
    chosen_by = [
        credential,
        environ.get("HTTP_HOST", ""),
        environ.get("wsgi.url_scheme", ""),
        environ.get("HTTP_X_FORWARDED_PROTO", ""),
        environ.get("SCRIPT_NAME", ""),
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT", ""),
    ]
    return credential, _digest(chosen_by)


def carries_credential(environ: Environ) -> bool:
    named = environ.get("HTTP_AUTHORIZATION") or environ.get("HTTP_X_API_KEY")
    return bool(named) or carries_session(environ.get("HTTP_COOKIE", ""))


def _digest(parts: list[str]) -> str:
    # Lengths keep the parts apart, whatever they contain.
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _valid(found: list[bytes | None]) -> Answer | None:
    versions = joined(found[1:])
    return None if versions is None or found[0] is None else unpack(found[0], versions)


def reply(environ: Environ, start_response: StartResponse, answer: Answer, rest: Headers) -> Iterable[bytes]:
    """Send an answer, or that the client has it already."""
    headers = answer.headers + rest
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None and matches(if_none_match, answer.etag):
        bare = [pair for pair in headers if pair[0].lower() not in ("content-length", "content-type")]
        start_response("304 Not Modified", bare)
        return []
    start_response("200 OK", headers)
    return [answer.body]


def privacy(has_credential: bool, headers: Headers) -> Headers:
    """Return the headers that tell caches on the way whom an answer is for."""
    if any(name.lower() == "cache-control" for name, _ in headers):
        return [VARY]
    return [VARY, PRIVATE if has_credential else PUBLIC]
