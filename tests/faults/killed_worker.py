"""A worker in a process of its own that is killed (SIGKILL) at a chosen point around the network call."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import django

# The fork server imports this module once; every worker forked from it starts in milliseconds.
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from posts.publishing import worker  # noqa: E402
from posts.publishing.networks import network_named  # noqa: E402

# Killed by itself at these; at `requested` and `accepted` the server kills it.
POINTS = ("claimed", "begun", "requested", "accepted", "answered", "settled")


def die(*args: Any, **options: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(call: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **options: Any) -> Any:
        call(*args, **options)
        die()

    return wrapped


def run(network: str, point: str, database: str, overrides: dict[str, Any]) -> None:
    """Publish what is due on a network until killed."""
    for name, value in overrides.items():
        setattr(settings, name, value)
    connections["default"].settings_dict["NAME"] = database
    match point:
        case "claimed":
            worker.Worker.start = die  # type: ignore[method-assign]
        case "begun":
            type(network_named(network)).send = die  # type: ignore[method-assign,assignment]
        case "answered":
            worker.publish_many = die
        case "settled":
            worker.publish_many = die_after(worker.publish_many)
    worker.Worker(networks=[network]).run(seconds=10)


def start(network: str, point: str, database: str, overrides: dict[str, Any]) -> multiprocessing.process.BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run, args=(network, point, database, overrides))
    process.start()
    return process
