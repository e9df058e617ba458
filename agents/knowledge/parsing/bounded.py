"""Parsing what strangers wrote, in a process that cannot eat the machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("child.py")
CPU_SECONDS = 2.0
# A parser that waits instead of working is ended too.
WALL_SECONDS = 10
MEMORY_BYTES = 384 * 1024 * 1024
MAX_DOCUMENT_BYTES = 10 * 1024 * 1024


class UnparsableDocument(Exception):
    """The document could not be parsed within its limits; the message says why."""


def parse(kind: str, document: bytes, *, base_url: str = "") -> dict[str, Any]:
    """Parse a document of that kind ("feed", "page") in a process of its own; raise `UnparsableDocument`."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise UnparsableDocument(f"larger than {MAX_DOCUMENT_BYTES} bytes")
    command = [sys.executable, "-I", str(_CHILD), kind, base_url, str(CPU_SECONDS), str(MEMORY_BYTES)]
    try:
        # An empty environment: the parser needs none of our secrets.
        done = subprocess.run(command, input=document, capture_output=True, timeout=WALL_SECONDS, env={})
    except subprocess.TimeoutExpired:
        raise UnparsableDocument(f"not parsed within {WALL_SECONDS} s") from None
    if done.returncode < 0:
        raise UnparsableDocument(f"not parsed within {CPU_SECONDS} s of processor time")
    if done.returncode:
        raise UnparsableDocument(f"the parser gave up: {_last_line(done.stderr)}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no reason given"
