"""FID, KID, precision and recall, by torch-fidelity: how far fakes are from reals in what another network sees.

Usually that network is Inception, trained on a million photographs. If its weights are not on this machine, the face
classifier of this project takes its place. Figures on different features cannot be compared, so each names its own.
"""

from __future__ import annotations

import importlib.util
import io
import os
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Subset

from animegan.data import to_unit
from animegan.errors import UserError, require
from animegan.measure.classifier import face_classifier, read_tensors

FACES, INCEPTION = "face classifier", "Inception network"
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"  # as torch-fidelity publishes it
NEIGHBOURS = 3  # an image counts as covered within the distance of the 3rd neighbour: the paper's choice


class Fidelity(NamedTuple):
    """The figures of one set of fakes; `kid` is times 1,000, `features` names the network that they rest on.

    fid: distance between the normal distributions fitted to both sets: Heusel et al. 2017. It falls with the number of
        images, so compare only figures of equal numbers.
    kid: the same without assuming normal distributions, and unbiased: Binkowski et al. 2018.
    precision: the share of fakes that lie among reals; recall: the share of reals that lie among fakes.
        Kynkaanniemi et al. 2019. A generator that collapses has high precision and low recall.
    """

    fid: float
    kid: float
    precision: float
    recall: float
    features: str


def available() -> bool:
    """Whether torch-fidelity is installed."""
    return importlib.util.find_spec("torch_fidelity") is not None


def inception_weights(path: str | Path | None = None) -> bytes | None:
    """Inception's weights as `fidelity` takes them, from a file; by default the one in PyTorch's download folder.

    None if that is not there: nothing is downloaded. They are saved again here, since torch-fidelity unpickles whatever
    it is given, and a pickle can run any code. Raises UserError if the file holds anything else.
    """
    if path is None:
        path = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
        if not os.path.isfile(path):
            return None
    buffer = io.BytesIO()
    torch.save(read_tensors(path, f"for FID give {INCEPTION_FILE}, as torch-fidelity publishes it"), buffer)
    return buffer.getvalue()


def fidelity(fakes: Tensor, reals: Tensor, inception: bytes | None = None) -> Fidelity:
    """Compare fakes with reals, both uint8 [N, 3, 96, 96].

    inception: from `inception_weights`, to use Inception's features; by default, those of the face classifier.
    Raises UserError if torch-fidelity is not installed or the weights are of another network.
    """
    torch_fidelity = require("torch_fidelity", "metrics", "FID")
    if inception is not None:
        # In place of the path, a file in memory: torch.load takes both.
        features = {"feature_extractor": "inception-v3-compat", "feature_extractor_weights_path": io.BytesIO(inception)}
    else:
        from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

        if FACES not in FEATURE_EXTRACTORS_REGISTRY:
            register_feature_extractor(FACES, _extractor())
        # A plain registered name: each metric then takes the only layer that the extractor offers.
        features = {"feature_extractor": FACES}
    # A tensor indexes like a dataset, and torch-fidelity asks for one.
    one, other = (Subset(images, range(len(images))) for images in (fakes, reals))  # pyright: ignore[reportArgumentType]
    metrics = {"fid": True, "prc": True, "prc_neighborhood": NEIGHBOURS}
    # All images at once: 2,048 of them need no subsets to save memory.
    kid = {"kid": True, "kid_subsets": 1, "kid_subset_size": min(len(fakes), len(reals))}
    how = {"batch_size": 64, "cuda": False, "cache": False, "verbose": False, "save_cpu_ram": True}
    try:
        found = torch_fidelity.calculate_metrics(input1=one, input2=other, **metrics, **kid, **how, **features)
    except RuntimeError as error:
        if inception is None or "state_dict" not in str(error):
            raise
        raise UserError(f"these are not Inception's weights: for FID give {INCEPTION_FILE}.") from error
    fid, kid = found["frechet_inception_distance"], 1000 * found["kernel_inception_distance_mean"]
    return Fidelity(fid, kid, found["precision"], found["recall"], FACES if inception is None else INCEPTION)


def _extractor() -> type:
    """The face classifier as torch-fidelity's feature extractor; in a function, since torch-fidelity is optional."""
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class FaceFeatures(FeatureExtractorBase):
        def __init__(self, name, features_list, **_options):
            super().__init__(name, features_list)
            self.classifier = face_classifier()

        @staticmethod
        def get_provided_features_list():
            return ("features",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric):  # noqa: ARG004
            return "features"

        def forward(self, input: Tensor) -> tuple[Tensor]:
            return (self.classifier.features(to_unit(input)),)

    return FaceFeatures
