"""A blind count: how many faces of each source people find well formed, without knowing which is which."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from PIL import Image

from animegan.errors import UserError

MARKS = {"p": "plain", "d": "doubtful", "n": "none"}  # a judge's letter for each face


@dataclass(frozen=True)
class BlindCount:
    """Faces of several sources, shuffled together, to be judged (`show.judging_sheets`); and the key, to be kept apart.

    key: the source of each face.
    """

    faces: list[Image.Image]
    key: list[str]

    def counted(self, *judges: str) -> "Counts":
        """What the judges found: of each a string with one letter of MARKS per face, in order; spaces do not count.

        Raises UserError for a string that is too short, too long, or has another letter.
        """
        if not judges:
            raise UserError("there are no marks: give one letter (p, d or n) for each face, as a string.")
        marks = ["".join(letters.split()).lower() for letters in judges]
        for number, letters in enumerate(marks, 1):
            if unknown := set(letters) - set(MARKS):
                raise UserError(f"judge {number} has the mark {min(unknown)!r}: p is plain, d is doubtful, n is none.")
            if len(letters) != len(self.key):
                few = f"judge {number} has {len(letters)} marks for {len(self.key)} faces"
                raise UserError(f"{few}: give each face one letter.")
        found = {source: [Counter() for _ in marks] for source in sorted(set(self.key))}
        for judge, letters in enumerate(marks):
            for source, mark in zip(self.key, letters, strict=True):
                found[source][judge][mark] += 1
        kappas = [_kappa(*pair) for pair in combinations(marks, 2)]
        return Counts(found, float(np.mean(kappas)) if kappas else None)


@dataclass(frozen=True)
class Counts:
    """How many faces of each source each judge gave which mark; as text, a table.

    kappa: Cohen's, of two judges, or the mean of all pairs: 1 if they agree on every face, 0 if they agree as often as
    by chance; None with one judge.
    """

    found: dict[str, list[Counter]]
    kappa: float | None

    def plain(self, source: str) -> float:
        """The number of well-formed faces, the mean of the judges."""
        return float(np.mean([marks["p"] for marks in self.found[source]]))

    def interval(self, source: str) -> tuple[float, float]:
        """Wilson's 95% interval of `plain`: how much it may change with other faces of the same source."""
        total = self.found[source][0].total()
        share, z2 = self.plain(source) / total, 1.96**2 / total
        middle, half = share + z2 / 2, (z2 * share * (1 - share) + z2**2 / 4) ** 0.5
        return total * (middle - half) / (1 + z2), total * (middle + half) / (1 + z2)

    def __str__(self) -> str:
        width = max(map(len, ["source", *self.found]))
        lines = [f"{'source':{width}}  faces  plain  95% interval  doubtful  plain by each judge"]
        for source in sorted(self.found, key=self.plain, reverse=True):
            marks, (low, high) = self.found[source], self.interval(source)
            of, doubtful = marks[0].total(), np.mean([found["d"] for found in marks])
            line = f"{source:{width}}  {of:5}  {self.plain(source):5.1f}  {low:4.0f} to {high:4.0f}  {doubtful:8.1f}"
            lines.append(f"{line}  {', '.join(str(found['p']) for found in marks)}")
        if self.kappa is not None:
            lines.append(f"agreement of the judges (Cohen's kappa): {self.kappa:.2f}")
        return "\n".join(lines)


def blind_count(sources: Mapping[str, Sequence[Image.Image]], each: int = 64, seed: int = 0) -> BlindCount:
    """Draw `each` faces of every source (name: faces) at random, and shuffle them together.

    Only what is shuffled can be compared: next to a real face, the faults of a fake stand out. Raises UserError if a
    source has fewer faces.
    """
    rng, drawn = random.Random(seed), []
    for name, faces in sources.items():
        if len(faces) < each:
            raise UserError(f"{name} has {len(faces)} faces, and {each} are needed: give more, or a smaller each=.")
        drawn += [(face, str(name)) for face in rng.sample(list(faces), each)]
    rng.shuffle(drawn)
    return BlindCount([face for face, _ in drawn], [name for _, name in drawn])


def _kappa(one: str, other: str) -> float:
    agreed = np.mean([a == b for a, b in zip(one, other, strict=True)])
    chance = sum(one.count(mark) * other.count(mark) for mark in MARKS) / len(one) ** 2
    return 1.0 if chance == 1 else float((agreed - chance) / (1 - chance))
