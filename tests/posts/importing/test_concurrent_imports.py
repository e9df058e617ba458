from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from agents.importing.owners import owner_named
from agents.models import Agent, Profile
from posts.models import Comment, ImportedRow, Post
from tests.posts.importing.communities import a_comment, a_post, run, write


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_bring_every_row_in_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        posts=[a_post(str(n), author=f"author{n % 7}") for n in range(1200)],
        comments=[a_comment(str(n), str(n)) for n in range(600)],
    )
    owner_named(None)

    def one_run(_: int) -> str:
        try:
            return run(tmp_path, source="same")
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one_run, range(2)))
    assert (Post.objects.count(), Comment.objects.count()) == (1200, 600)
    assert ImportedRow.objects.filter(source="same", kind="post").count() == 1200
    assert Agent.objects.count() == 8
    assert sum(Profile.objects.values_list("post_count", flat=True)) == 1200
