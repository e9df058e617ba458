"""Log-linear buckets: 16 per power of two, so a percentile is off by 3 % at most, and merging is adding.

Source: the layout of HdrHistogram (https://hdrhistogram.github.io/HdrHistogram/) with 4 significant bits.
"""

from collections import Counter
from math import ceil

SUB_BUCKETS = 16
# 2**36 microseconds are 19 hours, 2**36 bytes 64 GB: more is counted as that.
LARGEST = 2**36


def bucket_of(value: int) -> int:
    """Return the bucket of a whole number, in microseconds, bytes or plain counts."""
    if value < 2 * SUB_BUCKETS:
        return max(value, 0)
    value = min(value, LARGEST)
    exponent = value.bit_length() - 5
    return exponent * SUB_BUCKETS + (value >> exponent)


def bounds_of(bucket: int) -> tuple[int, int]:
    """Return the smallest value of a bucket, and the smallest above it."""
    exponent = max(bucket // SUB_BUCKETS - 1, 0)
    low = (bucket - exponent * SUB_BUCKETS) << exponent
    return low, low + (1 << exponent)


def middle_of(bucket: int) -> float:
    low, above = bounds_of(bucket)
    return (low + above - 1) / 2


class Histogram:
    """Counts per bucket; adding two gives the histogram of both."""

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    def merge(self, other: "Histogram") -> None:
        self.counts.update(other.counts)

    @property
    def count(self) -> int:
        return self.counts.total()

    @property
    def average(self) -> float:
        """The mean, as exact as the buckets are; 0 without values."""
        total = sum(middle_of(bucket) * count for bucket, count in self.counts.items())
        return total / self.count if self.counts else 0.0

    @property
    def largest(self) -> float:
        return middle_of(max(self.counts)) if self.counts else 0.0

    def percentile(self, fraction: float) -> float:
        """Return the value that `fraction` of all values do not exceed; 0 without values."""
        rank = ceil(fraction * self.count)
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return middle_of(bucket)
        return 0.0

    def below(self, value: int) -> int:
        """Count the values of the buckets that lie at or below `value`."""
        return sum(count for bucket, count in self.counts.items() if bounds_of(bucket)[1] - 1 <= value)
