import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.posts.generation.conftest import script as script

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "faults.json"

_measured: dict[str, dict[str, Any]] = {}
_runs: Counter[str] = Counter()
_failures: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="Run the long fault matrices (`make faults`).")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Without its case, and without the group that its worker was chosen by.
    name = re.split(r"[@[]", report.nodeid.rpartition("::")[2])[0].removeprefix("test_").replace("_", " ")
    _runs[name] += report.when == "call"
    _failures[name] += report.failed
    if report.when == "call":
        for measured, row in report.user_properties:
            # Of many rounds the worst one.
            _measured[measured] = max(_measured.get(measured, row), row, key=lambda one: one["value"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what a full run measured, beside what it did not run; only the process that has all reports does."""
    if session.config.getoption("--full", default=False) and not hasattr(session.config, "workerinput"):
        rows = [
            {"name": f"{name}: failures", "value": _failures[name], "op": "<=", "goal": 0, "unit": f"of {runs} runs"}
            for name, runs in _runs.items()
        ]
        rows += _measured.values()
        known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        new = {row["name"] for row in rows}
        rows = [*(row for row in known if row["name"] not in new), *rows]
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


class Measure(Protocol):
    def __call__(self, name: str, value: float, *, goal: float, unit: str) -> None: ...


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """Write down a figure, which is to be at most `goal`, for `benchmarks/faults.json`."""

    def write_down(name: str, value: float, *, goal: float, unit: str) -> None:
        record_property(name, {"name": name, "value": value, "op": "<=", "goal": goal, "unit": unit})

    return write_down


@pytest.fixture
def is_full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full", default=False))
