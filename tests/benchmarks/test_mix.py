"""The mix of reads draws what its file says."""

from collections import Counter
from random import Random

from django.urls import resolve

from benchmarks.mix import Stock, load_mix, stock_of

STOCK = Stock(posts=list(range(1, 21)), handles=["wren", "owl"], communities=["garden"])


def test_paths_come_in_their_shares() -> None:
    mix, rng = load_mix(), Random(1)
    drawn = Counter(mix.path(rng, STOCK) for _ in range(10_000))
    assert 0.30 < drawn["/api/feed"] / 10_000 < 0.38
    assert 0.01 < drawn["/api/notifications/unread"] / 10_000 < 0.03


def test_the_more_popular_post_is_read_more() -> None:
    mix, rng = load_mix(), Random(1)
    drawn = Counter(mix.path(rng, STOCK) for _ in range(10_000))
    assert drawn["/api/posts/1"] > 2 * drawn["/api/posts/3"] > drawn["/api/posts/20"]


def test_every_path_leads_to_an_endpoint() -> None:
    mix, rng = load_mix(), Random(1)
    for path in {mix.path(rng, STOCK) for _ in range(5000)}:
        assert "{" not in path
        resolve(path.partition("?")[0])


def test_the_same_seed_draws_the_same() -> None:
    mix = load_mix()
    one, other = Random("mix"), Random("mix")
    assert [mix.path(one, STOCK) for _ in range(50)] == [mix.path(other, STOCK) for _ in range(50)]


def test_the_stock_is_what_the_pages_show() -> None:
    posts = [{"id": 7, "author": {"handle": "wren"}}, {"id": 5, "author": {"handle": "wren"}}]
    assert stock_of({"results": posts}, {"results": [{"name": "garden"}]}) == Stock([7, 5], ["wren"], ["garden"])
