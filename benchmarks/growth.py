"""The feed as posts grow: one server per size, the same people and follows, sizes in turn."""

from contextlib import ExitStack

from agents.api import cursors
from benchmarks import databases, prepare
from benchmarks.load import Request
from benchmarks.options import Options
from benchmarks.results import Row, from_rounds
from benchmarks.servers import Peer, aviary, serving
from benchmarks.side_by_side import medians_in_turn
from benchmarks.timelines import key_in_the_middle

MOST_GROWTH = 1.3
CALLERS = 100


def rows(options: Options) -> list[Row]:
    """Compare the p50 of page 1 and of a page in the middle of the year between the smallest size and the others."""
    sizes = databases.sizes(posts=options.posts, is_all=options.is_all)
    with ExitStack() as stack:
        asked = [kind for size in sizes for kind in pages_of(size, options, stack)]
        medians = medians_in_turn(asked, 2 * options.rounds)
    found = []
    for place, page in enumerate(("page 1", "a deep page")):
        by_size = dict(zip(sizes, medians[place::2], strict=True))
        for size in sizes[1:]:
            growth = [large / small for small, large in zip(by_size[sizes[0]], by_size[size], strict=True)]
            name = f"p50 of {page}, {size:,} posts vs {sizes[0]:,}"
            found.append(from_rounds(name, growth, "<=", MOST_GROWTH, "x"))
        found += [from_rounds(f"p50 of {page}, {size:,} posts", each, unit="ms") for size, each in by_size.items()]
    return found


def pages_of(size: int, options: Options, stack: ExitStack) -> list[tuple[Peer, list[Request]]]:
    """Start a server on so many posts; return what to ask it for page 1, and for a deep page."""
    stack.enter_context(databases.using(databases.of_posts(size, people_of=options.posts)))
    peer = aviary(f"aviary, {size:,} posts", is_cached=False)
    stack.enter_context(serving([peer], prepare.environment()))
    callers = stack.enter_context(prepare.callers(following=(10, 100), count=CALLERS))
    deep = f"{peer.path}?cursor={cursors.encode(peer.path, [key_in_the_middle()])}"
    return [(peer, [Request(path, caller.secret) for caller in callers]) for path in (peer.path, deep)]
