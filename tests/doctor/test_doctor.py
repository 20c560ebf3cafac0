"""The doctor's judgements: of machines of every kind, from facts, and of the one that the tests run on."""

import ast
import importlib.util
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import pytest
import torch
from conftest import count_calls

from animegan import SPIN_LIMITS
from animegan.config import TrainConfig
from animegan.doctor import CHECKS, Finding, checkup, examine, has_failed, machine, report
from animegan.doctor.machine import GIB, MIB, Gpu, Machine, Networks, Smi, Torch, Torchvision, count_networks, read_smi
from animegan.gan import GAN
from animegan.models import NetD, NetG

TABLE = """\
Wed Jan 24 15:18:40 2024
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.14              Driver Version: 550.54.14      CUDA Version: 12.4     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
"""
NEW_TABLE = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 610.43.02              KMD Version: 610.43.02     CUDA UMD Version: 13.3     |
+-----------------------------------------+------------------------+----------------------+
"""
ROWS = "NVIDIA GeForce RTX 3060, 8.6, 12288, 11903\nNVIDIA GeForce GTX 1080 Ti, 6.1, 11264, 11000\n"
SILENT = """\
NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest \
NVIDIA driver is installed and running.
"""
TOO_OLD = "CUDA initialization: The NVIDIA driver on your system is too old (found version 12040)."

RTX = Gpu("NVIDIA GeForce RTX 3060", (8, 6), 12 * GIB, 11 * GIB)
PASCAL = RTX._replace(name="NVIDIA GeForce GTX 1060", capability=(6, 1))
BLACKWELL = RTX._replace(name="NVIDIA GeForce RTX 5070", capability=(12, 0))
CUDA_13 = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
CPU_TORCH = Torch(version="2.15.0+cpu")
CUDA_TORCH = Torch(version="2.15.0+cu130", cuda="13.0", architectures=CUDA_13, gpu=RTX)
BLIND_TORCH = CUDA_TORCH._replace(gpu=None)  # built for CUDA, but sees no GPU
NO_TORCH = {"torch": Torch(trouble="not installed"), "networks": None}
NO_GPU = {"smi": None, "nvidia_built_in": False}
SMI = Smi("580.65.06", (13, 0), (RTX,))
NETWORKS = Networks(3_578_432, 2_767_424, 301_056, 245_762)
HEALTHY = {
    "python": (3, 12, 4),
    "executable": "/opt/conda/envs/animegan/bin/python",
    "system": "Linux",
    "environment": ("conda", "animegan"),
    "torch_from_conda": False,
    "torch": CUDA_TORCH,
    "torchvision": Torchvision("0.30.0+cu130", "==2.15.0"),
    "smi": SMI,
    "nvidia_built_in": True,
    "visible_devices": None,
    "spin_limited": True,
    "wait_policy": SPIN_LIMITS,
    "networks": NETWORKS,
    "free_disk": 50 * GIB,
    "folder_trouble": "",
    "missing_packages": (),
    "kernels": {"python3": "/usr/bin/python3", "animegan": "/opt/conda/envs/animegan/bin/python3.12"},
}


def diagnose(topic: str, **facts) -> Finding:
    """The finding on one topic for a healthy machine that differs in some facts."""
    assert facts.keys() <= HEALTHY.keys()
    findings = examine(machine=Machine(**{**HEALTHY, **facts}))
    return next(finding for finding in findings if finding.topic == topic)


def wheels(finding: Finding) -> list[str]:
    """The PyTorch builds that the steps of a finding name, in order."""
    steps = finding.fix.splitlines()
    return [step.rpartition("/whl/")[2] for step in steps if "--index-url" in step]


def test_the_healthy_machine_presets_every_fact():
    found_later = {name for name, value in vars(Machine).items() if isinstance(value, cached_property)}
    assert found_later | (vars(Machine()).keys() - {"folder"}) == HEALTHY.keys()


def test_a_healthy_machine_is_all_ok():
    findings = examine(machine=Machine(**HEALTHY))
    assert [finding.topic for finding in findings] == list(CHECKS)
    assert {finding.status for finding in findings} == {"OK"}
    assert not has_failed(findings)
    assert not any(finding.fix for finding in findings)


# topic, facts, status, a word of the message, a word of the fix
CASES = {
    "python oldest": ("Python", {"python": (3, 10, 0)}, "OK", "3.10.0 on Linux", ""),
    "python newest": ("Python", {"python": (3, 13, 9)}, "OK", "3.13.9", ""),
    "python too old": ("Python", {"python": (3, 9, 18)}, "FAIL", "too old", "conda env create"),
    "python untested": ("Python", {"python": (3, 14, 0)}, "WARN", "newer", "conda env create"),
    "base": ("environment", {"environment": ("conda", "base")}, "WARN", "base", "conda activate animegan"),
    "venv": ("environment", {"environment": ("venv", "/home/a/.venv")}, "OK", "venv /home/a/.venv", ""),
    "no environment": ("environment", {"environment": ("none", "/usr")}, "WARN", "/usr", "conda env create"),
    "torch missing": ("PyTorch", {**NO_TORCH, "environment": ("venv", "v")},
        "FAIL", "not installed", "pip install torch torchvision"),
    "torch missing in conda": ("PyTorch", NO_TORCH, "FAIL", "not installed", "conda install -c conda-forge"),
    "torch broken": ("PyTorch", {"torch": Torch(trouble="DLL load failed"), "system": "Windows", "networks": None},
        "FAIL", "DLL load failed", "vc_redist"),
    "torch too old": ("PyTorch", {"torch": Torch("2.5.1+cu121", "12.1")}, "FAIL", "2.5.1", "uninstall"),
    "torch oldest": ("PyTorch", {"torch": Torch("2.6.0+cu124", "12.4")}, "OK", "CUDA 12.4", ""),
    "torch two digits": ("PyTorch", {"torch": Torch("2.10.0")}, "OK", "2.10.0, built for the CPU", ""),
    "torch rocm": ("PyTorch", {"torch": Torch("2.9.0+rocm6.4", rocm="6.4")}, "OK", "ROCm 6.4", ""),
    "torch mps": ("PyTorch", {"torch": Torch("2.9.0", mps=True)}, "OK", "MPS", ""),
    "torchvision missing": ("torchvision", {"torchvision": Torchvision(trouble="not installed")},
        "FAIL", "not installed", "torch torchvision"),
    "torchvision broken": (
        "torchvision", {"torchvision": Torchvision(trouble="operator torchvision::nms does not exist")},
        "FAIL", "does not fit PyTorch 2.15.0+cu130: operator", "pip uninstall -y torch torchvision"),
    "torchvision of another torch": ("torchvision", {"torchvision": Torchvision("0.21.0", "==2.6.0")},
        "FAIL", "0.21.0 needs PyTorch ==2.6.0, not 2.15.0", "torch torchvision"),
    "torchvision of a newer torch": (
        "torchvision", {"torchvision": Torchvision("0.40.0", ">=2.16.0")}, "FAIL", ">=2.16.0", "torchvision"),
    "torchvision of an older torch": (
        "torchvision", {"torchvision": Torchvision("0.29.2", ">=2.14.0")}, "OK", "0.29.2", ""),
    "torchvision without torch": ("torchvision", NO_TORCH, "WARN", "before the PyTorch line", "PyTorch"),
    "threads": ("threads", {}, "OK", "sleep while other programs need the cores", ""),
    "threads, PyTorch first": ("threads", {"spin_limited": False}, "WARN", "PyTorch was loaded before", "make lab"),
    "threads, passive": ("threads", {"wait_policy": {"OMP_WAIT_POLICY": "passive"}}, "OK", "as you have set", ""),
    "threads, active": ("threads", {"wait_policy": {"OMP_WAIT_POLICY": "active"}}, "WARN", "never", "OMP_WAIT_POLICY"),
    "driver": ("NVIDIA driver", {}, "OK", "580.65.06, for CUDA up to 13.0, NVIDIA GeForce RTX 3060", ""),
    "driver, no smi": ("NVIDIA driver", {"smi": None}, "OK", "as PyTorch shows", ""),
    "no driver on Linux": ("NVIDIA driver", {"smi": None, "torch": BLIND_TORCH},
        "WARN", "missing, though there is an NVIDIA GPU", "sudo ubuntu-drivers install"),
    "no driver on Windows": ("NVIDIA driver", {"smi": None, "torch": CPU_TORCH, "system": "Windows"},
        "WARN", "missing", "https://www.nvidia.com/drivers"),
    "no driver in WSL": ("NVIDIA driver", {"smi": None, "torch": BLIND_TORCH, "system": "WSL"},
        "WARN", "missing", "in Windows, not in WSL"),
    "no driver, no toolkit": (
        "NVIDIA driver", {"smi": None, "torch": BLIND_TORCH}, "WARN", "missing", "no CUDA toolkit is needed"),
    "driver silent": ("NVIDIA driver", {"smi": read_smi(SILENT), "torch": BLIND_TORCH},
        "WARN", "couldn't communicate", "Secure Boot"),
    "driver without GPU": (
        "NVIDIA driver", {"smi": read_smi("No devices were found\n"), "nvidia_built_in": False, "torch": CPU_TORCH},
        "OK", "none needed", ""),
    "no GPU, no driver": ("NVIDIA driver", {"torch": CPU_TORCH, **NO_GPU}, "OK", "none needed", ""),
    "gpu used": ("GPU", {}, "OK", "NVIDIA GeForce RTX 3060, compute capability 8.6", ""),
    "gpu, CPU build": ("GPU", {"torch": CPU_TORCH}, "WARN", "without CUDA", "whl/cu130"),
    "gpu, CPU build by conda": ("GPU", {"torch": CPU_TORCH, "torch_from_conda": True},
        "WARN", "without CUDA", "pytorch-gpu torchvision"),
    "gpu, driver too old": ("GPU", {"torch": BLIND_TORCH, "smi": Smi("550.54.14", (12, 4), (RTX,))},
        "WARN", "driver 550.54.14 is too old for PyTorch with CUDA 13.0, which needs 580", "whl/cu126"),
    "gpu, driver too old, update": ("GPU", {"torch": BLIND_TORCH, "smi": Smi("550.54.14", (12, 4), (RTX,))},
        "WARN", "too old", "sudo ubuntu-drivers install"),
    "gpu, driver too old, as torch says": (
        "GPU", {"torch": BLIND_TORCH._replace(gpu_trouble=TOO_OLD)}, "WARN", "too old for PyTorch", "reboot"),
    "gpu, driver of the same major is new enough": (
        "GPU", {"torch": BLIND_TORCH._replace(cuda="13.4")}, "WARN", "PyTorch does not say why", "restart"),
    "gpu, no driver": ("GPU", {"torch": BLIND_TORCH, "smi": None},
        "WARN", "before the NVIDIA driver line", "NVIDIA driver, above"),
    "gpu, driver silent": (
        "GPU", {"torch": BLIND_TORCH, "smi": read_smi(SILENT)}, "WARN", "before the NVIDIA driver", "above"),
    "gpu hidden by -1": ("GPU", {"torch": BLIND_TORCH, "visible_devices": "-1"},
        "WARN", 'CUDA_VISIBLE_DEVICES is "-1"', "unset CUDA_VISIBLE_DEVICES"),
    "gpu hidden by nothing": ("GPU", {"torch": BLIND_TORCH, "visible_devices": "", "system": "Windows"},
        "WARN", 'CUDA_VISIBLE_DEVICES is ""', "Remove-Item Env:CUDA_VISIBLE_DEVICES"),
    "gpu, unknown reason": ("GPU", {"torch": BLIND_TORCH._replace(gpu_trouble="CUDA unknown error")},
        "WARN", "CUDA unknown error", "restart the computer"),
    "no gpu": ("GPU", {"torch": CPU_TORCH, **NO_GPU}, "OK", "training runs on the CPU", ""),
    "no gpu, CUDA build": ("GPU", {"torch": BLIND_TORCH, **NO_GPU}, "OK", "--quick", ""),
    "gpu of Apple": ("GPU", {"torch": Torch("2.9.0", mps=True), **NO_GPU, "system": "macOS"}, "OK", "MPS", ""),
    "gpu of AMD": ("GPU", {"torch": Torch("2.9.0", rocm="6.4", architectures=("gfx1100",), gpu=RTX), "smi": None},
        "OK", "RTX 3060", ""),
    "gpu too old for the build": (
        "GPU", {"torch": CUDA_TORCH._replace(gpu=PASCAL), "smi": SMI._replace(gpus=(PASCAL,))},
        "FAIL", "compute capability 6.1: this PyTorch build has no code for it", "whl/cu126"),
    "gpu too new for the build": (
        "GPU", {"torch": CUDA_TORCH._replace(architectures=("sm_80", "sm_90"), gpu=BLACKWELL),
        "smi": SMI._replace(gpus=(BLACKWELL,))},
        "FAIL", "no code for it", "whl/cu130"),
    "gpu too old for all": ("GPU", {"torch": CUDA_TORCH._replace(gpu=RTX._replace(capability=(3, 5)))},
        "FAIL", "no code for it", "--device cpu"),
    "gpu fails": ("GPU", {"torch": CUDA_TORCH._replace(gpu_trouble="CUDA error: out of memory")},
        "FAIL", "out of memory", "--device cpu"),
    "memory": ("GPU memory", {}, "OK", "11.0 of 12.0 GiB free, enough for --batchSize 1024", ""),
    "memory taken": ("GPU memory", {"torch": CUDA_TORCH._replace(gpu=RTX._replace(free=800 * MIB))},
        "WARN", "enough for --batchSize 16", "animegan train --batchSize 16"),
    "memory all taken": ("GPU memory", {"torch": CUDA_TORCH._replace(gpu=RTX._replace(free=100 * MIB))},
        "WARN", "0.1 of 12.0", "--device cpu"),
    "memory, no gpu": ("GPU memory", {"torch": CPU_TORCH}, "OK", "main memory", ""),
    "disk": ("disk", {}, "OK", "50.0 GiB free; a run of 25 epochs takes 0.8 GiB", ""),
    "disk without torch": ("disk", {"networks": None}, "OK", "50.0 GiB free", ""),
    "disk enough": ("disk", {"free_disk": 2 * GIB}, "OK", "2.0 GiB free", ""),
    "disk small": ("disk", {"free_disk": 2 * GIB - 1}, "WARN", "GiB free", "--outf"),
    "disk nearly full": ("disk", {"free_disk": 200 * MIB}, "WARN", "0.2 GiB", "free some space"),
    "disk full": ("disk", {"free_disk": 200 * MIB - 1}, "FAIL", "0.2 GiB", "free some space"),
    "disk read-only": ("disk", {"folder_trouble": "Read-only"}, "FAIL", "Read-only", "folder of your"),
    "notebooks": ("notebooks", {"missing_packages": ("ipywidgets",)}, "WARN", "ipywidgets", ".[notebooks]"),
    "kernel": ("Jupyter kernel", {}, "OK", '"animegan" runs this Python', ""),
    "kernel of another Python": (
        "Jupyter kernel", {"kernels": {"python3": "/usr/bin/python3", "old": "/opt/conda/bin/python"}},
        "WARN", "none runs this Python", "python -m ipykernel install --user --name animegan"),
    "kernel of this Jupyter": ("Jupyter kernel", {"kernels": {"python3": "python"}}, "OK", "jupyter lab", ""),
    "kernel without a Jupyter": (
        "Jupyter kernel", {"kernels": {"python3": "python"}, "missing_packages": ("jupyterlab",)},
        "WARN", "none runs", "ipykernel install"),
    "no ipykernel": ("Jupyter kernel", {"missing_packages": ("ipykernel",)},
        "WARN", "before the notebooks line", "notebooks"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_judgement(case):
    topic, facts, status, message, fix = CASES[case]
    finding = diagnose(topic, **facts)
    assert finding.status == status, finding
    assert message in finding.message
    assert fix in finding.fix
    assert bool(finding.fix) == (status != "OK")  # what is not in order says how to fix it
    assert not any(line.startswith("->") or not line.strip() for line in finding.fix.splitlines())


@pytest.mark.parametrize(
    ("capability", "cuda", "build"),
    [
        ((8, 6), (13, 3), "cu130"),
        ((8, 6), (12, 4), "cu126"),
        ((7, 5), (13, 0), "cu130"),
        ((7, 0), (13, 0), "cu126"),  # CUDA 13 has no code for Volta
        ((12, 0), (12, 8), "cu130"),  # CUDA 12.6 has none for Blackwell
        ((8, 6), (11, 4), "cu130"),
    ],
)
def test_the_build_to_install_suits_gpu_and_driver(capability, cuda, build):
    smi = Smi("1.0", cuda, (RTX._replace(capability=capability),))
    finding = diagnose("GPU", torch=CPU_TORCH, smi=smi)
    assert wheels(finding) == [build]
    # If the driver cannot run the build, a new driver comes first.
    assert ("ubuntu-drivers" in finding.fix.splitlines()[0]) == (cuda[0] < int(build[2:4]))


OLD_ROWS = 'Field "compute_cap" is not a valid field to query.\n'
OLD_TABLE = TABLE.replace("550.54.14", "470.199.02").replace("12.4", "11.4")


@pytest.mark.parametrize("torch_now", [BLIND_TORCH, CPU_TORCH, Torch(trouble="not installed")])
def test_a_gpu_whose_driver_does_not_tell_its_age_gets_a_build_for_old_ones_too(torch_now):
    smi, topic = read_smi(OLD_TABLE, OLD_ROWS), "PyTorch" if torch_now.trouble else "GPU"
    assert (smi.driver, smi.gpus) == ("470.199.02", ())
    finding = diagnose(topic, torch=torch_now, smi=smi, environment=("venv", "v"))
    assert wheels(finding) == ["cu126"], finding
    assert "ubuntu-drivers" in finding.fix.splitlines()[0], "which needs a newer driver"
    new = diagnose("GPU", torch=CPU_TORCH, smi=read_smi(NEW_TABLE, "NVIDIA GB10, 12.1, [N/A], [N/A]\n"))
    assert wheels(new) == ["cu130"], "a new driver that says nothing about memory runs a new GPU"


def test_a_pascal_gpu_gets_another_build_with_its_driver():
    smi = Smi("520.61.05", (11, 8), (PASCAL,))
    assert wheels(diagnose("GPU", torch=BLIND_TORCH, smi=smi)) == ["cu126"]


@pytest.mark.parametrize("devices", [None, [], [("0x8086", "0x030000")], [("0x10de", "0x030000")]])
def test_a_driver_that_does_not_answer_stands_for_a_gpu_where_no_list_can_be_read(devices, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "PCI_DEVICES", tmp_path / "devices")
    for number, (vendor, kind) in enumerate(devices or []):
        (tmp_path / "devices" / str(number)).mkdir(parents=True)
        (tmp_path / "devices" / str(number) / "vendor").write_text(vendor)
        (tmp_path / "devices" / str(number) / "class").write_text(kind)
    (tmp_path / "devices").mkdir(exist_ok=True) if devices == [] else None
    facts = {name: fact for name, fact in HEALTHY.items() if name != "nvidia_built_in"} | {"torch": BLIND_TORCH}

    def judge(smi):
        findings = examine(machine=Machine(**{**facts, "smi": smi}))
        return [finding for finding in findings if finding.topic in ("NVIDIA driver", "GPU")]

    mismatch = read_smi("Failed to initialize NVML: Driver/library version mismatch\n")
    driver, gpu = judge(mismatch)
    if devices == [("0x8086", "0x030000")]:
        assert driver.message == "none needed: there is no NVIDIA GPU"
    else:
        assert driver.status == "WARN" and "Driver/library version mismatch" in driver.message
        assert gpu.status == "WARN" and "before the NVIDIA driver line" in gpu.message
    if not devices:
        assert [finding.status for finding in judge(None)] == ["OK", "OK"]
        assert [finding.status for finding in judge(read_smi("No devices were found\n"))] == ["OK", "OK"]


def test_keeping_an_old_driver_is_offered_only_if_a_build_runs_on_it():
    for smi, offered in ((Smi("550.0", (12, 4), (RTX,)), True), (Smi("570.0", (12, 8), (BLACKWELL,)), False)):
        assert ("keep the driver" in diagnose("GPU", torch=BLIND_TORCH, smi=smi).fix) is offered


def test_a_computer_without_gpu_gets_the_small_cpu_build():
    facts = {**NO_GPU, **NO_TORCH, "environment": ("venv", "v")}
    assert wheels(diagnose("PyTorch", **facts)) == ["cpu"]
    assert "index-url" not in diagnose("PyTorch", system="macOS", **facts).fix
    assert "uninstall" not in diagnose("PyTorch", **facts).fix
    # With an NVIDIA GPU, the line about the driver asks for a new one.
    assert wheels(diagnose("PyTorch", **{**facts, "nvidia_built_in": True})) == ["cu130"]


@pytest.mark.parametrize(
    ("architectures", "capability", "carried"),
    [
        (("sm_80", "sm_86"), (8, 9), True),  # machine code runs on later GPUs of its generation
        (("sm_86",), (8, 0), False),
        (("sm_80",), (9, 0), False),
        (("sm_80", "compute_80"), (9, 0), True),  # PTX is compiled for whatever comes later
        (("sm_90a", "sm_100", "sm_120"), (12, 0), True),
    ],
)
def test_architectures(architectures, capability, carried):
    build = CUDA_TORCH._replace(architectures=architectures, gpu=RTX._replace(capability=capability))
    assert (diagnose("GPU", torch=build).status == "OK") is carried


def test_nvidia_smi_is_read():
    smi = read_smi(TABLE, ROWS)
    assert (smi.driver, smi.cuda, smi.trouble) == ("550.54.14", (12, 4), "")
    assert smi.gpus[0] == Gpu("NVIDIA GeForce RTX 3060", (8, 6), 12288 * MIB, 11903 * MIB)
    assert smi.gpus[1].capability == (6, 1)
    assert read_smi(NEW_TABLE)[:2] == ("610.43.02", (13, 3))
    assert read_smi(TABLE, 'Field "compute_cap" is not a valid field to query.\n').gpus == ()
    assert read_smi(TABLE, "NVIDIA GB10, 12.1, [N/A], [N/A]\n").gpus == ()
    assert read_smi(SILENT).trouble.startswith("NVIDIA-SMI has failed because it couldn't communicate")
    assert read_smi("").trouble


def test_a_program_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(machine, "SECONDS_TO_ANSWER", 0.2)
    assert machine._answer(sys.executable, "-c", "import time; time.sleep(60)") == "no answer within 0.2 seconds"
    assert machine._answer("animegan-no-such-program")
    assert machine._answer(sys.executable, "-c", "print('yes')") == "yes\n"


def test_the_networks_are_counted():
    before = torch.get_rng_state()
    assert count_networks() == NETWORKS
    assert torch.equal(torch.get_rng_state(), before)  # counting leaves the random numbers alone
    assert NETWORKS[0] == sum(weight.numel() for weight in NetG(64, 100).parameters())
    assert NETWORKS[1] == sum(weight.numel() for weight in NetD(64).parameters())
    assert count_networks(ngf=32).weights_G < NETWORKS.weights_G


def test_the_estimate_covers_what_autograd_keeps():
    netG, netD, batch, kept = NetG(16, 100), NetD(16), 8, {}
    held = [*netG.state_dict().values(), *netD.state_dict().values()]
    weights = {tensor.untyped_storage().data_ptr() for tensor in held}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        verdicts = netD.logits(netG(torch.randn(batch, 100, 1, 1)))
    assert verdicts.requires_grad  # it keeps the stored tensors alive until here
    networks = count_networks(16, 16)
    estimate = networks.memory(batch) - networks.memory(0)
    assert 1 <= estimate / sum(kept.values()) < 2


def test_the_disk_holds_both_networks_per_epoch_and_the_checkpoint_twice():
    def size(part) -> int:
        if isinstance(part, dict):
            return sum(map(size, part.values()))
        return part.nbytes if isinstance(part, torch.Tensor) else 0

    gan = GAN(TrainConfig(ngf=16, ndf=16, batchSize=2, recipe="stable"), torch.device("cpu"))
    gan.step(torch.zeros(2, 3, 96, 96))  # before, Adam has no moments
    networks = count_networks(16, 16)
    assert networks.disk(1) - networks.disk(0) == 4 * (networks.weights_G + networks.weights_D)
    checkpoint = size(gan.state_dict())
    assert networks.disk(0) / 2 == pytest.approx(checkpoint, rel=0.03)  # without BatchNorm's running means


def test_more_memory_allows_larger_batches():
    batches = [NETWORKS.largest_batch(free * 64 * MIB) for free in range(100)]
    assert batches == sorted(batches)
    assert batches[0] == 0 and batches[-1] == 1024
    assert all(batch & (batch - 1) == 0 for batch in batches)
    for batch in (2, 64, 1024):
        assert NETWORKS.largest_batch(NETWORKS.memory(batch)) == batch
        assert NETWORKS.largest_batch(NETWORKS.memory(batch) - 1) == (batch // 2 if batch > 2 else 0)
    assert NETWORKS.memory(64) == 600 * MIB + 4 * (4 * 6_345_856 + 3_578_432 + 64 * 792_580)


def test_the_usual_settings_are_the_defaults_of_training():
    assert (TrainConfig().batchSize, TrainConfig().epoch) == (checkup.USUAL_BATCH, checkup.USUAL_EPOCHS)


def test_a_check_that_fails_is_a_warning(monkeypatch):
    def broken(_machine):
        raise OSError("a disk of\ncheese")

    monkeypatch.setitem(CHECKS, "disk", broken)
    finding = diagnose("disk")
    assert finding[:3] == ("WARN", "disk", "could not be checked: OSError: a disk of cheese")
    assert finding.fix
    assert diagnose("GPU").status == "OK"


def test_a_fact_that_cannot_be_found_affects_only_its_own_lines(monkeypatch):
    monkeypatch.setattr(Machine, "kernels", property(lambda self: 1 / 0))
    facts = {name: fact for name, fact in HEALTHY.items() if name != "kernels"}
    statuses = {finding.topic: finding.status for finding in examine(machine=Machine(**facts))}
    assert [topic for topic, status in statuses.items() if status != "OK"] == ["Jupyter kernel"]


def test_the_report_is_aligned_ascii():
    findings = [
        Finding("OK", "Python", "3.12"),
        Finding("WARN", "Jupyter kernel", "none", "do this\nthen that"),
        Finding("FAIL", "disk", "cannot write to C:\\动漫", "free some space"),
    ]
    lines = report(findings).splitlines()
    assert lines == [
        "[OK]   Python          3.12",
        "[WARN] Jupyter kernel  none",
        "                       -> do this",
        "                       -> then that",
        "[FAIL] disk            cannot write to C:\\\\u52a8\\u6f2b",
        "                       -> free some space",
        "",
        "1 FAIL, 1 WARN: fix what FAILs, then run this again",
    ]
    assert has_failed(findings) and not has_failed(findings[:2])
    assert report(findings[:2]).endswith("0 FAIL, 1 WARN: ready to train")


def test_this_machine(tmp_path, monkeypatch):
    asked, counted = count_calls(monkeypatch, subprocess, "run"), count_calls(monkeypatch, machine, "count_networks")
    findings = examine(tmp_path)
    assert len(counted) == 1 and len(asked) <= 2, "each fact is found once; the driver of a GPU is asked twice"
    assert [finding.topic for finding in findings] == list(CHECKS)
    assert not [finding for finding in findings if "could not be checked" in finding.message]
    assert not has_failed(findings), report(findings)
    assert torch.__version__ in report(findings)


def test_a_folder_that_does_not_exist_fails(tmp_path):
    facts = {name: fact for name, fact in HEALTHY.items() if name not in ("free_disk", "folder_trouble")}
    machine = Machine(tmp_path / "nowhere", **facts)
    disk = next(finding for finding in examine(machine=machine) if finding.topic == "disk")
    assert disk.status == "FAIL" and "nowhere" in disk.message


def test_a_broken_torch_is_found_in_a_fresh_python(tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('[WinError 126] c10.dll')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from animegan.doctor import examine, report; print(report(examine()))"
    root = Path(checkup.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "[FAIL] PyTorch         does not load: [WinError 126] c10.dll" in done.stdout
    assert done.stdout.count("before the PyTorch line is OK") == 2  # torchvision and GPU
    assert "could not be checked" not in done.stdout


@pytest.mark.parametrize("missing", ["torch", "torchvision"])
def test_a_missing_package_is_found(monkeypatch, missing):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    assert getattr(Machine(), missing).trouble == "not installed"


def test_a_broken_torchvision_is_found(tmp_path, monkeypatch):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert Machine().torchvision.trouble == "operator torchvision::nms does not exist"


def test_importing_the_doctor_loads_nothing_heavy():
    for module in (checkup, machine):
        for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                assert {name.name.partition(".")[0] for name in node.names} <= sys.stdlib_module_names
            light = ("animegan", "animegan.doctor.machine", "animegan.language")
            if isinstance(node, ast.ImportFrom) and node.module not in light:
                assert node.module.partition(".")[0] in sys.stdlib_module_names
