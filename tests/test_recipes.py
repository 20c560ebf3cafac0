import copy
from dataclasses import asdict

import pytest
import torch
from torch import nn

from animegan import gan
from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.gan import GAN, Adam, _r1_penalty
from animegan.models import NetG
from animegan.recipes import LOSSES, RECIPES, get_recipe

SMALL = {"ngf": 8, "ndf": 8, "nz": 16, "batchSize": 8}


def game(**settings) -> GAN:
    return GAN(TrainConfig(**{**SMALL, **settings}), torch.device("cpu"))


def faces(seed: int = 0, count: int = 8) -> torch.Tensor:
    return torch.rand(count, 3, 96, 96, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def handout_step(netG, netD, optimizerG, optimizerD, real, z):
    """One step as the handout's train.py writes it down, with BCELoss on probabilities."""
    criterion = nn.BCELoss()
    ones = torch.ones(len(real), dtype=real.dtype)
    zeros = torch.zeros_like(ones)
    optimizerD.zero_grad()
    loss_real = criterion(netD(real).view(-1), ones)
    loss_real.backward()
    fake = netG(z)
    loss_fake = criterion(netD(fake.detach()).view(-1), zeros)
    loss_fake.backward()
    optimizerD.step()
    optimizerG.zero_grad()
    loss_G = criterion(netD(fake).view(-1), ones)
    loss_G.backward()
    optimizerG.step()
    return (loss_real + loss_fake).item(), loss_G.item()


def test_the_handouts_recipe_is_the_handouts_mathematics(monkeypatch):
    ours = game(recipe="handout", lr=0.0002)
    # In float64, so that a wrong formula cannot hide behind rounding.
    for network in (ours.netG, ours.netD):
        network.double()
    netG, netD = copy.deepcopy(ours.netG), copy.deepcopy(ours.netD)
    optimizerG = torch.optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizerD = torch.optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    ours.optimizerG = Adam(ours.netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    ours.optimizerD = Adam(ours.netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    noise = torch.Generator().manual_seed(3)
    ours.random.manual_seed(3)
    draw = ours._draw_noise
    monkeypatch.setattr(ours, "_draw_noise", lambda count: draw(count).double())
    for step in range(3):
        real = faces(step).double()
        z = torch.randn(8, 16, 1, 1, generator=noise).double()
        expected = handout_step(netG, netD, optimizerG, optimizerD, real, z)
        assert ours.step(real)[:2].tolist() == pytest.approx(expected, rel=1e-9)
    for mine, theirs in ((ours.netG, netG), (ours.netD, netD)):
        for name, value in theirs.state_dict().items():
            assert torch.allclose(mine.state_dict()[name].double(), value.double(), rtol=1e-7, atol=1e-10), name


def test_the_handouts_recipe_starts_from_pytorchs_own_initialisation():
    assert game(recipe="handout").netG.layer5[0].weight.std() > 0.04
    assert game(recipe="stable").netG.layer5[0].weight.std() < 0.025


def test_D_gets_no_gradient_in_Gs_step_and_G_none_in_Ds(monkeypatch):
    one = game()
    of_D, of_G = list(one.netD.parameters()), list(one.netG.parameters())
    seen, gradients = [], []
    monkeypatch.setattr(one.optimizerG, "step", lambda: seen.append([p.requires_grad for p in of_D]))
    no_gradients = lambda: gradients.append([p.grad is None or not p.grad.any() for p in of_G])  # noqa: E731
    monkeypatch.setattr(one.optimizerD, "step", no_gradients)
    one.step(faces())
    assert not any(seen[0])
    assert all(gradients[0])
    assert all(p.requires_grad for p in one.netD.parameters())


@pytest.mark.parametrize("settings", [{}, {"precision": "bfloat16"}], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_game_goes_on_from_its_state_bit_for_bit(recipe, settings):
    straight, stopped = game(recipe=recipe, **settings), game(recipe=recipe, **settings)
    for step in range(2):
        straight.step(faces(step))
        stopped.step(faces(step))
    fresh = game(recipe=recipe, seed=99, **settings)
    fresh.load_state_dict(copy.deepcopy(stopped.state_dict()))
    for step in range(2, 4):
        assert torch.equal(straight.step(faces(step)), fresh.step(faces(step)))
    again = fresh.sampling_generator().state_dict()
    for name, value in straight.sampling_generator().state_dict().items():
        assert torch.equal(value, again[name]), name


@pytest.mark.parametrize("recipe", RECIPES)
def test_weights_of_every_recipe_fit_the_handouts_NetG(recipe):
    one = game(recipe=recipe)
    one.step(faces())
    NetG(8, 16).load_state_dict(one.sampling_generator().state_dict(), strict=True)


def test_pictures_do_not_depend_on_their_neighbours_in_the_batch():
    one = game()
    for step in range(3):
        one.step(faces(step))
    before = one.random.get_state()
    netG = one.sampling_generator()
    z = torch.randn(4, 16, 1, 1)
    with torch.no_grad():
        assert torch.allclose(netG(z)[:1], netG(z[:1]), atol=1e-5)
    assert torch.equal(before, one.random.get_state()), "drawing pictures must not change the training"


def test_the_average_lags_behind_and_starts_fast():
    one = game(changes={"ema": 0.999})
    weight = [one.netG.layer3[0].weight.detach().clone()]
    for step in range(4):
        one.step(faces(step))
        weight.append(one.netG.layer3[0].weight.detach().clone())
    average = weight[0]
    for n, now in enumerate(weight[1:]):
        decay = min(0.999, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * now
    assert torch.allclose(one.ema_G.layer3[0].weight, average, atol=1e-6)


def test_flips_mirror_about_half_of_the_pictures():
    one = game(changes={"flips": True})
    real = faces(count=200)
    flipped = one._flip(real, torch.rand(200, 1, generator=one.random))
    mirrored = sum(torch.equal(a, b.flip(2)) for a, b in zip(flipped, real, strict=True))
    same = sum(torch.equal(a, b) for a, b in zip(flipped, real, strict=True))
    assert mirrored + same == 200
    assert 70 < mirrored < 130


def test_shifts_move_each_picture_by_whole_pixels_of_its_own():
    one = game(changes={"brightness": 0.0, "shift": 0.1})
    pictures = torch.zeros(300, 3, 96, 96)
    pictures[:, :, 48, 48] = torch.tensor([0.25, -0.5, 1.0])
    moved = one._augment(pictures, one._draw_augment(300))
    where = moved[:, 2].flatten(1).argmax(1)
    rows, columns = where // 96 - 48, where % 96 - 48
    for axis in (rows, columns):
        assert (axis.min(), axis.max()) == (-10, 10)
        assert abs(axis.float().mean()) < 1.5
    assert not torch.equal(rows, columns)
    assert torch.equal(moved.flatten(2).sum(2), pictures.flatten(2).sum(2)), "a value is moved, never changed"
    edge = torch.ones(300, 3, 96, 96, requires_grad=True)
    shown = one._augment(edge, one._draw_augment(300))
    assert shown.min() == 0, "what comes in from outside is grey"
    shown.sum().backward()
    assert edge.grad.sum() == shown.sum(), "the gradient goes where the pixel came from"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_pictures_are_shifted_alike_on_every_device(dtype):
    pictures, reach = faces().to(dtype), 10
    up, right = (torch.randint(-reach, reach + 1, (8,)).float() for _ in range(2))
    assert torch.equal(gan._shift(pictures, up, right, reach), gan._shift_on_device(pictures, up, right))


def test_light_is_each_pictures_own_and_leaves_it_otherwise_alone():
    one = game(changes={"brightness": 0.3, "shift": 0.0})
    pictures = faces(count=200)
    light = one._augment(pictures, one._draw_augment(200)) - pictures
    level = light.mean((1, 2, 3), keepdim=True)
    assert torch.allclose(light, level.expand_as(light), atol=1e-6)
    assert -0.3 <= level.min() < -0.2 < 0.2 < level.max() <= 0.3


def test_the_handouts_recipe_shows_D_the_pictures_as_they_are():
    pictures = faces()
    one = game(recipe="handout")
    assert torch.equal(one._augment(pictures, one._draw_augment(8)), pictures)
    assert one._flip(pictures, torch.zeros(8, 1)) is pictures


def test_smooth_kernels_start_without_checkerboard():
    def unevenness(recipe):
        """How much a flat input comes out of the last layer as a pattern of period 3."""
        netG = game(recipe=recipe, changes={"init": True}).netG
        with torch.no_grad():
            out = netG.layer5[0](torch.rand(1, 8, 1, 1).expand(1, 8, 32, 32))[0, :, 9:-9, 9:-9]
        return (out.std((1, 2)) / out.abs().mean((1, 2))).mean()

    assert unevenness("stable") < 1e-5
    assert unevenness("handout") > 0.1
    assert game().netG.layer5[0].weight.square().mean().sqrt().item() == pytest.approx(0.02, rel=0.5)


def test_a_saturated_verdict_has_a_slope_only_with_logits():
    sure = torch.tensor([40.0, 30.0], requires_grad=True)  # as sure as D can be that these fakes are real
    for loss, slope in (("probabilities", 0.0), ("logits", 0.5)):
        (gradient,) = torch.autograd.grad(LOSSES[loss](sure, 0.0), sure)
        assert gradient.tolist() == pytest.approx([slope, slope])
    unsure = torch.linspace(-4, 4, 9, dtype=torch.float64)
    for aim in (0.0, 0.9, 1.0, None):
        assert torch.allclose(LOSSES["probabilities"](unsure, aim), LOSSES["logits"](unsure, aim))


def test_hinge_leaves_alone_what_is_sure_enough():
    logits = torch.tensor([2.0, 1.0, 0.5, -3.0], requires_grad=True)
    for aim, value, slopes in ((1.0, 4.5 / 4, [0, 0, -1, -1]), (0.0, 6.5 / 4, [1, 1, 1, 0]), (None, -0.125, [-1] * 4)):
        loss = LOSSES["hinge"](logits, aim)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.item() == pytest.approx(value)
        assert (4 * gradient)[[0, 2, 3]].tolist() == [slopes[n] for n in (0, 2, 3)], "at exactly 1 either is right"


def test_r1_is_the_squared_slope_at_real_pictures():
    one = game(changes={"r1": 3.0})
    weight = torch.rand(3, 96, 96)
    pictures = torch.rand(5, 3, 96, 96, requires_grad=True)
    penalty = _r1_penalty((pictures * weight).sum((1, 2, 3)), pictures, 3.0)
    assert penalty.item() == pytest.approx(3.0 / 2 * weight.square().sum().item(), rel=1e-4)
    plain = game(changes={"r1": 0.0})
    assert one.step(faces())[0] == plain.step(faces())[0], "the loss that is told is without the penalty"
    assert not torch.equal(one.netD.layer1[0].weight, plain.netD.layer1[0].weight)


def test_lazy_r1_is_measured_in_some_minibatches_of_a_batch_with_the_same_mean_weight(monkeypatch):
    weights = []
    monkeypatch.setattr(gan, "_r1_penalty", lambda _logits, _pictures, weight: weights.append(weight) or 0.0)
    game(changes={"minibatch": 2, "r1": 0.5, "lazy_r1": 3}).step(faces())
    assert weights == [1.0, 0, 0, 1.0]
    weights.clear()
    game(changes={"minibatch": 4, "r1": 0.5, "lazy_r1": 0}).step(faces())
    game(changes={"minibatch": 0, "r1": 0.5, "lazy_r1": 8}).step(faces())
    assert weights == [0.5, 0.5, 0.5], "without it every minibatch, and a batch in one piece always"


def test_a_step_draws_all_that_is_random_beforehand():
    one = game()
    noise, rates = one._draw_noise(8), [one._next_rates()]
    mine, global_ = one.random.get_state(), torch.get_rng_state()
    twin = copy.deepcopy(one)
    assert torch.equal(one._steps(faces(), noise, rates), twin._steps(faces(), noise, rates))
    assert torch.equal(mine, one.random.get_state()) and torch.equal(global_, torch.get_rng_state())


def test_in_bfloat16_weights_statistics_and_losses_stay_float32():
    one, exact = game(precision="bfloat16"), game()
    kinds = set()
    hook = one.netD.layer2[0].register_forward_hook(lambda _layer, _inputs, output: kinds.add(output.dtype))
    figures, expected = one.step(faces()), exact.step(faces())
    hook.remove()
    assert kinds == {torch.bfloat16} and figures.dtype == torch.float32
    assert torch.allclose(figures, expected, atol=0.05) and not torch.equal(figures, expected)
    state = [one.netG.state_dict(), one.netD.state_dict(), one.ema_G.state_dict()]
    state += [{str(k): v for k, v in values.items()} for values in one.optimizerD.state_dict()["state"].values()]
    floating = {v.dtype for values in state for v in values.values() if v.is_floating_point()}
    assert floating == {torch.float32}


def test_a_captured_batch_is_the_eager_one(monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")
    config = TrainConfig(**SMALL, changes={"r1": 0.1, "minibatch": 4, "lazy_r1": 2})
    captured = GAN(config, torch.device("cuda"))
    monkeypatch.setenv("ANIMEGAN_EAGER", "1")
    eager = GAN(config, torch.device("cuda"))
    assert captured.captured and not eager.captured
    for step in range(6):
        real = faces(step).cuda()
        assert torch.allclose(captured.step(real), eager.step(real), atol=0.02), step
    assert captured.captured and captured.captured.count == 6, "it is still the graph"


def test_spectral_norm_bounds_every_layer_in_place_of_batchnorm():
    one = game(changes={"spectral_norm": True})
    for step in range(8):
        one.step(faces(step))
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in one.netD.modules())
    for layer in one.netD.children():
        assert torch.linalg.matrix_norm(layer[0].weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)


def test_a_batch_can_be_learnt_in_parts():
    whole, parts = (game(changes={"minibatch": size, "r1": 0.0}) for size in (0, 4))
    real = faces(count=9)  # 4 and 5
    figures = torch.stack([whole.step(real[:5]), whole.step(real[5:])])
    assert torch.allclose(parts.step(real), figures.mean(0))
    for name, value in whole.netG.state_dict().items():
        assert torch.equal(value, parts.netG.state_dict()[name]), name
    assert game(changes={"minibatch": 16}).step(real[:8]).isfinite().all(), "a batch that is smaller stays whole"


def test_learning_rates_fall_with_the_number_of_steps_alone():
    one, steady = game(changes={"decay_after": 2, "lr_D": 3.0}), game(changes={"decay_after": 0, "lr_D": 3.0})
    told = []
    for step in range(4):
        one.step(faces(step))
        steady.step(faces(step))
        told.append([optimizer.param_groups[0]["lr"] for optimizer in (one.optimizerG, one.optimizerD)])
        same = torch.equal(one.netG.layer1[0].weight, steady.netG.layer1[0].weight)
        assert same == (step < 2), "the first steps are as they were without"
    lr = one.lr_G
    for got, pace in zip(told, (1, 1, 2 / 3, 1 / 2), strict=True):
        assert got == pytest.approx([lr * pace, 3 * lr * pace])
    later = game(changes={"decay_after": 2, "lr_D": 3.0})
    later.load_state_dict(one.state_dict())
    later.step(faces(9))
    assert later.optimizerG.param_groups[0]["lr"] == pytest.approx(lr * 2 / 5), "a run that is gone on with counts on"


def test_in_a_mixed_batch_D_judges_real_and_fake_at_once():
    """And else each by itself, also where both go through D's convolutions together."""
    dark, bright = faces() - 0.5, faces() + 0.5
    mixed, apart = (game(recipe="handout", changes={"mixed_batch": mixed}) for mixed in (True, False))
    netD = copy.deepcopy(mixed.netD)
    assert torch.equal(torch.cat(mixed._discriminate(bright, dark)), netD.logits(torch.cat([bright, dark])))
    assert mixed.step(faces()).isfinite().all()

    for slopes in (False, True):  # R1 takes another way
        netD = copy.deepcopy(apart.netD)
        got = apart._discriminate(bright.clone().requires_grad_(slopes), dark)
        wanted = netD.logits(bright), netD.logits(dark)
        for ours, theirs in zip(got, wanted, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(apart.netD.state_dict(), netD.state_dict())  # both are counted, the real ones first
        together = netD.logits(torch.cat([bright, dark]))
        assert not torch.allclose(got[0], together[: len(bright)], atol=1e-3)


def test_D_may_learn_at_a_rate_of_its_own():
    one = game(lr=0.001, changes={"lr_D": 0.25})
    assert one.optimizerD.param_groups[0]["lr"] == 0.00025 and one.optimizerG.param_groups[0]["lr"] == 0.001


@pytest.mark.parametrize("enlarge", ["k6s3", "resize"])
def test_other_last_layers_make_pictures_of_the_same_size_and_overlap_evenly(enlarge, tmp_path):
    one = game(changes={"enlarge": enlarge})
    one.step(faces())
    assert one.sampling_generator()(torch.randn(2, 16, 1, 1)).shape == (2, 3, 96, 96)
    netG = NetG(8, 16, enlarge)
    kernel = next(module for module in netG.layer5 if hasattr(module, "weight"))
    with torch.no_grad():
        kernel.weight.fill_(1.0)
        inner = netG.layer5[:-1](torch.ones(1, 8, 32, 32))[:, :, 9:-9, 9:-9]
    assert inner.std() < 1e-4, "equal weights make an even picture"


def test_same_seed_same_run_and_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = game(recipe="handout"), game(recipe="handout"), game(recipe="handout", seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.netG.layer1[0].weight, second.netG.layer1[0].weight)
    assert not torch.equal(first.netG.layer1[0].weight, other.netG.layer1[0].weight)


def test_patient_is_stable_with_another_pace():
    stable, patient = asdict(get_recipe("stable")), asdict(get_recipe("patient"))
    assert {name for name in stable if stable[name] != patient[name]} == {
        "ema", "minibatch", "decay_after", "r1", "lazy_r1"}  # fmt: skip


def test_recipes_can_be_changed_by_name():
    assert get_recipe("stable", {"ema": 0.5}).ema == 0.5
    for name, changes, message in (
        ("best", {}, "--recipe best is not known; choose handout or stable or patient"),
        ("stable", {"speed": 2}, "--set speed: no such ingredient"),
        ("stable", {"ema": 1.0}, "--set ema=1.0 is out of range: it takes 0 to below 1"),
        ("stable", {"ema": True}, "--set ema=True is not a number"),
        ("stable", {"loss": "best"}, "--set loss=best is not known; choose probabilities, logits or hinge"),
        ("stable", {"enlarge": 3}, "--set enlarge=3 is not a word"),
        ("stable", {"lr_D": -1}, "--set lr_D=-1 is out of range: it takes 0 to below 100"),
        ("stable", {"flips": 1}, "--set flips=1 is not true or false"),
        ("stable", {"minibatch": 1}, "takes 0, or 2 or more"),
        ("stable", {"decay_after": -3}, "--set decay_after=-3 is out of range: it takes 0, or 1 or more"),
        ("stable", {"decay_after": 0.5}, "--set decay_after=0.5 is not a whole number"),
        ("stable", {"minibatch": 0.0}, "--set minibatch=0.0 is not a whole number"),
        ("stable", {"shift": float("nan")}, "--set shift=nan is out of range: it takes 0 to below 1"),
    ):
        with pytest.raises(UserError, match=message):
            get_recipe(name, changes)
