"""Recipes: what one training step is. `handout` repeats the handout; `stable` gives faces.

A recipe is a handful of ingredients, each an option with its source; `gan.GAN` plays one step
with them: D learns to tell real from fake, then G learns to pass for real. All random numbers come from
one generator on the CPU, so that a run draws the same ones on every device.
"""

from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from animegan.errors import UserError
from animegan.models import ENLARGE


def _up_to(limit: float, default: float = 0.0) -> Any:
    """A number from 0 to below `limit`."""
    return field(default=default, metadata={"limit": limit})


def _off_or(least: int) -> Any:
    """A whole number: 0, which is off, or `least` and more."""
    return field(default=0, metadata={"least": least})


@dataclass(frozen=True)
class Recipe:
    """The ingredients of a training step; the defaults are the handout's."""

    # how the networks begin, and what they are
    init: bool = False  # draw the weights from N(0, 0.02): DCGAN paper, section 4
    smooth: bool = False  # start NetG's upsampling without checkerboard: see models.init_smooth
    enlarge: str = "k5s3"  # how NetG's last layer makes 96 of 32; the handout's, "k6s3" or "resize": see models.NetG
    spectral_norm: bool = False  # bound D's slope in place of its BatchNorm: Miyato et al. 2018
    # what D is shown, and what draws the grid
    flips: bool = False  # mirror every other real picture: a face may look either way
    brightness: float = _up_to(2)  # show D all pictures brighter or darker by up to this: Zhao et al. 2020
    shift: float = _up_to(1)  # show D all pictures shifted by up to this part of their side: Zhao et al. 2020
    mixed_batch: bool = False  # D judges real and fake in one batch; better not: Chintala et al. 2016, "ganhacks" 4
    ema: float = _up_to(1)  # decay of the running average of G that draws the pictures: Yazici et al. 2019
    # what is learnt, and how fast
    minibatch: int = _off_or(2)  # learn from a larger batch in parts of about this size, one step each: more steps
    decay_after: int = _off_or(1)  # after so many steps the learning rates fall, as 1/step: Robbins and Monro 1951
    loss: str = "probabilities"  # the handout's BCELoss after the sigmoid; "logits" or "hinge": see LOSSES
    label_smoothing: float = _up_to(1)  # D aims at 1 minus this on real pictures: Salimans et al. 2016, 3.4
    r1: float = _up_to(1000)  # weight of D's squared slope at real pictures: Mescheder et al. 2018
    lazy_r1: int = _off_or(2)  # R1 in one of so many minibatches, at that many times the weight: Karras et al. 2020b
    lr_D: float = _up_to(100, 1.0)  # D's learning rate as a multiple of G's: Heusel et al. 2017


RECIPES = {
    "handout": Recipe(),
    "stable": Recipe(
        init=True,
        smooth=True,
        flips=True,
        brightness=0.3,
        shift=1 / 16,
        ema=0.995,
        minibatch=16,
        decay_after=1600,  # not before the end of a quick run, which has as many
        loss="logits",
        label_smoothing=0.1,
    ),
}


def get_recipe(name: str, changes: dict[str, Any] | None = None) -> Recipe:
    """The recipe of that name, with some ingredients set otherwise; UserError for unknown ones."""
    if name not in RECIPES:
        raise UserError(f"--recipe {name} is not known; choose {' or '.join(RECIPES)}.")
    known = {f.name: f for f in fields(Recipe)}
    for ingredient, value in (changes or {}).items():
        if ingredient not in known:
            raise UserError(f"--set {ingredient}: no such ingredient; choose from {', '.join(known)}.")
        _check(known[ingredient], value)
    return replace(RECIPES[name], **(changes or {}))


def _check(ingredient: Field, value: Any) -> None:
    """Raise UserError for a value that this ingredient cannot have."""
    name, told = ingredient.name, f"--set {ingredient.name}={value}"
    if ingredient.type is str:
        *words, last = {"enlarge": ENLARGE, "loss": LOSSES}[name]
        if value not in (*words, last):
            raise UserError(f"{told} is not known; choose {', '.join(words)} or {last}.")
    elif isinstance(value, bool) != (ingredient.type is bool) or not isinstance(value, int | float):
        kind = "true or false" if ingredient.type is bool else "a number"
        raise UserError(f"{told} is out of place: it takes {kind}.")
    elif ingredient.type is int and (isinstance(value, float) or 0 != value < ingredient.metadata["least"]):
        raise UserError(
            f"{told} is out of place: it takes 0, or a whole number of {ingredient.metadata['least']} or more."
        )
    elif ingredient.type is float and not 0 <= value < ingredient.metadata["limit"]:
        raise UserError(f"{told} is out of range: it takes 0 to below {ingredient.metadata['limit']}.")


# What a loss is given: logits [B], and D's aim, 1 or a little less for real pictures and 0 for fake ones; None stands
# for G's aim, to pass for real.


def _probabilities(logits: Tensor, aim: float | None) -> Tensor:
    """The handout's BCELoss: a verdict that float32 rounds to exactly 0 or 1 has no slope any more."""
    return F.binary_cross_entropy(logits.sigmoid(), torch.full_like(logits, 1.0 if aim is None else aim))


def _logits(logits: Tensor, aim: float | None) -> Tensor:
    """The same mathematics without rounding."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, 1.0 if aim is None else aim))


def _hinge(logits: Tensor, aim: float | None) -> Tensor:
    """D leaves alone what it is sure enough of: Lim and Ye 2017, "Geometric GAN". Labels are not smoothed here."""
    return -logits.mean() if aim is None else F.relu(1 + (logits if aim == 0 else -logits)).mean()


LOSSES = {"probabilities": _probabilities, "logits": _logits, "hinge": _hinge}
