"""What `python -m benchmarks` accepts, and the databases that follow from it."""

import pytest

from benchmarks.__main__ import parser, summary
from benchmarks.databases import sizes
from benchmarks.options import Options
from benchmarks.parts import PARTS
from benchmarks.results import Results, Row, packed


def test_without_arguments_every_part_runs_on_a_million_posts() -> None:
    arguments = parser().parse_args([])
    assert (arguments.parts or list(PARTS)) == list(PARTS)
    assert Options.parse(arguments).posts == 1_000_000


def test_parts_are_named() -> None:
    arguments = parser().parse_args(["mix", "growth", "--posts", "20000", "--peers", "FastAPI"])
    assert arguments.parts == ["mix", "growth"]
    assert Options.parse(arguments).peers == ("FastAPI",)


def test_what_is_no_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["reeding"])
    assert "there is no part reeding" in capsys.readouterr().err


def test_growth_is_measured_from_a_tenth_and_to_ten_times_only_on_request() -> None:
    assert sizes(posts=1_000_000, is_all=False) == [100_000, 1_000_000]
    assert sizes(posts=1_000_000, is_all=True) == [100_000, 1_000_000, 10_000_000]


def test_the_summary_counts_the_goals_that_were_reached() -> None:
    rows = [Row("quick", 1, "<=", 2, "ms"), Row("slow", 3, "<=", 2, "ms"), Row("plain", 1)]
    found: Results = {
        "machine": "2 cores",
        "parts": {
            "mix": {
                "measured_at": "2026-01-01", "seconds": 1, "load": 0, "posts": 1, "rows": [packed(row) for row in rows],
            }
        },
    }  # fmt: skip
    assert summary(found).endswith("1 of 2 goals reached.")
