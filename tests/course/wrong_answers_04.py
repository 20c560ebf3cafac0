"""Wrong answers to the exercises of notebook 04, and a piece of the hint that each must meet."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from animegan.config import TrainConfig
from animegan.recipes import get_recipe
from animegan.runs import Run


class MadeUpRun(Run):
    """A run without a folder. Each epoch has one step per pair of D(x) and D(G(z)) in `verdicts`."""

    epochs = recipe = fingerprint = pictures = diverged = None  # a real run reads them from its folder

    def __init__(self, config=None, epochs=(1, 2), verdicts=((0.8, 0.2), (0.6, 0.4)), pictures=64, **ingredients):
        self.config = config or TrainConfig()
        self.recipe = get_recipe("stable", ingredients)
        self.pictures, self.fingerprint = pictures, str(pictures)
        self.epochs, self.verdicts = list(epochs), verdicts

    @property
    def history(self):
        rows = np.array([(epoch, *pair) for epoch in self.epochs for pair in self.verdicts])
        return dict(zip(("epoch", "D_x", "D_G_z"), rows.T, strict=True))


def _bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _loss_D(real_label=lambda smoothing: 1 - smoothing, fake_label=lambda smoothing: 0.0):
    return lambda real, fake, smoothing: _bce(real, real_label(smoothing)) + _bce(fake, fake_label(smoothing))


def _loss_D_without_logits(real, fake, smoothing):
    real, fake = real.clamp(0, 1), fake.clamp(0, 1)
    aim = torch.full_like(real, 1 - smoothing)
    return F.binary_cross_entropy(real, aim) + F.binary_cross_entropy(fake, torch.zeros_like(fake))


def _loss_D_of_probabilities(real, fake, smoothing):
    real, fake = real.sigmoid(), fake.sigmoid()
    aim = torch.full_like(real, 1 - smoothing)
    return F.binary_cross_entropy(real, aim) + F.binary_cross_entropy(fake, torch.zeros_like(fake))


def _step_of_G(label=1.0, zero_grad=True, detach=False, moves_D=False, as_number=True):
    def step(netG, netD, optimizerG, z):
        if zero_grad:
            optimizerG.zero_grad()
        fake = netG(z).detach() if detach else netG(z)
        loss = _bce(netD.logits(fake), label)
        loss.backward()
        optimizerG.step()
        if moves_D:
            torch.optim.SGD(netD.parameters(), lr=0.1).step()
        return loss.item() if as_number else loss.expand(2)

    return step


def _by(score):
    """The epoch with the highest score, taken from the steps of an epoch: [steps], [steps]."""

    def strongest(history):
        epochs = sorted(set(history["epoch"].tolist()))
        scores = {e: score(*(history[name][history["epoch"] == e] for name in ("D_x", "D_G_z"))) for e in epochs}
        return max(scores, key=scores.get)

    return strongest


USUAL = MadeUpRun()
FASTER = MadeUpRun(replace(USUAL.config, lr=0.004))
GAP = 0.4

WRONG = {
    "04.1": [
        (lambda real, fake, smoothing: _loss_D()(real, fake, smoothing).item(), "without .item()"),
        (lambda real, fake, s: _loss_D()(real.sigmoid(), fake.sigmoid(), s), "takes the sigmoid itself"),
        (_loss_D_without_logits, "binary_cross_entropy takes probabilities"),
        (lambda real, fake, smoothing: real - fake, "one number, the mean over the batch"),
        (lambda real, fake, smoothing: _loss_D()(real, fake, smoothing) / 2, "log 2 twice, 1.386"),
        (lambda real, fake, smoothing: _bce(0 * real, 1.0) + _bce(0 * fake, 0.0), "has a loss near 0"),
        (_loss_D(fake_label=lambda smoothing: 1.0), "which label belongs to which batch"),
        (lambda real, fake, smoothing: _loss_D()(real.mean(), fake.mean(), smoothing), "not the loss of the mean"),
        (_loss_D(fake_label=lambda smoothing: smoothing), "one-sided"),
        (_loss_D(real_label=lambda smoothing: 1.0), "one-sided"),
        (_loss_D_of_probabilities, "keep the logits"),
    ],
    "04.2": [
        (_step_of_G(as_number=False), "loss.item()"),
        (_step_of_G(moves_D=True), "D's weights have changed"),
        (_step_of_G(detach=True), "no weight of G has changed"),
        (_step_of_G(label=0.0), "which verdict does G want"),
        (_step_of_G(zero_grad=False), "what was in .grad when"),
        (_step_of_G(zero_grad=False, detach=True), "what was in .grad when"),
    ],
    "04.3": [
        ({"gradients_in_G": True}, "three predictions"),
        ((1, 0, 0), "three predictions"),
        ((False, False, False), "netG.layer1[0].weight.grad"),
        ((True, True, False), "with a copy from before"),
        ((True, False, True), "on the same fake"),
    ],
    "04.4": [
        (lambda history: 0.5, "a whole number"),
        (lambda history: 1, "epochs start at 1"),
        (lambda history: _by(lambda x, g: (x - g).mean())(history) - 1, "epochs start at 1"),
        (_by(lambda x, g: x.mean()), "says 'real' to everything"),
        (_by(lambda x, g: -g.mean()), "says 'fake' to everything"),
        (_by(lambda x, g: (x - g).max()), "one lucky step"),
        (_by(lambda x, g: (x - g).sum()), "differ in their number of steps"),
    ],
    "04.5": [
        ((USUAL, FASTER), "4 things"),
        (("imgs/mine", FASTER, GAP, GAP), "the first two are runs"),
        ((USUAL, MadeUpRun(), GAP, GAP), "both runs have the same learning rate"),
        ((USUAL, MadeUpRun(replace(FASTER.config, beta1=0.9)), GAP, GAP), "in more than the learning rate"),
        ((USUAL, MadeUpRun(FASTER.config, pictures=128), GAP, GAP), "in more than the learning rate"),
        ((USUAL, MadeUpRun(FASTER.config, ema=0.0), GAP, GAP), "in more than the learning rate"),
        ((USUAL, MadeUpRun(FASTER.config, epochs=[1]), GAP, GAP), "two finished epochs"),
        ((USUAL, FASTER, GAP, 0.5), "of epoch 2 only"),
        ((USUAL, SimpleNamespace(), GAP, GAP), "the first two are runs"),
    ],
}
