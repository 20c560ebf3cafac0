"""`animegan bench`: what it times, and what it says."""

import sys

import pytest
import torch
from conftest import TINY

from animegan import bench
from animegan.bench import Speed, measure_speed, peak_memory
from animegan.cli import main
from animegan.config import TrainConfig

SMALL = {name: TINY[name] for name in ("batchSize", "ngf", "ndf", "nz")}


def test_every_recipe_size_precision_and_number_of_threads_is_timed_in_turns(monkeypatch, capsys):
    monkeypatch.setattr(bench, "SIZES", {"quick": (SMALL, 64), "full": ({**SMALL, "ngf": 16}, 128)})
    measured = []
    monkeypatch.setattr(bench, "peak_memory", lambda config: (measured.append(config), 100.0 * config.ngf)[1])
    monkeypatch.setattr(bench, "choose_precision", lambda *_: "bfloat16")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda _count: None)
    speeds = bench.bench("cpu", seconds=0.0, turns=2)
    assert [speed[:4] for speed in speeds[:4]] == [
        ("quick", "handout", "float32", 1), ("quick", "handout", "float32", 2),
        ("quick", "handout", "bfloat16", 1), ("quick", "handout", "bfloat16", 2),
    ]  # fmt: skip
    assert len(speeds) == 2 * 2 * 2 * 2 and all(len(speed.images_per_second) == 2 for speed in speeds)
    assert {speed.memory for speed in speeds} == {800.0, 1600.0} and len(measured) == 8, "once for all threads"
    (row,) = bench.markdown(speeds, "cpu").splitlines()
    chosen = [speed for speed in speeds if speed[1:4] == ("stable", "bfloat16", 2)]
    for speed in chosen:
        assert f"{speed.median:.0f} images/s in bfloat16" in row
    assert row.count("|") == 4 and torch.__version__ in row
    usual = bench.bench("cpu", seconds=0.0, turns=2, usual_only=True)
    assert [speed[:4] for speed in usual] == [speed[:4] for speed in chosen]
    monkeypatch.setattr(bench, "bench", lambda device, usual_only: chosen if usual_only else speeds)
    assert main(["bench", "--device", "cpu"]) == 0 and "64 (quick) and 128 (full)" in capsys.readouterr().out
    assert main(["bench", "--device", "cpu", "--markdown"]) == 0 and capsys.readouterr().out == row + "\n"


def test_the_table_shows_the_median_the_spread_and_the_time_of_25_epochs():
    lines = bench.text([Speed("quick", "stable", "float32", 2, [100.0, 200.0, 400.0], None)]).splitlines()
    assert lines[1].split() == ["quick", "stable", "float32", "2", "200", "100", "to", "400", "3.2", "min"]
    assert lines[1].index("3.2 min") == lines[0].index("25 epochs"), "the columns are aligned"


def test_settings_are_timed_in_turn_with_the_threads_that_are_asked_for(monkeypatch):
    order, threads = [], []
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    step = bench.GAN.step
    monkeypatch.setattr(bench.GAN, "step", lambda gan, real: (order.append(gan.nz), step(gan, real))[1])
    configs = {nz: TrainConfig(**{**SMALL, "nz": nz}, device="cpu") for nz in (4, 5)}
    speeds = measure_speed(configs, seconds=0, turns=2, threads={4: 1, 5: 3})
    assert order == [4, 4, 5, 5, 4, 4, 5, 5] and threads[::2] == [1, 3, 1, 3]
    assert all(len(turns) == 2 and min(turns) > 0 for turns in speeds.values())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process's memory")
def test_the_peak_of_memory_is_that_of_a_process_of_its_own():
    taken = torch.zeros(2**28)  # 1 GiB, here
    small = peak_memory(TrainConfig(**SMALL, device="cpu"))
    assert 100 < small < 1000, f"{small} MiB, and not the {taken.nbytes >> 20} of this process"


def test_a_device_that_is_missing_is_one_line(capsys):
    assert main(["bench", "--device", "cuda:7"]) == 2
    assert "--device cuda:7 is not available" in capsys.readouterr().err
