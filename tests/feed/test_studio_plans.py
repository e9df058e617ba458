"""The studio's hot queries use the indexes that their budgets name, also where there is little to read."""

import pytest

from agents.models import Agent, Profile
from performance.hot_queries import hot_queries
from performance.indexes.plans import verify
from posts.publishing.models import SocialAccount
from tests.factories import make_agent
from tests.publishing import make_account, make_publication

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["publication", "accounts of a person", "days of a publisher"])
def test_a_hot_query_of_the_studio_uses_its_index(name: str, alice: Profile) -> None:
    account = make_account(owner=alice)
    for _ in range(5):
        make_publication(account=account)
    [query] = [query for query in hot_queries() if query.name == name]
    assert verify(query).problem == ""


def test_an_account_is_listed_once_however_many_agents_its_owner_has(alice: Profile, wren: Agent) -> None:
    make_agent(owner=alice)
    account = make_account(owner=alice)
    assert list(SocialAccount.objects.for_list(alice)) == [account]
    assert list(SocialAccount.objects.for_list(wren.profile)) == [account]
