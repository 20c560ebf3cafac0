"""Checks of notebook 04: one step of D, one of G, and how to read a history."""

import copy
import math

import torch
import torch.nn.functional as F

from animegan.course.checks.answers import differences, history_of, is_close, is_group, is_number, is_whole, two_runs
from animegan.course.registry import exercise
from animegan.models import NetD, NetG
from animegan.runs import Run

NZ = 8  # of the small networks in these checks
PREDICTIONS = {
    "gradients_in_G": "look at netG.layer1[0].weight.grad after loss_D.backward()",
    "G_changes": "compare netG.layer1[0].weight with a copy from before optimizerD.step()",
    "step_of_G_works": "run loss_G.backward() on the same fake after loss_D.backward(), and see what PyTorch says",
}


@exercise("04.1")
def loss_of_D(answer):
    unsure, sure = torch.zeros(4), torch.full((4,), 8.0)
    yield is_number(answer(unsure, unsure, 0.0)), "return one number, the mean over the batch, not one per picture."
    learning = answer(torch.zeros(4, requires_grad=True), unsure, 0.0)
    yield getattr(learning, "requires_grad", False), "return a tensor that D can learn from, without .item()."
    holds = not is_close(answer(unsure, unsure, 0.0), _bce(0.5, 1.0) + _bce(0.5, 0.0))
    yield holds, "binary_cross_entropy_with_logits takes the sigmoid itself: give it the logits as they are."
    holds = not is_close(answer(unsure, unsure, 0.0), 100.0)  # what PyTorch makes of log(0)
    yield holds, "binary_cross_entropy takes probabilities; for logits use binary_cross_entropy_with_logits."
    holds = is_close(answer(unsure, unsure, 0.0), 2 * math.log(2))
    yield holds, "logits of 0 for real and fake give log 2 twice, 1.386: add the loss on reals and the loss on fakes."
    hint = (
        "a D that is right about all (8 for real, -8 for fake) has a loss near 0: which label belongs to which batch?"
    )
    yield is_close(answer(sure, -sure, 0.0), 2 * _bce(8.0, 1.0)), hint
    mixed = torch.tensor([0.0, 8.0])
    holds = is_close(answer(mixed, -mixed, 0.0), math.log(2) + _bce(8.0, 1.0))
    yield holds, "for logits of 0 and 8 the loss is the mean of both losses, not the loss of the mean."
    holds = is_close(answer(sure, -sure, 0.1), _bce(8.0, 0.9) + _bce(-8.0, 0.0))
    yield holds, "with smoothing 0.1 the label is 0.9 for real pictures and still 0 for fakes: one-sided."
    hint = "a real picture with a logit of -200 costs 200: keep the logits, for the probability is rounded to 0 there."
    yield is_close(answer(torch.full((4,), -200.0), -sure, 0.0), 200.0 + _bce(-8.0, 0.0)), hint


@exercise("04.2")
def step_of_G(answer):
    netG, netD, z = _small()
    wanted_G = copy.deepcopy(netG)  # which takes the right step
    logits = copy.deepcopy(netD).logits(wanted_G(z))
    right = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    right.backward()
    torch.optim.SGD(wanted_G.parameters(), lr=0.1).step()
    for parameter in netG.parameters():  # as a step of D without detach would leave them
        parameter.grad = torch.full_like(parameter, 3.0)
    before, before_D = _weights(netG), _weights(netD)
    loss = answer(netG, netD, torch.optim.SGD(netG.parameters(), lr=0.1), z)

    yield isinstance(loss, float), "return the loss of G as a plain number: loss.item()."
    holds = torch.equal(_weights(netD), before_D)
    yield holds, "D's weights have changed: in G's step D is a fixed judge, and only optimizerG takes a step."
    moved, wanted = _weights(netG) - before, _weights(wanted_G) - before
    yield bool(moved.abs().max() > 0), "no weight of G has changed: can the gradient flow from D back to G?"
    yield is_close(loss, right.item()), f"on these fakes the loss of G is {right:.4f}: which verdict does G want?"
    holds = torch.allclose(moved, wanted, rtol=1e-3, atol=1e-5)
    yield holds, "the weights moved in another way than this loss asks for: what was in .grad when the step began?"


@exercise("04.3")
def without_detach(answer):
    holds = is_group(answer, 3) and all(isinstance(value, bool) for value in answer)
    yield holds, f"answer with three predictions, each True or False: ({', '.join(PREDICTIONS)})."
    for value, (claim, happens) in zip(answer, _try_without_detach().items(), strict=True):
        yield value is happens, f"{claim} turns out differently. Try it: {PREDICTIONS[claim]}."


@exercise("04.4")
def strongest_epoch(answer):
    rising = history_of({1: [(0.6, 0.4), (0.6, 0.4)], 2: [(0.7, 0.2), (0.7, 0.2)], 3: [(0.6, 0.3), (0.6, 0.3)]})
    got = answer(rising)
    yield is_whole(got), "return the number of the epoch, a whole number."
    yield got == 2, "for gaps D(x) - D(G(z)) of 0.2, 0.5, 0.3 in epochs 1, 2, 3 the answer is 2: epochs start at 1."
    holds = answer(history_of({1: [(0.95, 0.60)], 2: [(0.80, 0.10)]})) == 2
    yield holds, "a D that says 'real' to everything has a high D(x) and is not strong: D(G(z)) counts as well."
    holds = answer(history_of({1: [(0.99, 0.90)], 2: [(0.60, 0.01)], 3: [(0.90, 0.10)]})) == 3
    yield holds, "a D that says 'fake' to everything has a low D(G(z)) and is not strong: D(x) counts as well."
    holds = answer(history_of({1: [(0.6, 0.3)] * 4, 2: [(0.99, 0.01), (0.5, 0.5), (0.5, 0.5), (0.5, 0.5)]})) == 1
    yield holds, "one lucky step does not make a strong epoch: take the mean over all steps of an epoch."
    holds = answer(history_of({1: [(0.6, 0.3)] * 9, 2: [(0.8, 0.1)] * 2})) == 2
    yield holds, "epochs may differ in their number of steps: a sum would favour the longer one."


@exercise("04.5")
def learning_rates(answer):
    yield from two_runs(answer, "run_a, run_b, gap_a, gap_b")
    run_a, run_b, gap_a, gap_b = answer
    yield run_a.config.lr != run_b.config.lr, "both runs have the same learning rate: give one another lr (and folder)."
    hint = "the runs differ in more than the learning rate, so the effect could come from that: change only lr."
    yield differences(run_a, run_b) == {"lr"}, hint
    yield min(len(run_a.epochs), len(run_b.epochs)) >= 2, "each run needs two finished epochs."
    hint = "a gap is the mean of D(x) - D(G(z)) over the batches of epoch 2 only; give both in the order of the runs."
    yield is_close(gap_a, _gap(run_a, 2)) and is_close(gap_b, _gap(run_b, 2)), hint


def _bce(logit: float, label: float) -> float:
    """Cross-entropy of one verdict: log(1 + exp(logit)) - label * logit."""
    return math.log1p(math.exp(-abs(logit))) + max(logit, 0.0) - label * logit


def _small() -> tuple[NetG, NetD, torch.Tensor]:
    """Small networks and latent vectors [4, NZ, 1, 1], the same in every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return NetG(ngf=4, nz=NZ), NetD(ndf=4), torch.randn(4, NZ, 1, 1)


def _weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach()


def _try_without_detach() -> dict[str, bool]:
    """What happens if D's step uses `fake` instead of `fake.detach()`: tried out each time, not stored."""
    netG, netD, z = _small()
    before = _weights(netG)
    fake = netG(z)
    netD.logits(fake).mean().backward()
    has_gradients = any(parameter.grad is not None for parameter in netG.parameters())
    torch.optim.SGD(netD.parameters(), lr=0.1).step()
    moved = not torch.equal(_weights(netG), before)
    try:
        netD.logits(fake).mean().backward()
        works = True
    except RuntimeError:
        works = False
    return dict(zip(PREDICTIONS, (has_gradients, moved, works), strict=True))


def _gap(run: Run, epoch: int) -> float:
    history = run.history
    return float((history["D_x"] - history["D_G_z"])[history["epoch"] == epoch].mean())
