"""The sliced Wasserstein distance compared with closed forms and another library; epochs measured and compared."""

import csv
import errno
import shutil
import statistics

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import TINY, count_calls, forbid

from animegan import files
from animegan.cli import main
from animegan.config import TrainConfig
from animegan.course import reference_run
from animegan.data import hold_out, load_faces
from animegan.drawing import write_faces
from animegan.errors import UserError
from animegan.measure import evaluation, floors, sliced_wasserstein
from animegan.measure.evaluation import Evaluation, evaluate, read_evaluation
from animegan.measure.floors import STEM
from animegan.measure.references import DRAWN_UNSEEN, HELD_OUT, SPLIT_IN_HALF, draw_unseen, reference_images
from animegan.measure.sliced_wasserstein import (
    BINS,
    WIDTH,
    Distance,
    SlicedWasserstein,
    cumulated,
    pyramid,
    wasserstein,
)
from animegan.runs import Run
from animegan.training import train

pytestmark = pytest.mark.usefixtures("small_metric")


@pytest.fixture(scope="module")
def images(many) -> torch.Tensor:
    return torch.from_numpy(load_faces(many, progress=False).images.copy())


def between(first: np.ndarray, second: np.ndarray) -> float:
    """The distance in one dimension of values [rows, values], in deviations."""
    positions = [torch.tensor(values / WIDTH + BINS / 2, dtype=torch.float32) for values in (first, second)]
    return wasserstein(*(cumulated(each, torch.empty(each.shape, dtype=torch.int32)) for each in positions))


def test_the_distance_in_one_dimension_has_closed_forms():
    values = np.random.default_rng(0).normal(size=(3, 5000))
    assert between(values, values) == 0
    assert between(values, values + 0.7) == pytest.approx(0.7, abs=1e-4)
    wider = np.random.default_rng(1).normal(size=(3, 200_000))
    assert between(wider, 2 * wider) == pytest.approx((2 / np.pi) ** 0.5, rel=0.01), "the mean of |N(0, 1)|"
    assert between(values, values + 1e6) == pytest.approx(32, rel=0.01), "what lies beyond the bins counts in the last"


def test_the_distance_in_one_dimension_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(2)
    first, second = random.gamma(2, size=(4, 300)), random.normal(size=(4, 300))
    theirs = [stats.wasserstein_distance(*pair) for pair in zip(first, second, strict=True)]
    assert between(first, second) == pytest.approx(np.mean(theirs), abs=2e-4)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_distance_agrees_with_sorted_values(images, seed):
    """A second computation with convolutions, all patches normalised, and all projections sorted."""

    def blurred(x):
        line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
        planes = F.pad(x.flatten(0, 1)[:, None], (2, 2, 2, 2), mode="reflect")
        return F.conv2d(F.conv2d(planes, line.view(1, 1, 5, 1)), line.view(1, 1, 1, 5)).view(x.shape)

    def projections(x, is_fake):
        places = torch.Generator().manual_seed(2 * seed + is_fake)
        directions = torch.Generator().manual_seed(2 * seed)
        for level in range(3):
            coarse = blurred(x)[:, :, ::2, ::2]
            spread = torch.zeros_like(x)
            spread[:, :, ::2, ::2] = 4 * coarse
            left_out = x if level == 2 else x - blurred(spread)
            windows = left_out.unfold(2, 7, 1).unfold(3, 7, 1)
            top, left = (torch.randint(0, windows.shape[2], (len(x), 32), generator=places) for _ in range(2))
            patches = windows[torch.arange(len(x))[:, None], :, top, left].flatten(0, 1)
            deviation, mean = torch.std_mean(patches, dim=(0, 2, 3), keepdim=True, correction=0)
            for _ in range(2):
                axes = F.normalize(torch.randn(32, 147, generator=directions), dim=1)
                yield (axes @ ((patches - mean) / deviation.clamp_min(1e-8)).flatten(1).T).sort(1).values
            x = coarse

    reals, fakes = images[:70], 0.9 * images[70:140].float() + 9  # more than one part, and a part that is not full
    fakes[:, 1] = 200  # a channel that is the same everywhere
    pairs = zip(projections(reals.float(), 0), projections(fakes, 1), strict=True)
    each = [(first - second).abs().mean().item() for first, second in pairs]
    expected = [500 * (each[i] + each[i + 1]) for i in (0, 2, 4)]
    found = SlicedWasserstein(reals, seed)(fakes)
    assert found.levels == pytest.approx(expected, abs=0.05)
    assert found.mean == pytest.approx(statistics.fmean(expected), abs=0.05)


def test_the_figures_do_not_depend_on_the_parts(images, monkeypatch):
    whole = SlicedWasserstein(images[:80])(images[80:])
    monkeypatch.setattr(sliced_wasserstein, "PART", 7)
    assert SlicedWasserstein(images[:80])(images[80:]).levels == pytest.approx(whole.levels, abs=1e-3)


def test_a_pixel_that_is_no_number_makes_the_distance_none(images):
    fakes = images[80:84].float()
    fakes[1, 2, 3, 4] = float("nan")
    assert np.isnan(
        [SlicedWasserstein(images[:4])(fakes).mean, *SlicedWasserstein(images[:4])(fakes.numpy()).levels]
    ).all()


def test_the_distance_agrees_with_a_slow_second_computation(images):
    """Patch by patch and direction by direction, with scipy's distance."""
    stats = pytest.importorskip("scipy.stats")
    a, b = images[:6], images[6:12]
    places = [torch.Generator().manual_seed(which) for which in (0, 1)]
    directions, found = torch.Generator().manual_seed(0), []
    for level_a, level_b in zip(pyramid(a.float()), pyramid(b.float()), strict=True):
        size, sets = level_a.shape[-1] - 6, []
        for pictures, generator in ((level_a, places[0]), (level_b, places[1])):
            top, left = (torch.randint(0, size, (len(pictures) * 32,), generator=generator).tolist() for _ in range(2))
            corners = zip(top, left, strict=True)
            patches = np.stack([pictures[n // 32, :, y : y + 7, x : x + 7] for n, (y, x) in enumerate(corners)])
            patches -= patches.mean(axis=(0, 2, 3), keepdims=True)
            sets.append((patches / patches.std(axis=(0, 2, 3), keepdims=True)).reshape(len(patches), -1))
        axes = [F.normalize(torch.randn(32, 147, generator=directions), dim=1).numpy() for _ in range(2)]
        found.append(np.mean([stats.wasserstein_distance(sets[0] @ d, sets[1] @ d) for repeat in axes for d in repeat]))
    assert SlicedWasserstein(a)(b).levels == pytest.approx([1000 * value for value in found], rel=1e-3)


def test_the_pyramid_has_three_levels_and_loses_nothing(images):
    fine, middle, coarse = levels = pyramid(images[:2].float())
    assert [level.shape[-1] for level in levels] == [96, 48, 24]
    for level in (middle, fine):
        spread = 2 * sliced_wasserstein._blur(level.shape[-1], level.device)[:, ::2]
        coarse = level + spread @ coarse @ spread.T
    assert torch.allclose(coarse, images[:2].float(), atol=1e-3)


def test_likeness_has_the_right_order(images):
    measure, other = SlicedWasserstein(images[:80]), images[80:].float()
    blurred = F.interpolate(F.interpolate(other, scale_factor=0.25, mode="area"), 96, mode="bilinear")
    noise = torch.rand(other.shape, generator=torch.Generator().manual_seed(0)) * 255
    real, dim, soft, wild = (measure(pictures).mean for pictures in (other, 0.4 * other + 30, blurred, noise))
    assert real < soft < wild
    assert dim == pytest.approx(real, rel=0.01), "brightness and contrast of a whole set do not count"
    assert measure(other) == SlicedWasserstein(images[:80])(other), "the same twice"
    assert SlicedWasserstein(images[:80], seed=1)(other).mean == pytest.approx(real, rel=0.3)
    with pytest.raises(UserError, match="give equal sizes"):
        measure(images[:79])


def test_epochs_are_measured_and_written_down(finished, many, tmp_path, monkeypatch):
    run = finished.share(tmp_path / "run", weights=[1, 2, 3])
    found = evaluate(run, reals=many, count=80, progress=False)
    assert sorted(found.distances) == [1, 2, 3] and found.count == 80 and len(found.floor) == evaluation.SEEDS
    assert max(d.mean for d in found.floor) < min(found.mean(epoch) for epoch in found.distances)
    with open(run.path / "metrics.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["epoch"] for row in rows} == {"1", "2", "3", "real"}
    again = [float(row["swd"]) for row in rows if row["epoch"] == str(found.best)]
    assert statistics.fmean(again) == pytest.approx(found.mean(found.best), abs=1e-3)
    assert f"best: epoch {found.best}" in str(found) and str(many) in str(found)
    kept = read_evaluation(run)
    assert kept.best == found.best and kept.equals == found.equals and str(kept) == str(found)
    assert str(read_evaluation(run.share(tmp_path / "copy"))) == str(found), "a shared run keeps what was measured"
    assert evaluate(run, [3], many, 80, progress=False).distances[3] == found.distances[3]
    (run.path / "metrics.csv").write_text("epoch,seed\n1,a\n", encoding="utf-8")
    with pytest.raises(UserError, match="is damaged"):
        read_evaluation(run)
    with pytest.raises(UserError, match="has not been measured yet: animegan evaluate"):
        read_evaluation(finished)


def test_the_floor_is_measured_once_for_the_same_images_seed_and_count(finished, many, tmp_path, monkeypatch):
    run, reals = finished.share(tmp_path / "run", weights=[3]), tmp_path / "reals"
    shutil.copytree(many, reals, ignore=shutil.ignore_patterns(".animegan*"))
    measured = count_calls(monkeypatch, SlicedWasserstein, "__call__")

    def floor(steps, count=64, **options):  # of the floor and of the fakes, for each seed
        measured.clear()
        found = evaluate(run, reals=reals, count=count, progress=False, **{"seeds": 1, **options}).floor
        assert len(measured) == steps
        return found

    first, pictures = floor(2), load_faces(reals, progress=False)
    assert floor(1) == first and "kept" not in str(pictures.report) and not pictures.report.hidden
    assert floor(3, seeds=2)[0] == first[0], "another seed is measured, the first is not"
    assert floor(2, count=66) != first and floor(1) == first, "another count stands beside it"
    monkeypatch.setattr(sliced_wasserstein, "PATCHES", 33)
    assert floor(2) != first
    monkeypatch.setattr(sliced_wasserstein, "PATCHES", 32)
    file = reals / f"{STEM}.json"
    content = file.read_text()
    for damaged in (content[:-20], content.replace("1", "2", 1), "[]", '{"floors": {}, "seal": ""}', "\x00"):
        file.write_text(damaged)
        assert floor(2) == first and floor(1) == first
    (reals / "faces" / pictures.files[0].split("/")[-1]).unlink()
    assert floor(2) != first, "other images"


def test_a_floor_that_cannot_be_kept_is_no_error(finished, many, tmp_path, monkeypatch):
    run, reals = finished.share(tmp_path / "run", weights=[3]), tmp_path / "reals"
    shutil.copytree(many, reals, ignore=shutil.ignore_patterns(".animegan*"))
    forbid(monkeypatch, floors, "atomic_open")
    expected = evaluate(run, reals=many, count=64, seeds=1, progress=False)
    assert evaluate(run, reals=reals, count=64, seeds=1, progress=False).floor == expected.floor
    assert not (reals / f"{STEM}.json").exists()


def test_one_bar_shows_the_whole_measurement(finished, many, tmp_path, monkeypatch):
    run, bars = finished.share(tmp_path / "run", weights=[1, 2, 3]), []
    load_faces(many, progress=False)  # decoding has a bar of its own

    class Bar(evaluation.tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            bars.append(self)

    monkeypatch.setattr(evaluation, "tqdm", Bar)
    monkeypatch.setattr(evaluation, "RIVALS", 1)
    evaluate(run, reals=many, count=64)
    assert len(bars) == 1 and bars[0].n == bars[0].total


def test_the_command_prints_figures_and_draws_them(finished, many, tmp_path, capsys):
    run = finished.share(tmp_path / "run", weights=[1, 3])
    assert main(["evaluate", str(run.path), "--reals", str(many), "--count", "64"]) == 0
    out = capsys.readouterr().out
    assert "best: epoch" in out and "features of the face classifier" in out and "metrics.png" in out
    assert (run.path / "metrics.png").stat().st_size > 10_000


def test_epochs_that_are_statistically_tied_are_named():
    def epoch(*means):
        return [Distance((mean,) * 3, mean) for mean in means]

    distances = {1: epoch(90.0), 8: epoch(21.0, 20.0), 9: epoch(19.5, 20.5), 10: epoch(30.0)}
    found = Evaluation(distances, epoch(5.0), 64, "x")
    assert found.best == 9 and found.equals == [8, 9] and found.spread == pytest.approx(0.5**0.5)
    assert "best: epoch 9 with 20.0, standard deviation 0.7 between seeds\n" in str(found)
    assert "statistically tied: epoch 8\n" in str(found)
    wide = Evaluation({**found.distances, 10: epoch(20.6), 11: epoch(20.7)}, epoch(5.0), 64, "x")
    assert "statistically tied: epochs 8, 10 to 11\n" in str(wide)
    once = Evaluation({8: epoch(20.5), 9: epoch(20.0)}, epoch(5.0), 64, "x")
    assert once.equals == [9] and "best: epoch 9 with 20.0\n" in str(once), "a spread takes two"


def test_a_run_on_drawn_faces_is_measured_with_unseen_ones(drawn, tmp_path, monkeypatch):
    shutil.copytree(drawn, tmp_path / "drawn")
    config = TrainConfig(**{**TINY, "epoch": 1}, data_path=tmp_path / "drawn", outf=tmp_path / "run")
    found = evaluate(train(config, progress=False), count=64, progress=False)
    assert found.reference == "drawn faces that it has never seen" and found.count == 64
    held_out = tmp_path / ".drawn-held-out-128"
    assert load_faces(held_out, progress=False).fingerprint != load_faces(drawn, progress=False).fingerprint
    assert evaluate(Run(tmp_path / "run"), count=70, progress=False).count == 70, "another count is no conflict"
    held_out = tmp_path / ".drawn-held-out-140"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for path in (tmp_path / "drawn", held_out):
        path.rename(tmp_path / "data" / path.name)
    assert main(["train", *(f"--{name}={value}" for name, value in {**TINY, "epoch": 1}.items()), "--outf", "two"]) == 0
    assert Run("two").info["data"]["pictures"] == 36, "unseen faces are not trained on"


def test_a_run_is_measured_with_the_images_that_it_held_out(tmp_path, many):
    config = TrainConfig(**{**TINY, "epoch": 1, "hold_out": 64}, data_path=many, outf=tmp_path / "run")
    run = train(config, progress=False)
    found = evaluate(run, progress=False)
    assert found.reference == "the held-out images" and found.count == 64
    pictures = load_faces(many, progress=False).images
    _, held = hold_out(len(pictures), 64)
    z = torch.randn(64, run.config.nz, 1, 1, generator=torch.Generator().manual_seed(1000))
    wanted = SlicedWasserstein(pictures[held.numpy()])(run.generate(1, z))
    digits = Distance(tuple(round(level, 4) for level in wanted.levels), round(wanted.mean, 4))
    assert found.distances[1][0] == digits, "those of the file"
    assert max(d.mean for d in found.floor) < found.mean(1)
    run.info["data"]["fingerprint"] = "other"
    with pytest.raises(UserError, match="no longer known which images were held out: restore"):
        evaluate(run, progress=False)


def test_training_images_are_found_from_any_folder(drawn, tmp_path, monkeypatch):
    shutil.copytree(drawn, tmp_path / "data" / "drawn")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    run = train(TrainConfig(**{**TINY, "epoch": 1}, data_path="../data/drawn", outf="../imgs/run"), progress=False)
    monkeypatch.chdir(tmp_path)  # where a terminal is, and "../data/drawn" is not
    run = Run("imgs/run")
    training, unseen, kind = reference_images(run, 9, progress=False)
    assert kind == DRAWN_UNSEEN and (len(training), len(unseen)) == (36, 9)
    assert np.array_equal(training, load_faces(drawn, progress=False).images)
    assert not (training[:, None] == unseen[None]).all((2, 3, 4)).any(), "none of them was trained on"
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(UserError, match="there is no folder ../data/drawn"):
        reference_images(run, 9, progress=False)
    assert len(reference_images(run, 9, tmp_path / "moved" / "drawn", progress=False).training) == 36


def test_a_run_that_has_seen_all_images_gets_halves_and_one_that_held_some_out_gets_those(many, tmp_path):
    shutil.copytree(many / "faces", tmp_path / "mine")
    config = TrainConfig(**{**TINY, "epoch": 1}, data_path=tmp_path / "mine", outf=tmp_path / "run")
    run = train(config, progress=False)
    found = reference_images(run, progress=False)
    assert found.kind == SPLIT_IN_HALF and "copies of this half cannot be found" in found.explanation
    assert len(found.training) == len(found.unseen) == len(load_faces(many, progress=False)) // 2
    config = TrainConfig(**{**TINY, "epoch": 1, "hold_out": 30}, data_path=tmp_path / "mine", outf=tmp_path / "held")
    found = reference_images(train(config, progress=False), progress=False)
    assert found.kind == HELD_OUT and found.explanation == found.words == "the held-out images"
    assert (len(found.training), len(found.unseen)) == (130, 30)


def test_a_missing_epoch_is_told_before_anything_is_measured(finished, monkeypatch):
    made = count_calls(monkeypatch, evaluation, "SlicedWasserstein")
    with pytest.raises(UserError, match="has no netG_009.pth: it exists for epoch 1 to 3"):
        evaluate(finished, [1, 9], count=64, progress=False)
    assert not made


def test_unseen_drawn_faces_lie_in_one_folder_whatever_the_count(drawn, tmp_path):
    def unseen(count):
        faces = draw_unseen(tmp_path / "drawn", count, progress=False)
        assert len(faces) == count
        return np.array(faces), [path.name for path in tmp_path.iterdir() if path.name != "drawn"]

    shutil.copytree(drawn, tmp_path / "drawn")
    few, folders = unseen(6)
    assert folders == [".drawn-held-out-6"]
    many, folders = unseen(9)
    assert folders == [".drawn-held-out-9"] and np.array_equal(many[:6], few), "a larger set takes its place"
    again, folders = unseen(6)
    assert folders == [".drawn-held-out-9"] and np.array_equal(again, few), "a smaller count takes the first of them"
    (tmp_path / ".drawn-held-out-9" / "faces" / "face_00003.png").unlink()
    assert np.array_equal(unseen(9)[0], many), "what is missing is drawn again"
    shutil.rmtree(tmp_path / "drawn")
    write_faces(tmp_path / "drawn", 4, seed=7, progress=False)
    other, folders = unseen(9)
    assert folders == [".drawn-held-out-9"] and not np.array_equal(other, many), "and it fits the faces beside it"


def test_an_evaluation_of_an_earlier_version_is_read():
    run = reference_run()
    with open(run.output("metrics"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = read_evaluation(run)
    assert len(found.distances) == 25 and len(found.floor) == 3 and found.reference == rows[0]["reference"]
    assert found.mean(1) == float(rows[0]["swd"]) and found.fidelities[1].fid == float(rows[0]["fid"])


def test_figures_that_cannot_be_kept_are_printed(finished, many, tmp_path, monkeypatch, capsys):
    resource = pytest.importorskip("resource")
    run = finished.share(tmp_path / "run", weights=[3])
    load_faces(many, progress=False)  # so that its cache is there
    limits, save = resource.getrlimit(resource.RLIMIT_FSIZE), Evaluation.save

    def save_on_full_disk(*arguments):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        try:
            save(*arguments)
        finally:  # at once: pytest writes files, too
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(Evaluation, "save", save_on_full_disk)
    assert main(["evaluate", str(run.path), "--reals", str(many), "--count", "64"]) == 2
    out, errors = capsys.readouterr()
    assert "best: epoch 3 with" in out and "metrics.csv could not be saved" in errors
    assert not list(run.path.glob("*metrics*")) and not list(run.path.glob(".*"))


def test_a_locked_folder_is_reported_before_anything_is_measured(finished, monkeypatch, capsys):
    made = count_calls(monkeypatch, evaluation, "SlicedWasserstein")
    locked = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(files.tempfile, "TemporaryFile", lambda **_options: (_ for _ in ()).throw(locked))
    assert main(["evaluate", str(finished.path), "--count", "64"]) == 2
    assert "metrics.csv could not be saved (Permission denied)" in capsys.readouterr().err and not made


def test_an_epoch_of_weights_that_are_not_finite_is_named_and_never_best(finished, tmp_path, monkeypatch):
    run = finished.share(tmp_path / "run", weights=[1, 3])
    made = count_calls(monkeypatch, evaluation, "SlicedWasserstein")
    weights = torch.load(run.path / "netG_001.pth", weights_only=True)
    weights["layer1.0.weight"].fill_(float("nan"))
    torch.save(weights, run.path / "netG_001.pth")
    with pytest.raises(UserError, match=r"netG.*1.* finite"):
        evaluate(run, count=64, progress=False)
    assert not made
    nan, good = Distance((float("nan"),) * 3, float("nan")), Distance((9.0,) * 3, 9.0)
    for distances in ({1: [nan], 2: [good]}, {1: [good], 2: [nan]}):
        found = Evaluation(distances, [good], 64, "x")
        assert distances[found.best] == [good] and found.equals == [found.best]


METRICS = """\
epoch,seed,count,swd_96,swd_48,swd_24,swd,fid,kid,precision,recall,features,reference
1,0,64,9.0,9.0,9.0,9.0,2.0,3.0,0.5,0.5,face classifier,held out
1,1,64,9.5,9.5,9.5,9.5,,,,,,held out
2,0,64,8.0,8.0,8.0,8.0,2.0,3.0,0.5,0.5,face classifier,held out
real,0,64,1.0,1.0,1.0,1.0,0.1,0.1,1.0,1.0,face classifier,held out
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1,0,64,9.0", "1,0,64,nan"), ("1,0,64,9.0", "1,0,64,inf"), ("1,0,64,9.0", "1,0,64,1e308"),
        ("1,0,64,9.0", "1,0,64,x"), ("1,0,64,9.0", f"1,0,64,{'9' * 5000}"), ("2,0,64", f"{'2' * 400},0,64"),
        ("2,0,64", "two,0,64"), ("2,0,64", "1e0,0,64"), ("2,0,64", "2,0,65"), ("2,0,64", "2,1,64"),
        ("1,1,64", "1,0,64"), ("2.0,3.0", "nan,3.0"), ("2.0,3.0", ",3.0"), ("2.0,3.0", "1e400,3.0"),
        ("held out", "y" * 200_000), ("real,0", "3,0"), ("0.1,0.1,1.0,1.0,face classifier", ",,,,"),
        ("epoch,seed", "seed,epoch"), ("reference", "words"), ("held out\nreal", "held out\xff\nreal"),
        ("1,1,64,9.5,9.5,9.5,9.5,,,,,,held out\n", "1,1,64\n"), (METRICS, ""), (METRICS[90:], ""),
    ],
)  # fmt: skip
def test_metrics_that_were_changed_or_damaged_are_one_line(finished, tmp_path, old, new):
    run = finished.share(tmp_path / "run")
    path = run.output("metrics")
    path.write_text(METRICS, encoding="utf-8")
    assert read_evaluation(run).best == 2 and read_evaluation(run).fidelities[2].fid == 2
    assert old in METRICS
    path.write_text(METRICS.replace(old, new, 1), encoding="latin-1")
    with pytest.raises(
        UserError, match=r"metrics.csv is damaged \(.*\): measure again with animegan evaluate"
    ) as caught:
        print(read_evaluation(run))
    assert len(str(caught.value)) < 500 + len(str(tmp_path)) * 2


def test_mistakes(finished, drawn, capsys):
    with pytest.raises(UserError, match="3 fakes, as many real images, and others, are too few"):
        evaluate(finished, count=3)
    for arguments, message in (
        (["--epochs", "9"], "has no netG_009.pth: it exists for epoch 1 to 3"),
        (["--epochs", "3", "--reals", str(drawn)], "18 fakes, as many real images, and others, are too few"),
        (["--reals", "nowhere"], "there is no folder nowhere"),
    ):
        assert main(["evaluate", str(finished.path), *arguments]) == 2
        errors = capsys.readouterr().err
        assert message in errors and f"\n{errors}".count("\nanimegan: ") == 1
