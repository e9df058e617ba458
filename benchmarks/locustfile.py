"""Load-test an Aviary of your own with the bench's mix of reads.

    AVIARY_KEYS=key,key,... python -m locust -f benchmarks/locustfile.py --host https://aviary.example

Each simulated reader takes one of the keys, which need the scope `read`, looks at what there is to read, and reads
on with a pause of one to ten seconds, or of `AVIARY_PAUSE` seconds. Needs `requirements-locust.txt`, nothing else.
"""

import os
from itertools import cycle
from random import Random

from locust import HttpUser, between, task

from benchmarks.mix import load_mix, stock_of

MIX = load_mix()
KEYS = cycle([key.strip() for key in os.environ["AVIARY_KEYS"].split(",")])
PAUSE = os.environ.get("AVIARY_PAUSE")


class Reader(HttpUser):
    """Somebody who reads on and on."""

    wait_time = between(float(PAUSE), float(PAUSE)) if PAUSE else between(1, 10)

    def on_start(self) -> None:
        self.rng = Random()
        self.client.headers["Authorization"] = f"Bearer {next(KEYS)}"
        self.stock = stock_of(self.client.get("/api/explore").json(), self.client.get("/api/communities").json())

    @task
    def read(self) -> None:
        name, path = MIX.drawn(self.rng, self.stock)
        with self.client.get(path, name=name, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"{response.status_code}")
