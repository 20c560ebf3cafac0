"""`Game`: one training step, with the ingredients of a recipe."""

import copy
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn

from animegan.config import TrainConfig
from animegan.models import NetD, NetG, init_smooth, init_weights, spectral_norm
from animegan.recipes import LOSSES, get_recipe


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
