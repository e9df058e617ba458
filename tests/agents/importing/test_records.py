import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from agents.importing import records
from agents.importing.records import read_records
from agents.importing.report import Report


def read(path: Path) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    return [record.data for record in read_records(path, kind="rows", report=report)], report


def reasons(report: Report) -> dict[str, list[str]]:
    return {reason: finding.places for (_, reason), finding in report.skipped.items()}


def test_it_skips_bad_lines_and_says_where(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    deep = b"[" * 100_000 + b"]" * 100_000
    lines = [
        b'{"a": 1}',
        b"{not json",
        b"",
        b'"a string"',
        b"\xff\xfe{}",
        deep,
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"a": 2}',
    ]
    file.write_bytes(b"\n".join(lines))
    rows, report = read(file)
    assert rows == [{"a": 1}, {"a": 2}]
    assert reasons(report) == {
        "not JSON": ["rows.jsonl:2", "rows.jsonl:5", "rows.jsonl:6", "rows.jsonl:7"],
        "not a JSON object": ["rows.jsonl:4"],
    }
    assert report.outcomes["rows", "skipped"] == 5
    assert report.read == 2


def test_it_gives_what_stands_before_the_break_of_a_gzip_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    whole = gzip.compress(
        b"".join(json.dumps({"n": n, "salt": f"{n * 7919:x}" * 9}).encode() + b"\n" for n in range(5000))
    )
    file.write_bytes(whole[: len(whole) // 2])
    rows, report = read(file)
    assert 100 < len(rows) < 5000
    assert list(reasons(report)) == ["the file is broken from here on"]


def test_it_reports_a_file_that_only_begins_like_gzip(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(b"\x1f\x8b\x08 and no more")
    rows, report = read(file)
    assert rows == []
    assert reasons(report) == {"the file is broken from here on": ["rows.jsonl.gz:1"]}


def test_it_tells_gzip_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert read(file)[0] == [{"a": 1}]


def test_a_line_that_is_too_long_is_passed_over_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100)
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"a": "' + b"x" * 1000 + b'"}\n{"a": 2}\n')
    rows, report = read(file)
    assert rows == [{"a": 2}]
    assert list(reasons(report).values()) == [["rows.jsonl:1"]]


def test_a_json_file_holds_one_object_or_a_list(tmp_path: Path) -> None:
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    one.write_text('{\n  "a": 1\n}')
    many.write_text('[{"a": 1}, 7, {"a": 2}]')
    assert read(one)[0] == [{"a": 1}]
    rows, report = read(many)
    assert rows == [{"a": 1}, {"a": 2}]
    assert reasons(report) == {"not a JSON object": ["many.json:1 item 2"]}


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert read(file)[0] == [{"a": 1}]


def test_it_tells_how_many_bytes_are_done(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"a": 1}\n' * 1000)
    done: list[int] = []
    list(read_records(file, kind="rows", report=Report(), on_bytes=done.append))
    assert done == sorted(done)
    assert done[-1] == file.stat().st_size
