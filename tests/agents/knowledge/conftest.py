import os
from pathlib import Path

import pytest

from agents.knowledge.indexing import index_pending
from agents.knowledge.models import Content
from agents.knowledge.services import save_author, save_content
from agents.models import Agent

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def real_data() -> Path:
    """The folder of real input, which is never part of the repository."""
    folder = Path(os.environ.get("AVIARY_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("The real data is not beside the repository; AVIARY_REAL_DATA may name its folder.")
    return folder


@pytest.fixture
def birds(wren: Agent) -> list[Content]:
    """Three common texts and one that only the agent `wren` knows, split and embedded."""
    texts = {
        "Wrens": "The wren sings very loudly for its size. It builds nests in hedges.\n\nA wren weighs ten grams.",
        "Storks": "Storks spend the winter in Africa. They return to the same nest every spring.",
        "Databases": "A database index speeds up reads. PostgreSQL keeps an index in pages of eight kilobytes.",
    }
    author = save_author(platform="article", name="Ada")
    rows = [save_content(platform="article", title=title, text=text, author=author)[0] for title, text in texts.items()]
    private = "The secret diary of wren says that owls frighten small birds at night."
    rows.append(save_content(platform="note", title="Diary", text=private, agent=wren)[0])
    index_pending()
    return rows
