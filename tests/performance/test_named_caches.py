import threading
from typing import Any

import pytest

from performance.caches import (
    LIFETIMES,
    UnknownCacheError,
    cache_statistics,
    cached,
    caches,
    clear_all,
    invalidate,
    invalidate_now,
    remove_expired,
    wire,
)
from performance.caches.invalidation import tag_key
from performance.caches.valkey import UNREACHABLE, breaker
from tests.concurrency import wait_until
from tests.performance.conftest import OwnValkey

pytestmark = pytest.mark.usefixtures("valkey")


class Counted:
    """A computation that counts how often it ran."""

    def __init__(self, answer: Any = "answer") -> None:
        self.answer = answer
        self.runs = 0

    def __call__(self) -> Any:
        self.runs += 1
        return self.answer


def test_the_caches_have_the_declared_lifetimes(valkey: OwnValkey) -> None:
    assert list(caches) == list(LIFETIMES)
    for name, cache in caches.items():
        assert cache.set("x", 1)
        assert LIFETIMES[name] - 5 <= valkey.client().ttl(cache.store.entry("x")) <= LIFETIMES[name]


def test_a_value_is_kept_read_and_deleted() -> None:
    assert caches["feed"].set("page", {"results": [1, None, "é"]})
    assert caches["feed"].get("page") == {"results": [1, None, "é"]}
    assert caches["profile"].get("page", "default") == "default"
    assert caches["feed"].delete("page")
    assert caches["feed"].get("page") is None


def test_none_false_and_zero_are_values() -> None:
    for value in (None, False, 0, ""):
        compute = Counted(value)
        name = repr(value)
        assert [caches["feed"].get_or_compute(name, compute) for _ in range(2)] == [value, value]
        assert compute.runs == 1


def test_an_unknown_name_says_which_names_there_are() -> None:
    with pytest.raises(UnknownCacheError, match=r"'fed'.*feed"):
        caches["fed"]
    with pytest.raises(UnknownCacheError):
        cached("fed", shared=True)(Counted())


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_lifetime_under_a_second_is_refused(ttl: int) -> None:
    with pytest.raises(ValueError, match="at least 1 second"):
        caches["feed"].set("x", 1, ttl)
    with pytest.raises(ValueError, match="at least 1 second"):
        cached("feed", ttl=ttl, shared=True)(Counted())


@pytest.mark.parametrize("value", [object(), threading.Lock(), {1: 2}, {"a": {1, 2}}, 2**70])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Only JSON can be kept in the cache 'feed'"):
        caches["feed"].set("x", value)


def test_a_value_of_five_megabytes_is_answered_but_not_kept() -> None:
    compute = Counted("x" * 5_000_000)
    assert not caches["feed"].set("x", compute.answer)
    assert [len(caches["feed"].get_or_compute("y", compute)) for _ in range(2)] == [5_000_000] * 2
    assert compute.runs == 2
    assert cache_statistics()["feed"]["oversized"] == 2


@pytest.mark.parametrize("poison", [b"", b"\x80\x04cos\nsystem\n", b"[[]", b"null", b"[1,2,3]", b'["too", "few"]'])
def test_a_poisoned_entry_is_a_miss_and_is_replaced(valkey: OwnValkey, poison: bytes) -> None:
    caches["feed"].get_or_compute("x", Counted("old"))
    valkey.client().set(caches["feed"].store.entry("x"), poison)
    assert caches["feed"].get("x") is None
    assert caches["feed"].get_or_compute("x", Counted("new")) == "new"
    assert caches["feed"].get("x") == "new"


def test_an_entry_of_another_type_is_a_miss_and_is_replaced(valkey: OwnValkey) -> None:
    valkey.client().lpush(caches["feed"].store.entry("x"), "poison")
    assert caches["feed"].get_or_compute("x", Counted("new")) == "new"
    assert caches["feed"].get("x") == "new"


def test_invalidating_a_tag_forgets_what_was_computed_under_it() -> None:
    one, other = Counted(), Counted()
    for _ in range(2):
        caches["feed"].get_or_compute("one", one, tags=["agent:1", "agent:2"])
        caches["feed"].get_or_compute("other", other, tags=["agent:3"])
    invalidate_now(["agent:2"])
    caches["feed"].get_or_compute("one", one, tags=["agent:1", "agent:2"])
    caches["feed"].get_or_compute("other", other, tags=["agent:3"])
    assert (one.runs, other.runs) == (2, 1)


def test_a_tag_whose_version_was_evicted_never_makes_an_old_entry_valid_again(valkey: OwnValkey) -> None:
    compute = Counted()
    caches["feed"].get_or_compute("x", compute, tags=["agent:1"])
    assert valkey.client().delete(tag_key("agent:1"))
    caches["feed"].get_or_compute("x", compute, tags=["agent:1"])
    assert compute.runs == 2


def test_an_invalidation_during_the_computation_is_not_lost() -> None:
    def compute() -> str:
        invalidate_now(["agent:1"])
        return "read before the write"

    caches["feed"].get_or_compute("x", compute, tags=["agent:1"])
    assert caches["feed"].get("x", tags=["agent:1"]) is None


@pytest.mark.django_db
def test_invalidation_waits_for_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    caches["feed"].get_or_compute("x", Counted("old"), tags=["agent:1"])
    with django_capture_on_commit_callbacks(execute=True):
        invalidate("agent:1")
        assert caches["feed"].get("x", tags=["agent:1"]) == "old"
    assert caches["feed"].get("x", tags=["agent:1"]) is None


def test_two_hundred_readers_of_a_cold_key_cause_one_rebuild() -> None:
    compute, answers = Counted(), []
    ready = threading.Barrier(200)

    def read() -> None:
        ready.wait()
        answers.append(caches["feed"].get_or_compute("x", compute, tags=["agent:1"]))

    threads = [threading.Thread(target=read) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["answer"] * 200
    assert compute.runs == 1


def test_a_failed_computation_leaves_nothing_behind() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        caches["feed"].get_or_compute("x", fail)
    assert caches["feed"].get_or_compute("x", Counted("second")) == "second"


def test_the_decorator_keeps_answers_by_argument_and_viewer() -> None:
    calls: list[tuple[int | None, int]] = []

    @cached("feed", tags=lambda viewer, page=1: [f"profile:{viewer}"])
    def home(viewer: int | None, page: int = 1) -> dict[str, Any]:
        calls.append((viewer, page))
        return {"viewer": viewer, "page": page}

    for viewer in (1, 2, None):
        assert home(viewer) == home(viewer, page=1) == home(viewer=viewer) == {"viewer": viewer, "page": 1}
    assert calls == [(1, 1), (2, 1), (None, 1)]
    home.forget(1)
    home(1)
    invalidate_now(["profile:2"])
    home(2)
    assert calls[3:] == [(1, 1), (2, 1)]


def test_a_function_without_a_viewer_must_say_that_all_may_share_it() -> None:
    with pytest.raises(TypeError, match="shared=True"):
        cached("config")(lambda name: name)


def test_arguments_that_are_not_json_are_refused() -> None:
    with pytest.raises(TypeError):
        cached("config", shared=True)(lambda thing: 1)(object())


def test_the_number_of_entries_is_bounded_and_the_least_used_go_first(settings: Any) -> None:
    settings.CACHE_MAX_ENTRIES = 3
    vars(caches["config"]).pop("store", None)
    try:
        for number in range(3):
            caches["config"].set(str(number), number)
        caches["config"].store.touch("0", now_ms=2**50)
        caches["config"].set("3", 3)
        assert [caches["config"].get(str(number)) for number in range(4)] == [0, None, 2, 3]
        assert cache_statistics()["config"] | {"bytes": 0} == {
            "hits": 3, "misses": 1, "rebuilds": 0, "evictions": 1, "oversized": 0, "poisoned": 0,
            "hit_rate": 75.0, "entries": 3, "bytes": 0,
        }  # fmt: skip
    finally:
        vars(caches["config"]).pop("store")


def test_the_bytes_are_bounded(settings: Any) -> None:
    settings.CACHE_MAX_BYTES = 100_000 * len(LIFETIMES)
    vars(caches["config"]).pop("store", None)
    try:
        for number in range(20):
            caches["config"].set(str(number), "x" * 9_000)
        assert 90_000 < cache_statistics()["config"]["bytes"] <= 100_000
    finally:
        vars(caches["config"]).pop("store")


def test_expired_entries_leave_the_books() -> None:
    caches["feed"].store.put("x", b"[]", lifetime_ms=1)
    caches["posts"].set("x", 1)
    wait_until(lambda: remove_expired() == 1)
    statistics = cache_statistics()
    assert (statistics["feed"]["entries"], statistics["posts"]["entries"]) == (0, 1)
    assert clear_all() == 1
    assert caches["posts"].get("x") is None


def test_readers_go_on_while_valkey_is_dead_and_it_recovers_by_itself(valkey: OwnValkey) -> None:
    compute = Counted()
    caches["feed"].get_or_compute("x", compute)
    valkey.kill()
    assert [caches["feed"].get_or_compute("x", compute) for _ in range(50)] == ["answer"] * 50
    assert compute.runs == 51
    assert caches["feed"].get("x") is None
    assert not caches["feed"].set("x", 1)
    assert cache_statistics()["feed"]["entries"] == 0
    valkey.start()
    wait_until(lambda: not breaker.is_open)
    assert caches["feed"].set("x", 1)


def test_a_frozen_valkey_costs_one_time_out_and_loses_no_invalidation(valkey: OwnValkey) -> None:
    caches["feed"].get_or_compute("x", Counted("old"), tags=["agent:1"])
    caches["feed"].get_or_compute("y", Counted("old"), tags=["agent:2"])
    opened = breaker.opened_count
    valkey.freeze()
    for _ in range(20):
        assert caches["feed"].get_or_compute("x", Counted("live"), tags=["agent:1"]) == "live"
    assert breaker.opened_count == opened + 1
    invalidate_now(["agent:1"])
    valkey.thaw()
    wait_until(lambda: not breaker.is_open)
    assert caches["feed"].get("x", tags=["agent:1"]) is None
    assert caches["feed"].get("y", tags=["agent:2"]) == "old"


def test_a_question_that_timed_out_is_not_asked_again(valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wire.ask_all(("PING",)) == [b"PONG"]
    valkey.freeze()
    monkeypatch.setattr(wire, "_Wire", None)
    assert wire.ask_all(("PING",)) is UNREACHABLE


def test_a_flushed_valkey_is_only_cold(valkey: OwnValkey) -> None:
    caches["feed"].get_or_compute("x", Counted("old"))
    valkey.client().flushall()
    assert caches["feed"].get_or_compute("x", Counted("new")) == "new"
    assert cache_statistics()["feed"]["entries"] == 1
