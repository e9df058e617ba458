"""Providers that do as a folder says, also in another process: `SCRIPT_FOLDER` holds their orders and their log.

`hold-STEP`: wait while the file is there. `fail-STEP`: raise the `ProviderError` that the file describes, once.
`say-TASK`: one answer per line, each for one call; afterwards the usual one. `delays.json`: seconds by step.
`calls.log` gets a line per call: "asked RUN STEP KEY", then "answered RUN STEP KEY".
"""

import io
import json
import os
import time
from pathlib import Path
from typing import Any

from PIL import Image

from posts.generation.providers.base import (
    ImagePrompt,
    ImageResult,
    ProviderError,
    TextPrompt,
    TextResult,
    Usage,
)

USAGE = Usage(tokens_in=10, tokens_out=20, cost_micros=300)
RESERVED = Usage(tokens_in=50, tokens_out=50, cost_micros=1000)
ANSWERS: dict[str, dict[str, Any]] = {
    "image_prompt": {"prompt": "A heron at dawn.", "alt": "A heron stands in shallow water at dawn."},
    "title": {"title": "Herons at dawn"},
    "description": {"body": "Herons stand still. That is the whole trick."},
    "answer": {"body": "They wait until the fish comes to them.", "needs_human": False},
    "outline": {"title": "A year with herons", "sections": ["Spring", "Autumn"]},
    "draft": {"body": "## Spring\n\nThey arrive."},
    "edit": {"body": "## Spring\n\nThey arrive early."},
    "seo": {"summary": "Herons, season by season.", "keywords": ["herons"]},
}


def play(key: str) -> None:
    """Do what the folder says about one call."""
    folder = Path(os.environ["SCRIPT_FOLDER"])
    _, run, step, _ = key.split("-")
    _log(folder, f"asked {run} {step} {key}")
    delays = folder / "delays.json"
    time.sleep(json.loads(delays.read_text()).get(step, 0.0) if delays.exists() else 0.0)
    while (folder / f"hold-{step}").exists():
        time.sleep(0.01)
    failure = folder / f"fail-{step}"
    if failure.exists():
        order = json.loads(failure.read_text())
        failure.unlink()
        raise ProviderError("Scripted failure.", **order)
    _log(folder, f"answered {run} {step} {key}")


def answer_of(task: str) -> dict[str, Any]:
    orders = Path(os.environ["SCRIPT_FOLDER"]) / f"say-{task}"
    first, _, rest = orders.read_text().partition("\n") if orders.exists() else ("", "", "")
    if not first:
        return ANSWERS[task]
    orders.write_text(rest)
    answer: dict[str, Any] = {**ANSWERS[task], **json.loads(first)}
    return answer


def _log(folder: Path, line: str) -> None:
    with (folder / "calls.log").open("a") as log:
        log.write(f"{line}\n")


class ScriptedText:
    def estimate(self, prompt: TextPrompt) -> Usage:
        return RESERVED

    def write(self, prompt: TextPrompt, *, key: str) -> TextResult:
        play(key)
        return TextResult(data=answer_of(prompt.task), model="scripted", usage=USAGE)


class ScriptedImage:
    def estimate(self, prompt: ImagePrompt) -> Usage:
        return RESERVED

    def draw(self, prompt: ImagePrompt, *, key: str) -> ImageResult:
        play(key)
        buffer = io.BytesIO()
        Image.new("RGB", (32, 18), "teal").save(buffer, "PNG")
        return ImageResult(content=buffer.getvalue(), model="scripted", usage=USAGE)
