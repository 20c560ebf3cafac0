import pytest
import torch

from animegan.errors import UserError
from animegan.models import NetD, NetG, check_image_size, format_shapes, init_weights, shape_table


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
