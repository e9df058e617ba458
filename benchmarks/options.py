import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a run was asked for."""

    posts: int = 1_000_000
    rounds: int = 5
    # Of load per peer and round.
    seconds: float = 2
    # Also what takes long: growth to ten million posts and a million passages.
    is_all: bool = False
    articles: Path | None = None
    # Names, or parts of names, of the peers to compare with; empty for all.
    peers: tuple[str, ...] = ()

    @classmethod
    def parse(cls, arguments: argparse.Namespace) -> "Options":
        return cls(
            arguments.posts, arguments.rounds, arguments.seconds, arguments.all, arguments.articles,
            tuple(arguments.peers),
        )  # fmt: skip
