"""`GAN`: both networks and one training step, with the ingredients of a recipe; on a CUDA GPU as one graph."""

import contextlib
import copy
import os
import struct
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from animegan.config import IMAGE_SIZE, TrainConfig
from animegan.cpu import MatrixGradients
from animegan.distributed import ALONE, Team
from animegan.errors import UserError
from animegan.models import NetD, NetG, fits
from animegan.recipes import LOSSES, get_recipe, new_networks


class GAN:
    """NetG against NetD: both networks, the moving average of G, the optimisers and the random numbers.

    config: sizes, learning rate, recipe, precision and seed. device: where the networks are trained.
    team: the processes that train it together. Raises UserError if a minibatch is too small for them.
    """

    def __init__(self, config: TrainConfig, device: torch.device, team: Team = ALONE):
        self.recipe = recipe = get_recipe(config.recipe, config.changes)
        self.team, minibatch = team, config.batchSize // self.parts(config.batchSize)
        if team.size > 1 and minibatch < 2 * team.size:
            few = f"{team.size} processes cannot share a minibatch of {minibatch} images, as each needs 2"
            larger = "--batchSize " if config.batchSize < 2 * team.size else "--set minibatch="
            raise UserError(f"{few}: start fewer, or use {larger}{2 * team.size}.")
        self.device, self.nz = device, config.nz
        self.reach = round(recipe.shift * IMAGE_SIZE)  # the most pixels by which an image is shifted
        self.random = torch.Generator().manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):  # PyTorch's own initialisation takes the global generator
            torch.manual_seed(config.seed)
            netG, netD = new_networks(config, recipe, self.random)
        # Channels last is the fastest memory layout for convolutions, on CPUs and on GPUs.
        self.netG = netG.to(device, memory_format=torch.channels_last)  # pyright: ignore
        self.netD = netD.to(device, memory_format=torch.channels_last)  # pyright: ignore
        # With several processes always a copy: the first one draws with it, without waiting for the others.
        self.ema_G = copy.deepcopy(self.netG) if recipe.ema or team.size > 1 else self.netG
        self._forward_G, self._forward_D = team.parallel(self.netG), team.parallel(_Logits(self.netD))
        self.steps = 0  # taken so far
        self.bfloat16 = config.precision == "bfloat16"
        # Fused: one kernel for all weights. Capturable: a CUDA graph reads the learning rate from the device.
        kernel = {"fused": device.type in ("cpu", "cuda"), "capturable": device.type == "cuda"}
        adam: dict[str, Any] = {"betas": (config.beta1, 0.999), **kernel}
        self.lr_G, self.lr_D = config.lr, config.lr * recipe.lr_D
        self.optimizerG = Adam(self.netG.parameters(), self.lr_G, **adam)
        self.optimizerD = Adam(self.netD.parameters(), self.lr_D, **adam)
        self.loss = LOSSES[recipe.loss]
        # ANIMEGAN_EAGER=1 trains without the CUDA graph, for comparison. Several processes do, too: a graph that waits
        # for the others cannot be broken off, and if only some of them could capture it, those would wait for ever.
        is_graph = device.type == "cuda" and team.size == 1 and not os.environ.get("ANIMEGAN_EAGER")
        self.captured = CapturedStep(self) if is_graph else None

    def step(self, real: Tensor) -> Tensor:
        """One step of D, then one of G, on real images [B, 3, 96, 96] in [-1, 1], or on each minibatch of them.

        Returns [4] on the device, means over the minibatches: loss of D, loss of G, D(x) and D(G(z)), the
        last two from before D's update. Every process is given the whole batch, and computes its part.
        """
        parts = self.parts(len(real))
        # All random numbers come from one generator on the CPU, so that a run draws the same ones on every device.
        noise = torch.cat([self._draw_noise(len(part)) for part in real.tensor_split(parts)])
        rates = [self._next_rates() for _ in range(parts)]
        if self.captured is None:
            return self._steps(real, noise.to(self.device), rates)
        return self.captured(real, noise, torch.tensor(rates))

    def parts(self, batch: int) -> int:
        """How many steps are taken on a batch of this size: one for each of its minibatches."""
        return max(batch // self.recipe.minibatch, 1) if self.recipe.minibatch else 1

    def _steps(self, real: Tensor, noise: Tensor, rates: list[tuple[float, float, float]] | Tensor) -> Tensor:
        """`step` without randomness: noise [B, columns] from `_draw_noise`, one row of rates per minibatch.

        Nothing here waits for a number from the device, so all of it can be captured as one CUDA graph.
        """
        penalised = range(0, len(rates), self.recipe.lazy_r1 or 1)  # the same in every batch: a CUDA graph is fixed
        r1 = self.recipe.r1 * len(rates) / len(penalised)  # so that the mean over the batch stays the same
        weights = [r1 if number in penalised else 0.0 for number in range(len(rates))]
        parts = zip(real.tensor_split(len(rates)), noise.tensor_split(len(rates)), rates, weights, strict=True)
        return self.team.sum(torch.stack([self._step(*part) for part in parts]).mean(0) / self.team.size)

    def _step(self, real: Tensor, noise: Tensor, rates: tuple[float, float, float] | Tensor, r1: float) -> Tensor:
        lr_G, lr_D, ema_weight = rates
        whole, real, noise = len(real), self.team.part(real), self.team.part(noise)
        weight = len(real) * self.team.size / whole  # of this part in the mean over the processes: about 1
        z, flip, *augment = noise.split([self.nz, 1, 3, 3, 3], 1)
        for network in (self.netG, self.netD):
            network.zero_grad()  # both here: the memory of G's gradients is free while D learns
        real = self._flip(real, flip)
        with self._autocast():
            fake = self._forward_G(z[..., None, None]).to(real.dtype)

        # G is fixed, D learns to make log D(x) + log(1 - D(G(z))) larger.
        shown = self._augment(real, augment[0]).requires_grad_(r1 > 0)
        both = self._discriminate(shown, self._augment(fake.detach(), augment[1]))
        logits_real, logits_fake = (logits.to(real.dtype) for logits in both)
        loss_real = self.loss(logits_real, 1 - self.recipe.label_smoothing)
        loss_fake = self.loss(logits_fake, 0.0)
        ((loss_real + loss_fake + _r1_penalty(logits_real, shown, r1)) * weight).backward()
        self.optimizerD.update(lr_D)

        # D is fixed, G learns to make log D(G(z)) larger. Only D's input needs a gradient for that, not its weights.
        self.netD.requires_grad_(False)
        with self._autocast():
            logits = self.netD.logits(self._augment(fake, augment[2])).to(real.dtype)
        loss_G = self.loss(logits, None)
        (loss_G * weight).backward()
        self.optimizerG.update(lr_G)
        self.netD.requires_grad_(True)

        self._update_ema(ema_weight)
        verdicts = torch.stack([logits_real.detach(), logits_fake.detach()]).sigmoid().mean(1)
        return torch.cat([torch.stack([loss_real + loss_fake, loss_G]).detach(), verdicts]) * weight

    def _discriminate(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """D's logits on both, [B] each. In a mixed batch, BatchNorm computes one mean over real and fake, else two."""
        mixed = self.recipe.mixed_batch
        with self._autocast():
            # R1 goes back through the real ones alone; spectral norm improves its estimate in each pass.
            if not mixed and (real.requires_grad or self.recipe.spectral_norm):
                return self._forward_D(real), self._forward_D(fake)
            return self._forward_D(torch.cat([real, fake]), 1 if mixed else 2).chunk(2)

    @contextlib.contextmanager
    def _autocast(self) -> Iterator[None]:
        """Convolutions in bfloat16, if that is the run's precision; weights, statistics and losses stay float32."""
        gradients = MatrixGradients() if self.bfloat16 and self.device.type == "cpu" else contextlib.nullcontext()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16), gradients:
            yield

    def sampling_generator(self) -> NetG:
        """A copy of the generator that draws the grids (the moving average, if there is one), in eval mode.

        Its BatchNorm statistics are computed again from 512 fixed latent vectors: averaged weights need
        statistics of their own (Izmailov et al. 2018, section 3.2), and in eval mode a face depends only
        on its own z, not on the other faces of the batch.
        """
        netG = copy.deepcopy(self.ema_G)
        generator = torch.Generator().manual_seed(0)
        with_batchnorm = nn.Sequential(*list(netG.children())[:-1])  # the last layer has none
        batches = (torch.randn(64, self.nz, 1, 1, generator=generator) for _ in range(8))
        update_bn(batches, with_batchnorm, self.device)
        return netG.eval()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        return {**state, "steps": self.steps, "random": self.random.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned. Raises ValueError, LookupError or TypeError if it is another's."""
        steps, parts, like = state["steps"], self._parts(), self.state_dict()
        optimizers = {name: parts.pop(name) for name in ("optimizerG", "optimizerD")}
        given = {name: state[name]["state"] if name in optimizers else state[name] for name in like}
        for name, optimizer in optimizers.items():
            # Of an optimiser's state only the moments of each weight are used.
            weights, count = optimizer.param_groups[0]["params"], torch.tensor(0.0)
            moments = [{"step": count, "exp_avg": weight, "exp_avg_sq": weight} for weight in weights]
            like[name] = dict(enumerate(moments)) if steps else {}
        if not fits(given, like):
            raise ValueError("its networks have other shapes")
        left, position = struct.unpack_from("=i4xQ", given["random"].numpy().tobytes(), 8)
        if not (left == 1 or 1 < left <= 625 - position):  # PyTorch would read beyond the state of its random numbers
            raise ValueError("its random numbers are impossible")
        for name, part in parts.items():
            part.load_state_dict(dict(given[name]))  # without PyTorch's own notes in the file
        for name, optimizer in optimizers.items():
            # Copied into the memory of a weight: what a file has as one number, repeated, would be written beyond.
            moments = {
                number: {
                    key: torch.zeros_like(like[name][number][key]).copy_(value.detach()) for key, value in of.items()
                }
                for number, of in given[name].items()
            }
            if any(of["step"] != min(steps, 2**24) for of in moments.values()):  # float32 counts no further
                raise ValueError("its optimisers have taken another number of steps")
            optimizer.load_moments(moments)
        self.steps = steps
        self.random.set_state(given["random"].clone())

    def _parts(self) -> dict[str, Any]:
        """The parts that a checkpoint holds, by their names in it: "averageG" is older than the name `ema_G`."""
        parts = {name: getattr(self, name) for name in ("netG", "netD", "optimizerG", "optimizerD")}
        return parts | ({"averageG": self.ema_G} if self.recipe.ema else {})

    def _draw_noise(self, count: int) -> Tensor:
        """All random numbers of one step on `count` images, on the CPU, [count, nz + 1 + 3 + 3 + 3].

        The columns are z, the flip, and the augmentation of what D is shown: real, fake, and fake again in G's step.
        Only what the recipe uses is drawn, in the order of its use.
        """
        flip = torch.rand(count, 1, generator=self.random) if self.recipe.flips else torch.ones(count, 1)
        z = torch.randn(count, self.nz, generator=self.random)
        return torch.cat([z, flip, *(self._draw_augment(count) for _ in range(3))], 1)

    def _draw_augment(self, count: int) -> Tensor:
        """By how much each image is changed, [count, 3]: brightness, pixels up, pixels to the right."""
        light = up = right = torch.zeros(count)
        if self.recipe.brightness:
            light = self.recipe.brightness * (torch.rand(count, generator=self.random) * 2 - 1)
        if self.recipe.shift:
            sides = (-self.reach, self.reach + 1)
            up, right = (torch.randint(*sides, (count,), generator=self.random) for _ in range(2))
        return torch.stack([light, up, right], 1)

    def _flip(self, real: Tensor, chance: Tensor) -> Tensor:
        """Mirror the images [B, 3, 96, 96] whose random number [B, 1] is below one half."""
        if not self.recipe.flips:
            return real
        return torch.where(chance[..., None, None] < 0.5, real.flip(3), real)

    def _augment(self, pictures: Tensor, amounts: Tensor) -> Tensor:
        """What D is shown: each image with its own brightness, shifted by its own whole number of pixels.

        pictures [B, 3, 96, 96] in [-1, 1]; amounts [B, 3] from `_draw_augment`. Real and fake images are treated
        alike and the gradient passes through to G, so D always sees new images, but G does not learn to shift:
        "Differentiable Augmentation", Zhao et al. 2020. Brightness also lets D measure contrast, which BatchNorm
        would hide from it: without it, G's faces turn pale.
        """
        light, up, right = amounts.t()
        if self.recipe.brightness:
            pictures = pictures + light[:, None, None, None]
        if self.bfloat16:  # as D's first convolution would do: half as much to shift
            pictures = pictures.to(torch.bfloat16)
        if self.reach and self.device.type == "cpu":
            pictures = _shift(pictures, up, right, self.reach)
        elif self.reach:
            pictures = _shift_on_device(pictures, up, right)
        return pictures.contiguous(memory_format=torch.channels_last)

    def _next_rates(self) -> tuple[float, float, float]:
        """Count one step. Returns the learning rates of G and D, and the weight of the new G in the moving average.

        The rates depend only on the step number, not on the planned length, so a run can be extended later.
        """
        self.steps += 1
        after = self.recipe.decay_after
        pace = min(1.0, after / self.steps) if after else 1.0
        # Warm up the decay, or the average would stay near the initial weights for a long time.
        decay = min(self.recipe.ema, self.steps / (9 + self.steps))
        return self.lr_G * pace, self.lr_D * pace, 1 - decay

    @torch.no_grad()
    def _update_ema(self, weight: float | Tensor) -> None:
        if self.ema_G is self.netG:
            return
        ema, weights = list(self.ema_G.parameters()), list(self.netG.parameters())
        if isinstance(weight, Tensor):  # on a CUDA graph
            torch._foreach_lerp_(ema, weights, [weight] * len(ema))  # pyright: ignore
        else:
            torch._foreach_lerp_(ema, weights, weight)  # pyright: ignore


class _Logits(nn.Module):
    """D's logits as a forward pass, which is what DistributedDataParallel wraps."""

    def __init__(self, netD: NetD):
        super().__init__()
        self.netD = netD

    def forward(self, x: Tensor, groups: int = 1) -> Tensor:
        return self.netD.logits(x, groups)


def _shift(pictures: Tensor, up: Tensor, right: Tensor, reach: int) -> Tensor:
    """Pictures [B, 3, 96, 96], each shifted by whole numbers of pixels of its own, [B] each, up to `reach`."""
    padded = F.pad(pictures.permute(0, 2, 3, 1), (0, 0, reach, reach, reach, reach))
    corners = zip(padded.unbind(), (reach + up).int().tolist(), (reach - right).int().tolist(), strict=True)
    shifted = [picture[top : top + IMAGE_SIZE, left : left + IMAGE_SIZE] for picture, top, left in corners]
    return torch.stack(shifted).permute(0, 3, 1, 2)


def _shift_on_device(pictures: Tensor, up: Tensor, right: Tensor) -> Tensor:
    """The same without asking the device for a number, which a CUDA graph cannot do.

    Multiplying by an identity matrix with a moved diagonal is exact, and has a gradient on every device.
    """
    place = torch.arange(IMAGE_SIZE, device=pictures.device)
    rows, columns = (place.view(-1, 1) + pixels[:, None, None, None] == place for pixels in (up, right))
    return rows.to(pictures.dtype) @ pictures @ columns.to(pictures.dtype)


def _r1_penalty(logits: Tensor, pictures: Tensor, weight: float) -> Tensor | float:
    """R1: half its weight times the mean squared slope of D's logits [B] at the real images [B, 3, 96, 96]."""
    if not weight:
        return 0.0
    (slopes,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return weight / 2 * slopes.to(logits.dtype).square().sum((1, 2, 3)).mean()


class Adam(torch.optim.Adam):
    """Adam that sees every weight in the order in which memory holds it: channels last.

    PyTorch's fused kernel for the CPU copies a tensor that is stored in another order than its shape says, which takes
    longer than the update itself. In `state_dict`, the moments have the shapes of the weights.
    """

    def update(self, lr: float | Tensor) -> None:
        """One update by the gradients that the weights have now."""
        (group,) = self.param_groups
        group["lr"] = lr
        for weight in group["params"]:
            _view(weight, _as_stored)
        self.step()
        for weight in group["params"]:
            _view(weight, _as_weight)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        moments = {
            number: {key: _as_weight(value) for key, value in of.items()} for number, of in state["state"].items()
        }
        return {**state, "state": moments}

    def load_moments(self, moments: dict[int, dict[str, Tensor]]) -> None:
        """Continue from the "state" of `state_dict`; the settings stay those of this run and device."""
        stored = {number: {key: _as_stored(value) for key, value in of.items()} for number, of in moments.items()}
        self.load_state_dict({"state": stored, "param_groups": super().state_dict()["param_groups"]})


def _as_stored(weight: Tensor) -> Tensor:
    return weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight


def _as_weight(stored: Tensor) -> Tensor:
    return stored.permute(0, 3, 1, 2) if stored.ndim == 4 else stored


def _view(weight: Tensor, change: Callable[[Tensor], Tensor]) -> None:
    """Change how a weight and its gradient are viewed, not their numbers."""
    grad, weight.grad = weight.grad, None
    weight.data = change(weight.data)
    weight.grad = None if grad is None else change(grad)


class CapturedStep:
    """A step of the GAN on a whole batch as one CUDA graph.

    Such small networks keep a GPU waiting: launching a kernel from Python takes longer than the kernel itself. On an
    H200, a batch of `stable` takes 40 ms when its kernels are launched one by one, and 7.6 ms as a graph. The first
    batches are trained eagerly, on a stream of their own, as capturing requires; then the graph is replayed.
    Source: PyTorch's "CUDA semantics", section "CUDA Graphs".
    """

    WARM_UP = 3

    def __init__(self, gan: GAN):
        self.gan, self.count = gan, 0
        self.stream, self.graph = torch.cuda.Stream(gan.device), torch.cuda.CUDAGraph()
        self.inputs: list[Tensor] = []
        self.figures: Tensor

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The figures [4] of the batch; inputs as for `GAN._steps`, but the rates as a tensor [minibatches, 3]."""
        if not self.inputs:
            self.inputs = [given.to(self.gan.device, copy=True) for given in inputs]
        for static, given in zip(self.inputs, inputs, strict=True):
            static.copy_(given if given.is_cuda else given.pin_memory(), non_blocking=True)
        self.count += 1
        if self.count <= self.WARM_UP:
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                figures = self.gan._steps(*self.inputs)
            torch.cuda.current_stream().wait_stream(self.stream)
            return figures
        if self.count == self.WARM_UP + 1:
            for network in (self.gan.netG, self.gan.netD):
                network.zero_grad()  # so that the gradients lie in the graph's own memory
            try:
                with torch.cuda.graph(self.graph, stream=self.stream):
                    self.figures = self.gan._steps(*self.inputs)
            except RuntimeError as error:  # nothing was run yet: the eager step takes over
                print(f"training without a CUDA graph, which could not be captured ({error})")
                self.gan.captured = None
                return self.gan._steps(*self.inputs)
        self.graph.replay()
        return self.figures.clone()
