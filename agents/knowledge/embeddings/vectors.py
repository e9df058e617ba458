import numpy as np
from numpy.typing import NDArray

type Vectors = NDArray[np.float32]


def unit(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; a row of zeros becomes the first axis, so that cosines stay defined."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.where(lengths > 0, vectors, np.eye(1, vectors.shape[1], dtype=np.float32))
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
