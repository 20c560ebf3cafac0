"""Checks of notebook 01: pictures as tensors, gradients, layers, an optimiser's step, random numbers."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from animegan.course.registry import exercise
from animegan.models import NetD, NetG


@exercise("01.1")
def to_unit_by_hand(answer):
    def of(value: int) -> float:
        return float(answer(torch.full((1,), value, dtype=torch.uint8))[0])

    yield of(0) == -1, f"0 becomes -1; yours gives {of(0):g}."
    yield of(255) == 1, f"255 becomes 1; yours gives {of(255):g}: the middle is 127.5, and uint8 needs .float() first."
    yield abs(of(51) + 0.6) < 1e-5, f"51 is a fifth of the way from -1 to 1: it becomes -0.6; yours gives {of(51):g}."
    pictures = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    shape = tuple(answer(pictures).shape)
    yield shape == (2, 3, 4, 5), f"the shape must stay [2, 3, 4, 5]; yours is {list(shape)}."
    found = answer(pictures).dtype
    yield found == torch.float32, f"the networks take float32; yours is {str(found).removeprefix('torch.')}."


@exercise("01.2")
def gradient(answer):
    def pair(logits: list[float], label: float) -> tuple[Tensor, Tensor]:
        leaf = torch.tensor(logits, requires_grad=True)
        F.binary_cross_entropy_with_logits(leaf, torch.full_like(leaf, label)).backward()
        return torch.as_tensor(answer(leaf.detach(), label)), leaf.grad

    def equal(logits: list[float], label: float) -> bool:
        return torch.allclose(*pair(logits, label), atol=1e-5)

    def compare(logits: list[float], label: float) -> str:
        yours, autograd = ([round(value, 3) for value in found.flatten().tolist()] for found in pair(logits, label))
        return f"logits {logits}, label {label:g}: autograd says {autograd}, yours says {yours}"

    size = list(pair([0.0, 0.0, 0.0], 1.0)[0].shape)
    yield size == [3], f"for logits of shape [3] the result has shape [3]; yours has {size}."
    by_p = not torch.allclose(pair([0.0], 1.0)[0], torch.tensor([-2.0]))
    yield by_p, "that is the slope for the probability p; for the logit it is p (1 - p) times as large."
    yield equal([0.0], 1.0), f"{compare([0.0], 1.0)}."
    yield equal([0.0], 0.0), f"{compare([0.0], 0.0)}; the label matters."
    several = [2.0, -1.0, 0.5, 3.0]
    yield equal(several, 1.0), f"{compare(several, 1.0)}; the loss is a mean over the batch."
    yield equal(several, 0.9), f"{compare(several, 0.9)}; a label may be any number from 0 to 1."


@exercise("01.3")
def freeze(answer):
    network = NetD(ndf=2)
    before = copy.deepcopy(network.state_dict())
    frozen = answer(network)
    yield isinstance(frozen, nn.Module), f"return the network itself, not a {type(frozen).__name__}."
    yield frozen is network, "that is a copy: freeze the network that you are given, and return it."
    left = sum(weight.requires_grad for weight in frozen.parameters())
    yield left == 0, f"{left} weight tensors still require a gradient: see `requires_grad`."
    same = all(torch.equal(before[name], tensor) for name, tensor in frozen.state_dict().items())
    yield same, "the weights have changed; freezing leaves them as they are."
    yield frozen.training, "the network is in eval mode now; freezing must not change how BatchNorm works."
    reaches = frozen(torch.zeros(2, 3, 96, 96, requires_grad=True)).requires_grad
    yield reaches, "no gradient gets through to the input any more: G could not learn from this D."


@exercise("01.4")
def shape_without_running(answer):
    sizes = list(answer)
    yield len(sizes) == 4, f"a batch of feature maps has four sizes, [N, C, H, W]; yours has {len(sizes)}."
    yield sizes[0] == 10, "the first size is the number of pictures; a layer never changes it."
    yield sizes[1] == 24, "the second size is the number of output channels of the last layer."
    formula = "(size + 2 * padding - kernel) // stride + 1"
    yield sizes[2] == 10, f"the height is not {sizes[2]}: use {formula} once per layer; // rounds down."
    yield sizes[3] == sizes[2], "pictures, kernels and strides are square here: the width equals the height."


@exercise("01.5")
def effect(answer):
    random = torch.Generator().manual_seed(0)
    z, some, others = (torch.randn(count, 4, 1, 1, generator=random) for count in (2, 3, 3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = NetG(ngf=2, nz=4)
    with torch.no_grad():
        faces = [copy.deepcopy(network)(torch.cat([z, neighbours]))[:2] for neighbours in (some, others)]
    true = (faces[0] - faces[1]).abs().mean().item()

    found = answer(network, z, some, others)
    yield isinstance(found, float), f"return a plain number, not a {type(found).__name__}."
    words = f"the test network's effect is {true:.4f}, yours says {found:.4f}"
    hint = f"in train mode {words}: take the mean absolute difference over the pictures of z alone, in netG's own mode."
    yield abs(found - true) < 0.01 * true, hint
    holds = int(network.layer1[1].num_batches_tracked) == 0
    yield holds, "measuring changed netG: in train mode each forward pass updates BatchNorm's running statistics."
    still = answer(network.eval(), z, some, others)
    yield still < 1e-5, f"in eval mode the neighbours have no effect; yours says {still:.4f}: leave the mode as it is."


@exercise("01.6")
def pull(answer):
    target = torch.tensor([1.0, -0.5, 2.0])
    yield not answer(target).requires_grad, "return weight.detach(): only the numbers, without the graph behind them."
    off = (answer(target) - target).abs().max().item()
    yield off < 0.05, f"after 100 steps the weights are still off by {off:.2f}: what is in `.grad` when a step begins?"
    moved = answer(target, steps=1).abs()
    first = torch.allclose(moved, torch.full_like(target, 0.1), atol=1e-3)
    yield first, f"Adam's first step moves every weight by the learning rate, 0.1; yours moves by {moved.tolist()}."


@exercise("01.7")
def latent(answer):
    is_tensor = isinstance(answer(0, 2, 5), Tensor) and answer(0, 2, 5).dtype == torch.float32
    yield is_tensor, "return a tensor of float32, as the network takes it: torch.randn makes one."
    shape = tuple(answer(0, 200, 5).shape)
    yield shape == (200, 5, 1, 1), f"latent(0, 200, 5) has shape [200, 5, 1, 1]; yours has {list(shape)}."
    z = answer(0, 200, 5)
    mean, square = z.mean().item(), z.square().mean().item()
    normal = abs(mean) < 0.2 and abs(square - 1) < 0.2
    yield normal, f"values of N(0, 1) have mean 0 and mean square 1; yours have {mean:.2f} and {square:.2f}."
    yield torch.equal(z, answer(0, 200, 5)), "two calls with the same seed must give the same vectors; yours differ."
    yield not torch.equal(z, answer(1, 200, 5)), "two different seeds give the same vectors: use the seed."
    before = torch.random.get_rng_state()
    answer(0, 200, 5)
    undisturbed = torch.equal(before, torch.random.get_rng_state())
    yield undisturbed, "the shared sequence of random numbers was disturbed: draw from a generator of your own."
