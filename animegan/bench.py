"""How fast this machine trains: both recipes in both sizes, in every precision and number of threads, in turns."""

import multiprocessing
import os
import platform
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm import tqdm

from animegan.config import IMAGE_SIZE, QUICK, QUICK_COUNT, TrainConfig
from animegan.cpu import WaitingThreads, computing_with, kept_memory, processor_name
from animegan.gan import GAN
from animegan.training import choose_precision, pick_device

SECONDS, TURNS = 2.0, 3  # how long, and how many times, each is timed
FULL_COUNT = 6144  # faces that a run at full size is reckoned with
SIZES: dict[str, tuple[dict[str, Any], int]] = {"quick": (QUICK, QUICK_COUNT), "full": ({}, FULL_COUNT)}


class Speed(NamedTuple):
    """How fast one kind of run is trained.

    images_per_second: one figure a turn, of training steps alone. memory: peak of a process that trains, in MiB, on a
    GPU that of its memory; None where the system does not say.
    """

    size: str
    recipe: str
    precision: str
    threads: int
    images_per_second: list[float]
    memory: float | None

    @property
    def median(self) -> float:
        return statistics.median(self.images_per_second)

    def minutes(self, epochs: int = 25) -> float:
        """How long these epochs take on QUICK_COUNT or FULL_COUNT faces."""
        return epochs * SIZES[self.size][1] / self.median / 60


def measure_speed(
    configs: dict[Any, TrainConfig],
    seconds: float = SECONDS,
    turns: int = TURNS,
    threads: dict[Any, int] | None = None,
    progress: bool = False,
) -> dict[Any, list[float]]:
    """Images per second in training steps alone, by name, one figure a turn.

    The settings take turns, so that a busy moment of the machine does not hit one of them alone. threads: how many each
    computes with, by name; by default as many as now.
    """
    gans = {name: GAN(resolved(config), pick_device(config.device)) for name, config in configs.items()}
    speeds: dict[Any, list[float]] = {name: [] for name in gans}
    for name, gan in tqdm(list(gans.items()) * turns, "timing", disable=not progress):
        shape = (configs[name].batchSize, 3, IMAGE_SIZE, IMAGE_SIZE)
        real = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(gan.device) * 2 - 1
        count = threads[name] if threads else torch.get_num_threads()
        with kept_memory(), computing_with(count), WaitingThreads(gan.device) as waiting:
            gan.step(real).tolist()
            started, steps = time.perf_counter(), 0
            while (passed := time.perf_counter() - started) < seconds or not steps:
                gan.step(real).tolist()  # copying to the CPU waits for the device
                steps += 1
                waiting.check()
        speeds[name].append(len(real) * steps / passed)
    return speeds


def resolved(config: TrainConfig) -> TrainConfig:
    """The settings with the precision that "auto" stands for on their device."""
    auto = config.precision == "auto"
    return replace(config, precision=choose_precision(config, pick_device(config.device))) if auto else config


def bench(
    device: str = "auto", seconds: float = SECONDS, turns: int = TURNS, usual_only: bool = False, progress: bool = True
) -> list[Speed]:
    """Time every kind of run on this machine, which takes some minutes; UserError for a device that is missing.

    usual_only: only what training does by default.
    """
    found = pick_device(device)
    default = _recipe, fastest, usual = _usual(found)
    kinds = {
        (size, recipe, precision, threads): TrainConfig(recipe=recipe, precision=precision, device=device, **settings)
        for size, (settings, _count) in SIZES.items()
        for recipe in ("handout", "stable")
        for precision in ("float32", "bfloat16")[: 1 + (fastest == "bfloat16")]
        for threads in sorted({1, usual} if found.type == "cpu" else {usual})
    }
    if usual_only:
        kinds = {kind: config for kind, config in kinds.items() if kind[1:] == default}
    speeds = measure_speed(kinds, seconds, turns, {kind: kind[-1] for kind in kinds}, progress)
    configs = {kind[:-1]: config for kind, config in kinds.items()}  # the number of threads takes no memory
    bar = tqdm(configs.items(), "memory", disable=not progress)
    memory = {kind: peak_memory(config) for kind, config in bar}
    return [Speed(*kind, speeds[kind], memory[kind[:-1]]) for kind in kinds]


def _usual(device: torch.device) -> tuple[str, str, int]:
    """Recipe, precision and number of threads that training takes by default."""
    return TrainConfig.recipe, choose_precision(TrainConfig(), device), torch.get_num_threads()


def peak_memory(config: TrainConfig) -> float | None:
    """The most memory in MiB that a process of its own takes for three steps; None where the system does not say."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_steps_and_peak, (config,))


def _steps_and_peak(config: TrainConfig) -> float | None:
    gan = GAN(config, pick_device(config.device))
    with kept_memory():
        for _ in range(3):
            gan.step(torch.zeros(config.batchSize, 3, IMAGE_SIZE, IMAGE_SIZE, device=gan.device)).tolist()
    if gan.device.type == "cuda":
        return torch.cuda.max_memory_allocated(gan.device) / 2**20
    status = Path("/proc/self/status")  # of Linux
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def text(speeds: list[Speed]) -> str:
    """A table for people: the fastest and the slowest turn beside the median."""
    widths = {"size": 7, "recipe": 9, "precision": 10, "threads": 8, "images/s": 9, "spread": 13, "memory": 11}
    lines = ["".join(f"{name:{width}}" for name, width in widths.items()) + "25 epochs"]
    for speed in speeds:
        low, high = min(speed.images_per_second), max(speed.images_per_second)
        memory = "" if speed.memory is None else f"{speed.memory:,.0f} MiB"
        cells = [*speed[:4], f"{speed.median:.0f}", f"{low:.0f} to {high:.0f}", memory]
        row = "".join(f"{cell!s:{width}}" for cell, width in zip(cells, widths.values(), strict=True))
        lines.append(f"{row}{speed.minutes():.1f} min")
    counts = " and ".join(f"{count:,} ({size})" for size, (_settings, count) in SIZES.items())
    return "\n".join([*lines, "", f"25 epochs: of {counts} faces, training steps alone"])


def markdown(speeds: list[Speed], device: str = "auto") -> str:
    """One row of the table of machines in README.md: the default settings on this machine."""
    found = pick_device(device)
    name = torch.cuda.get_device_name(found) if found.type == "cuda" else f"{os.cpu_count()} x {processor_name()}"
    usual = _usual(found)
    cells = [f"{platform.system()}, {name}, PyTorch {torch.__version__}"]
    for size in SIZES:
        speed = next(s for s in speeds if s[:4] == (size, *usual))
        memory = "" if speed.memory is None else f", {speed.memory / 1024:.1f} GiB"
        cells.append(f"{speed.median:.0f} images/s in {speed.precision}{memory}: {speed.minutes():.1f} min")
    return f"| {' | '.join(cells)} |"
