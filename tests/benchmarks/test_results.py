"""What a run found is judged, packed and kept by part."""

from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Row, from_rounds, packed


@pytest.mark.parametrize(
    ("op", "value", "is_reached"),
    [(">=", 2.0, True), (">=", 1.99, False), ("<=", 2.0, True), ("<=", 2.01, False), ("==", 2, True), ("<", 2, False)],
)
def test_a_goal_is_reached_or_missed(op: str, value: float, is_reached: bool) -> None:
    assert Row("figure", value, op, 2).is_reached is is_reached


def test_a_row_without_a_goal_has_no_verdict() -> None:
    assert Row("figure", 1.0).is_reached is None


def test_rounds_become_their_median_with_their_extremes() -> None:
    row = from_rounds("ratio", [0.7, 0.9, 0.2], ">=", 0.7, "x")
    assert (row.value, row.low, row.high, row.is_reached) == (0.7, 0.2, 0.9, True)


def test_a_row_survives_the_file() -> None:
    row = from_rounds("ratio", [0.123456, 0.5], ">=", 0.7, "x")
    assert Row(**packed(row)) == Row("ratio", 0.311728, ">=", 0.7, "x", 0.123456, 0.5)


def test_rounding_for_the_file_keeps_a_verdict() -> None:
    missed = Row("ratio", 0.699999, ">=", 0.7)
    assert Row(**packed(missed)).is_reached is False


def test_a_file_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert results.load(tmp_path / "results.json") == {"machine": "", "parts": {}}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    run: results.Run = {"measured_at": "2026-01-01", "seconds": 1.0, "load": 0.1, "posts": 10, "rows": []}
    found: results.Results = {"machine": "2 cores", "parts": {"mix": run}}
    results.save(found, tmp_path / "results.json")
    assert results.load(tmp_path / "results.json") == found
