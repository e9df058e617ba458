from hypothesis import given
from hypothesis import strategies as st

from performance.metrics.buckets import LARGEST, Histogram, bounds_of, bucket_of, middle_of

VALUES = st.lists(st.integers(min_value=0, max_value=LARGEST), min_size=1, max_size=50)


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.counts[bucket_of(value)] += 1
    return histogram


@given(st.integers(min_value=0, max_value=LARGEST))
def test_every_value_lies_in_its_bucket_and_close_to_its_middle(value: int) -> None:
    low, above = bounds_of(bucket_of(value))
    assert low <= value < above
    assert abs(middle_of(bucket_of(value)) - value) <= value * 0.032


@given(VALUES, VALUES)
def test_merging_two_histograms_gives_the_histogram_of_both(one: list[int], other: list[int]) -> None:
    merged = histogram_of(one)
    merged.merge(histogram_of(other))
    assert merged.counts == histogram_of(one + other).counts


@given(VALUES, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_that_of_the_values_give_or_take_a_bucket(values: list[int], fraction: float) -> None:
    rank = -(-len(values) * round(fraction * 100) // 100)
    exact = sorted(values)[rank - 1]
    assert abs(histogram_of(values).percentile(fraction) - exact) <= exact * 0.032


def test_negative_and_huge_values_are_counted_at_the_ends() -> None:
    assert bucket_of(-5) == 0
    assert bucket_of(LARGEST * 10) == bucket_of(LARGEST)


def test_nothing_measured_is_zero() -> None:
    assert Histogram().percentile(0.95) == Histogram().average == Histogram().largest == 0
