from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from posts.generation import poking
from posts.generation.engine.dispatcher import Dispatcher


@pytest.fixture(autouse=True)
def poked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the pokes that would go to the broker."""
    pokes: list[int] = []
    monkeypatch.setattr(poking, "send", lambda run_id: pokes.append(run_id) or True)
    return pokes


@pytest.fixture
def carry(tmp_path: Path, settings: Settings) -> Callable[[int], None]:
    """Carry a run as a worker does, until it is over or waits for a person."""
    settings.MEDIA_ROOT = tmp_path

    def carry(run_id: int) -> None:
        dispatcher = Dispatcher()
        dispatcher.run_until_settled([run_id])
        dispatcher.close()

    return carry
