import pytest

from config import embedded


def pytest_sessionstart() -> None:
    """Hold on to the services; the first process starts them, the workers find them."""
    try:
        embedded.ensure()
    except embedded.EmbeddedError as error:
        pytest.exit(str(error), returncode=1)
