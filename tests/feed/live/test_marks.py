"""How far a reader was told, while transactions end in another order than they drew their keys."""

import random

import pytest

from feed.live.marks import MOST, Mark, Position, Snapshot


def test_a_quiet_database_settles_what_was_seen() -> None:
    assert Mark(10).after([12, 15], Snapshot(7, 7)) == Mark(15)


def test_a_running_transaction_keeps_the_floor_down() -> None:
    mark = Mark(10).after([12, 15], Snapshot(7, 9))
    assert (mark.floor, mark.told) == (10, {12, 15})


def test_the_floor_rises_when_the_transactions_of_then_are_over() -> None:
    mark = Mark(10).after([12, 15], Snapshot(7, 9))
    assert mark.after([11, 12, 15], Snapshot(8, 12)).floor == 10
    assert mark.after([11, 12, 15], Snapshot(9, 12)) == Mark(15)


def test_a_full_page_settles_nothing_beyond_its_end() -> None:
    keys = list(range(1, MOST + 1))
    assert Mark(0, frozenset({500})).after(keys, Snapshot(7, 7)).floor == MOST


@pytest.mark.parametrize("text", ["0-0", "12+1+30-99", "7-1790000000000000000+1048577"])
def test_a_position_is_read_as_it_was_written(text: str) -> None:
    assert str(Position.parse(text)) == text


@pytest.mark.parametrize("text", ["", "12", "a-b", "1-2-3", "1+-2", "-1-2", "1" * 20 + "-1", "1" + "+1" * 301 + "-1"])
def test_what_is_no_position_is_none(text: str) -> None:
    assert Position.parse(text) is None


@pytest.mark.parametrize("seed", range(200))
def test_everything_is_told_once_however_transactions_end(seed: int) -> None:
    """Transactions draw keys and commit in any order; the reader looks, and is cut off, at any moment."""
    chance = random.Random(seed)
    running: dict[int, list[int]] = {}
    committed: set[int] = set()
    told: list[int] = []
    mark, key, transaction = Mark(0), 0, 100
    for _ in range(400):
        match chance.choice(["begin", "draw", "draw", "commit", "look", "cut off"]):
            case "begin" if len(running) < 4:
                running[transaction] = []
                transaction += 1
            case "draw" if running:
                key += 1
                running[chance.choice(list(running))].append(key)
            case "commit" if running:
                committed.update(running.pop(chance.choice(list(running))))
            case "look":
                found = sorted(seen for seen in committed if seen > mark.floor)[:MOST]
                told += [new for new in found if new not in mark.told]
                mark = mark.after(found, Snapshot(min(running, default=transaction), transaction))
            case "cut off":
                position = Position.parse(str(Position(mark, mark)))
                assert position is not None
                mark = position.posts
    for unfinished in running.values():
        committed.update(unfinished)
    while set(told) != committed:
        found = sorted(seen for seen in committed if seen > mark.floor)[:MOST]
        new = [seen for seen in found if seen not in mark.told]
        assert new
        told += new
        mark = mark.after(found, Snapshot(transaction, transaction))
    assert len(told) == len(set(told))
