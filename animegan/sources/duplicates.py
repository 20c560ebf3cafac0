"""Which pictures show the same (by a perceptual hash), and which of them is the sharpest."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from animegan.sources.journal import Found

BITS = 64  # of a hash
FLAT = 8.0  # grey levels, as a standard deviation: a picture of one colour, a gradient, an error page without words
ALIKE = 1.5  # times as sharp: a smaller difference does not count


def fingerprint(pixels: np.ndarray) -> tuple[int, float, float]:
    """What is kept of a picture, uint8 [3, S, S] in the size in which the networks see it, to compare it: its hash of
    64 bits, its sharpness, its contrast in grey levels.

    The hash is ImageHash's `phash`: the signs of the lowest frequencies, which small changes of size, light and
    compression do not change. Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000): of two copies,
    the one that was scaled down or compressed more has less.
    """
    import imagehash

    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).convert("L")
    bits = imagehash.phash(image).hash.ravel()
    grey = np.asarray(image, np.float32)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return int.from_bytes(np.packbits(bits).tobytes(), "big"), float(laplacian.var()), float(grey.std())


def _bits_set(values: np.ndarray) -> np.ndarray:
    if hasattr(np, "bitwise_count"):  # since NumPy 2
        return np.bitwise_count(values)
    return np.unpackbits(values.view(np.uint8)).reshape(-1, BITS).sum(1)


def duplicates(pictures: Sequence[Found], threshold: int) -> list[tuple[Found, Found]]:
    """(a picture that is left out, the sharper one that shows the same), for each such picture.

    Two pictures show the same if at most `threshold` of the 64 bits differ. If they are equally sharp, the larger file
    counts as the sharper: the noise of compression looks like detail. The sharpest is kept first, then the next one
    that resembles none of those kept: so no picture is dropped for resembling one that was itself dropped, and a chain
    of small changes does not become one group.
    """
    kept, kept_hashes, left_out = [], np.empty(len(pictures), np.uint64), []
    ranked = sorted(pictures, key=lambda p: (round(math.log(max(p.sharpness, 1e-3), ALIKE)), p.bytes), reverse=True)
    for picture in ranked:
        distance = _bits_set(kept_hashes[: len(kept)] ^ np.uint64(picture.hash))
        if kept and distance.min() <= threshold:
            left_out.append((picture, kept[int(distance.argmin())]))
        else:
            kept_hashes[len(kept)] = picture.hash
            kept.append(picture)
    return left_out
