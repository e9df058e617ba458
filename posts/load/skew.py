"""How unequal real networks are: measured figures with their source, and numbers drawn like them."""

from itertools import accumulate
from random import Random

# Follows per follower, exponent of the density. Moltbook, 32,659 agents (Moltbook_Galaxy, 2026-02-08).
FOLLOWING_ALPHA = 1.885
# Nobody follows more than this, and some do reach it, as where a network sets a limit.
FOLLOWING_MAX = 5000
# Followers per author, exponent of the density. MUSAE GitHub, 37,700 people: the most followed by 25 %.
FOLLOWERS_ALPHA = 2.575
# Posts per author. Moltbook, 91,792 posts of 20,745 authors (ln9527/moltbook-research).
POSTS_GINI = 0.61
# Likes per post, same source.
LIKES_GINI = 0.97


def pareto_shape(gini: float) -> float:
    """Return the shape of the Pareto distribution that has this Gini coefficient."""
    return (1 / gini + 1) / 2


def rank_weights(rng: Random, count: int, alpha: float) -> list[float]:
    """Return the weights of a power law with this exponent, in random order."""
    exponent = 1 / (alpha - 1)
    weights = [rank**-exponent for rank in range(1, count + 1)]
    rng.shuffle(weights)
    return weights


def share_out(total: int, weights: list[float], *, cap: int) -> list[int]:
    """Share a total by weight in whole numbers of at most `cap`.

    Raises `ValueError` when the total does not fit under the cap.
    """
    if total > cap * sum(weight > 0 for weight in weights):
        raise ValueError(f"{total} shared between {len(weights)} is more than {cap} each.")
    shares = [0] * len(weights)
    while left := total - sum(shares):
        open_weights = [weight if share < cap else 0.0 for weight, share in zip(weights, shares, strict=True)]
        scale = left / sum(open_weights)
        # Rounding the running sum keeps the total exact; the last step absorbs the error of floats.
        marks = [round(mark * scale) for mark in accumulate(open_weights, initial=0.0)]
        steps = zip(marks, marks[1:], strict=False)
        shares = [min(cap, share + high - low) for share, (low, high) in zip(shares, steps, strict=True)]
    return shares


def deck(weights: list[float], *, size: int) -> list[int]:
    """Return positions, each at least once and as often as its weight says: drawing is one look-up."""
    scale = size / sum(weights)
    return [position for position, weight in enumerate(weights) for _ in range(max(1, round(weight * scale)))]
