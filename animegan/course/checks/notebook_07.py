"""Checks of notebook 07: an arc, a direction, a direction that leaves another alone, and an honest share."""

import math

import torch

from animegan.course.registry import exercise


def _close(got, wanted: torch.Tensor, within: float = 1e-3) -> bool:
    got = torch.as_tensor(got, dtype=torch.float)
    return got.shape == wanted.shape and bool(((got - wanted).abs() < within).all())


@exercise("07.1")
def arc(answer):
    a, b = torch.tensor([10.0, 0.0]), torch.tensor([0.0, 10.0])
    got = answer(a, b, 0.5)
    yield torch.is_tensor(got) and got.shape == a.shape, "return one vector, a tensor of the shape of a."
    yield _close(answer(a, b, 0.0), a) and _close(answer(a, b, 1.0), b), "t = 0 is a, and t = 1 is b."
    length = got.norm().item()
    case = f"a and b have length 10, but half way yours has {length:.2f}"
    yield abs(length - 10) < 1e-3, f"{case}: the weights of a and b are the sines of (1 - t) and t times the angle."
    third = 10 * torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6)])
    yield _close(answer(a, b, 1 / 3), third), "a third of the way is a third of the angle, here 30 of 90 degrees."
    narrow = torch.tensor([10 * math.cos(1.0), 10 * math.sin(1.0)])
    wanted = torch.tensor([10 * math.cos(0.5), 10 * math.sin(0.5)])
    got = torch.as_tensor(answer(a, narrow, 0.5))
    yield math.isfinite(got.sum()), "yours is not a number (nan): acos takes -1 to 1, so divide a @ b by both lengths."
    yield _close(got, wanted), "the angle is not always 90 degrees: compute it from a and b, and divide by its sine."
    holds = _close(answer(a, 2 * b, 0.5), (a + 2 * b) * math.sqrt(0.5))
    yield holds, "a and b may differ in length: divide by both lengths for the angle, but not in the sum."


@exercise("07.2")
def direction(answer):
    random = torch.Generator().manual_seed(7)
    z = torch.randn(4000, 5, generator=random)
    has = z[:, 1] > 1.0  # one face in six
    got = answer(z, has)
    holds = torch.is_tensor(got) and got.shape == (5,)
    yield holds, "return one vector with as many numbers as a z has: take the mean over the faces, .mean(0)."
    yield abs(got.norm().item() - 1) < 1e-3, "its length should be 1: divide by .norm()."
    yield got[1].item() > 0, "it points the wrong way: it should go from the faces without it to those that have it."
    yield got[1].item() > 0.98, "close, but not quite: which faces belong to each of the two means?"
    moved = answer(z + torch.tensor([5.0, 0.0, 0.0, 0.0, 0.0]), has)
    holds = _close(moved, torch.eye(5)[1], 0.12)
    yield holds, "if all z move alike, the direction stays: subtract the mean of the others."
    wanted = z[has].mean(0) - z[~has].mean(0)
    holds = _close(moved, wanted / wanted.norm())
    yield holds, "nearly: subtract the two means as they are, then scale the difference."


@exercise("07.3")
def changed(answer):
    yes, no = True, False
    before, after = torch.tensor([no, no, no, no, yes, yes]), torch.tensor([yes, yes, yes, no, yes, yes])
    got = answer(before, after)
    holds = isinstance(got, int | float | torch.Tensor) and torch.as_tensor(got).numel() == 1 and 0 <= float(got) <= 1
    yield holds, "return one number from 0 to 1."
    yield abs(float(got) - 0.75) < 1e-3, "of four that lacked it, three have it now: 0.75. Leave out those that had it."
    lost = answer(torch.tensor([yes, yes, no, no]), torch.tensor([no, no, yes, no]))
    yield abs(float(lost) - 0.5) < 1e-3, "of two that lacked it, one has it now: 0.5. The others do not matter."


@exercise("07.4")
def without(answer):
    a, b = torch.tensor([0.6, 0.8, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    got = answer(a, b)
    yield torch.is_tensor(got) and got.shape == (3,), "return one vector, here of three numbers, like a and b."
    hint = f"moved by 1 along yours, a face moves by {(got @ b).item():.2f} along `other`; it should not move at all."
    yield abs((got @ b).item()) < 1e-3, hint
    yield abs(got.norm().item() - 1) < 1e-3, "its length should be 1 again: what is left is shorter than before."
    yield _close(got, torch.eye(3)[1]), "of all vectors at right angles to `other`, take the nearest."
    yield _close(answer(-a, b), -torch.eye(3)[1]), "a shadow that falls backwards is negative: keep its sign."
    c = torch.tensor([0.0, 0.6, 0.8])
    wanted = a - 0.48 * c
    yield _close(answer(a, c), wanted / wanted.norm()), "`other` need not lie along an axis: how long is its shadow?"
