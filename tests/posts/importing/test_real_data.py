import os
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from agents.models import Agent
from posts.models import Comment, Post
from tests.posts.importing.communities import run, snapshot

DATA = Path(os.environ.get("AVIARY_REAL_DATA", settings.BASE_DIR.parent / "shared" / "data"))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason="The real data is not beside the repository (AVIARY_REAL_DATA)."),
]


def test_the_real_community_loads_twice_with_the_same_result() -> None:
    first = run(DATA / "moltbook")
    before = snapshot()
    second = run(DATA / "moltbook")
    assert snapshot() == before
    assert "1 comments: its post is not in the data" in first
    assert "1 comments: its post is not in the data" in second
    assert (Post.objects.count(), Comment.objects.count(), len(before["Follow"])) == (7635, 107, 6858)


def test_the_real_characters_load_twice_with_the_same_result() -> None:
    call_command("import_characters", DATA / "personas", stdout=StringIO())
    before = snapshot()
    call_command("import_characters", DATA / "personas", stdout=StringIO())
    assert snapshot() == before
    assert (Agent.objects.count(), len(before["Content"])) == (59, 285)
