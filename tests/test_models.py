import itertools

import pytest
import torch

from animegan.config import check_image_size
from animegan.errors import UserError
from animegan.models import NetD, NetG, init_weights, spectral_norm
from animegan.shapes import conv_size, conv_transpose_size, format_shapes, shape_table


def test_shapes_are_those_of_the_handout():
    assert [row.output for row in shape_table(NetG())] == [
        (512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32), (3, 96, 96),
    ]  # fmt: skip
    assert [row.output for row in shape_table(NetD())] == [
        (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (1, 1, 1),
    ]  # fmt: skip
    assert [(row.kernel, row.stride, row.padding) for row in shape_table(NetG())] == [
        (4, 1, 0), (4, 2, 1), (4, 2, 1), (4, 2, 1), (5, 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("network", "parameters"), [(NetG(), 3_578_432), (NetD(), 2_767_424)])
def test_parameters_add_up(network, parameters):
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert sum(row.parameters for row in shape_table(network)) == parameters
    assert format_shapes(shape_table(network)).endswith(f"{parameters:,}")


def test_shape_table_follows_the_sizes_and_leaves_the_network_alone():
    network = NetG(ngf=8, nz=5)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert shape_table(network)[0].output == (64, 4, 4)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("enlarge", "kind", "kernel", "stride"),
    [("k5s3", "ConvTranspose2d", 5, 3), ("k6s3", "ConvTranspose2d", 6, 3), ("resize", "Upsample+Conv2d", 5, 1)],
)
def test_shape_table_knows_every_last_layer(enlarge, kind, kernel, stride):
    network = NetG(8, 8, enlarge)
    last = shape_table(network)[-1]
    assert (last.kind, last.kernel, last.stride, last.output) == (kind, kernel, stride, (3, 96, 96))
    assert sum(row.parameters for row in shape_table(network)) == sum(p.numel() for p in network.parameters())
    assert kind in format_shapes(shape_table(network))


def test_shape_table_counts_the_layers_that_spectral_norm_leaves():
    network = spectral_norm(NetD(8))
    assert [row.kind for row in shape_table(network)] == ["Conv2d"] * 5
    assert [row.output for row in shape_table(network)] == [row.output for row in shape_table(NetD(8))]
    without_batchnorm = sum(row.parameters for row in shape_table(NetD(8))) - 2 * (8 + 16 + 32 + 64)
    assert sum(row.parameters for row in shape_table(network)) == without_batchnorm


def test_logits_are_the_verdict_before_the_sigmoid():
    network, x = NetD(8), torch.rand(4, 3, 96, 96)
    network.eval()
    assert torch.allclose(network(x).flatten(), network.logits(x).sigmoid())
    assert network(x).shape == (4, 1, 1, 1)


def test_init_weights_draws_from_the_papers_distribution():
    network = init_weights(NetG(), torch.Generator().manual_seed(0))
    for layer in network.children():
        assert abs(layer[0].weight.mean()) < 0.002
        assert layer[0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert network.layer1[1].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert network.layer1[1].weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert not network.layer1[1].bias.any()
    again = init_weights(NetG(), torch.Generator().manual_seed(0))
    assert torch.equal(network.layer3[0].weight, again.layer3[0].weight)


def test_weights_cross_over_to_and_from_the_handout(handout):
    z, x = torch.randn(4, 100, 1, 1), torch.rand(4, 3, 96, 96) * 2 - 1
    for ours, theirs, data in (
        (NetG(64, 100), handout.NetG(64, 100), z),
        (NetG(32, 50), handout.NetG(32, 50), z[:, :50]),
        (NetD(64), handout.NetD(64), x),
        (NetD(32), handout.NetD(32), x),
    ):
        for source, target in ((ours, theirs), (theirs, ours)):
            for parameter in source.parameters():
                torch.nn.init.normal_(parameter, 0.1, 0.1)
            source.train()(data)  # BatchNorm's running statistics must cross over too
            target.load_state_dict(source.state_dict(), strict=True)
            assert list(source.state_dict()) == list(target.state_dict())
            with torch.no_grad():
                assert torch.equal(source.eval()(data), target.eval()(data))
                assert torch.equal(source.train()(data), target.train()(data))


def test_another_image_size_is_refused_with_the_reason():
    check_image_size(96)
    with pytest.raises(UserError, match="--imageSize 64 .* 4, 8, 16, 32 .* 96"):
        check_image_size(64)


@pytest.mark.parametrize("layer", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_sizes_are_pytorchs_for_every_layer_that_can_be(layer):
    size_of = conv_size if layer is torch.nn.Conv2d else conv_transpose_size
    possible = 0
    for kernel, stride, padding, size in itertools.product((1, 3, 4, 5), (1, 2, 3), (0, 1, 2, 4), (1, 2, 4, 7, 32)):
        x = torch.zeros(1, 1, size, size)
        try:
            output = layer(1, 1, kernel, stride, padding)(x).shape[-1]
        except RuntimeError:
            output = 0
        if not output:  # some versions of PyTorch raise, others return an empty tensor
            with pytest.raises(UserError):
                size_of(size, kernel, stride, padding)
        else:
            assert size_of(size, kernel, stride, padding) == output
            possible += 1
    assert 150 < possible < 240  # of 240: both answers were asked for


def test_sizes_are_those_of_the_handout():
    size = 1
    for row, expected in zip(shape_table(NetG(8, 8)), (4, 8, 16, 32, 96), strict=True):
        size = conv_transpose_size(size, row.kernel, row.stride, row.padding)
        assert size == expected
    for row, expected in zip(shape_table(NetD(8)), (32, 16, 8, 4, 1), strict=True):
        size = conv_size(size, row.kernel, row.stride, row.padding)
        assert size == expected


@pytest.mark.parametrize("size_of", [conv_size, conv_transpose_size])
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((0, 3, 1, 0), "size 0 is impossible: give a whole number of 1 or more"),
        ((8, 0, 1, 0), "kernel 0 is impossible"),
        ((8, 3, 0, 0), "stride 0 is impossible"),
        ((8, 3, 1, -1), "padding -1 is impossible: give a whole number of 0 or more"),
        ((8.0, 3, 1, 0), "size 8.0 is impossible"),
        ((8, True, 1, 0), "kernel True is impossible"),
    ],
)
def test_an_impossible_layer_is_told_in_one_line(size_of, arguments, line):
    with pytest.raises(UserError) as caught:
        size_of(*arguments)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_layers_that_leave_nothing_say_what_to_change():
    with pytest.raises(UserError, match="kernel of 5 does not fit into an input of 2: take a smaller kernel"):
        conv_size(2, 5, 1, 0)
    with pytest.raises(UserError, match="input of 2 and padding 1 on both sides"):
        conv_size(2, 5, 1, 1)
    with pytest.raises(UserError, match="padding 2 takes 4 pixels away, and without it there would be 4: .* smaller"):
        conv_transpose_size(1, 4, 2, 2)
