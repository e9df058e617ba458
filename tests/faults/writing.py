"""A worker that writes posts and meets its fault at a chosen point of a chosen step."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import django

# The fork server imports this module once; every worker forked from it starts in milliseconds.
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from posts.generation.engine import advancing, dispatcher, ending, ledger  # noqa: E402
from posts.generation.models import RunStep  # noqa: E402
from posts.generation.pipelines import PIPELINES, Kind, Step  # noqa: E402

POINTS = ("before", "during", "after", "committed")

type Fault = Callable[[], None]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def arrange(step: Step, point: str, fault: Fault) -> None:
    """Let `fault` happen before a step, during it, after it but before its result is committed, or after that."""
    is_step = {
        "_prepare": lambda flight, doing: doing is step,
        "_run_own": lambda flight, doing: doing is step,
        "perform": lambda flight, call: call.step is step,
        "create_post": lambda **fields: True,
        "send_message": lambda **fields: True,
        "write": lambda **given: _writes(step, given["outcomes"]),
        "complete": lambda **given: _writes(step, given["outcomes"]),
    }
    match point:
        case "before":
            for name in ("_prepare", "_run_own"):
                _wrap(advancing, name, is_step[name], fault)
        case "during" if step.asks_provider:
            _wrap(dispatcher, "perform", is_step["perform"], fault)
        case "during" if step.kind in (Kind.POST, Kind.MESSAGE):
            # The post is written or the message sent, its transaction is still open.
            name = "create_post" if step.kind is Kind.POST else "send_message"
            _wrap(ending, name, is_step[name], fault, is_after=True)
        case "during":
            _wrap(step, "function", lambda *args, **inputs: True, fault, is_after=True)
        case "after" | "committed":
            for name in ("write", "complete"):
                _wrap(ledger, name, is_step[name], fault, is_after=point == "committed")


def restore() -> None:
    """Take every arranged fault back."""
    while _replaced:
        owner, name, original = _replaced.pop()
        object.__setattr__(owner, name, original) if isinstance(owner, Step) else setattr(owner, name, original)


_replaced: list[tuple[Any, str, Any]] = []


def _wrap(owner: Any, name: str, applies: Callable[..., bool], fault: Fault, *, is_after: bool = False) -> None:
    original = getattr(owner, name)
    _replaced.append((owner, name, original))

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        is_meant = applies(*args, **kwargs)
        if is_meant and not is_after:
            fault()
        result = original(*args, **kwargs)
        if is_meant and is_after:
            fault()
        return result

    # A step is frozen: the fault is the one thing that may change it.
    object.__setattr__(owner, name, wrapped) if isinstance(owner, Step) else setattr(owner, name, wrapped)


def _writes(step: Step, outcomes: list[ledger.Outcome]) -> bool:
    return RunStep.objects.filter(pk__in=[outcome.step_id for outcome in outcomes], name=step.name).exists()


def work(
    pipeline: str, step: str, point: str, database: str, environment: dict[str, str], overrides: dict[str, Any]
) -> None:
    """Carry whatever is due, until killed."""
    os.environ.update(environment)
    for name, value in overrides.items():
        setattr(settings, name, value)
    connections["default"].settings_dict["NAME"] = database
    if step:
        arrange(PIPELINES[pipeline][step], point, die)
    dispatcher.Dispatcher().run_forever()


def start(
    database: str, overrides: dict[str, Any], *, pipeline: str = "", step: str = "", point: str = ""
) -> BaseProcess:
    """Start a worker; with a step and a point, one that kills itself there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    environment = {"SCRIPT_FOLDER": os.environ["SCRIPT_FOLDER"]}
    process = context.Process(target=work, args=(pipeline, step, point, database, environment, overrides))
    process.start()
    return process
