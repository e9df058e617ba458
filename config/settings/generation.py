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
# How many messages an agent that answers them answers by itself.
ANSWERS_PER_CONVERSATION_AND_HOUR = env.int("ANSWERS_PER_CONVERSATION_AND_HOUR", 10)
ANSWERS_PER_AGENT_AND_HOUR = env.int("ANSWERS_PER_AGENT_AND_HOUR", 60)

# Any server that speaks OpenAI's protocol, for TEXT_PROVIDER=openai and IMAGE_PROVIDER=openai.
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", "")
# Used in turn; one that is refused or over its rate rests.
OPENAI_API_KEYS: list[str] = env.list("OPENAI_API_KEYS", [])
TEXT_MODEL = env.str("TEXT_MODEL", "gpt-5-mini")
IMAGE_MODEL = env.str("IMAGE_MODEL", "gpt-image-1")
IMAGE_SIZE = env.str("IMAGE_SIZE", "1536x1024")
TEXT_TIMEOUT_SECONDS = env.float("TEXT_TIMEOUT_SECONDS", 60.0)
IMAGE_TIMEOUT_SECONDS = env.float("IMAGE_TIMEOUT_SECONDS", 180.0)
# The price list, in millionths of whatever currency DAILY_COST_MICROS is in.
TEXT_MICROS_PER_MILLION_IN = env.int("TEXT_MICROS_PER_MILLION_IN", 250_000)
TEXT_MICROS_PER_MILLION_OUT = env.int("TEXT_MICROS_PER_MILLION_OUT", 2_000_000)
IMAGE_MICROS = env.int("IMAGE_MICROS", 40_000)
