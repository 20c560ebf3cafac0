"""FID, KID, precision and recall: compared with closed forms and with a second computation on the same features."""

import pytest
import torch

from animegan.errors import UserError
from animegan.measure import face_classifier, fidelity
from animegan.measure import fid as module
from animegan.measure.fid import FACES
from animegan.measure.train_classifier import drawn_with_attributes

torch_fidelity = pytest.importorskip("torch_fidelity", reason="torch-fidelity is not installed")


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    return drawn_with_attributes(600, seed=21)[0]


def frechet(one: torch.Tensor, other: torch.Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 R), R the root of C1 C2, whose trace is that of the root of C1^(1/2) C2 C1^(1/2)."""
    one, other = one.double(), other.double()
    values, vectors = torch.linalg.eigh(one.T.cov())
    root = vectors @ values.clamp_min(0).sqrt().diag() @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ other.T.cov() @ root).clamp_min(0).sqrt().sum()
    apart = (one.mean(0) - other.mean(0)).square().sum()
    return (apart + one.T.cov().trace() + other.T.cov().trace() - 2 * overlap).item()


def test_the_figures_agree_with_a_second_computation_on_the_same_features(faces):
    reals, fakes = faces[:300], (faces[300:].float() * 0.8 + 20).to(torch.uint8)
    found = fidelity(fakes, reals)
    ours, theirs = (face_classifier().read(part)[0] for part in (fakes, reals))
    assert found.features == FACES
    assert found.fid == pytest.approx(frechet(ours, theirs), rel=1e-3)

    kernel = lambda a, b: (a.double() @ b.double().T / a.shape[1] + 1) ** 3  # noqa: E731
    n = len(ours)
    within = sum((kernel(x, x).sum() - kernel(x, x).trace()) / (n * (n - 1)) for x in (ours, theirs))
    assert found.kid == pytest.approx(1000 * (within - 2 * kernel(ours, theirs).mean()).item(), rel=1e-3)

    def covered(points, by):  # the share of points within the distance to the 3rd neighbour of one of `by`
        reach = torch.cdist(by, by).kthvalue(4, 1).values
        return (torch.cdist(points, by) <= reach).any(1).float().mean().item()

    assert found.precision == pytest.approx(covered(ours, theirs), abs=0.02)
    assert found.recall == pytest.approx(covered(theirs, ours), abs=0.02)


def test_equal_sets_are_at_distance_0(faces):
    found = fidelity(faces[:200], faces[:200])
    assert found.fid == pytest.approx(0, abs=1e-2)
    assert (found.precision, found.recall) == (1, 1)


def test_the_worse_the_pictures_the_larger_the_distance(faces):
    reals, others = faces[:300], faces[300:]
    noise = torch.randint(0, 256, others.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    half = (others.float() / 2 + noise.float() / 2).to(torch.uint8)
    fine, grainy, wild = (fidelity(pictures, reals) for pictures in (others, half, noise))
    assert fine.fid < grainy.fid < wild.fid and fine.kid < grainy.kid < wild.kid
    assert fine.precision > 0.8 > wild.precision and fine.recall > 0.8 > wild.recall


def test_a_generator_that_collapses_keeps_precision_and_loses_recall(faces):
    few = faces[300:310].repeat(30, 1, 1, 1)
    found = fidelity(few, faces[:300])
    assert found.precision > 0.7 and found.recall < 0.2


def test_mistakes_are_one_line(faces, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="there is no file nowhere.pth"):
        fidelity(faces[:64], faces[:64], inception="nowhere.pth")
    (tmp_path / "weights.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match="does not hold Inception's weights"):
        fidelity(faces[:64], faces[:64], inception=tmp_path / "weights.pth")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert module.inception_weights() is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / module.INCEPTION_FILE).write_bytes(b"")
    assert module.inception_weights() == tmp_path / "checkpoints" / module.INCEPTION_FILE
