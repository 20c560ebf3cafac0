"""How PyTorch uses the processor: threads that give way to other programs, memory that is kept, and bfloat16.

What changes a result changes it by rounding: the number of threads, bfloat16, and its gradients as matrix products.
"""

import contextlib
import ctypes
import math
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from animegan import SPIN_LIMITS, wait_policy

PROBE_SECONDS = 0.3  # how long it is measured whether the machine is busy
FREE = 0.85  # of its CPU time a spinning program gets at least this share, unless others need the cores
FIRST_REST, LONGEST_REST = 5.0, 60.0  # seconds until spinning is tried again; doubled each time, up to the second
MIN_SECONDS = 0.2  # a shorter time tells nothing
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h: M_TRIM_THRESHOLD and so on


class WaitingThreads:
    """PyTorch's waiting threads: they spin while the machine is free, and sleep while other programs need it.

    Between two parallel loops the threads of OpenMP wait by spinning. On a free machine nothing is faster; on a busy
    one they use up the time that the working thread needs, and a step takes up to ten times as long. Sleeping threads
    give way, but are slower to wake. Fewer threads would help too, but they add up in another order, so that a
    run would depend on what else the machine does.

    Used as a context manager. `start` begins a measurement, `check` judges the time since then: spinning threads get
    all the CPU time there is, unless others need the cores. It does nothing with one thread, on a GPU, and where the
    user has set how threads wait.
    """

    def __init__(self, device: torch.device):
        self.threads, self.rest, self.until = torch.get_num_threads(), FIRST_REST, 0.0
        used = device.type == "cpu" and self.threads > 1 and not chosen_by_user()
        self._sleep = _sleep_function(self.threads) if used else None
        self._wake: Callable[[], None] | None = None  # not None while the waiting threads sleep

    @property
    def sleeping(self) -> bool:
        return self._wake is not None

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def check(self) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        if self._sleep is None or wall < MIN_SECONDS:
            return
        if self._wake:
            if time.monotonic() > self.until:
                self._wake = self._wake()
        elif cpu < FREE * wall * self.threads:
            self._wake, self.until = self._sleep(), time.monotonic() + self.rest
            self.rest = min(2 * self.rest, LONGEST_REST)
        else:
            self.rest = FIRST_REST
        self.start()

    def __enter__(self) -> "WaitingThreads":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.wake()

    def wake(self) -> None:
        """Let waiting threads spin again until the next `check` that finds others at work."""
        self._wake = self._wake and self._wake()


def free_threads(precision: str) -> int:
    """How many threads to train with now: as many as PyTorch has, or one on a busy machine in bfloat16.

    oneDNN's kernels for bfloat16 wait for each other in the middle of a loop, and always by spinning.
    """
    threads = torch.get_num_threads()
    if threads == 1 or precision != "bfloat16":
        return threads
    matrix = torch.ones(512, 512)
    wall, cpu = time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - wall) < PROBE_SECONDS:
        _ = matrix @ matrix
    return threads if time.process_time() - cpu > FREE * passed * threads else 1


@contextlib.contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """While open, PyTorch computes with so many threads."""
    usual = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def chosen_by_user() -> bool:
    """Whether the user has said himself how OpenMP's threads shall wait."""
    return wait_policy() not in ({}, SPIN_LIMITS)


def _sleep_function(threads: int) -> Callable[[], Callable[[], None]] | None:
    """A function that lets waiting threads sleep, and returns one that lets them spin again; None if there is none."""
    with contextlib.suppress(OSError, AttributeError):
        # LLVM's and Intel's OpenMP: Windows, macOS, most of conda
        library = ctypes.CDLL("libiomp5md" if os.name == "nt" else None)
        set_blocktime, milliseconds = library.kmp_set_blocktime, library.kmp_get_blocktime()

        def sleep() -> Callable[[], None]:
            set_blocktime(0)
            return lambda: set_blocktime(milliseconds)

        return sleep
    return (lambda: _hold_teams(threads)) if sys.platform == "linux" else None


def _hold_teams(threads: int) -> Callable[[], None]:
    """Make GNU's OpenMP count more threads than cores until the returned function is called.

    It then lets all waiting threads sleep almost at once: the only way to change that while a program runs. The teams
    made here never work. Source: libgomp's `gomp_managed_threads`, config/linux/wait.h.
    """
    done, cores = threading.Event(), len(os.sched_getaffinity(0))
    holders = []
    for _ in range(math.ceil((cores + 1 - threads) / (threads - 1))):
        ready = threading.Event()

        def hold(ready: threading.Event = ready) -> None:
            torch.zeros(2**20).add_(1)  # large enough for a parallel loop, so that this thread gets a team of its own
            ready.set()
            done.wait()

        holders.append(threading.Thread(target=hold, daemon=True))
        holders[-1].start()
        ready.wait()

    def release() -> None:
        done.set()
        for holder in holders:
            holder.join()

    return release


@contextlib.contextmanager
def kept_memory() -> Iterator[None]:
    """While open, memory that is freed is kept for the next step.

    glibc, the C library of most Linux systems, gives large blocks back to the kernel at once, which clears their pages
    for the next step: up to a quarter of the time of a step. Elsewhere this does nothing.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    mallopt = getattr(library, "mallopt", None)
    if library is None or mallopt is None:
        yield
        return
    mallopt(TRIM_THRESHOLD, 2**31 - 1)
    if not mallopt(MMAP_THRESHOLD, 2**30):
        mallopt(MMAP_THRESHOLD, 2**25)  # the limit of older versions
    try:
        yield
    finally:
        mallopt(TRIM_THRESHOLD, 2**26)  # twice the size of a block, which is what glibc's own rule comes to
        mallopt(MMAP_THRESHOLD, 2**25)
        library.malloc_trim(0)


def processor_name() -> str:
    """The model of the processor, if the system tells, e.g. "AMD EPYC"."""
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as file:
        return next(line for line in file if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def computes_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16; PyTorch emulates them on others, which takes longer."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, name, bool)() for name in names)
    return platform.system() == "Linux" and torch.ops.mkldnn._is_mkldnn_bf16_device_supported()


class MatrixGradients(TorchFunctionMode):
    """As a context manager: layers between maps of 8x8 and 4x4 compute their weights' gradients as a matrix product.

    These are NetG's second layer and NetD's fourth, with more weights than all others together. In bfloat16 the
    matrix product takes half the time of PyTorch's own kernel, and a step of `stable` nine tenths. The sums are the
    same, in another order.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (F.conv2d, F.conv_transpose2d):
            images, weight, _, stride, padding, *_ = args  # the bias of both networks is None
            if stride == (2, 2) and images.shape[-1] == (8 if func is F.conv2d else 4):
                return _Convolution.apply(images.bfloat16(), weight.bfloat16(), func, padding[0])
        return func(*args, **(kwargs or {}))


class _Convolution(torch.autograd.Function):
    """A convolution of stride 2, or a transposed one, each of which is the other's derivative by the images."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, function: Callable[..., Tensor], padding: int) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.function, ctx.padding = function, padding
        return function(images, weight, None, 2, padding)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,), (images, weight) = grads, ctx.saved_tensors
        to_images, to_weight, *_ = ctx.needs_input_grad
        reverse, small, large = F.conv2d, images, grad
        if ctx.function is F.conv2d:
            reverse, small, large = F.conv_transpose2d, grad, images
        return (
            reverse(grad, weight, None, 2, ctx.padding) if to_images else None,
            _weight_gradient(small, large, weight.shape[-1], ctx.padding) if to_weight else None,
            None,
            None,
        )


def _weight_gradient(small: Tensor, large: Tensor, kernel: int, padding: int) -> Tensor:
    """[C, D, kernel, kernel]: what each pixel of `small` [B, C, h, h] met in its patch of `large` [B, D, 2h, 2h]."""
    padded = F.pad(large.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding))
    patches = padded.unfold(1, kernel, 2).unfold(2, kernel, 2).permute(0, 1, 2, 4, 5, 3)  # [B, h, h, kernel, kernel, D]
    pixels = small.permute(0, 2, 3, 1).flatten(0, 2)
    return (pixels.T @ patches.flatten(3).flatten(0, 2)).unflatten(1, patches.shape[3:]).permute(0, 3, 1, 2)
