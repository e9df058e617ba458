"""The PostgreSQL and Valkey that come with Aviary: addresses for the settings, and a hold on the servers."""

import os
from pathlib import Path
from urllib.parse import quote

from config.embedded import layout
from config.embedded.account import make_open_folder
from config.embedded.client import hold, is_running
from config.embedded.errors import EmbeddedError
from config.embedded.supervisor import SERVICES

__all__ = [
    "EmbeddedError",
    "broker_url",
    "ensure",
    "ensure_for_command",
    "logs_folder",
    "postgres_settings",
    "postgres_url",
    "stopped_services",
    "valkey_url",
]

# The demo starts them itself, as a step of its own.
WITHOUT_SERVICES = {
    "collectstatic",
    "compilemessages",
    "demo",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
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
    if needed := _needed():
        hold(*needed)


def ensure_for_command(argv: list[str]) -> None:
    """Do the same unless this manage.py command needs no service."""
    if len(argv) > 1 and argv[1].isidentifier() and argv[1] not in WITHOUT_SERVICES and not {"-h", "--help"} & {*argv}:
        ensure()


def stopped_services() -> list[str]:
    """Return the titles of needed services that do not answer."""
    return [SERVICES[name].title for name in _needed() if not is_running(name)]


def logs_folder() -> Path:
    """Return the folder for what this clone's processes log, made when it is missing."""
    logs = layout.current().state
    make_open_folder(logs)
    return logs


def _needed() -> list[str]:
    needed = [] if os.environ.get("DATABASE_URL") else ["postgres"]
    return needed if os.environ.get("CACHE_URL") and os.environ.get("BROKER_URL") else [*needed, "valkey"]
