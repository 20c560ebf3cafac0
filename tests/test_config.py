import math
from pathlib import Path

import pytest

from animegan.config import TrainConfig
from animegan.errors import UserError


def test_the_ten_options_have_the_handouts_names_and_defaults():
    ten = dict(list(TrainConfig().as_dict().items())[:10])
    assert ten == {
        "batchSize": 64, "imageSize": 96, "nz": 100, "ngf": 64, "ndf": 64, "epoch": 25,
        "lr": 0.0002, "beta1": 0.5, "data_path": "data/", "outf": "imgs/",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batchSize": 0}, "--batchSize 0 is out of range"),
        ({"batchSize": 1}, "--batchSize 1 is out of range: it takes 2 or more (BatchNorm needs at least 2"),
        ({"batchSize": 6.5}, "--batchSize 6.5 is not a whole number"),
        ({"imageSize": 64}, "--imageSize 64 does not fit this network"),
        ({"nz": 0}, "--nz 0 is out of range"),
        ({"ngf": -1}, "--ngf -1 is out of range"),
        ({"epoch": 0}, "--epoch 0 is out of range: it takes 1 or more"),
        ({"lr": 0}, "--lr 0 is out of range: it takes more than 0 (0.0002 is usual)"),
        ({"lr": -1e-3}, "--lr -0.001 is out of range"),
        ({"lr": math.nan}, "--lr nan is out of range"),
        ({"lr": math.inf}, "--lr inf is out of range"),
        ({"lr": "fast"}, "--lr 'fast' is not a number"),
        ({"beta1": 1}, "--beta1 1 is out of range"),
        ({"beta1": math.nan}, "--beta1 nan is out of range"),
        ({"seed": -1}, "--seed -1 is out of range"),
        ({"precision": "float16"}, "--precision 'float16' is not known"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_line(setting, message):
    with pytest.raises(UserError) as error:
        TrainConfig(**setting)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_settings_survive_as_plain_values():
    config = TrainConfig(lr=0.001, outf=Path("imgs") / "x", changes={"ema": 0.9})
    assert TrainConfig.from_dict(config.as_dict()) == config
    with pytest.raises(UserError, match="another version of animegan: unknown setting speed"):
        TrainConfig.from_dict({"speed": 1})
