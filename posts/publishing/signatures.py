"""Sign what leaves for an address of somebody's own. Source: https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac
import time

TOLERANCE_SECONDS = 300


def sign(message_id: str, body: bytes, *, secret: str, now: int | None = None) -> dict[str, str]:
    """Return the headers that prove where a message comes from and when it was sent."""
    moment = str(int(time.time()) if now is None else now)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{_signature(message_id, moment, body, secret)}",
    }


def is_genuine(headers: dict[str, str], body: bytes, *, secret: str, now: float | None = None) -> bool:
    """Whether a message was signed with the secret, at most five minutes ago."""
    moment, message_id = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not moment.isdecimal() or abs((time.time() if now is None else now) - int(moment)) > TOLERANCE_SECONDS:
        return False
    expected = _signature(message_id, moment, body, secret)
    given = [part.removeprefix("v1,") for part in headers.get("webhook-signature", "").split()]
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


def _signature(message_id: str, moment: str, body: bytes, secret: str) -> str:
    signed = f"{message_id}.{moment}.".encode() + body
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
