"""What a run found: rows with their goals, kept in `results.json` by the part of the bench that measured them."""

import json
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypedDict

FILE = Path(__file__).parent / "results.json"
HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "==": operator.eq,
}  # fmt: skip


class Row(NamedTuple):
    """A figure: `value op goal` is what must hold; without a goal it only informs.

    `low` and `high` are the extremes of the rounds, whose median is `value`.
    """

    name: str
    value: float
    op: str = ""
    goal: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def is_reached(self) -> bool | None:
        return None if self.goal is None else HOLDS[self.op](self.value, self.goal)


class Run(TypedDict):
    """One run of one part; the load average is what the machine carried before it began."""

    measured_at: str
    seconds: float
    load: float
    posts: int
    rows: list[dict[str, Any]]


class Results(TypedDict):
    machine: str
    parts: dict[str, Run]


def from_rounds(name: str, rounds: Sequence[float], op: str = "", goal: float | None = None, unit: str = "") -> Row:
    """Make a row of what the rounds measured: their median, and their extremes."""
    return Row(name, median(rounds), op, goal, unit, min(rounds), max(rounds))


def packed(row: Row) -> dict[str, Any]:
    """Return a row as the file has it: without what is empty, numbers with six significant digits."""
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in row._asdict().items()
        if value not in (None, "")
    }


def rows_of(run: Run) -> list[Row]:
    return [Row(**row) for row in run["rows"]]


def load(file: Path = FILE) -> Results:
    empty: Results = {"machine": "", "parts": {}}
    return json.loads(file.read_text()) if file.exists() else empty


def save(results: Results, file: Path = FILE) -> None:
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
