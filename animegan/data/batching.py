"""From an array of faces to batches: which pictures are held out, their order, and their values."""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from animegan.errors import UserError


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """A permutation of 0 .. count-1 (LongTensor) that depends on `seed` and `epoch` alone."""
    digest = hashlib.sha256(f"{seed} {epoch}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    return torch.randperm(count, generator=generator)


def hold_out(count: int, held: int) -> tuple[Tensor, Tensor]:
    """Split `count` pictures into training images and `held` others, never trained on: two sorted LongTensors.

    The choice depends on both numbers alone, so that runs of every seed are measured with the same pictures.
    Raises UserError if nothing would be left for training.
    """
    if not 0 <= held < count:
        raise UserError(f"--hold_out {held} leaves no training images: there are {count} pictures.")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return order[held:].sort().values, order[:held].sort().values


def batches(
    images: np.ndarray | Tensor, order: Tensor, batch_size: int, device: str | torch.device = "cpu", start: int = 0
) -> Iterator[Tensor]:
    """Yield float32 batches [batch_size, 3, S, S] in [-1, 1] on `device`, in the given order.

    `images` is a uint8 array [N, 3, S, S], or a tensor of that shape on `device`: see `to_device`. `order` comes from
    `epoch_order`. The incomplete last batch is dropped; the first `start` batches are skipped without reading them, to
    resume mid-epoch.

    Raises UserError for a batch size below 1 or above the number of pictures, and for a mapped file cut short since.
    """
    if batch_size < 1:
        raise UserError(f"the batch size is {batch_size}: give 1 or more")
    if batch_size > len(order):
        raise UserError(f"the batch size {batch_size} exceeds the {len(order)} pictures: give a smaller one")
    if isinstance(images, Tensor):
        order = order.to(images.device)
    for number in range(start, len(order) // batch_size):
        chosen = order[number * batch_size : (number + 1) * batch_size]
        if isinstance(images, Tensor):
            yield to_unit(images[chosen])
        else:
            mapped = getattr(images, "_mmap", None)
            if mapped is not None and mapped.size() < len(mapped):
                # Reading beyond the end of the file would end the process: a bus error.
                raise UserError("the cache of pictures was cut short by another program: start again, with --resume")
            # One byte per value goes to the device, not four. No DataLoader: its workers can hang in Jupyter.
            yield to_unit(torch.from_numpy(images[chosen.numpy()]).to(device))


def to_device(images: np.ndarray, device: torch.device) -> np.ndarray | Tensor:
    """The pictures as a tensor on a CUDA GPU, if they take at most half of its free memory; else unchanged."""
    if device.type != "cuda" or images.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return images
    return torch.from_numpy(np.array(images)).to(device)


def to_unit(images: Tensor) -> Tensor:
    """uint8 0 .. 255 -> float32 -1 .. 1, same shape and device; 0 and 255 become exactly -1 and 1."""
    return images.float() / 127.5 - 1


def to_uint8(images: Tensor) -> Tensor:
    """float -1 .. 1 (values beyond are clipped) -> uint8 0 .. 255, rounded: the inverse of `to_unit`."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
