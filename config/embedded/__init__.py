"""The PostgreSQL and Valkey that come with Aviary: addresses for the settings, and a hold on the servers."""

import os
from urllib.parse import quote

from config.embedded import layout
from config.embedded.client import hold, is_running
from config.embedded.errors import EmbeddedError

__all__ = ["EmbeddedError", "broker_url", "ensure", "ensure_for_command", "postgres_settings", "postgres_url"]
__all__ += ["stopped_services", "valkey_url"]

WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "startapp",
    "startproject",
    "version",
}


def postgres_settings() -> dict[str, str]:
    """Return Django's settings for the embedded database."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "aviary",
        "USER": "aviary",
        "HOST": str(layout.current().sockets),
    }


def postgres_url(*, user: str = "aviary") -> str:
    return f"postgres:///aviary?user={user}&host={quote(str(layout.current().sockets), safe='')}"


def valkey_url(*, database: int) -> str:
    return f"unix://{quote(str(layout.current().valkey_socket))}?db={database}"


def broker_url(*, database: int) -> str:
    return f"redis+socket://{quote(str(layout.current().valkey_socket))}?virtual_host={database}"


def ensure() -> None:
    """Hold on to every service that no environment variable replaces, starting what is not running."""
    hold(*_needed())


def ensure_for_command(argv: list[str]) -> None:
    """Do the same unless this manage.py command needs no service."""
    if len(argv) > 1 and argv[1].isidentifier() and argv[1] not in WITHOUT_SERVICES and not {"-h", "--help"} & {*argv}:
        ensure()


def stopped_services() -> list[str]:
    """Return the names of needed services that do not answer."""
    return [name for name in _needed() if not is_running(name)]


def _needed() -> list[str]:
    needed = [] if os.environ.get("DATABASE_URL") else ["postgres"]
    return needed if os.environ.get("CACHE_URL") and os.environ.get("BROKER_URL") else [*needed, "valkey"]
