"""How far fakes are from real faces, and what went wrong: it reads run folders and never trains a GAN."""

from animegan.measure.classifier import ATTRIBUTES, face_classifier
from animegan.measure.diagnosis import MIN_BATCHES, Diagnosis, diagnose
from animegan.measure.evaluation import COUNT, REAL, Evaluation, evaluate, read_evaluation
from animegan.measure.fid import Fidelity, fidelity
from animegan.measure.judging import BlindCount, blind_count
from animegan.measure.memorization import Neighbours, neighbours
from animegan.measure.mode_coverage import Coverage, Share, coverage
from animegan.measure.references import DRAWN_UNSEEN, HELD_OUT, SPLIT_IN_HALF, References, reference_images
from animegan.measure.signals import bounds_of_loss_D, excess_of_loss_G, pattern, variety
from animegan.measure.sliced_wasserstein import Distance, SlicedWasserstein, average

__all__ = [
    "ATTRIBUTES", "COUNT", "DRAWN_UNSEEN", "HELD_OUT", "MIN_BATCHES", "REAL", "SPLIT_IN_HALF", "BlindCount", "Coverage",
    "Diagnosis", "Distance", "Evaluation", "Fidelity", "Neighbours", "References", "Share", "SlicedWasserstein",
    "average", "blind_count", "bounds_of_loss_D", "coverage", "diagnose", "evaluate", "excess_of_loss_G",
    "face_classifier", "fidelity", "neighbours", "pattern", "read_evaluation", "reference_images", "variety",
]  # fmt: skip
