"""Recipes: what one training step is. `handout` repeats the handout; `stable` gives faces.

A recipe is a handful of ingredients, each an option with its source; `Game` plays one step with
them: D learns to tell real from fake, then G learns to pass for real. All random numbers come from
one generator on the CPU, so that a run draws the same ones on every device.
"""

import copy
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import update_bn

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.models import ENLARGE, NetD, NetG, init_smooth, init_weights, spectral_norm


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


class Game:
    """NetG against NetD: both networks, the average of G, their optimisers, the random numbers.

    config: sizes, learning rate, recipe and seed; device: where the networks live.
    """

    def __init__(self, config: TrainConfig, device: torch.device):
        self.recipe = recipe = get_recipe(config.recipe, config.changes)
        self.device, self.nz = device, config.nz
        self.random = torch.Generator().manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):  # PyTorch's own initialisation takes the global generator
            torch.manual_seed(config.seed)
            netG = NetG(config.ngf, config.nz, recipe.enlarge)
            netD = NetD(config.ndf)
            if recipe.init:
                init_weights(netG, self.random)
                init_weights(netD, self.random)
            if recipe.smooth:
                init_smooth(netG, self.random)
            if recipe.spectral_norm:
                spectral_norm(netD)
        # Channels last is the layout in which convolutions are fastest, on CPUs as on GPUs.
        self.netG = netG.to(device, memory_format=torch.channels_last)
        self.netD = netD.to(device, memory_format=torch.channels_last)
        self.averageG = copy.deepcopy(self.netG) if recipe.ema else self.netG
        self.steps = 0  # so far
        fused = device.type in ("cpu", "cuda")  # one kernel for all weights
        adam = {"betas": (config.beta1, 0.999), "fused": fused}
        self.lr_G, self.lr_D = config.lr, config.lr * recipe.lr_D
        self.optimizerG = torch.optim.Adam(self.netG.parameters(), self.lr_G, **adam)
        self.optimizerD = torch.optim.Adam(self.netD.parameters(), self.lr_D, **adam)
        self.loss = LOSSES[recipe.loss]

    def step(self, real: Tensor) -> Tensor:
        """One step of D, then one of G, on real pictures [B, 3, 96, 96] in [-1, 1], or on each minibatch of them.

        Returns [4] on the device: loss of D, loss of G, mean D(x), mean D(G(z)), the last two as
        D saw them before its update.
        """
        parts = len(real) // self.recipe.minibatch if self.recipe.minibatch else 1
        return torch.stack([self._step(part) for part in real.tensor_split(max(parts, 1))]).mean(0)

    def _step(self, real: Tensor) -> Tensor:
        self.steps += 1
        self._pace()
        real = self._flipped(real)
        fake = self.netG(self.latent(len(real)))

        # G is fixed, D learns: log D(x) + log(1 - D(G(z))) shall grow.
        self.optimizerD.zero_grad()
        shown = self._augmented(real).requires_grad_(self.recipe.r1 > 0)
        logits_real, logits_fake = self._judged(shown, self._augmented(fake.detach()))
        loss_real = self.loss(logits_real, 1 - self.recipe.label_smoothing)
        loss_fake = self.loss(logits_fake, 0.0)
        (loss_real + loss_fake + self._slope(logits_real, shown)).backward()
        self.optimizerD.step()

        # D is fixed, G learns: log D(G(z)) shall grow. D's weights need no gradient for that, only its input.
        self.netD.requires_grad_(False)
        self.optimizerG.zero_grad()
        loss_G = self.loss(self.netD.logits(self._augmented(fake)), None)
        loss_G.backward()
        self.optimizerG.step()
        self.netD.requires_grad_(True)

        self._average()
        verdicts = torch.stack([logits_real.detach(), logits_fake.detach()]).sigmoid().mean(1)
        return torch.cat([torch.stack([loss_real + loss_fake, loss_G]).detach(), verdicts])

    def _judged(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """D's logits on both, [B] each. In one batch, BatchNorm takes one mean over both and ties them together."""
        if self.recipe.mixed_batch:
            return self.netD.logits(torch.cat([real, fake])).chunk(2)
        return self.netD.logits(real), self.netD.logits(fake)

    def _slope(self, logits: Tensor, pictures: Tensor) -> Tensor | float:
        """R1: half its weight times the mean squared slope of D's logits at the real pictures."""
        if not self.recipe.r1:
            return 0.0
        (slopes,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
        return self.recipe.r1 / 2 * slopes.square().sum((1, 2, 3)).mean()

    def latent(self, count: int) -> Tensor:
        """The next `count` latent vectors, [count, nz, 1, 1] from N(0, 1)."""
        return torch.randn(count, self.nz, 1, 1, generator=self.random).to(self.device)

    def netG_for_pictures(self) -> NetG:
        """A copy of the generator that draws the pictures (the average, if there is one), in eval mode.

        Its BatchNorm statistics are counted anew, over 512 latent vectors that are always the same
        ones: averaged weights need statistics of their own (Izmailov et al. 2018, section 3.2), and a
        picture then depends on its own z alone, not on its neighbours in the batch.
        """
        netG = copy.deepcopy(self.averageG)
        generator = torch.Generator().manual_seed(0)
        update_bn((torch.randn(64, self.nz, 1, 1, generator=generator) for _ in range(8)), netG, self.device)
        return netG.eval()

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on."""
        state = {name: getattr(self, name).state_dict() for name in self._parts()}
        return {**state, "steps": self.steps, "random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave."""
        for name in self._parts():
            getattr(self, name).load_state_dict(state[name])
        self.steps = state["steps"]
        self.random.set_state(state["random"])

    def _parts(self) -> list[str]:
        return ["netG", "netD", "optimizerG", "optimizerD"] + (["averageG"] if self.recipe.ema else [])

    def _flipped(self, real: Tensor) -> Tensor:
        if not self.recipe.flips:
            return real
        mirrored = torch.rand(len(real), 1, 1, 1, generator=self.random) < 0.5
        return torch.where(mirrored.to(real.device), real.flip(3), real)

    def _augmented(self, pictures: Tensor) -> Tensor:
        """What D is shown: each picture with its own light, moved by its own whole number of pixels.

        Real and fake pictures are treated alike, and the gradient passes through to G, so D sees ever new
        pictures but G is not taught to shift: "Differentiable Augmentation", Zhao et al. 2020. Light also
        gives D a measure of contrast, which BatchNorm would hide from it: without, G's faces turn pale.
        """
        if self.recipe.brightness:
            light = torch.rand(len(pictures), 1, 1, 1, generator=self.random) * 2 - 1
            pictures = pictures + (self.recipe.brightness * light).to(pictures.device)
        if self.recipe.shift:
            down, right = (self._shifts(*pictures.shape[::3]).to(pictures.device) for _ in range(2))
            pictures = down @ pictures @ right
        return pictures.contiguous(memory_format=torch.channels_last)

    def _shifts(self, count: int, size: int) -> Tensor:
        """Identity matrices [count, 1, size, size] with the diagonal moved at random: a product shifts a picture.

        This is exact, and unlike sampling from a grid it has a gradient on every device.
        """
        reach = round(self.recipe.shift * size)
        pixels = torch.randint(-reach, reach + 1, (count, 1, 1, 1), generator=self.random)
        place = torch.arange(size)
        return (place.view(-1, 1) + pixels == place).float()

    def _pace(self) -> None:
        """Set both learning rates for this step. They hang on its number alone, not on how long the run shall be, so
        that a run can be gone on with for longer than was planned.
        """
        after = self.recipe.decay_after
        pace = min(1.0, after / self.steps) if after else 1.0
        for optimizer, lr in ((self.optimizerG, self.lr_G), (self.optimizerD, self.lr_D)):
            for group in optimizer.param_groups:
                group["lr"] = lr * pace

    @torch.no_grad()
    def _average(self) -> None:
        if not self.recipe.ema:
            return
        # The first steps count little: the average would else remember the initial weights for long.
        decay = min(self.recipe.ema, self.steps / (9 + self.steps))
        for average, weight in zip(self.averageG.parameters(), self.netG.parameters(), strict=True):
            average.lerp_(weight, 1 - decay)


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
