"""Several calls at a time, each in a process of its own, that end well when they are stopped."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

import torch

from animegan.errors import UserError

Found = TypeVar("Found")


def at_a_time(function: Callable[..., Found], calls: Iterator[tuple], jobs: int) -> Iterator[Found]:
    """What `function`, of a module, gives for each tuple of arguments, as it comes; `jobs` of them at a time.

    The processes share the cores. No more calls are handed over than are under way: none shall start once one has
    failed or Ctrl-C was pressed, and what is under way is then waited for, so that nothing is lost. Raises what the
    first call to fail raised, KeyboardInterrupt after Ctrl-C, and UserError where a process was killed.
    """
    busy, stop, threads = set(), None, max(torch.get_num_threads() // jobs, 1)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (threads,)) as pool:
        while busy := busy | {pool.submit(function, *call) for call in islice(calls, 0 if stop else jobs - len(busy))}:
            try:
                done, busy = wait(busy, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt as interrupt:
                stop = stop or interrupt
                continue
            for future in done:
                if error := future.exception():
                    stop = stop or error
                else:
                    yield future.result()
    if isinstance(stop, BrokenProcessPool):
        raise UserError("one of the runs was killed, most likely for want of memory: try fewer --jobs.") from stop
    if stop:
        raise stop


def _begin(threads: int) -> None:
    """In a new process. Ctrl-C reaches it as well: training then ends after the step in progress, but what is idle or
    measuring had better not hear of it.
    """
    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
