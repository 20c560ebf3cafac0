"""Which pictures show the same: a perceptual hash, and of each group the sharpest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

BITS = 64  # of a hash
# Grey levels, as a standard deviation: a picture of one colour, a gradient, an error page without words.
FLAT = 8.0
ALIKE = 1.5  # times as sharp: less than that is no difference to go by


class Fingerprint(NamedTuple):
    """What is remembered of a picture: `hash` of 64 bits, `sharpness`, `contrast` in grey levels."""

    hash: int
    sharpness: float
    contrast: float


def look(pixels: np.ndarray) -> Fingerprint:
    """The look of a picture, uint8 [3, S, S], in the size in which the networks see it.

    The hash is ImageHash's `phash`: the signs of the lowest frequencies, which small changes of size, light and
    compression leave as they are. Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000): of two
    copies the one that was made smaller, or compressed harder, has less.
    """
    import imagehash

    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).convert("L")
    bits = imagehash.phash(image).hash.ravel()
    grey = np.asarray(image, np.float32)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return Fingerprint(int.from_bytes(np.packbits(bits).tobytes(), "big"), float(laplacian.var()), float(grey.std()))


def _bits_set(values: np.ndarray) -> np.ndarray:
    if hasattr(np, "bitwise_count"):  # since NumPy 2
        return np.bitwise_count(values)
    return np.unpackbits(values.view(np.uint8)).reshape(-1, BITS).sum(1)


def duplicates(
    hashes: Sequence[int], sharpness: Sequence[float], sizes: Sequence[int], threshold: int
) -> dict[int, int]:
    """The number of each picture that is left out -> that of the sharper one that shows the same.

    Two pictures show the same if at most `threshold` of the 64 bits differ. Where they are sharp alike, the larger
    file (`sizes`, in bytes) counts as the sharper: the noise of compression looks like detail. The sharpest is chosen
    first, then the next that is like none of those before: so nobody is left out for being like one who is left out
    himself, and a chain of small changes does not make one group of all.
    """
    steps = np.round(np.log(np.maximum(sharpness, 1e-3)) / np.log(ALIKE))
    order = sorted(range(len(hashes)), key=lambda n: (-steps[n], -sizes[n], n))
    kept, kept_hashes, found = [], np.empty(len(hashes), np.uint64), {}
    for number in order:
        count = len(kept)
        distance = _bits_set(kept_hashes[:count] ^ np.uint64(hashes[number]))
        if count and distance.min() <= threshold:
            found[number] = kept[int(distance.argmin())]
        else:
            kept_hashes[count] = hashes[number]
            kept.append(number)
    return found
