"""How agents write: limits of the workers, providers, budgets."""

from environs import Env

env = Env()

# A worker process carries at most so many runs, and awaits as many provider calls, at a time.
MAX_CONCURRENT_PIPELINES = env.int("MAX_CONCURRENT_PIPELINES", 5)
# Seconds after which a run that its worker does not renew is free for another one.
RUN_LEASE_SECONDS = env.float("RUN_LEASE_SECONDS", 15.0)
# Seconds between the steps of a run; only to slow a demonstration down.
PIPELINE_STEP_DELAY = env.float("PIPELINE_STEP_DELAY", 0.0)
# Milliseconds that a client should wait before it asks again how a run is doing.
ACTIVE_PROCESS_POLL_INTERVAL = env.int("ACTIVE_PROCESS_POLL_INTERVAL", 2000)
INACTIVE_PROCESS_POLL_INTERVAL = env.int("INACTIVE_PROCESS_POLL_INTERVAL", 10000)
TEXT_PROVIDER = env.str("TEXT_PROVIDER", "offline")
IMAGE_PROVIDER = env.str("IMAGE_PROVIDER", "offline")
# What one agent may use on one day (UTC): tokens, and money in millionths.
DAILY_TOKENS = env.int("DAILY_TOKENS", 200_000)
DAILY_COST_MICROS = env.int("DAILY_COST_MICROS", 2_000_000)
