"""The facts that the doctor judges: about this computer, and about the memory and disk space that a run needs.

Finding facts is separate from judging them (`checkup.py`), so that judgements can be tested for machines that are not
at hand. Nothing here imports torch before it is needed: a PyTorch that is missing or broken is a fact like any other.
"""

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from animegan import SPIN_LIMITED, wait_policy

NOTEBOOK_PACKAGES = ("jupyterlab", "ipykernel", "ipywidgets", "matplotlib")
SECONDS_TO_ANSWER = 10
MIB, GIB = 2**20, 2**30
FLOAT = 4  # bytes of a float32
CUDA_ALLOWANCE = 600 * MIB  # an estimate of what CUDA and its libraries take for themselves
LARGEST_BATCH = 1024
PCI_DEVICES = Path("/sys/bus/pci/devices")


class Gpu(NamedTuple):
    """capability: NVIDIA's "compute capability", e.g. (8, 6); total and free: memory in bytes."""

    name: str
    capability: tuple[int, int]
    total: int
    free: int


class Smi(NamedTuple):
    """What nvidia-smi prints; cuda: the newest CUDA that the driver can run; trouble: why it does not work."""

    driver: str = ""
    cuda: tuple[int, int] = (0, 0)
    gpus: tuple[Gpu, ...] = ()
    trouble: str = ""


class Torch(NamedTuple):
    """PyTorch as installed; trouble: why it cannot be imported; gpu_trouble: what it reports about CUDA."""

    version: str = ""
    cuda: str | None = None
    rocm: str | None = None
    mps: bool = False
    architectures: tuple[str, ...] = ()
    gpu: Gpu | None = None
    gpu_trouble: str = ""
    trouble: str = ""


class Torchvision(NamedTuple):
    """needs: the PyTorch that it requires, e.g. "==2.6.0"; trouble: why it cannot be imported."""

    version: str = ""
    needs: str = ""
    trouble: str = ""


class Networks(NamedTuple):
    """How many numbers: the weights of NetG and NetD, and the outputs of their layers for one image."""

    weights_G: int
    weights_D: int
    outputs_G: int
    outputs_D: int

    def memory(self, batch: int) -> int:
        """Bytes of GPU memory for training with batches of that size: an upper estimate.

        Every weight is stored four times (itself, its gradient, Adam's two moments), NetG's a fifth time, as the moving
        average. Autograd keeps the outputs of the layers until the backward pass: NetG's, and NetD's for the reals or
        the fakes, one after the other. NetD's count twice, to cover the gradients of the backward pass; an image then
        takes 1.4 times what was measured on a CPU.
        """
        weights = 4 * (self.weights_G + self.weights_D) + self.weights_G
        return CUDA_ALLOWANCE + FLOAT * (weights + batch * (self.outputs_G + 2 * self.outputs_D))

    def largest_batch(self, free: int) -> int:
        """The largest power of two, 2 to LARGEST_BATCH, that fits into that many free bytes; 0 if none does."""
        batches = (LARGEST_BATCH >> halvings for halvings in range(LARGEST_BATCH.bit_length() - 1))
        return next((batch for batch in batches if self.memory(batch) <= free), 0)

    def disk(self, epochs: int) -> int:
        """Bytes of disk that a run takes: both networks after every epoch, and the checkpoint.

        A checkpoint holds weights, Adam's two moments and NetG's average. It counts twice, since the old one stays
        until the new one is complete.
        """
        both = self.weights_G + self.weights_D
        return FLOAT * (epochs * both + 2 * (3 * both + self.weights_G))


class Machine:
    """The facts about this computer; those that take time are found when first needed, and kept.

    folder: where runs will go. facts: given instead of found, as the tests do.
    """

    def __init__(self, folder: str | os.PathLike = ".", **facts):
        self.folder = folder
        self.python: tuple[int, int, int] = sys.version_info[:3]
        self.executable = sys.executable
        self.visible_devices = os.environ.get("CUDA_VISIBLE_DEVICES")
        self.spin_limited = SPIN_LIMITED
        self.wait_policy = wait_policy()
        vars(self).update(facts)

    @cached_property
    def system(self) -> str:
        """Linux, WSL (Linux within Windows), Windows or macOS."""
        if "microsoft" in platform.release().lower():
            return "WSL"
        return platform.system().replace("Darwin", "macOS")

    @cached_property
    def environment(self) -> tuple[str, str]:
        """("conda", its name), ("venv", its folder) or ("none", Python's folder)."""
        if sys.prefix != sys.base_prefix:
            return "venv", sys.prefix
        if not Path(sys.prefix, "conda-meta").is_dir():
            return "none", sys.prefix
        return "conda", "base" if Path(sys.prefix, "condabin").is_dir() else Path(sys.prefix).name

    @cached_property
    def torch_from_conda(self) -> bool:
        return any(Path(sys.prefix, "conda-meta").glob("pytorch-[0-9]*.json"))

    @cached_property
    def torch(self) -> Torch:
        if trouble := _import_trouble("torch"):
            return Torch(trouble=trouble)
        import torch

        gpu = None
        with warnings.catch_warnings(record=True) as reasons:  # PyTorch gives its reasons as warnings
            warnings.simplefilter("always")
            try:
                if torch.cuda.is_available():
                    free, total = torch.cuda.mem_get_info()
                    name, capability = torch.cuda.get_device_name(), torch.cuda.get_device_capability()
                    gpu = Gpu(name, capability, total, free)
                    torch.ones(1, device="cuda").add(1).item()  # a GPU that is too old fails only when used
            except RuntimeError as error:
                trouble = _first_line(error)
        return Torch(
            version=torch.__version__, cuda=torch.version.cuda, rocm=torch.version.hip,
            mps=torch.backends.mps.is_available(), architectures=tuple(torch.cuda.get_arch_list()), gpu=gpu,
            gpu_trouble=trouble or ("" if gpu or not reasons else _first_line(reasons[0].message)),
        )  # fmt: skip

    @cached_property
    def torchvision(self) -> Torchvision:
        if trouble := _import_trouble("torchvision"):
            return Torchvision(trouble=trouble)
        import torchvision

        requirements = "\n".join(importlib.metadata.requires("torchvision") or ())
        needs = re.search(r"^torch\b[ (]*([=>]=[\d.]+)", requirements, re.MULTILINE)
        return Torchvision(torchvision.__version__, needs[1] if needs else "")

    @cached_property
    def smi(self) -> Smi | None:
        off_path = ("/usr/lib/wsl/lib", r"C:\Program Files\NVIDIA Corporation\NVSMI")
        program = shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=os.pathsep.join(off_path))
        if program is None:
            return None
        query = "--query-gpu=name,compute_cap,memory.total,memory.free"
        return read_smi(_answer(program), _answer(program, query, "--format=csv,noheader,nounits"))

    @cached_property
    def nvidia_built_in(self) -> bool:
        """Whether the computer has an NVIDIA GPU, with or without a driver."""
        if self.system in ("Windows", "WSL"):
            query = "(Get-CimInstance Win32_VideoController).Name"
            return "nvidia" in _answer("powershell.exe", "-NoProfile", "-Command", query).lower()
        kinds = [[(path / fact).read_text().strip() for fact in ("vendor", "class")] for path in PCI_DEVICES.glob("*")]
        if not kinds:  # as in some containers; then a driver that does not work stands for a GPU
            return bool(self.smi and self.smi.trouble and "No devices were found" not in self.smi.trouble)
        return any(vendor == "0x10de" and kind.startswith("0x03") for vendor, kind in kinds)  # display controllers

    @cached_property
    def networks(self) -> Networks | None:
        return None if self.torch.trouble else count_networks()

    @cached_property
    def free_disk(self) -> int:
        return shutil.disk_usage(self.folder).free

    @cached_property
    def folder_trouble(self) -> str:
        """The folder, and why no file can be written there; empty if one can."""
        try:
            tempfile.TemporaryFile(dir=self.folder).close()
        except OSError as error:
            return f"{self.folder}: {error.strerror or error}"
        return ""

    @cached_property
    def missing_packages(self) -> tuple[str, ...]:
        return tuple(name for name in NOTEBOOK_PACKAGES if importlib.util.find_spec(name) is None)

    @cached_property
    def kernels(self) -> dict[str, str]:
        """Jupyter's kernels and the Python that each runs."""
        from jupyter_client.kernelspec import KernelSpecManager

        return {name: kind["spec"]["argv"][0] for name, kind in KernelSpecManager().get_all_specs().items()}


def read_smi(table: str, rows: str = "") -> Smi:
    """Facts from what nvidia-smi prints: its table, and its CSV of name, capability, MiB, MiB free."""
    # Newer drivers write "KMD Version" and "CUDA UMD Version".
    driver = re.search(r"(?:Driver|KMD) Version: *([\d.]+)", table)
    cuda = re.search(r"CUDA (?:UMD )?Version: *(\d+)\.(\d+)", table)
    if driver is None:
        return Smi(trouble=_first_line(table) or "no answer")
    gpus = re.findall(r"^\s*(.+), (\d+)\.(\d+), (\d+), (\d+)\s*$", rows, re.MULTILINE)
    found = (Gpu(name, (int(a), int(b)), int(total) * MIB, int(free) * MIB) for name, a, b, total, free in gpus)
    return Smi(driver[1], (int(cuda[1]), int(cuda[2])) if cuda else (0, 0), tuple(found))


def count_networks(ngf: int = 64, ndf: int = 64, nz: int = 100) -> Networks:
    """Count the networks' weights and outputs by running each on one blank input.

    An activation that works in place has no output of its own and does not count.
    """
    import torch

    from animegan.models import NetD, NetG

    def count(network: NetG | NetD) -> tuple[int, int]:
        outputs = []
        for module in network.modules():
            if not list(module.children()) and not getattr(module, "inplace", False):
                module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output.numel()))
        network.eval()(torch.zeros(1, *network.input_shape))
        return sum(weight.numel() for weight in network.parameters()), sum(outputs)

    with torch.random.fork_rng(devices=[]), torch.inference_mode():  # new networks draw random weights
        (weights_G, outputs_G), (weights_D, outputs_D) = count(NetG(ngf, nz)), count(NetD(ndf))
    return Networks(weights_G, weights_D, outputs_G, outputs_D)


def _import_trouble(package: str) -> str:
    """Why a package cannot be imported; empty if it can."""
    if importlib.util.find_spec(package) is None:
        return "not installed"
    try:
        importlib.import_module(package)
    except Exception as error:  # a broken installation fails in many ways
        return _first_line(error)
    return ""


def _answer(*command: str) -> str:
    """What a program prints, or why it prints nothing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS_TO_ANSWER)
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS_TO_ANSWER} seconds"
    except OSError as error:
        return _first_line(error)
    return done.stdout + done.stderr


def _first_line(text: object, length: int = 100) -> str:
    lines = str(text).strip().splitlines() or [type(text).__name__]
    return lines[0] if len(lines[0]) <= length else lines[0][: length - 3] + "..."
