import time
from collections.abc import Iterator

import httpx2


class AnswerTooLarge(httpx2.TransportError):
    """The answer is larger than any that was asked for, or compressed, so that its size is unknown."""


class AnswerTooSlow(httpx2.ReadTimeout):
    """The answer came in drops: each read was in time, the whole was not."""


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, *, most_bytes: int, end: float) -> None:
        self._stream, self._most_bytes, self._end = stream, most_bytes, end

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for chunk in self._stream:
            received += len(chunk)
            if received > self._most_bytes:
                raise AnswerTooLarge(f"The answer is larger than {self._most_bytes} bytes.")
            if time.monotonic() > self._end:
                raise AnswerTooSlow("The answer took too long.")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class BoundedTransport(httpx2.HTTPTransport):
    """Reads at most so many bytes of an answer, for at most so many seconds."""

    def __init__(self, *, most_bytes: int, seconds: float) -> None:
        super().__init__(retries=0)
        self._most_bytes, self._seconds = most_bytes, seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        end = time.monotonic() + self._seconds
        # What is compressed can be larger than it looks.
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            response.close()
            raise AnswerTooLarge("The answer is compressed although that was not asked for.")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Bounded(response.stream, most_bytes=self._most_bytes, end=end)
        return response
