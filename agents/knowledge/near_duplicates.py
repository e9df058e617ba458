"""Finding texts that say nearly the same.

Source: Broder, "On the resemblance and containment of documents" (1997): MinHash over word shingles, in bands.
"""

import re
import zlib

import numpy as np
from numpy.typing import NDArray

type Hashes = NDArray[np.uint64]

SHINGLE_WORDS = 4
BANDS = 16
ROWS = 4
# Texts that share this part of their shingles are held to be the same.
THRESHOLD = 0.8
MAX_WORDS = 5000

_BASE = np.uint64(0x9E3779B97F4A7C15)
_PRIME = np.uint64((1 << 31) - 1)
_numbers = np.random.default_rng(20260101)
_FACTORS = _numbers.integers(1, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]
_SUMMANDS = _numbers.integers(0, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]


def shingles(text: str) -> Hashes:
    """Return the hashes of all runs of a few words, each once, whatever their case and punctuation."""
    words = re.findall(r"\w+", text.lower())[:MAX_WORDS]
    numbers = np.fromiter(map(zlib.crc32, map(str.encode, words)), np.uint64, len(words))
    length = min(SHINGLE_WORDS, len(words))
    runs = np.zeros(max(len(words) - SHINGLE_WORDS + 1, 1 if words else 0), np.uint64)
    for offset in range(length):
        # Unsigned numbers wrap around: a polynomial hash of the run.
        runs = runs * _BASE + numbers[offset : offset + len(runs)]
    return np.unique(runs >> np.uint64(33))


def sketch_of(text: str) -> list[int]:
    """Return the bands of a MinHash: two texts that share one may be near duplicates. Short texts have none."""
    hashes = shingles(text)
    if len(hashes) < SHINGLE_WORDS:
        return []
    numbers = _FACTORS * hashes + _SUMMANDS
    # The remainder, for which NumPy takes five times as long as for a quotient.
    numbers -= numbers // _PRIME * _PRIME
    smallest = numbers.min(axis=1).reshape(BANDS, ROWS)
    bands = (zlib.crc32(bytes([number]) + band.tobytes()) for number, band in enumerate(smallest))
    return sorted({band - (1 << 31) for band in bands})


def is_near_duplicate(one: str, other: str) -> bool:
    """Say whether two texts share most of their shingles."""
    ours, theirs = shingles(one), shingles(other)
    return len(np.intersect1d(ours, theirs)) >= THRESHOLD * len(np.union1d(ours, theirs))
