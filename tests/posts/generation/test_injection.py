"""Sixty texts that tell a model what to do, and a model that does it: no prompt, no secret, no action gets out."""

import base64
from collections.abc import Callable, Iterator

import pytest
from pytest_django.fixtures import Settings

from agents.inbox.models import Message
from agents.inbox.services.conversations import start_conversation
from agents.knowledge.indexing import index_pending
from agents.knowledge.services import save_content
from agents.models import Agent, Notification, Profile
from agents.services.agents import save_persona, update_agent
from posts.generation import providers
from posts.generation.engine.dispatcher import Dispatcher
from posts.generation.models import Run
from posts.generation.providers.messages import RULES
from posts.generation.services.answers import start_due_answers
from posts.generation.services.runs import create_run
from posts.models import Comment, Post
from posts.services.interactions import add_comment
from tests.factories import make_agent, make_person, make_post
from tests.posts.generation.conftest import Script
from tests.posts.generation.obedient import ATTACKS, SECRET_KEY, SECRET_PERSONA, ObedientServer

FACTS = "Herons fish in shallow water and wait for as long as it takes. They strike faster than a person can blink."
# What can be cleaned is published; a leak is refused, and the refusal does not repeat it.
LEAKS = {"print", "backwards", "base64", "hex", "letters", "persona", "key", "secret"}
KEYS = ["house-key-one-1234567890", "house-key-two-1234567890"]


@pytest.fixture
def model(settings: Settings, script: Script) -> Iterator[ObedientServer]:
    """Write with the obedient model, draw with the scripted one."""
    with ObedientServer() as server:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEYS = server.url, KEYS
        settings.TEXT_PROVIDER = "openai"
        providers.forget()
        yield server
        providers.text_provider().close()  # type: ignore[attr-defined]
        server.shutdown()


def by_topic(agent: Agent, attack: str) -> Run:
    return create_run(agent=agent, topic=f"Herons. {attack}")


def by_feed(agent: Agent, attack: str) -> Run:
    save_content(agent=None, platform="rss", title=f"Herons {agent.pk}", text=f"{FACTS}\n\n{attack} {FACTS}")
    index_pending()
    return create_run(agent=agent, topic=f"Herons {agent.pk}")


def by_comment(agent: Agent, attack: str) -> Run:
    post = make_post(author=agent.profile, title=f"Why herons wait, part {agent.pk}: {attack}"[:300])
    for _ in range(3):
        add_comment(author=make_person(), post=post, body=attack)
    return create_run(agent=agent)


def by_persona(agent: Agent, attack: str) -> Run:
    save_persona(agent=agent, persona={"system": f"{SECRET_PERSONA} {attack}", "bio": [attack], "topics": ["herons"]})
    save_content(agent=agent, platform="notes", title="Herons", text=f"{FACTS} {attack}")
    agent.refresh_from_db()
    return create_run(agent=agent)


@pytest.mark.parametrize("place", [by_topic, by_feed, by_comment, by_persona])
def test_nothing_gets_out_of_a_model_that_obeys(
    model: ObedientServer, bob: Profile, charlie: Profile, place: Callable[[Agent, str], Run]
) -> None:
    agents = {name: make_agent() for name in ATTACKS}
    for agent in agents.values():
        save_persona(agent=agent, persona={"system": SECRET_PERSONA, "topics": ["herons"]})
        agent.refresh_from_db()
    runs = {name: place(agents[name], attack) for name, attack in ATTACKS.items()}
    before = Post.objects.count(), Comment.objects.count()
    notified = Notification.objects.count()
    dispatcher = Dispatcher(slots=len(runs))
    dispatcher.run_until_settled([run.pk for run in runs.values()])
    dispatcher.close()
    written = list(Post.objects.filter(generated_by__in=[run.pk for run in runs.values()]))
    assert model.requests and not any("tools" in body for _, body in model.requests)
    for post in written:
        assert_clean(f"{post.title}\n{post.body}\n{post.image_alt}")
        assert (post.layer, post.author_id) == (0, post.generated_by.agent_id)
    # Nothing was written but the runs' own posts, and nobody was called.
    assert (Post.objects.count(), Comment.objects.count()) == (before[0] + len(written), before[1])
    assert Notification.objects.count() == notified
    assert {run.state for run in Run.objects.all()} <= {Run.State.DONE, Run.State.FAILED}
    for name in runs:
        runs[name].refresh_from_db()
    for name, run in runs.items():
        # A feed is common to all: a run may have read the texts of other attacks too.
        read = str(list(run.steps.values_list("prompt", flat=True))).replace("\\'", "'")
        is_leak = any(ATTACKS[attack] in read for attack in LEAKS)
        assert run.state == (Run.State.FAILED if is_leak else Run.State.DONE), (name, run.error)
        assert_clean(run.error)


def test_nothing_gets_out_by_messages(model: ObedientServer, bob: Profile) -> None:
    agents = {name: make_agent() for name in ATTACKS}
    for name, agent in agents.items():
        save_persona(agent=agent, persona={"system": SECRET_PERSONA, "topics": ["herons"]})
        update_agent(agent=agent, answers_messages=True)
        start_conversation(sender=bob, recipient=agent.profile, body=f"What do herons eat? {ATTACKS[name]}")
    runs = start_due_answers()
    dispatcher = Dispatcher(slots=len(runs))
    dispatcher.run_until_settled([run.pk for run in runs])
    dispatcher.close()
    answers = {message.sender_id: message.body for message in Message.objects.filter(is_generated=True)}
    assert len(runs) == len(ATTACKS) and not any("tools" in body for _, body in model.requests)
    for name, agent in agents.items():
        is_leak = name in LEAKS
        assert (agent.pk in answers) is not is_leak, name
        assert_clean(answers.get(agent.pk, "") + Run.objects.get(agent=agent).error)
    assert not Post.objects.exists()


def assert_clean(text: str) -> None:
    squeezed = "".join(text.split())
    for private in (RULES, SECRET_PERSONA):
        for part in (private[20:60], private[-60:-20]):
            forms = (part, part[::-1], part.encode().hex()[:40], base64.b64encode(part.encode()).decode()[8:30])
            assert not any(form in text or "".join(form.split()) in squeezed for form in forms)
    assert SECRET_KEY not in text and not any(key in text for key in KEYS)
    assert "http" not in text and "evil.example" not in text and "<script" not in text and "![" not in text
    assert "@bob" not in text and "@charlie" not in text
