import json
from collections import Counter
from pathlib import Path

import pytest

from tests.posts.generation.conftest import script as script

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "faults.json"

_runs: Counter[str] = Counter()
_failures: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="Run the long fault matrices (`make faults`).")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid.rpartition("::")[2].partition("[")[0].removeprefix("test_").replace("_", " ")
    _runs[name] += report.when == "call"
    _failures[name] += report.failed


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what a full run measured, beside what it did not run; only the process that has all reports does."""
    if session.config.getoption("--full", default=False) and not hasattr(session.config, "workerinput"):
        rows = [
            {"name": f"{name}: failures", "value": _failures[name], "op": "<=", "goal": 0, "unit": f"of {runs} runs"}
            for name, runs in _runs.items()
        ]
        known = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        new = {row["name"] for row in rows}
        rows = [*(row for row in known if row["name"] not in new), *rows]
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
