"""`results.json`: one row per figure, with its goal where it has one."""

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "results.json"


class Figure(NamedTuple):
    """A measured value; `op` and `goal` say what it must be (">=", "<=", or nothing)."""

    name: str
    value: float
    unit: str
    op: str = ""
    goal: float | None = None

    @property
    def is_reached(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.op == ">=" else self.value <= self.goal

    def row(self) -> dict[str, Any]:
        return {"name": self.name, "value": round(self.value, 3), "op": self.op, "goal": self.goal, "unit": self.unit}


def save(figures: list[Figure]) -> None:
    """Write figures into the file; those of other runs stay."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else []
    names = {figure.name for figure in figures}
    rows = [row for row in kept if row["name"] not in names] + [figure.row() for figure in figures]
    FILE.write_text(json.dumps(rows, indent=1) + "\n")


def show(figures: list[Figure]) -> None:
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        goal = (
            "" if figure.goal is None else f"{figure.op} {figure.goal:g} {'reached' if figure.is_reached else 'MISSED'}"
        )
        print(f"{figure.name:<{width}}  {figure.value:>10.3f} {figure.unit:<10} {goal}")
