"""Train the face classifier (some minutes) and write the weights that come with animegan:

python -m animegan.measure.train_classifier
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from animegan.data import to_unit
from animegan.drawing import Face, draw
from animegan.measure.classifier import ATTRIBUTES, WEIGHTS, FaceClassifier, attributes, face_classifier
from animegan.models import save_weights


def drawn_with_attributes(count: int, seed: int) -> tuple[Tensor, dict[str, Tensor]]:
    """The faces 0 .. `count` - 1 of `seed`: uint8 [count, 3, 96, 96], and by attribute the numbers of their values."""
    images = torch.empty(count, 3, 96, 96, dtype=torch.uint8)
    values = {name: torch.empty(count, dtype=torch.long) for name in ATTRIBUTES}
    for index in tqdm(range(count), unit=" faces drawn", disable=count < 4096):
        face = Face.random(seed, index)
        images[index] = torch.from_numpy(np.array(draw(face))).permute(2, 0, 1)
        for name, value in attributes(face).items():
            values[name][index] = ATTRIBUTES[name].index(value)
    return images, values


def learn(images: Tensor, values: dict[str, Tensor], epochs: int, seed: int = 0) -> FaceClassifier:
    """A classifier trained on images, uint8 [N, 3, 96, 96], and the numbers [N] of their attributes' values."""
    random = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = FaceClassifier().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(classifier.parameters(), weight_decay=0.02)
    steps = epochs * (len(images) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.004, total_steps=steps)
    with tqdm(total=steps, unit=" steps", desc="training") as bar:
        for _ in range(epochs):
            order = torch.randperm(len(images), generator=random)
            for chosen in order[: len(order) // 64 * 64].view(-1, 64):
                logits = classifier(_degraded(to_unit(images[chosen]), random))
                # Some smoothing, for attributes that hair or a hand hides.
                losses = (F.cross_entropy(logits[k], v[chosen], label_smoothing=0.05) for k, v in values.items())
                loss = sum(losses, start=torch.zeros(()))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.update()
    return classifier.eval()


def _degraded(x: Tensor, random: torch.Generator) -> Tensor:
    """Faces as a generator might make them: mirrored, shifted, brighter, paler, softer, with noise.

    A classifier that has only seen clean drawings would read attributes into the smudges of a fake.
    """
    flip, soft = (torch.rand(len(x), 1, 1, 1, generator=random) < 0.5 for _ in range(2))
    x = torch.where(flip, x.flip(3), x)
    x = torch.where(soft, F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False), x)
    down, right = torch.randint(-6, 7, (2,), generator=random).tolist()
    x = torch.roll(x, (down, right), (2, 3))
    light, contrast, grain = (torch.rand(3, len(x), 1, 1, 1, generator=random) * 2 - 1).unbind()
    x = (x * (1 + 0.15 * contrast) + 0.15 * light).clamp(-1, 1)
    return x + 0.08 * grain * torch.randn(x.shape, generator=random)


def accuracy(classifier: FaceClassifier, images: Tensor, values: dict[str, Tensor]) -> dict[str, float]:
    """The share of faces, 0..1, whose value it reads correctly, by attribute."""
    _, numbers = classifier.read(images)
    return {name: (numbers[name] == value).float().mean().item() for name, value in values.items()}


def _main() -> None:
    classifier = learn(*drawn_with_attributes(12288, seed=4), epochs=16)
    save_weights(WEIGHTS, {name: value.half() for name, value in classifier.state_dict().items()})
    face_classifier.cache_clear()
    for name, share in accuracy(face_classifier(), *drawn_with_attributes(2048, seed=5)).items():
        print(f"{name:12} {share:6.1%} of 2,048 unseen faces; {len(ATTRIBUTES[name])} values")
    print(f"{WEIGHTS} ({WEIGHTS.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    _main()
