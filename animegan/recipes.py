"""Recipes: what one training step is. `handout` repeats the handout; `stable` gives faces; `patient` takes its time.

A recipe is a handful of ingredients, each an option with its source. `gan.GAN` trains with them: D
learns to tell real from fake, then G learns to pass its fakes off as real.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from animegan.config import Range, TrainConfig, check_setting, setting
from animegan.errors import UserError
from animegan.models import ENLARGE, NetD, NetG, init_smooth, init_weights, spectral_norm


def _up_to(limit: float, default: float = 0.0) -> Any:
    """A number from 0 to below `limit`."""
    return setting(default, range=Range(0, limit))


def _off_or(low: int, later: bool = False) -> Any:
    """A whole number: 0, which is off, or `low` or more."""
    return setting(0, range=Range(low, or_0=True), later=later)


@dataclass(frozen=True)
class Recipe:
    """The ingredients of a training step; the defaults are the handout's. Raises UserError for an impossible value."""

    # how the networks begin, and what they are
    init: bool = False  # draw the weights from N(0, 0.02): DCGAN paper, section 4
    smooth: bool = False  # start NetG's upsampling without checkerboard: see models.init_smooth
    enlarge: str = setting("k5s3", choices=tuple(ENLARGE))  # how NetG's last layer makes 96 of 32: see models.NetG
    spectral_norm: bool = False  # bound D's slope in place of its BatchNorm: Miyato et al. 2018
    # what D is shown, and what draws the grid
    flips: bool = False  # mirror each real image with probability 1/2: a face may look either way
    brightness: float = _up_to(2)  # show D all images brighter or darker by up to this: Zhao et al. 2020
    shift: float = _up_to(1)  # show D all images shifted by up to this part of their side: Zhao et al. 2020
    mixed_batch: bool = False  # D judges real and fake in one batch; better not: Chintala et al. 2016, "ganhacks" 4
    ema: float = _up_to(1)  # decay of the exponential moving average of G that draws the grids: Yazici et al. 2019
    # what is learnt, and how fast
    minibatch: int = _off_or(2)  # split a larger batch into parts of about this size, one step each: more steps
    decay_after: int = _off_or(1, later=True)  # steps until the learning rates fall as 1/step: Robbins and Monro 1951
    loss: str = setting("probabilities", choices=("probabilities", "logits", "hinge"))  # see LOSSES
    label_smoothing: float = _up_to(1)  # D's target for real images is 1 minus this: Salimans et al. 2016, 3.4
    r1: float = _up_to(1000)  # weight of D's squared slope at real images: Mescheder et al. 2018
    lazy_r1: int = _off_or(2, later=True)  # R1 only in every n-th minibatch of a batch, n times as strong: Karras 2020b
    lr_D: float = _up_to(100, 1.0)  # D's learning rate as a multiple of G's: Heusel et al. 2017

    def __post_init__(self):
        for known in fields(self):
            value = check_setting(f"--set {known.name}=", getattr(self, known.name), known)
            object.__setattr__(self, known.name, value)


STABLE = Recipe(
    init=True,
    smooth=True,
    flips=True,
    brightness=0.3,
    shift=1 / 16,
    ema=0.998,
    minibatch=8,
    decay_after=3200,
    loss="logits",
    label_smoothing=0.1,
    r1=0.05,
    lazy_r1=8,  # of a batch of 64, one minibatch
)
RECIPES = {
    "handout": Recipe(),
    "stable": STABLE,  # for 25 epochs
    "patient": replace(STABLE, ema=0.999, minibatch=16, decay_after=6400, r1=0.1, lazy_r1=4),  # for 100 epochs
}


def get_recipe(name: str, changes: dict[str, Any] | None = None) -> Recipe:
    """The recipe of that name, with some ingredients overridden; UserError for unknown ones."""
    if name not in RECIPES:
        raise UserError(f"--recipe {name} is not known; choose {' or '.join(RECIPES)}.")
    known = [f.name for f in fields(Recipe)]
    if unknown := [ingredient for ingredient in changes or {} if ingredient not in known]:
        raise UserError(f"--set {unknown[0]}: no such ingredient; choose from {', '.join(known)}.")
    return replace(RECIPES[name], **(changes or {}))


def new_networks(config: TrainConfig, recipe: Recipe, random: torch.Generator | None = None) -> tuple[NetG, NetD]:
    """Both networks as training begins with them. PyTorch's own initialisation takes the global generator."""
    netG, netD = NetG(config.ngf, config.nz, recipe.enlarge), NetD(config.ndf)
    if recipe.init:
        init_weights(netG, random)
        init_weights(netD, random)
    if recipe.smooth:
        init_smooth(netG, random)
    return netG, spectral_norm(netD) if recipe.spectral_norm else netD


# A loss takes logits [B] and D's target: 1 or a little less for real images, 0 for fake ones. None stands for G's
# target, which is to be judged real.


def _probabilities(logits: Tensor, target: float | None) -> Tensor:
    """The handout's BCELoss: where float32 rounds a verdict to exactly 0 or 1, the gradient is lost."""
    return F.binary_cross_entropy(logits.sigmoid(), torch.full_like(logits, 1.0 if target is None else target))


def _logits(logits: Tensor, target: float | None) -> Tensor:
    """The same mathematics without rounding."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 1.0 if target is None else target))


def _hinge(logits: Tensor, target: float | None) -> Tensor:
    """D ignores images that it is sure enough about: Lim and Ye 2017, "Geometric GAN". It ignores label smoothing."""
    return -logits.mean() if target is None else F.relu(1 + (logits if target == 0 else -logits)).mean()


LOSSES = {"probabilities": _probabilities, "logits": _logits, "hinge": _hinge}
