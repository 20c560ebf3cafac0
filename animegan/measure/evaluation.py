"""Which epoch is best, in figures: every epoch's fakes held against real pictures that do not change."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from animegan.data import to_uint8
from animegan.errors import UserError
from animegan.files import write_table
from animegan.measure.fid import Fidelity, available, fidelity, inception_weights
from animegan.measure.references import learnt_folder, reference_pictures
from animegan.measure.sliced_wasserstein import Distance, SlicedWasserstein, average
from animegan.models import latent_vectors
from animegan.runs import OUTPUTS, Run
from animegan.text import ranges

COUNT, MIN_COUNT = 2048, 64  # fakes an epoch, and reals
SEEDS = 3  # for the best epochs and the last; one for the others
RIVALS = 3  # so many of the best are measured with all seeds
TABLE = OUTPUTS["metrics"]
REAL = "real"  # in the column of the epoch: reals against other reals


@dataclass(frozen=True)
class Evaluation:
    """`distances`: of each epoch one for every seed. `floor`: of as many other real pictures, by seed.

    `reference` says in words which real pictures were the measure. `fidelities`: of each epoch, and of the other real
    pictures under REAL, the figures of `fid`; empty where torch-fidelity is not installed.
    """

    distances: dict[int, list[Distance]]
    floor: list[Distance]
    count: int
    reference: str
    fidelities: dict[int | str, Fidelity] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[int | str, list[Distance]]]:
        """Epoch by epoch, and last, under REAL, the floor."""
        return [*sorted(self.distances.items()), (REAL, self.floor)]

    @property
    def spread(self) -> float:
        """The deviation from seed to seed, pooled over the epochs that were measured more than once; 0 where none."""
        groups = [[d.mean for d in found] for found in self.distances.values() if len(found) > 1]
        return statistics.fmean(map(statistics.variance, groups)) ** 0.5 if groups else 0.0

    def mean(self, epoch: int) -> float:
        return average(self.distances[epoch]).mean

    @property
    def best(self) -> int:
        return min(self.distances, key=self.mean)

    @property
    def equals(self) -> list[int]:
        """The epochs that cannot be told from the best: nearer to it than twice the error of a difference."""
        error = 2 * 2**0.5 * self.spread
        return sorted(epoch for epoch in self.distances if self.mean(epoch) - self.mean(self.best) <= error)

    def __str__(self) -> str:
        lines = [f"sliced Wasserstein distance x 1,000, {self.count:,} fakes and as many real: {self.reference}", ""]
        also = "".join(f" {name:>9}" for name in ("FID", "KID x1000", "precision", "recall")) if self.fidelities else ""
        lines += [f"{'epoch':>6} {'96':>7} {'48':>7} {'24':>7} {'mean':>7}{also}"]
        for name, found in self.rows:
            distance = average(found)
            lines.append(f"{name:>6} " + " ".join(f"{figure:7.1f}" for figure in (*distance.levels, distance.mean)))
            if more := self.fidelities.get(name):
                lines[-1] += f" {more.fid:9.2f} {more.kid:9.1f} {more.precision:9.2f} {more.recall:9.2f}"
        spread = f", {self.spread:.1f} from seed to seed" if self.spread else ""
        lines += ["", f"best: epoch {self.best} with {self.mean(self.best):.1f}{spread}"]
        others = [epoch for epoch in self.equals if epoch != self.best]
        lines += [f"not to be told from it: epoch {ranges(others)}"] * bool(others)
        lines.append("")
        if self.fidelities:
            lines.append(f"FID, KID, precision and recall: features of the {self.fidelities[REAL].features}")
        else:
            lines.append("FID, KID, precision and recall need torch-fidelity: pip install -e '.[metrics]' installs it")
        return "\n".join(lines)


def evaluate(
    run: Run,
    epochs: Sequence[int] | None = None,
    reals: str | Path | None = None,
    count: int = COUNT,
    inception: str | Path | None = None,
    seeds: int = SEEDS,
    progress: bool = True,
) -> Evaluation:
    """Measure epochs of a run (by default all whose netG is there) and write `metrics.csv` into its folder.

    reals: a folder of pictures to measure with. Without it, a run that held pictures out is held against those, one on
    drawn faces against drawn faces that it has never seen, and any other against the pictures that it learnt from,
    since there are no others.
    seeds: how often the best epochs and the last are measured, with other patches and latent vectors each time.
    inception: a file with Inception's weights; by default the one in PyTorch's folder for downloads, if it is there.
    Raises UserError for epochs without weights and for too few pictures.
    """
    if count < MIN_COUNT:
        raise UserError(f"--count {count} is too small to measure with: give {MIN_COUNT} or more, {COUNT} is usual.")
    epochs = run.with_weights if epochs is None else sorted(set(epochs))
    if not epochs:
        raise UserError(f"{run.path} has no weights to measure: train it first.")
    pictures, others, reference = reference_pictures(run, reals, count, progress, learnt_folder(run))
    count = min(count, len(pictures), len(others))
    if count < MIN_COUNT:
        raise UserError(
            f"{count} real pictures, and as many others for comparison, are too few to measure with: "
            f"give {2 * MIN_COUNT} or more in all with --reals."
        )
    with_fidelity = available() or inception
    weights, reals_as_bytes = inception or inception_weights(), torch.from_numpy(pictures[:count])
    distances: dict[int, list[Distance]] = {epoch: [] for epoch in epochs}
    floor, fidelities = [], {}
    if with_fidelity:
        fidelities[REAL] = fidelity(torch.from_numpy(others[:count]), reals_as_bytes, weights)
    chosen = list(epochs)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for seed in range(seeds):  # one after the other: each holds the projections of all reals, some gigabytes
        measure = SlicedWasserstein(pictures[:count], seed, device)
        floor.append(measure(others[:count]))
        for epoch in tqdm(chosen, unit=" again" if seed else " epochs", disable=not progress):
            fakes = run.generate(epoch, latent_vectors(count, run.config.nz, 1000 + seed), device)
            distances[epoch].append(measure(fakes))
            if with_fidelity and epoch not in fidelities:
                fidelities[epoch] = fidelity(to_uint8(fakes), reals_as_bytes, weights)
        if seed == 0:
            best = sorted(epochs, key=lambda epoch: distances[epoch][0].mean)[:RIVALS]
            chosen = sorted({*best, epochs[-1]})
        del measure  # before the next one is made
    found = Evaluation(distances, floor, count, reference, fidelities)
    _write(run.path / TABLE, found)
    return found


def read_evaluation(run: Run) -> Evaluation:
    """What `evaluate` wrote last into the folder of a run; UserError where there is nothing, or it is damaged."""
    path = run.path / TABLE
    if not path.is_file():
        raise UserError(f"{run.path} has not been measured yet: animegan evaluate {run.path}")
    distances: dict[int | str, list[Distance]] = {}
    fidelities: dict[int | str, Fidelity] = {}
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                epoch = line["epoch"] if line["epoch"] == REAL else int(line["epoch"])
                levels = tuple(float(line[name]) for name in ("swd_96", "swd_48", "swd_24"))
                distances.setdefault(epoch, []).append(Distance(levels, float(line["swd"])))
                if line["features"]:
                    figures = (float(line[name]) for name in Fidelity._fields[:-1])
                    fidelities[epoch] = Fidelity(*figures, line["features"])
            floor, count, reference = distances.pop(REAL), int(line["count"]), line["reference"]
            return Evaluation(distances, floor, count, reference, fidelities)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} is damaged ({error}): animegan evaluate {run.path} makes it anew.") from error


def _write(path: Path, found: Evaluation) -> None:
    unknown = ("",) * len(Fidelity._fields)
    write_table(
        path,
        ["epoch", "seed", "count", "swd_96", "swd_48", "swd_24", "swd", *Fidelity._fields, "reference"],
        [
            [
                name,
                seed,
                found.count,
                *distance.levels,
                distance.mean,
                *(unknown if seed else found.fidelities.get(name, unknown)),
                found.reference,
            ]
            for name, distances in found.rows
            for seed, distance in enumerate(distances)
        ],
    )
