import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def real_data() -> Path:
    """The folder of real input, which is never part of the repository."""
    folder = Path(os.environ.get("AVIARY_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("The real data is not beside the repository; AVIARY_REAL_DATA may name its folder.")
    return folder
