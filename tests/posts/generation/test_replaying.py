from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from agents.knowledge.services import save_content
from agents.models import Agent
from posts.generation import providers
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run, RunStep
from posts.generation.services.runs import approve_run, create_run
from posts.models import Post


@pytest.fixture(autouse=True)
def _own_media(media: object) -> None:
    providers.forget()


def write(agent: Agent, **fields: str) -> Run:
    said = "Herons stand still for as long as it takes to fish."
    save_content(agent=agent, platform="notes", title="Herons", text=said)
    run = create_run(agent=agent, **fields)
    dispatcher = Dispatcher()
    dispatcher.run_until_settled([run.pk])
    run.refresh_from_db()
    if run.state == Run.State.REVIEW:
        approve_run(run=run, reviewer=None)
        dispatcher.run_until_settled([run.pk])
    dispatcher.close()
    run.refresh_from_db()
    assert run.state == Run.State.DONE, run.error
    return run


def replay(run: Run) -> str:
    out = StringIO()
    call_command("replay_run", run.pk, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("pipeline", ["post", "article"])
def test_a_run_comes_out_the_same(wren: Agent, pipeline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write(wren, pipeline=pipeline)
    for name in ("text_provider", "image_provider"):
        monkeypatch.setattr(providers, name, lambda: pytest.fail("A replay asks nobody."))
    assert "The same post, byte for byte" in replay(run)


def test_an_answer_that_was_tampered_with_shows(wren: Agent) -> None:
    run = write(wren, topic="Herons")
    RunStep.objects.filter(run=run, name="title").update(answer={"title": "Terns"})
    with pytest.raises(CommandError, match="2 of the steps"):
        replay(run)


def test_a_post_that_was_edited_shows(wren: Agent) -> None:
    run = write(wren, topic="Herons")
    Post.objects.update(body="Something else.")
    with pytest.raises(CommandError):
        replay(run)


def test_an_image_that_was_changed_shows(wren: Agent) -> None:
    run = write(wren, topic="Herons")
    assert run.post is not None
    with default_storage.open(run.post.image.name, "wb") as file:
        file.write(b"other bytes")
    with pytest.raises(CommandError):
        replay(run)
