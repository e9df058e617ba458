"""Tells another system about an alert."""

import json
import logging
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

logger = logging.getLogger("performance.alerts")

TIMEOUT_SECONDS = 5


def send(url: str, announcement: dict[str, Any]) -> bool:
    """POST an announcement as JSON; return whether it was accepted. Redirects are not followed.

    Called from the thread of the metrics, never from a request. A failure is logged without the URL, which
    often carries a secret.
    """
    try:
        status = _post(url, json.dumps(announcement).encode())
    except (OSError, HTTPException, ValueError) as error:
        logger.warning("alert_webhook_failed error=%s", type(error).__name__)
        return False
    if not 200 <= status < 300:
        logger.warning("alert_webhook_failed status=%s", status)
        return False
    return True


def _post(url: str, body: bytes) -> int:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The webhook needs an http or https URL.")
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"Content-Type": "application/json", "User-Agent": "Aviary"})
        return connection.getresponse().status
    finally:
        connection.close()
