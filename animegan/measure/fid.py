"""FID, KID, precision and recall, by torch-fidelity: how far fakes are from reals in what another network sees.

Usually that network is Inception, trained on a million photographs. If its weights are not on this machine, the face
classifier of this project takes its place. Figures on different features cannot be compared, so each names its own.
"""

import copy
import importlib.util
import io
import os
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

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
    """Compare fakes with reals: one call of `FidelityTo`."""
    return FidelityTo(reals, inception)(fakes)


class FidelityTo:
    """The figures of sets of fakes compared with one set of reals, whose features are computed once.

    reals, fakes: uint8 [N, 3, 96, 96]. inception: from `inception_weights`, to use Inception's features; by default,
    those of the face classifier. device: where features are computed.
    Raises UserError if torch-fidelity is not installed or the weights are of another network.
    """

    def __init__(self, reals: Tensor, inception: bytes | None = None, device: str | torch.device = "cpu"):
        utils, self.name, self.device = require("torch_fidelity.utils", "metrics", "FID"), FACES, device
        if inception is None:
            # A copy, since the one on the CPU is everybody's; in this order of its weights a CPU is faster.
            classifier = copy.deepcopy(face_classifier()).to(device).to(memory_format=torch.channels_last)
            self.network = lambda images: classifier.features(to_unit(images))
        else:
            self.name = INCEPTION
            # In place of the path, a file in memory: torch.load takes both.
            options = {"cuda": False, "verbose": False, "feature_extractor_weights_path": io.BytesIO(inception)}
            try:
                extractor = utils.create_feature_extractor("inception-v3-compat", ["2048"], **options).to(device)
            except RuntimeError as error:
                if "state_dict" not in str(error):
                    raise
                raise UserError(f"these are not Inception's weights: for FID give {INCEPTION_FILE}.") from error
            self.network = lambda images: extractor(images)[0]
        self.reals = self.features(reals)

    def __call__(self, fakes: Tensor) -> Fidelity:
        """The figures of `fakes`."""
        from torch_fidelity import metric_fid, metric_kid, metric_prc

        pair = self.features(fakes), self.reals
        fid = metric_fid.fid_statistics_to_metric(*map(metric_fid.fid_features_to_statistics, pair), verbose=False)
        # All images at once: 2,048 of them need no subsets to save memory.
        subsets = {"kid_subsets": 1, "kid_subset_size": min(map(len, pair))}
        kid = metric_kid.kid_features_to_metric(*pair, **subsets, verbose=False)
        prc = metric_prc.prc_features_to_metric(*pair, prc_neighborhood=NEIGHBOURS, verbose=False)
        return Fidelity(
            fid[metric_fid.KEY_METRIC_FID], 1000 * kid[metric_kid.KEY_METRIC_KID_MEAN],
            prc[metric_prc.KEY_METRIC_PRECISION], prc[metric_prc.KEY_METRIC_RECALL], self.name,
        )  # fmt: skip

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """What the network sees in images, [N, features], on the CPU."""
        with torch.backends.cudnn.flags(allow_tf32=False):
            return torch.cat([self.network(part.to(self.device)).cpu() for part in images.split(64)])
