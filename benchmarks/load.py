"""Bounded load on 127.0.0.1: wrk when it is installed, else threads of our own."""

import http.client
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import quantiles

CONNECTIONS = 8
WRK = shutil.which("wrk")

# One wrk thread walks the callers in turn.
_SCRIPT = """
local at = 0
local requests = {}
init = function(args)
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", wrk.path, {["Authorization"] = line, ["Host"] = "localhost"})
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


@dataclass(frozen=True)
class Measured:
    """One burst: requests, its length in seconds, and percentiles of latency in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    errors: int

    @property
    def per_second(self) -> float:
        return max(1, self.requests) / self.seconds


def burst(*, port: int, path: str, keys: Sequence[str], seconds: float, folder: Path) -> Measured:
    """Send requests for some seconds over a few connections, each caller in turn."""
    return (_with_wrk if WRK else _with_threads)(port, path, keys, seconds, folder)


def _with_wrk(port: int, path: str, keys: Sequence[str], seconds: float, folder: Path) -> Measured:
    script, lines = folder / "load.lua", folder / "callers.txt"
    script.write_text(_SCRIPT)
    lines.write_text("".join(f"Bearer {key}\n" for key in keys))
    command = [
        str(WRK),
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{max(1, round(seconds))}s",
        "--timeout",
        "30s",
        "-s",
        str(script),
    ]
    command += [f"http://127.0.0.1:{port}{path}", "--", str(lines)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    found = re.search(r"RESULT (.*)", output)
    if found is None:
        raise SystemExit(f"wrk said nothing of use:\n{output}")
    return Measured(**json.loads(found[1]))


def _with_threads(port: int, path: str, keys: Sequence[str], seconds: float, folder: Path) -> Measured:
    latencies: list[float] = []
    errors: list[int] = []
    started = time.perf_counter()

    def send(mine: Sequence[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for key in cycle(mine):
            if time.perf_counter() - started > seconds:
                connection.close()
                return
            sent = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}", "Host": "localhost"})
            response = connection.getresponse()
            response.read()
            latencies.append((time.perf_counter() - sent) * 1000)
            if response.status != 200:
                errors.append(response.status)

    threads = [threading.Thread(target=send, args=[keys[n::CONNECTIONS] or keys]) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    cuts = quantiles(latencies, n=100)
    return Measured(len(latencies), took, cuts[49], cuts[94], cuts[98], len(errors))
