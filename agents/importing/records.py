"""Read JSON Lines and JSON files of any size, plain or gzipped, a bounded piece at a time."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agents.importing.report import Report

# The largest line, and the largest document that is not lines: what one record may cost in memory.
MAX_RECORD_BYTES = 16 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
READ_ERRORS = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object and where it stands, as `file:line`."""

    place: str
    data: dict[str, Any]


def read_records(
    path: Path, *, kind: str, report: Report, on_bytes: Callable[[int], object] = lambda done: None
) -> Iterator[Record]:
    """Yield the JSON objects of a file; what cannot be read goes into the report as `kind`.

    `.json` holds one object or a list of them, every other name one object per line. `on_bytes` is told how
    many bytes of the file are done. A file that breaks off gives what stands before the break.
    """
    number = 1
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == GZIP_MAGIC
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            is_document = ".json" in path.suffixes
            pieces = _document(stream) if is_document else _lines(stream)
            for number, piece in pieces:
                on_bytes(raw.tell())
                yield from _records(piece, f"{path.name}:{number}", kind, report, may_be_list=is_document)
    except READ_ERRORS:
        report.skip(kind, "the file is broken from here on", f"{path.name}:{number}")


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(MAX_RECORD_BYTES + 1):
        number += 1
        rest = line
        # A line that is too long is read to its end, in pieces that are thrown away.
        while len(rest) > MAX_RECORD_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_RECORD_BYTES + 1)
        if line.strip():
            yield number, line


def _document(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    yield 1, stream.read(MAX_RECORD_BYTES + 1)


def _records(piece: bytes, place: str, kind: str, report: Report, *, may_be_list: bool) -> Iterator[Record]:
    if len(piece) > MAX_RECORD_BYTES:
        report.skip(kind, f"longer than {MAX_RECORD_BYTES // 2**20} MB", place)
        return
    try:
        value = json.loads(piece)
    # RecursionError: nested too deep; ValueError: bad JSON, bad UTF-8 or a number of thousands of digits.
    except (ValueError, RecursionError):
        report.skip(kind, "not JSON", place)
        return
    items = value if may_be_list and isinstance(value, list) else [value]
    for index, item in enumerate(items, start=1):
        where = place if len(items) == 1 else f"{place} item {index}"
        if isinstance(item, dict):
            report.read += 1
            yield Record(where, item)
        else:
            report.skip(kind, "not a JSON object", where)
