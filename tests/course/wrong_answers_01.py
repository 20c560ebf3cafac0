"""Wrong answers to the exercises of notebook 01, and a piece of the hint that each must meet."""

import copy

import numpy as np
import torch


def _no_gradient_at_all(network):
    network.requires_grad_(False)
    network.forward = torch.no_grad()(network.forward)
    return network


def _weights_to_zero(network):
    for weight in network.requires_grad_(False).parameters():
        weight.zero_()
    return network


def _all_pictures(netG, z, some, others):
    netG = copy.deepcopy(netG)
    return (netG(torch.cat([z, some])) - netG(torch.cat([z, others]))).abs().mean().item()


def _on_the_network_itself(netG, z, some, others):
    first, second = (netG(torch.cat([z, neighbours]))[: len(z)] for neighbours in (some, others))
    return (first - second).abs().mean().item()


def _without_zero_grad(target, steps=100):
    weight = torch.zeros_like(target, requires_grad=True)
    optimizer = torch.optim.Adam([weight], lr=0.1)
    for _ in range(steps):
        (weight - target).square().mean().backward()
        optimizer.step()
    return weight.detach()


WRONG = {
    "01.1": [
        (lambda images: images.float() / 255, "yours gives 0"),
        (lambda images: images * 2 / 255 - 1, "and uint8 needs .float() first"),
        (lambda images: torch.where(images > 127, 1.0, -1.0), "51 is a fifth of the way"),
        (lambda images: (images.float() / 127.5 - 1).flatten(), "yours is [120]"),
        (lambda images: images.double() / 127.5 - 1, "yours is float64"),
    ],
    "01.2": [
        (lambda logits, label: (logits.sigmoid() - label).mean(), "yours has []"),
        (lambda x, label: (1 - label / x.sigmoid()) / (1 - x.sigmoid()) / len(x), "p (1 - p) times"),
        (lambda logits, label: logits.sigmoid() / len(logits), "autograd says [-0.5], yours says [0.5]"),
        (lambda logits, label: (logits.sigmoid() - 1) / len(logits), "the label matters"),
        (lambda logits, label: logits.sigmoid() - label, "a mean over the batch"),
        (lambda logits, label: (logits.sigmoid() - round(label)) / len(logits), "any number from 0 to 1"),
    ],
    "01.3": [
        (lambda network: [weight.requires_grad_(False) for weight in network.parameters()], "not a list"),
        (lambda network: copy.deepcopy(network).requires_grad_(False), "that is a copy"),
        (lambda network: network.eval(), "13 weight tensors still require a gradient"),
        (_weights_to_zero, "the weights have changed"),
        (lambda network: network.requires_grad_(False).eval(), "in eval mode now"),
        (_no_gradient_at_all, "no gradient gets through"),
    ],
    "01.4": [
        ((24, 10, 10), "yours has 3"),
        ((1, 24, 10, 10), "number of pictures"),
        ((10, 8, 10, 10), "output channels"),
        ((10, 24, 11, 11), "the height is not 11"),
        ((10, 24, 10, 9), "the width equals the height"),
    ],
    "01.5": [
        (lambda netG, z, some, others: torch.zeros(1), "not a Tensor"),
        (_all_pictures, "over the pictures of z alone"),
        (_on_the_network_itself, "measuring changed netG"),
        (lambda netG, *z: _on_the_network_itself(copy.deepcopy(netG).train(), *z), "leave the mode as it is"),
    ],
    "01.6": [
        (lambda target, steps=100: target.clone().requires_grad_(), "return weight.detach()"),
        (_without_zero_grad, "what is in `.grad` when a step begins"),
        (lambda target, steps=100: target.clone(), "moves every weight by the learning rate"),
    ],
    "01.7": [
        (lambda seed, count, nz: np.random.default_rng(seed).normal(size=(count, nz, 1, 1)), "a tensor of float32"),
        (lambda seed, count, nz: torch.zeros(count, nz), "yours has [200, 5]"),
        (
            lambda seed, *size: torch.rand(*size, 1, 1, generator=torch.Generator().manual_seed(seed)),
            "values of N(0, 1) have",
        ),
        (lambda seed, count, nz: torch.randn(count, nz, 1, 1), "must give the same vectors"),
        (
            lambda seed, *size: torch.randn(*size, 1, 1, generator=torch.Generator().manual_seed(0)),
            "two different seeds",
        ),
        (
            lambda seed, *size: torch.randn(*size, 1, 1, generator=torch.manual_seed(seed)),
            "the shared sequence of random numbers",
        ),
    ],
}
