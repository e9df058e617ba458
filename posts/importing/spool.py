import json
from collections.abc import Iterator
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from agents.importing.records import Record


class Spool:
    """Records that wait on disk, however many they are."""

    def __init__(self) -> None:
        self.count = 0
        self._file = TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 (__exit__ closes it)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, record: Record) -> None:
        self._file.write(json.dumps([record.place, record.data]) + "\n")
        self.count += 1

    def records(self) -> Iterator[Record]:
        self._file.seek(0)
        for line in self._file:
            place, data = json.loads(line)
            yield Record(place, data)
