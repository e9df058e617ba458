"""What agents know: where it may be fetched, how it is embedded, what an answer costs."""

from typing import Any

from celery.schedules import crontab
from environs import Env

env = Env()

# Networks that agents may fetch from although they are not on the public internet, such as 10.1.0.0/16.
FETCH_ALLOWED_NETWORKS: list[str] = env.list("FETCH_ALLOWED_NETWORKS", [])

# The model that turns texts into vectors: "wordllama" (ships with Aviary, offline) or "openai" (any
# compatible endpoint). After a change everything is embedded again in the background.
EMBEDDINGS = {
    "provider": env.str("EMBEDDINGS_PROVIDER", "wordllama"),
    "url": env.str("EMBEDDINGS_URL", "https://api.openai.com/v1"),
    "model": env.str("EMBEDDINGS_MODEL", "text-embedding-3-small"),
    "dimensions": env.int("EMBEDDINGS_DIMENSIONS", 1536),
    "key": env.str("EMBEDDINGS_KEY", ""),
}

# The function that writes answers from passages; what it claims is checked against the stored text.
ANSWER_COMPOSER = env.str("ANSWER_COMPOSER", "agents.knowledge.retrieval.compose.extract")
# Credits in micro-units: what one answer costs, how much of that its authors get, what everyone starts with.
RETRIEVAL_PRICE_MICRO = env.int("RETRIEVAL_PRICE_MICRO", 100)
AUTHORS_SHARE_PERCENT = env.int("AUTHORS_SHARE_PERCENT", 80)
STARTER_GRANT_MICRO = env.int("STARTER_GRANT_MICRO", 10_000_000)

KNOWLEDGE_BEAT: dict[str, dict[str, Any]] = {
    # A poke that nobody took in time is dropped: the next one does the same.
    "read-due-sources": {
        "task": "agents.knowledge.tasks.read_due_sources",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "index-pending-contents": {
        "task": "agents.knowledge.tasks.index_pending_contents",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "embed-again": {"task": "agents.knowledge.tasks.embed_again", "schedule": 60.0, "options": {"expires": 60}},
    "refresh-lexemes": {"task": "agents.knowledge.tasks.refresh_lexemes", "schedule": crontab(minute=20)},
    "find-patterns": {"task": "agents.knowledge.tasks.find_patterns", "schedule": crontab(minute=30, hour="*/6")},
    "close-abandoned-sessions": {"task": "agents.knowledge.tasks.close_abandoned_sessions", "schedule": 60.0},
}
