"""Bounded load on 127.0.0.1: wrk when it is installed, else a client of our own that needs about twice its CPU."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

CONNECTIONS = 8
WRK = shutil.which("wrk")

# One wrk thread walks the requests in turn.
_SCRIPT = """
local at = 0
local requests = {}
init = function(args)
  for line in io.lines(args[1]) do
    local method, path, key, etag, body = line:match("([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)")
    local headers = {["Authorization"] = "Bearer " .. key, ["Host"] = "localhost"}
    if etag ~= "" then headers["If-None-Match"] = etag end
    if body ~= "" then headers["Content-Type"] = "application/json" end
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end
request = function() at = at % #requests + 1 return requests[at] end
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f, "errors": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class Request(NamedTuple):
    path: str
    key: str
    method: str = "GET"
    # What the caller has already, for a 304.
    etag: str = ""
    body: str = ""

    def line(self) -> str:
        return f"{self.method}\t{self.path}\t{self.key}\t{self.etag}\t{self.body}\n"


@dataclass(frozen=True)
class Measured:
    """One burst: requests, its length in seconds, percentiles of latency in milliseconds, answers of 400 and more.

    `outcomes` counts the values of `X-Cache`, `failures` those answers by status and path; wrk does not look at them.
    """

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    errors: int
    outcomes: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return max(1, self.requests) / self.seconds


def burst(*, port: int, requests: Sequence[Request], seconds: float, connections: int = CONNECTIONS) -> Measured:
    """Send requests for some seconds, each in its turn, over a few connections. Raises `SystemExit` on an error."""
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "requests.txt"
        lines.write_text("".join(request.line() for request in requests))
        found = (_with_wrk if WRK else _with_client)(port, lines, seconds, connections)
    if found.errors:
        which = found.failures or f"such as {requests[0].path}"
        raise SystemExit(f"{found.errors} of {found.requests} requests failed: {which}.")
    return found


def _with_wrk(port: int, lines: Path, seconds: float, connections: int) -> Measured:
    script = lines.with_name("load.lua")
    script.write_text(_SCRIPT)
    duration = f"-d{max(1, round(seconds))}s"
    command = [str(WRK), "-t1", f"-c{connections}", duration, "--timeout", "30s", "-s", str(script)]
    command += [f"http://127.0.0.1:{port}", "--", str(lines)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    found = re.search(r"RESULT (.*)", output)
    if found is None:
        raise SystemExit(f"wrk said nothing of use:\n{output}")
    return Measured(**json.loads(found[1]))


def _with_client(port: int, lines: Path, seconds: float, connections: int) -> Measured:
    return _from_client(port, lines, connections, f"--seconds={seconds}", seconds + 60)


def send_all(*, port: int, requests: Sequence[Request], connections: int = CONNECTIONS) -> Measured:
    """Send each of the requests once, and count what `X-Cache` said of them."""
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "requests.txt"
        lines.write_text("".join(request.line() for request in requests))
        return _from_client(port, lines, connections, "--once", 600)


def _from_client(port: int, lines: Path, connections: int, how: str, patience: float) -> Measured:
    command = [sys.executable, "-m", "benchmarks.client", str(port), str(lines), str(connections), how]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=patience).stdout
    return Measured(**json.loads(output))
