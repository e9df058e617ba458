"""The ways in which a provider fails, and what each of them means."""

import base64

from tests.posts.generation.providers import fault_server as faults
from tests.posts.generation.providers.fault_server import Behaviour

# Each: what the server does, whether another try may help, whether it may have been paid.
REFUSED: dict[str, tuple[Behaviour, bool, bool]] = {
    "truncated JSON in the answer": (faults.answer('{"title": "Her'), True, True),
    "wrong schema": (faults.answer('{"headline": "Herons"}'), True, True),
    "wrong type": (faults.answer('{"title": ["Herons"]}'), True, True),
    "empty": (faults.answer(""), True, True),
    "declined": (faults.answer(None), False, True),
    "cut off by the token limit": (faults.answer("Her", choice={"finish_reason": "length"}), True, True),
    "no choices": (faults.answer("x", choices=[]), True, True),
    "a list instead of an object": (faults.raw(b"[1]"), True, True),
    "an empty body": (faults.raw(b""), True, True),
    "HTML": (faults.raw(b"<html>gateway</html>", Content_Type="text/html"), True, True),
    "not UTF-8": (faults.raw(faults.completion("x").replace(b"x", b"\xff\xfe")), True, True),
    "two megabytes": (faults.answer("x" * 2_000_000), True, True),
    "compressed unasked": (faults.raw(b"x", Content_Encoding="gzip"), True, True),
    "truncated JSON in the body": (faults.cut_off, True, True),
    "reset after the work was done": (faults.reset, True, True),
    "slow drip": (faults.drip, True, True),
    "silence": (faults.silence, True, True),
    "overloaded": (faults.raw(b"{}", status=503), True, False),
    "broken": (faults.raw(b"{}", status=500), True, True),
    "redirect": (faults.raw(b"", status=307, Location="http://127.0.0.1:9/"), False, False),
    "bad request": (faults.raw(b"{}", status=400), False, False),
}


def png(size: int) -> Behaviour:
    """Send so many bytes of a picture."""
    content = base64.b64encode(faults.png()[:size]).decode()
    return faults.raw(b'{"created": 1, "data": [{"b64_json": "%b"}]}' % content.encode())


# The same for pictures.
REFUSED_PICTURES: dict[str, tuple[Behaviour, bool, bool]] = {
    "truncated JSON in the body": (faults.cut_off, True, True),
    "wrong schema": (faults.raw(b'{"pictures": []}'), True, True),
    "no picture": (faults.raw(b'{"created": 1, "data": []}'), True, True),
    "an empty body": (faults.raw(b""), True, True),
    "not UTF-8": (faults.raw(b'{"data": "\xff\xfe"}'), True, True),
    "too many megabytes": (faults.raw(b'"' + b"x" * 31_000_000 + b'"'), True, True),
    "reset after the work was done": (faults.reset, True, True),
    "slow drip": (faults.drip, True, True),
    "silence": (faults.silence, True, True),
    "overloaded": (faults.raw(b"{}", status=503), True, False),
    "slow down": (faults.raw(b"{}", status=429, Retry_After="1"), True, False),
    "bad request": (faults.raw(b"{}", status=400), False, False),
    "half a picture": (png(60), True, True),
    "no picture at all": (png(3), True, True),
}
