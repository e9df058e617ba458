import pytest

from tests.posts.generation.conftest import script as script


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="Run the long fault matrices (`make faults`).")
