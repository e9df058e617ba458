"""Finding texts that say nearly the same.

Source: Broder, "On the resemblance and containment of documents" (1997): MinHash over word shingles, in bands.
"""

import re
import zlib

import numpy as np

SHINGLE_WORDS = 4
BANDS = 16
ROWS = 4
# Texts that share this part of their shingles are held to be the same.
THRESHOLD = 0.8
MAX_WORDS = 5000

_PRIME = (1 << 31) - 1
_numbers = np.random.default_rng(20260101)
_FACTORS = _numbers.integers(1, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]
_SUMMANDS = _numbers.integers(0, _PRIME, BANDS * ROWS, dtype=np.uint64)[:, None]


def shingles(text: str) -> set[int]:
    """Return the hashes of all runs of a few words, whatever their case and punctuation."""
    words = re.findall(r"\w+", text.lower())[:MAX_WORDS]
    runs = (" ".join(words[at : at + SHINGLE_WORDS]) for at in range(max(len(words) - SHINGLE_WORDS + 1, 1)))
    return {zlib.crc32(run.encode()) & 0x7FFFFFFF for run in runs if run}


def sketch_of(text: str) -> list[int]:
    """Return the bands of a MinHash: two texts that share one may be near duplicates. Short texts have none."""
    hashes = np.fromiter(shingles(text), np.uint64)
    if len(hashes) < SHINGLE_WORDS:
        return []
    smallest = ((_FACTORS * hashes + _SUMMANDS) % _PRIME).min(axis=1).reshape(BANDS, ROWS)
    bands = (zlib.crc32(bytes([number]) + band.tobytes()) for number, band in enumerate(smallest))
    return sorted({band - (1 << 31) for band in bands})


def is_near_duplicate(one: str, other: str) -> bool:
    """Say whether two texts share most of their shingles."""
    ours, theirs = shingles(one), shingles(other)
    return len(ours & theirs) >= THRESHOLD * len(ours | theirs)
