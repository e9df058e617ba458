"""The mix of reads that the bench and the locustfile send: which pages, how often, and how unequally popular.

Needs nothing but Python, so that an operator's machine can use it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

FILE = Path(__file__).parent / "mix.json"


@dataclass(frozen=True)
class Stock:
    """What there is to read, the most popular first."""

    posts: Sequence[int]
    handles: Sequence[str]
    communities: Sequence[str]


class Mix:
    """Draws paths as `mix.json` has them: by share, and of what there is the more popular more often (Zipf)."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.readers: int = described["readers"]
        self.words: list[str] = described["words"]
        self._exponent: float = described["popular"]
        self._paths: list[str] = [read["path"] for read in described["reads"]]
        self._shares = list(accumulate(read["share"] for read in described["reads"]))

    def path(self, rng: Random, stock: Stock) -> str:
        return self.drawn(rng, stock)[1]

    def drawn(self, rng: Random, stock: Stock) -> tuple[str, str]:
        """Return a path as the file has it, by which statistics are kept, and filled in."""
        (path,) = rng.choices(self._paths, cum_weights=self._shares)
        return path, path.format(
            post=self._pick(rng, stock.posts) if "{post}" in path else "",
            handle=self._pick(rng, stock.handles) if "{handle}" in path else "",
            community=self._pick(rng, stock.communities) if "{community}" in path else "",
            word=rng.choice(self.words),
        )

    def _pick(self, rng: Random, popular_first: Sequence[Any]) -> Any:
        ranks = range(1, len(popular_first) + 1)
        (found,) = rng.choices(popular_first, [rank**-self._exponent for rank in ranks])
        return found


def load_mix() -> Mix:
    return Mix(json.loads(FILE.read_text()))


def stock_of(explored: Mapping[str, Any], communities: Mapping[str, Any]) -> Stock:
    """Take what there is to read from the answers of `/api/explore` and `/api/communities`."""
    posts = explored["results"]
    return Stock(
        [post["id"] for post in posts],
        list(dict.fromkeys(post["author"]["handle"] for post in posts)),
        [community["name"] for community in communities["results"]],
    )
