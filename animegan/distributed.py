"""Several processes train one GAN, on several GPUs or machines: torchrun starts them and says how many there are.

Each computes its part of every minibatch. The first decides what is done, writes the run and speaks to the user.
"""

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from animegan.errors import UserError

STEP_LIMIT = timedelta(seconds=120)  # a process that does not answer for so long ends the training of all
BY_TORCHRUN = "TORCHELASTIC_RUN_ID"  # it sets this variable, and RANK, LOCAL_RANK and WORLD_SIZE
LOST = "gloo|nccl|connection|timed? ?out"  # in the messages of PyTorch when another process does not answer


@dataclass
class Team:
    """The processes that train together, and which of them this is; by default there is only this one.

    group: PyTorch's process group for the steps, made by `meet`.
    """

    rank: int = 0
    size: int = 1
    group: Any = None

    def part(self, rows: Tensor) -> Tensor:
        """The rows of a minibatch that this process computes."""
        return rows if self.size == 1 else rows.tensor_split(self.size)[self.rank]

    def from_first(self, value: Any = None) -> Any:
        """The value that the first process gives, in all of them: they wait for it."""
        values = [value]
        if self.size > 1:
            dist.broadcast_object_list(values)
        return values[0]

    def meet(self, device: torch.device, problem: str = "") -> None:
        """Wait until all processes are ready to train; UserError in all of them if one has a problem."""
        if self.size == 1:
            return
        problems = [""] * self.size
        dist.all_gather_object(problems, problem)
        for rank, problem in enumerate(problems):
            if problem:
                raise UserError(f"process {rank} of 0 to {self.size - 1}: {problem}")
        self.group = dist.new_group(timeout=STEP_LIMIT, backend="nccl" if device.type == "cuda" else "gloo")

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(numbers, group=self.group)
        return numbers

    def parallel(self, network: nn.Module) -> nn.Module:
        """The network with the mean of all processes as its gradient, and BatchNorm over all their images."""
        if self.size == 1:
            return network
        for name, norm in list(network.named_modules()):
            if isinstance(norm, nn.BatchNorm2d):
                network.set_submodule(name, SyncedBatchNorm(norm, self.group))
        # The buffers are the same everywhere already: statistics of all images, and what depends on the weights alone.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the option's new name is unknown to older versions
            return nn.parallel.DistributedDataParallel(network, process_group=self.group, broadcast_buffers=False)


ALONE = Team()


def is_helper() -> bool:
    """Whether torchrun has started this process to help another one, the first."""
    return BY_TORCHRUN in os.environ and os.environ["RANK"] != "0"


@contextmanager
def joined() -> Iterator[Team]:
    """All processes that torchrun has started, while the block runs in each of them.

    If a process ends, or does not answer, the first raises UserError. The others never say anything: they end with
    status 2, and only after the first, since torchrun ends all processes as soon as one has failed.
    """
    if BY_TORCHRUN not in os.environ or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    dist.init_process_group("gloo")  # with PyTorch's limit of half an hour: the first may read many pictures
    team = Team(dist.get_rank(), dist.get_world_size())
    try:
        yield team
    except (UserError, KeyboardInterrupt, RuntimeError) as error:
        is_lost = isinstance(error, RuntimeError) and re.search(LOST, str(error), re.IGNORECASE)
        if isinstance(error, RuntimeError) and not is_lost:
            raise
        if team.rank:
            with suppress(RuntimeError):
                dist.barrier()  # never complete: it ends when the first process ends
            raise SystemExit(2) from None
        if is_lost:
            lost = f"one of the {team.size} processes has ended or does not answer"
            raise UserError(f"{lost}; repeat the torchrun line with --resume.") from error
        raise
    finally:
        dist.destroy_process_group()


class SyncedBatchNorm(nn.BatchNorm2d):
    """BatchNorm with the mean and the spread of the images of all processes.

    PyTorch's own SyncBatchNorm works on GPUs only, and has no second derivative, which R1 needs.
    """

    def __init__(self, norm: nn.BatchNorm2d, group: Any):
        super().__init__(norm.num_features, norm.eps, norm.momentum, device=norm.weight.device)
        self.load_state_dict(norm.state_dict())
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] of this process -> the same shape; in training mode only."""
        values = x.float()
        var, mean = (sums.double() for sums in torch.var_mean(values, (0, 2, 3), correction=0))
        count = torch.full_like(mean, x.numel() / x.shape[1])
        total, squares, count = _Sum.apply(torch.stack([mean * count, (var + mean**2) * count, count]), self.group)
        mean = total / count
        var = squares / count - mean**2  # loses nothing in float64
        with torch.no_grad():
            for name, new in (("running_mean", mean), ("running_var", var * count / (count - 1))):
                self.get_buffer(name).lerp_(new.float(), self.momentum or 0.0)
            self.get_buffer("num_batches_tracked").add_(1)
        scale = self.weight * (var + self.eps).rsqrt().float()
        shift = self.bias - mean.float() * scale
        return torch.addcmul(shift[:, None, None], values, scale[:, None, None]).to(x.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of their gradients, and so is that one's gradient."""

    @staticmethod
    def forward(ctx, numbers: Tensor, group: Any) -> Tensor:
        ctx.group = group
        numbers = numbers.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(numbers, group=group)
        return numbers

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(gradient, ctx.group), None
