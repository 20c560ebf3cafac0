"""FID, KID, precision and recall: compared with closed forms and with a second computation on the same features."""

import contextlib
import io
import os
import pickle
import re

import pytest
import torch
from conftest import count_calls

from animegan.cli import main
from animegan.data import to_uint8
from animegan.errors import UserError
from animegan.measure import classifier, evaluation, face_classifier, fidelity
from animegan.measure import fid as module
from animegan.measure.fid import FACES
from animegan.measure.train_classifier import drawn_with_attributes
from animegan.models import latent_vectors

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


class Evil:
    """What runs when a pickle of it is loaded: a folder appears."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.fixture(params=["zip", "legacy", "pickle"])
def evil(request, tmp_path):
    """A function that writes a malicious file of weights in one of three formats, and a check that it did nothing."""
    trace = tmp_path / "trace"

    def write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"Conv2d_1a_3x3.conv.weight": Evil(trace)}
        if request.param == "pickle":
            path.write_bytes(pickle.dumps(content))
        else:
            torch.save(content, path, _use_new_zipfile_serialization=request.param == "zip")
        return path

    yield write
    assert not trace.exists(), "the file has run code"
    with contextlib.suppress(Exception):
        torch.load(write(tmp_path / "again"), weights_only=False)
    assert trace.exists(), "the file is dangerous to those who trust it"


def test_no_file_of_weights_runs_code(evil, finished, many, tmp_path, monkeypatch, capsys):
    command = ["evaluate", str(finished.path), "--reals", str(many), "--count", "64"]
    line = rf"^animegan: {tmp_path}.* does not hold the weights of a network: for FID give {module.INCEPTION_FILE}"
    assert main([*command, "--inception", str(evil(tmp_path / "weights.pth"))]) == 2
    assert re.search(line, capsys.readouterr().err, re.MULTILINE)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    evil(tmp_path / "checkpoints" / module.INCEPTION_FILE)
    assert main(command) == 2
    assert re.search(line, capsys.readouterr().err, re.MULTILINE)


def test_the_classifiers_own_file_runs_no_code(evil, tmp_path, monkeypatch):
    monkeypatch.setattr(classifier, "WEIGHTS", evil(tmp_path / "face.pth"))
    with pytest.raises(UserError, match=r"does not hold the weights of a network: restore it, or train it again"):
        face_classifier.__wrapped__()
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    monkeypatch.setattr(classifier, "WEIGHTS", tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"is damaged \(Error.*state_dict.*\): restore it"):
        face_classifier.__wrapped__()


@pytest.fixture(scope="module", params=[False, True], ids=["older format", "zip"])
def inception(tmp_path_factory, request):
    """A file like the published one, with random weights; that one is in the older format."""
    kind = torch_fidelity.feature_extractor_inceptionv3.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch_fidelity.feature_extractor_inceptionv3, "load_state_dict_from_url", lambda *_a, **_o: {})
        patch.setattr(kind, "load_state_dict", lambda self, state: None)
        network = kind("inception-v3-compat", ["2048"])
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=request.param)
    return path


def test_inceptions_features_come_from_a_file_that_was_read_safely(inception, faces, monkeypatch):
    kind, used = torch_fidelity.feature_extractor_inceptionv3.FeatureExtractorInceptionV3, []

    def forward(network, images):  # three features: 2,048 take half a minute
        used.append(network.fc.bias.clone())
        return (images.float().mean((2, 3)),)

    monkeypatch.setattr(kind, "forward", forward)
    assert fidelity(faces[:8], faces[8:16], module.inception_weights(inception)).features == module.INCEPTION
    assert used and torch.equal(used[0], torch.load(inception, weights_only=True)["fc.bias"])


def test_weights_and_the_features_of_the_reals_are_made_once_whatever_the_number_of_epochs(
    finished, many, tmp_path, monkeypatch, small_metric
):
    seen = count_calls(monkeypatch, module.FidelityTo, "features")
    made = count_calls(monkeypatch, evaluation, "FidelityTo")
    run = finished.share(tmp_path / "run", weights=[1, 2, 3])
    found = evaluation.evaluate(run, reals=many, count=64, progress=False)
    assert len(made) == 1 and len(seen) == 2 + 3, "the reals, others, and the fakes of each epoch"
    z = latent_vectors(64, run.config.nz, 1000)
    *figures, features = fidelity(to_uint8(run.generate(2, z)), made[0][0])
    assert found.fidelities[2] == (*(round(figure, 4) for figure in figures), features), "the digits of the file"


@pytest.mark.parametrize(
    "content",
    [[1], {"x": 1}, {1: torch.zeros(1)}, {"x": torch.full((2,), float("nan"))}, torch.zeros(3), {"x": torch.zeros(3)},
     {"x": torch.zeros(2, device="meta")}, {"x": torch.zeros(2, 2).to_sparse()}, None],
    ids=["list", "number", "key", "nan", "tensor", "other", "meta", "sparse", "none"],
)  # fmt: skip
def test_weights_of_something_else_are_one_line(content, faces, tmp_path):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=rf"weights.*: for FID give {module.INCEPTION_FILE}"):
        fidelity(faces[:6], faces[6:12], module.inception_weights(tmp_path / "weights.pth"))


def test_mistakes_are_one_line(faces, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "weights.pth").write_bytes(b"no weights")
    for path in ("nowhere.pth", tmp_path, tmp_path / "pipe", "/dev/zero", "n" * 300):
        with pytest.raises(UserError, match=f"there is no file {path}"):
            module.inception_weights(path)
    with pytest.raises(UserError, match="does not hold the weights of a network"):
        module.inception_weights(tmp_path / "weights.pth")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert module.inception_weights() is None
    (tmp_path / "checkpoints").mkdir()
    torch.save({"x": torch.zeros(2)}, tmp_path / "checkpoints" / module.INCEPTION_FILE)
    assert torch.load(io.BytesIO(module.inception_weights()), weights_only=True)["x"].tolist() == [0, 0]
