"""Run calls in parallel processes, and shut them down cleanly on Ctrl-C."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import TypeVar

import torch

from animegan.errors import UserError
from animegan.training import interrupts_handled

Value = TypeVar("Value")
_stopped: Event  # in a process that `_begin` has prepared: whether Ctrl-C was pressed


def run_parallel(function: Callable[..., Value], calls: Iterator[tuple], jobs: int) -> Iterator[Value]:
    """Call `function` with each tuple of arguments, `jobs` calls at a time; yield the results as they are finished.

    function: of a module, so that other processes can import it. The processes share the cores. Calls are handed over
    only when a process is free, so that none starts after one has failed or Ctrl-C was pressed. Ctrl-C also reaches the
    running calls, and each ends as it would alone. Raises the exception of the first call that fails, KeyboardInterrupt
    after Ctrl-C, and UserError if a process was killed.
    """
    busy, stop, threads = set(), None, max(torch.get_num_threads() // jobs, 1)
    context = get_context("spawn")
    stopped = context.Event()
    with ProcessPoolExecutor(jobs, context, _begin, (threads, stopped)) as pool:
        while True:
            try:
                for call in islice(calls, 0 if stop else jobs - len(busy)):
                    with interrupts_handled(signal.SIG_IGN):  # which a new process inherits
                        busy.add(pool.submit(_call, function, *call))
                if not busy:
                    break
                done, busy = wait(busy, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt as interrupt:
                stopped.set()
                stop = stop or interrupt
                continue
            for future in done:
                if error := future.exception():
                    stop = stop or error
                else:
                    yield future.result()
    if isinstance(stop, BrokenProcessPool):
        raise UserError("one of the runs was killed, probably because memory ran out: try fewer --jobs.") from stop
    if stop:
        raise stop


def _begin(threads: int, stopped: Event) -> None:
    """Prepare a new process. It reacts to Ctrl-C only during a call: at other times it would die with a traceback."""
    global _stopped
    torch.set_num_threads(threads)
    _stopped = stopped


def _call(function: Callable[..., Value], *arguments) -> Value:
    if _stopped.is_set():  # Ctrl-C came while this process was starting
        raise KeyboardInterrupt
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return function(*arguments)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
