"""Which epoch is best, in figures: the fakes of every epoch compared with the same real images."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm.auto import tqdm

from animegan.cpu import kept_memory
from animegan.data import to_uint8
from animegan.errors import UserError
from animegan.files import build, check_writable, read_table, reading, saving, write_table
from animegan.measure.fid import Fidelity, FidelityTo, available, inception_weights
from animegan.measure.floors import Floors
from animegan.measure.references import reals_and_others, training_folder
from animegan.measure.sliced_wasserstein import Distance, SlicedWasserstein, average
from animegan.models import latent_vectors
from animegan.runs import Run
from animegan.text import ranges

COUNT, MIN_COUNT = 2048, 64  # fakes per epoch, and reals
SEEDS = 3  # for the best epochs and the last; one for the others
RIVALS = 3  # how many of the best epochs are measured with all seeds
REAL = "real"  # in the epoch's column: reals compared with other reals


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` measured; as text, a table and the best epoch.

    `distances`: for each epoch, one per seed. `floor`: the same of as many other real images. `reference`: in words,
    which real images fakes were compared with. `fidelities`: the figures of `fid` for each epoch, and for the other
    real images under REAL; empty if torch-fidelity is not installed.
    """

    distances: dict[int, list[Distance]]
    floor: list[Distance]
    count: int
    reference: str
    fidelities: dict[int | str, Fidelity] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[int | str, list[Distance]]]:
        """The distances of each epoch in order, then the floor under REAL."""
        return [*sorted(self.distances.items()), (REAL, self.floor)]

    @property
    def spread(self) -> float:
        """The standard deviation between seeds, pooled over all epochs with several seeds; 0 if there are none."""
        groups = [[d.mean for d in distances] for distances in self.distances.values() if len(distances) > 1]
        return statistics.fmean(map(statistics.variance, groups)) ** 0.5 if groups else 0.0

    def mean(self, epoch: int) -> float:
        return average(self.distances[epoch]).mean

    @property
    def best(self) -> int:
        return min(self.distances, key=lambda epoch: (math.isnan(self.mean(epoch)), self.mean(epoch)))

    @property
    def equals(self) -> list[int]:
        """The best epoch and those that are statistically tied with it: within twice the error of a difference."""
        error = 2 * 2**0.5 * self.spread
        return sorted(epoch for epoch in self.distances if self.mean(epoch) - self.mean(self.best) <= error)

    def __str__(self) -> str:
        lines = [f"sliced Wasserstein distance x 1,000, {self.count:,} fakes and as many real: {self.reference}", ""]
        more = "".join(f" {name:>9}" for name in ("FID", "KID x1000", "precision", "recall")) if self.fidelities else ""
        lines += [f"{'epoch':>6} {'96':>7} {'48':>7} {'24':>7} {'mean':>7}{more}"]
        for name, distances in self.rows:
            distance = average(distances)
            lines.append(f"{name:>6} " + " ".join(f"{figure:7.1f}" for figure in (*distance.levels, distance.mean)))
            if of_fid := self.fidelities.get(name):
                lines[-1] += f" {of_fid.fid:9.2f} {of_fid.kid:9.1f} {of_fid.precision:9.2f} {of_fid.recall:9.2f}"
        spread = f", standard deviation {self.spread:.1f} between seeds" if self.spread else ""
        lines += ["", f"best: epoch {self.best} with {self.mean(self.best):.1f}{spread}"]
        tied = [epoch for epoch in self.equals if epoch != self.best]
        lines += [f"statistically tied: epoch{'s' * (len(tied) > 1)} {ranges(tied)}"] * bool(tied)
        source = " need torch-fidelity: pip install -e '.[metrics]' installs it"
        if self.fidelities:
            source = f": features of the {self.fidelities[REAL].features}"
        return "\n".join([*lines, "", f"FID, KID, precision and recall{source}"])

    def save(self, path: Path) -> None:
        """Write the CSV file that `read_evaluation` reads: one line per epoch and seed, `fid`'s figures with seed 0."""
        unknown = ("",) * len(Fidelity._fields)
        lines = [
            (name, seed, self.count, *distance.levels, distance.mean,
             *(unknown if seed else self.fidelities.get(name, unknown)), self.reference)
            for name, distances in self.rows
            for seed, distance in enumerate(distances)
        ]  # fmt: skip
        with saving(path):
            write_table(path, _Line._fields, lines)


class _Line(NamedTuple):
    """A line of metrics.csv; the figures of `fid` are empty where they were not measured."""

    epoch: str
    seed: int
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  (it is a column of the CSV file)
    swd_96: float
    swd_48: float
    swd_24: float
    swd: float
    fid: str
    kid: str
    precision: str
    recall: str
    features: str
    reference: str


def evaluate(
    run: Run,
    epochs: Sequence[int] | None = None,
    reals: str | Path | None = None,
    count: int = COUNT,
    inception: str | Path | None = None,
    seeds: int = SEEDS,
    progress: bool = True,
) -> Evaluation:
    """Measure epochs of a run (by default all that have netG) and write `metrics.csv` into its folder.

    With `progress` the figures are printed as well, before they are written: a full disk must not lose them.

    reals: a folder of real images to compare fakes with. By default, the images that the run held out; for a run on
    drawn faces, others that it has never seen; for any other run its training images, since there are no others.
    seeds: how often the best epochs and the last are measured, with other patches and latent vectors each time.
    inception: a file with Inception's weights; by default the one in PyTorch's download folder, if it is there.
    A GPU is used if there is one. The distances of the real images are kept beside them: see `Floors`.
    Raises UserError for epochs without weights, for too few images, and if the folder cannot be written.
    """
    epochs = run.with_weights if epochs is None else sorted(set(epochs))
    if not epochs:
        raise UserError(f"{run.path} has no weights to measure: train it first.")
    # What is missing, damaged or locked is an error now, not after minutes.
    check_writable(run.output("metrics"))
    for epoch in epochs:
        run.generator(epoch)
    with_fidelity = available() or inception is not None
    weights = inception_weights(inception) if with_fidelity else None
    images, others, reference = reals_and_others(run, reals, count, progress)
    count = min(count, len(images), len(others))
    if count < MIN_COUNT:
        fix = f"give --count {MIN_COUNT} or more, and twice as many real images with --reals"
        raise UserError(f"{count} fakes, as many real images, and others, are too few to measure with: {fix}.")
    floors = Floors(training_folder(run) if reals is None else reals, images[:count], others[:count])
    images, others = torch.from_numpy(images[:count]), torch.from_numpy(others[:count])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    fidelities: dict[int | str, Fidelity] = {}
    distances: dict[int, list[Distance]] = {epoch: [] for epoch in epochs}
    floor, chosen = [], list(epochs)
    steps = with_fidelity + seeds + len(epochs) + (seeds - 1) * min(len(epochs), RIVALS + 1)
    with kept_memory(), tqdm(total=steps, unit=" steps", disable=not progress) as bar:
        if with_fidelity:
            bar.set_description("FID of the real images")
            fidelity_to_reals = FidelityTo(images, weights, device)
            fidelities[REAL] = fidelity_to_reals(others)
            bar.update()
        for seed in range(seeds):
            bar.set_description(f"seed {seed}: real images")
            measure = SlicedWasserstein(images, seed, device)
            if (known := floors.get(seed)) is None:
                floors.keep(seed, known := measure(others))
            floor.append(known)
            bar.update()
            for epoch in chosen:
                bar.set_description(f"seed {seed}: epoch {epoch}")
                fakes = run.generate(epoch, latent_vectors(count, run.config.nz, 1000 + seed), device)
                distances[epoch].append(measure(fakes))
                if with_fidelity and seed == 0:
                    fidelities[epoch] = fidelity_to_reals(to_uint8(fakes))
                bar.update()
            if seed == 0:
                best = sorted(epochs, key=lambda epoch: distances[epoch][0].mean)[:RIVALS]
                chosen = sorted({*best, epochs[-1]})
                bar.total = bar.n + (seeds - 1) * (1 + len(chosen))
            del measure  # before the next one is made: its memory is a gigabyte
    evaluation = Evaluation(distances, floor, count, reference, fidelities)
    if progress:
        print(evaluation)
    evaluation.save(run.output("metrics"))
    return read_evaluation(run)  # with as many digits as the file has


def read_evaluation(run: Run) -> Evaluation:
    """What `evaluate` last wrote into the folder of a run; UserError if there is nothing, or if it is damaged."""
    path = run.output("metrics")
    if not path.is_file():
        raise UserError(f"{run.path} has not been measured yet: animegan evaluate {run.path}")
    distances, floor, fidelities = {}, [], {}
    fix = f"measure again with animegan evaluate {run.path}"
    lines = read_table(path, _Line, fix)
    with reading(path, fix):
        for line in lines:
            epoch = REAL if line.epoch == REAL else build(int, int(line.epoch), "epoch")
            of_epoch = floor if isinstance(epoch, str) else distances.setdefault(epoch, [])
            same = (line.seed, line.count, line.reference) == (len(of_epoch), lines[0].count, lines[0].reference)
            of_epoch.append(Distance((line.swd_96, line.swd_48, line.swd_24), line.swd))
            if line.features:
                fidelities[epoch] = Fidelity(*map(float, line[7:11]), features=line.features)
            if not (same and all(abs(figure) < 1e9 for figure in (*line[3:7], *fidelities.get(epoch, ())[:4]))):
                raise ValueError(f"epoch {epoch}: a line is missing or of another measurement, or a figure impossible")
        if not (distances and floor) or (fidelities and fidelities.keys() != {REAL, *distances}):
            raise ValueError("lines are missing")
    return Evaluation(distances, floor, lines[0].count, lines[0].reference, fidelities)
