"""Wrong answers to the exercises of notebook 07, and a piece of the hint that each must meet."""

import math

import torch


def _arc(a, b, t, angle=None):
    angle = angle or math.acos((a @ b) / (a.norm() * b.norm()))
    return (math.sin((1 - t) * angle) * a + math.sin(t * angle) * b) / math.sin(angle)


def _chord(a, b, t):
    """As long as it should be, but not evenly turned."""
    point = (1 - t) * a + t * b
    return point / point.norm() * a.norm()


def _without_sine(a, b, t):
    angle = math.acos((a @ b) / (a.norm() * b.norm()))
    return math.sin((1 - t) * angle) * a + math.sin(t * angle) * b if 0 < t < 1 else (a, b)[int(t)]


def _unit(vector):
    return vector / vector.norm()


def _direction(z, has):
    return _unit(z[has].mean(0) - z[~has].mean(0))


WRONG = {
    "07.1": [
        (lambda a, b, t: _arc(a, b, t).norm(), "return one vector"),
        (lambda a, b, t: _arc(b, a, t), "t = 0 is a"),
        (lambda a, b, t: (1 - t) * a + t * b, "half way yours has 7.07"),
        (_chord, "30 of 90 degrees"),
        (lambda a, b, t: _arc(a, b, t, torch.acos(a @ b)), "not a number (nan)"),
        (lambda a, b, t: _arc(a, b, t, math.pi / 2), "not always 90 degrees"),
        (_without_sine, "divide by its sine"),
        (lambda a, b, t: _arc(a, a.norm() * b / b.norm(), t) if 0 < t < 1 else _arc(a, b, t), "may differ in length"),
    ],
    "07.2": [
        (lambda z, has: z[has].mean(1), "as long as a z"),
        (lambda z, has: z[has].mean(0) - z[~has].mean(0), "its length should be 1"),
        (lambda z, has: -_direction(z, has), "the wrong way"),
        (lambda z, has: _unit(z[has][:3].mean(0) - z[~has][:3].mean(0)), "which faces belong"),
        (lambda z, has: _unit(z[has].mean(0)), "all z move alike"),
        (lambda z, has: _unit(_unit(z[has].mean(0)) - _unit(z[~has].mean(0))), "both means as they are"),
    ],
    "07.3": [
        (lambda before, after: after & ~before, "one number from 0 to 1"),
        (lambda before, after: after.float().mean(), "Leave out those that had it"),
        (lambda before, after: (after.sum() - before.sum()) / (~before).sum(), "others do not matter"),
    ],
    "07.4": [
        (lambda a, b: a @ b, "here of three numbers"),
        (lambda a, b: a, "by 0.60"),
        (lambda a, b: a - (a @ b) * b, "length should be 1 again"),
        (lambda a, b: _unit(torch.linalg.cross(a, b)), "take the nearest"),
        (lambda a, b: _unit(a - (a @ b).abs() * b), "keep its sign"),
        (lambda a, b: _unit(a * (b == 0)), "need not lie along an axis"),
    ],
}
