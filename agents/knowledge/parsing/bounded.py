"""Parsing what strangers wrote, in processes that cannot eat the machine.

A parser process is warm, and forks for each document; see `child.py`. A thread that parses takes an idle one, or starts
one. Who is not asked for a minute ends.
"""

import atexit
import json
import os
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any

_CHILD = Path(__file__).with_name("child.py")
CPU_SECONDS = 2.0
# A parser that waits instead of working is ended too; one that has to share a busy machine is not.
WALL_SECONDS = 60.0
# After this one that does not even fork is.
GRACE_SECONDS = 5.0
IDLE_SECONDS = 60.0
MEMORY_BYTES = 384 * 1024 * 1024
MAX_DOCUMENT_BYTES = 10 * 1024 * 1024


class UnparsableDocument(Exception):
    """The document could not be parsed within its limits; the message says why."""


class _Ended(Exception):
    """The parser process is gone."""


class _Parser:
    def __init__(self, kind: str) -> None:
        limits = (MEMORY_BYTES, CPU_SECONDS, WALL_SECONDS, IDLE_SECONDS)
        command = [sys.executable, "-I", str(_CHILD), kind, *map(str, limits)]
        # An empty environment: the parser needs none of our secrets.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def parse(self, document: bytes, base_url: str) -> dict[str, Any]:
        """Return what is in a document. Raises `_Ended`."""
        watchdog = Timer(WALL_SECONDS + GRACE_SECONDS, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            header = json.dumps({"base_url": base_url, "size": len(document)}).encode()
            self._requests.write(header + b"\n" + document)
            self._requests.flush()
            body = self._answers.read(int.from_bytes(self._answers.read(8)))
            answer: dict[str, Any] = json.loads(body)
        except (OSError, ValueError) as error:
            raise _Ended from error
        finally:
            watchdog.cancel()
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._requests.close()
        self._answers.close()


# By the process that started them: a fork of this process must not share them.
_idle: defaultdict[tuple[int, str], list[_Parser]] = defaultdict(list)


def parse(kind: str, document: bytes, *, base_url: str = "") -> dict[str, Any]:
    """Parse a document of that kind ("feed", "page") in a process of its own; raise `UnparsableDocument`."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise UnparsableDocument(f"larger than {MAX_DOCUMENT_BYTES} bytes")
    idle = _idle[os.getpid(), kind]
    # One that was idle may have ended since, or end at this moment: a new one is asked then.
    for parser in [*([idle.pop()] if idle else []), None]:
        parser = parser or _Parser(kind)
        try:
            answer = parser.parse(document, base_url)
        except BaseException as error:
            parser.end()
            if isinstance(error, _Ended):
                continue
            raise
        idle.append(parser)
        if "gave_up" in answer:
            raise UnparsableDocument(f"the parser gave up: {answer['gave_up']}")
        return answer
    raise UnparsableDocument("the parser gave up: it ended")


@atexit.register
def end_parsers() -> None:
    """End the idle parsers of this process."""
    for (pid, _), parsers in _idle.items():
        while pid == os.getpid() and parsers:
            parsers.pop().end()
