"""How far fakes are from real faces, and what went wrong: it reads run folders and never trains."""

from animegan.measure.classifier import ATTRIBUTES, face_classifier
from animegan.measure.diagnosis import (
    LEAST_STEPS,
    Diagnosis,
    bounds_of_loss_D,
    cells,
    diagnose,
    excess_of_loss_G,
    pattern,
    variety,
)
from animegan.measure.evaluation import (
    COUNT,
    LEARNT,
    NEVER_SEEN,
    REAL,
    TABLE,
    Evaluation,
    evaluate,
    learnt_and_unseen,
    read_evaluation,
)
from animegan.measure.fid import Fidelity, fidelity
from animegan.measure.mode_coverage import Neighbours, Share, coverage, neighbours
from animegan.measure.sliced_wasserstein import Distance, SlicedWasserstein, average

__all__ = [
    "ATTRIBUTES", "COUNT", "Diagnosis", "Distance", "Evaluation", "Fidelity", "LEARNT", "LEAST_STEPS",
    "NEVER_SEEN", "Neighbours", "REAL", "Share", "SlicedWasserstein", "TABLE", "average", "bounds_of_loss_D",
    "cells", "coverage", "diagnose", "evaluate", "excess_of_loss_G", "face_classifier", "fidelity",
    "learnt_and_unseen", "neighbours", "pattern", "read_evaluation", "variety",
]  # fmt: skip
