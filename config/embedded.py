"""Start, find and stop the embedded PostgreSQL and Valkey."""

import os
from pathlib import Path

STATE = Path(os.environ.get("AVIARY_STATE", Path(__file__).resolve().parent.parent / ".aviary"))


def postgres_url() -> str:
    return "postgres://postgres@%2F" + str(STATE / "run")[1:].replace("/", "%2F") + "/aviary"


def valkey_url(*, database: int) -> str:
    return f"unix://{STATE}/run/valkey.sock?db={database}"


def broker_url(*, database: int) -> str:
    return f"redis+socket://{STATE}/run/valkey.sock?virtual_host={database}"


def ensure_for_command(argv: list[str]) -> None:
    """Start the services that this command needs."""
