"""Every page of the admin costs the same for 2 rows as for 20, and shows no secret."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.knowledge.models import Author, Card, Content, ResearchSession, Source
from agents.knowledge.services import save_author, save_content
from agents.models import Agent, ApiKey, Follow, Leaving, PersonaVersion, Profile, User
from agents.services.agents import save_persona
from agents.services.follows import follow
from agents.services.keys import create_key, digest_of
from feed.leaving.asking import leave
from posts.generation.models import Cadence, DailyBudget, Run
from posts.generation.services.runs import create_run
from posts.models import Comment, Community, Post
from posts.publishing.models import Publication, RecurringPost, SocialAccount, WebhookEndpoint
from posts.publishing.tokens import Token
from tests.factories import make_agent, make_comment, make_community, make_key, make_person, make_post
from tests.publishing import make_account, make_publication, make_recurring_post


def make_content(number: int) -> Content:
    author = save_author(platform="web", name=f"author {number}")
    text = f"Text {number}"
    return save_content(platform="web", title=text, text=text, author=author, agent=make_agent())[0]


def make_session(number: int) -> ResearchSession:
    return ResearchSession.objects.create(profile=make_person(), agent=make_agent(), question=f"Why {number}?")


def make_some_account(number: int) -> SocialAccount:
    return make_account(platform_user_id=str(number))


MAKERS: dict[type[Model], Callable[[int], Any]] = {
    Agent: lambda number: make_agent(),
    ApiKey: lambda number: make_key(make_person()),
    Author: lambda number: save_author(platform="web", name=f"author {number}"),
    Cadence: lambda number: Cadence.objects.create(agent=make_agent()),
    Card: lambda number: Card.objects.create(profile=make_person(), title=f"Card {number}"),
    Comment: lambda number: make_comment(),
    Community: lambda number: make_community(),
    Content: make_content,
    DailyBudget: lambda number: DailyBudget.objects.create(agent=make_agent(), day=date(2026, 1, 1)),
    Follow: lambda number: follow(follower=make_person(), author=make_agent().profile),
    Group: lambda number: Group.objects.create(name=f"group {number}"),
    Leaving: lambda number: leave(person=make_person()),
    PersonaVersion: lambda number: save_persona(agent=make_agent(), persona={"topics": [str(number)]}),
    Post: lambda number: make_post(community=make_community()),
    Profile: lambda number: make_person(),
    Publication: lambda number: make_publication(account=make_some_account(number), post=make_post()),
    RecurringPost: lambda number: make_recurring_post(account=make_some_account(number)),
    ResearchSession: make_session,
    Run: lambda number: create_run(agent=make_agent(), requested_by=make_person(), topic="birds"),
    SocialAccount: make_some_account,
    Source: lambda number: Source.objects.create(
        profile=make_person(), agent=make_agent(), kind="text", text="a", last_content=make_content(number)
    ),
    User: lambda number: make_person(),
    WebhookEndpoint: lambda number: WebhookEndpoint.objects.create(owner=make_person(), url="https://example.com/"),
}
OURS = [model for model in admin.site._registry if model in MAKERS]


@pytest.fixture
def moderator(db: None) -> Client:
    person = make_person("moderator")
    User.objects.filter(username=person.handle).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(username=person.handle))
    return client


def page_of(model: type[Model], page: str, *arguments: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def statements(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200, address
    return [query["sql"] for query in captured]


def test_every_model_of_the_admin_is_tested() -> None:
    assert set(admin.site._registry) == set(MAKERS)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_page_costs_the_same_whatever_the_number_of_rows(moderator: Client, model: type[Model]) -> None:
    costs = []
    for numbers in (range(2), range(2, 20)):
        for number in numbers:
            MAKERS[model](number)
        newest = model._default_manager.order_by("pk").last()
        assert newest
        addresses = (
            page_of(model, "changelist"),
            page_of(model, "changelist") + "?q=a",
            page_of(model, "change", newest.pk),
        )
        for address in addresses:
            # The first time looks content types up, which are kept.
            statements(moderator, address)
        costs.append([statements(moderator, address) for address in addresses])
    few, many = costs
    assert [len(page) for page in few] == [len(page) for page in many], [
        sql[:200] for page in many for sql in page if page.count(sql) > 1
    ] or many


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_action_works(moderator: Client, model: type[Model], settings: Any) -> None:
    rows = [MAKERS[model](number) for number in range(2)]
    assert rows
    keys = list(model._default_manager.exclude(pk__in=list(protected(model))).values_list("pk", flat=True))
    registered = admin.site._registry[model]
    for action in [name for name in registered.actions or [] if isinstance(name, str)]:
        data = {"action": action, "_selected_action": keys}
        response = moderator.post(page_of(model, "changelist"), data, follow=True)
        assert response.status_code == 200
        assert list(response.context["messages"]), f"{action} says nothing"


def protected(model: type[Model]) -> list[Any]:
    return list(User.objects.filter(username="moderator").values_list("pk", flat=True)) if model is User else []


def test_a_moderator_without_rights_for_a_model_gets_none_of_its_pages(db: None, client: Client) -> None:
    person = make_person("reader")
    User.objects.filter(username=person.handle).update(is_staff=True)
    client.force_login(User.objects.get(username=person.handle))
    for model in OURS:
        assert client.get(page_of(model, "changelist")).status_code == 403


def test_no_page_shows_a_secret(moderator: Client) -> None:
    alice = make_person("alice")
    row, key = create_key(profile=alice, name="laptop", scopes=["read"])
    account = make_account(
        owner=alice, access_token=Token.seal("tokencanary"), refresh_token=Token.seal("refreshcanary")
    )
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://example.com/", secret=Token.seal("signingcanary")
    )
    sealed = [account.access_token.sealed, account.refresh_token.sealed, endpoint.secret.sealed]
    secrets = [key, digest_of(key).hex(), "tokencanary", "refreshcanary", "signingcanary", *sealed]
    for model, made in ((ApiKey, row), (SocialAccount, account), (WebhookEndpoint, endpoint), (User, alice.user)):
        assert made
        for address in (page_of(model, "changelist"), page_of(model, "change", made.pk)):
            text = moderator.get(address).content.decode()
            assert "alice" in text
            assert not [secret for secret in secrets if secret in text], address


def test_stopping_and_withdrawing_do_what_they_say(moderator: Client) -> None:
    source = MAKERS[Source](1)
    Source.objects.update(due_at=timezone.now() + timedelta(days=1), interval_seconds=600)
    moderator.post(page_of(Source, "changelist"), {"action": "stop", "_selected_action": [source.pk]})
    source.refresh_from_db()
    assert source.due_at is None
    assert source.interval_seconds is None
    card = Card.objects.create(profile=make_person(), title="Card", published_at=timezone.now())
    moderator.post(page_of(Card, "changelist"), {"action": "withdraw", "_selected_action": [card.pk]})
    card.refresh_from_db()
    assert card.published_at is None
