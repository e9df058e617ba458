"""Outside networks: addresses, applications, versions. docs/operations.md says how to register each."""

from typing import Any

from environs import Env

env = Env()

# Fernet keys, the newest first; `manage.py rotate_token_keys` seals everything with the first one.
TOKEN_KEYS: list[str] = env.list("TOKEN_KEYS", [])
# Where this house is reached from outside: OAuth redirects and images that networks fetch.
PUBLIC_URL = env.str("PUBLIC_URL", "http://localhost:8000")
# Where a person is who comes back from a network's consent page.
ACCOUNTS_PAGE = "/studio/calendar/accounts"

NETWORK_URLS = {
    "bluesky": env.str("BLUESKY_URL", "https://bsky.social"),
    "facebook": env.str("FACEBOOK_URL", "https://graph.facebook.com"),
    "instagram": env.str("INSTAGRAM_URL", "https://graph.facebook.com"),
    "linkedin": env.str("LINKEDIN_URL", "https://api.linkedin.com"),
    "mastodon": env.str("MASTODON_URL", "https://mastodon.social"),
    "x": env.str("X_URL", "https://api.x.com"),
}
NETWORK_AUTHORIZE_URLS = {
    "facebook": env.str("FACEBOOK_AUTHORIZE_URL", "https://www.facebook.com/v25.0/dialog/oauth"),
    "instagram": env.str("INSTAGRAM_AUTHORIZE_URL", "https://www.facebook.com/v25.0/dialog/oauth"),
    "linkedin": env.str("LINKEDIN_AUTHORIZE_URL", "https://www.linkedin.com/oauth/v2/authorization"),
    "x": env.str("X_AUTHORIZE_URL", "https://x.com/i/oauth2/authorize"),
}
NETWORK_TOKEN_URLS = {
    "facebook": env.str("FACEBOOK_TOKEN_URL", "https://graph.facebook.com/v25.0/oauth/access_token"),
    "instagram": env.str("INSTAGRAM_TOKEN_URL", "https://graph.facebook.com/v25.0/oauth/access_token"),
    "linkedin": env.str("LINKEDIN_TOKEN_URL", "https://www.linkedin.com/oauth/v2/accessToken"),
    "x": env.str("X_TOKEN_URL", "https://api.x.com/2/oauth2/token"),
}
NETWORK_APPS: dict[str, dict[str, Any]] = {
    name: {
        "client_id": env.str(f"{name.upper()}_CLIENT_ID", ""),
        "client_secret": env.str(f"{name.upper()}_CLIENT_SECRET", ""),
    }
    for name in NETWORK_TOKEN_URLS
}
META_GRAPH_VERSION = env.str("META_GRAPH_VERSION", "v25.0")
# For organisations add r_organization_social, w_organization_social and rw_organization_admin.
LINKEDIN_SCOPES: list[str] = env.list("LINKEDIN_SCOPES", ["openid", "profile", "w_member_social"])
LINKEDIN_VERSION = env.str("LINKEDIN_VERSION", "202610")

# How many publications of one owner may wait at a time.
PUBLISHING_MAX_OPEN = env.int("PUBLISHING_MAX_OPEN", 10_000)
# How many recurring posts one owner may have.
PUBLISHING_MAX_RECURRING = env.int("PUBLISHING_MAX_RECURRING", 100)

# For each of connecting, sending and reading; with all of them it has to stay below a lease of 30 s.
OUTBOUND_TIMEOUT_SECONDS = env.float("OUTBOUND_TIMEOUT_SECONDS", 8)
OUTBOUND_USER_AGENT = "Aviary/0.1"

CELERY_BEAT_SCHEDULE = {
    # A poke that nobody took within two seconds is dropped: the next one does the same.
    "publish-due": {"task": "posts.publishing.tasks.publish_due", "schedule": 1.0, "options": {"expires": 2}},
    "deliver-webhooks": {
        "task": "posts.publishing.tasks.deliver_webhooks",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "schedule-recurring": {"task": "posts.publishing.tasks.schedule_recurring", "schedule": 60.0},
    "fetch-figures": {"task": "posts.publishing.tasks.fetch_figures", "schedule": 15.0, "options": {"expires": 30}},
}
