import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from posts.generation import providers


class Script:
    """The orders for the scripted providers, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hold(self, step: str) -> None:
        (self.folder / f"hold-{step}").touch()

    def release(self, step: str) -> None:
        (self.folder / f"hold-{step}").unlink()

    def fail(self, step: str, **order: Any) -> None:
        (self.folder / f"fail-{step}").write_text(json.dumps(order))

    def say(self, task: str, *answers: dict[str, Any]) -> None:
        """Let the next calls of a task be answered so, one after the other."""
        (self.folder / f"say-{task}").write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))

    def delay(self, **seconds: float) -> None:
        (self.folder / "delays.json").write_text(json.dumps(seconds))

    def lines(self) -> list[str]:
        log = self.folder / "calls.log"
        return log.read_text().splitlines() if log.exists() else []

    def asked(self) -> Counter[str]:
        """Return how often each step was asked for, over all runs."""
        return Counter(line.split()[2] for line in self.lines() if line.startswith("asked"))

    def keys(self) -> set[str]:
        """Return the different idempotency keys of all calls."""
        return {line.split()[3] for line in self.lines()}

    def answered(self) -> Counter[str]:
        return Counter(line.split()[2] for line in self.lines() if line.startswith("answered"))


@pytest.fixture
def script(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Let the scripted providers write and draw."""
    folder = tmp_path / "script"
    folder.mkdir()
    monkeypatch.setenv("SCRIPT_FOLDER", str(folder))
    settings.TEXT_PROVIDER = "tests.posts.generation.scripted.ScriptedText"
    settings.IMAGE_PROVIDER = "tests.posts.generation.scripted.ScriptedImage"
    settings.MEDIA_ROOT = str(tmp_path / "media")
    providers.forget()
    yield Script(folder)
    for hold in folder.glob("hold-*"):
        hold.unlink(missing_ok=True)
    providers.forget()


@pytest.fixture
def media(tmp_path: Path, settings: Settings) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    os.makedirs(settings.MEDIA_ROOT, exist_ok=True)
    return tmp_path / "media"
