"""The doctor: is this computer ready to train, and if not, what fixes it?

`examine` checks the computer, `report` makes a text of the findings. Every `judge_...` function turns facts
(`machine.py`) into one finding. Nothing on the computer is changed, and nothing here raises: a check that cannot be
done says so.
"""

import functools
import os
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from animegan import SPIN_LIMITS
from animegan.doctor.machine import GIB, MIB, Gpu, Machine
from animegan.language import language, translated

PYTHONS = ((3, 10), (3, 13))  # oldest and newest that the tests run on
OLDEST_TORCH = (2, 6)
USUAL_BATCH, USUAL_EPOCHS = 64, 25  # the defaults of `animegan train`
USUAL_CAPABILITY: tuple[int, int] = (8, 0)  # of a GPU about which nvidia-smi says nothing
# The oldest driver of a CUDA version. Source: NVIDIA, "CUDA Compatibility", minor version compatibility.
OLDEST_DRIVER = {12: 525, 13: 580}
NEW_ENVIRONMENT = ("conda env create -f environment.yml  # once", "conda activate animegan")


class Finding(NamedTuple):
    """One line of the report.

    status: "OK"; "WARN" if training works, but not as well as it could; "FAIL" if it does not work.
    topic: what was checked. message: the result. fix: what to do, one step per line; empty for OK.
    """

    status: str
    topic: str
    message: str
    fix: str = ""


def examine(folder: str | os.PathLike = ".", machine: Machine | None = None) -> list[Finding]:
    """Check this computer: one finding per topic, within seconds (most of them for loading PyTorch).

    folder: where runs will be stored. machine: facts to judge instead of this computer's. Raises nothing.
    """
    machine, findings = machine or Machine(folder), []
    for topic, judge in CHECKS.items():
        try:
            finding = judge(machine)
        except Exception as error:  # the doctor is called when something is already wrong
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            finding = _warn(f"could not be checked: {reason}", "if training fails: show this to your teacher")
        findings.append(finding._replace(topic=topic))
    return findings


def has_failed(findings: Iterable[Finding]) -> bool:
    """Whether anything prevents training."""
    return any(finding.status == "FAIL" for finding in findings)


def report(findings: Iterable[Finding]) -> str:
    """The findings as text, one line each, with "-> " before every step of a fix; in English it is plain ASCII."""
    findings = list(findings)
    width = max((_columns(translated(finding.topic)) for finding in findings), default=0)
    lines = []
    for status, topic, message, fix in findings:
        space = " " * (width - _columns(translated(topic)))
        lines.append(f"{f'[{status}]':6} {translated(topic)}{space}  {translated(message)}".rstrip())
        lines += [f"{'':{7 + width}}  -> {translated(step)}" for step in fix.splitlines()]
    fails, warns = (sum(finding.status == status for finding in findings) for status in ("FAIL", "WARN"))
    verdict = "fix what FAILs, then run this again" if fails else "ready to train"
    lines += ["", translated(f"{fails} FAIL, {warns} WARN: {verdict}")]
    text = "\n".join(lines)
    # A Windows console may be unable to print the letters of a path or of a message of the system.
    return text.encode("ascii", "backslashreplace").decode("ascii") if language() == "en" else text


def _columns(text: str) -> int:
    """How wide a terminal shows the text: a Chinese character takes two columns."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def judge_python(machine: Machine) -> Finding:
    """Python's version, compared with those that the tests run on."""
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    version = f"{'.'.join(map(str, machine.python))} on {machine.system}"
    if machine.python[:2] < PYTHONS[0]:
        return _fail(f"{version} is too old: use {oldest} to {newest}", *NEW_ENVIRONMENT)
    if machine.python[:2] > PYTHONS[1]:
        return _warn(f"{version} is newer than the tested versions, {oldest} to {newest}", *NEW_ENVIRONMENT)
    return _ok(version)


def judge_environment(machine: Machine) -> Finding:
    """Whether the course has its own environment, which nothing else changes."""
    kind, name = machine.environment
    if kind == "none":
        return _warn(f"none: other programs use this Python, in {name}, too", *NEW_ENVIRONMENT)
    if name == "base":
        return _warn("conda's base, which other courses change too", *NEW_ENVIRONMENT)
    return _ok(f"{kind} {name}")


def judge_torch(machine: Machine) -> Finding:
    """PyTorch: installed, intact, new enough, and what it is built for."""
    torch = machine.torch
    if torch.trouble == "not installed":
        return _fail("not installed", *_install(machine))
    if torch.trouble:
        page = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
        dlls = (f"still so? install {page}",) * (machine.system == "Windows")
        return _fail(f"does not load: {torch.trouble}", *_install(machine), *dlls)
    if _numbers(torch.version)[:2] < OLDEST_TORCH:
        oldest = ".".join(map(str, OLDEST_TORCH))
        return _fail(f"{torch.version} is too old: use {oldest} or newer", *_install(machine))
    builds = {"CUDA": torch.cuda, "ROCm": torch.rocm, "Apple's": "MPS" if torch.mps else None}
    built = next((f"{name} {version}" for name, version in builds.items() if version), "the CPU alone")
    return _ok(f"{torch.version}, built for {built}")


def judge_torchvision(machine: Machine) -> Finding:
    """torchvision: installed, and made for this PyTorch."""
    torch, vision = machine.torch, machine.torchvision
    if torch.trouble:
        return _after("PyTorch")
    if vision.trouble == "not installed":
        return _fail("not installed", *_install(machine))
    if vision.trouble:
        return _fail(f"does not fit PyTorch {torch.version}: {vision.trouble}", *_install(machine))
    have, want = _numbers(torch.version), _numbers(vision.needs)
    if not (have >= want if vision.needs.startswith(">") else have[: len(want)] == want):
        return _fail(f"{vision.version} needs PyTorch {vision.needs}, not {torch.version}", *_install(machine))
    return _ok(f"{vision.version}, fits PyTorch")


def judge_driver(machine: Machine) -> Finding:
    """NVIDIA's driver: installed, working, and the newest CUDA that it runs."""
    smi = machine.smi
    if smi and not smi.trouble:
        names = "".join(f", {gpu.name}" for gpu in smi.gpus)
        return _ok(f"{smi.driver}, for CUDA up to {smi.cuda[0]}.{smi.cuda[1]}{names}")
    if machine.torch.gpu and machine.torch.cuda:
        return _ok("works, as PyTorch shows, though nvidia-smi does not")
    if not machine.nvidia_built_in:
        return _ok("none needed: there is no NVIDIA GPU")
    driver = _install_driver(machine)
    if smi is None:
        toolkit = "no CUDA toolkit is needed: PyTorch brings its own CUDA"
        return _warn("missing, though there is an NVIDIA GPU", *driver, toolkit)
    restart = "restart the computer: after an update of driver or kernel, the old one is still loaded"
    steps = [restart, f"still so? {driver[0]}"]
    if machine.system == "Linux":
        steps += ["still so? switch Secure Boot off: it does not load drivers without a signature"]
    return _warn(f"does not work: {smi.trouble}", *steps)


def judge_gpu(machine: Machine) -> Finding:
    """Whether PyTorch uses a GPU, and if not, why."""
    torch, smi = machine.torch, machine.smi
    if torch.trouble:
        return _after("PyTorch")
    if torch.gpu:
        return _judge_use(machine, torch.gpu)
    if torch.mps:
        return _ok("Apple's, by MPS")
    if smi is None or smi.trouble:
        if machine.nvidia_built_in:
            return _after("NVIDIA driver")
        return _ok("none: training runs on the CPU; a run of a few minutes: animegan train --quick --draw")
    if not torch.cuda:
        return _warn("not used: this PyTorch is built without CUDA", *_install(machine))
    built = int(torch.cuda.split(".")[0])
    if smi.cuda[0] < built or "too old" in torch.gpu_trouble:
        needed = f", which needs {OLDEST_DRIVER[built]} or newer" if built in OLDEST_DRIVER else ""
        steps = _install_driver(machine)
        build = int(_build(machine)[2:4])
        if build <= smi.cuda[0]:
            steps += ("or keep the driver, and use an older CUDA:", *_install(machine))
        elif build < built:  # the GPU may be too old for this PyTorch, whatever the driver
            steps = _install(machine)
        return _warn(f"not used: driver {smi.driver} is too old for PyTorch with CUDA {torch.cuda}{needed}", *steps)
    if machine.visible_devices is not None:
        windows = "Remove-Item Env:CUDA_VISIBLE_DEVICES  # in PowerShell"
        unset = windows if machine.system == "Windows" else "unset CUDA_VISIBLE_DEVICES"
        return _warn(f'hidden: CUDA_VISIBLE_DEVICES is "{machine.visible_devices}"', unset)
    steps = ("restart the computer", "still so? install PyTorch again:", *_install(machine))
    return _warn(f"not used: {torch.gpu_trouble or 'PyTorch does not say why'}", *steps)


def _judge_use(machine: Machine, gpu: Gpu) -> Finding:
    """PyTorch sees this GPU and will use it; but does it run there?"""
    torch, name = machine.torch, gpu.name
    if torch.cuda:
        name += ", compute capability {}.{}".format(*gpu.capability)
    until = "until then: animegan train --device cpu --quick"
    if torch.cuda and torch.architectures and not _carries(torch.architectures, gpu.capability):
        steps = _install(machine) if gpu.capability >= (5, 0) else ()
        return _fail(f"{name}: this PyTorch build has no code for it", *steps, until)
    if torch.gpu_trouble:
        return _fail(f"{name}, fails: {torch.gpu_trouble}", "restart the computer", until)
    return _ok(name)


def judge_memory(machine: Machine) -> Finding:
    """Free GPU memory, as the largest batch that fits."""
    gpu, networks = machine.torch.gpu, machine.networks
    if gpu is None or networks is None:
        return _ok("not needed: without a CUDA GPU, images are kept in main memory")
    batch = networks.largest_batch(gpu.free)
    free = f"{gpu.free / GIB:.1f} of {gpu.total / GIB:.1f} GiB free, enough for --batchSize {batch}"
    if batch >= USUAL_BATCH:
        return _ok(free)
    smaller = f"--batchSize {batch}" if batch else "--device cpu --quick"
    return _warn(free, "close other programs that use the GPU (nvidia-smi lists them)", f"or: animegan train {smaller}")


def judge_threads(machine: Machine) -> Finding:
    """Whether waiting threads give way to other programs: see animegan/__init__.py."""
    if machine.wait_policy != SPIN_LIMITS:
        chosen = ", ".join(f"{name}={value}" for name, value in machine.wait_policy.items())
        if machine.wait_policy.get("OMP_WAIT_POLICY", "").lower() == "active":
            return _warn(
                f"never sleep, whatever other programs need: {chosen}", "remove OMP_WAIT_POLICY from the environment"
            )
        return _ok(f"wait as you have set it: {chosen}")
    if not machine.spin_limited:
        steps = ("put import animegan before import torch", "or start Jupyter with: make lab")
        return _warn("spin while other programs need the cores: PyTorch was loaded before animegan", *steps)
    return _ok("sleep while other programs need the cores")


def judge_disk(machine: Machine) -> Finding:
    """Whether a run can be written, and fits."""
    elsewhere = "or store the run elsewhere: animegan train --outf FOLDER"
    if machine.folder_trouble:
        return _fail(f"cannot write to {machine.folder_trouble}", "change to a folder of your own", elsewhere)
    free = f"{machine.free_disk / GIB:.1f} GiB free"
    if machine.networks:
        free += f"; a run of {USUAL_EPOCHS} epochs takes {machine.networks.disk(USUAL_EPOCHS) / GIB:.1f} GiB"
    if machine.free_disk < 2 * GIB:
        judge = _fail if machine.free_disk < 200 * MIB else _warn
        return judge(free, "free some space: delete old runs, empty the recycle bin", elsewhere)
    return _ok(free)


def judge_notebooks(machine: Machine) -> Finding:
    """The packages that the notebooks need."""
    missing = ", ".join(machine.missing_packages)
    if missing:
        return _warn(f"{missing} missing; training works without", 'python -m pip install -e ".[notebooks]"')
    return _ok("all packages are installed")


def judge_kernel(machine: Machine) -> Finding:
    """Whether a notebook would run on this Python, not on another one."""
    if "ipykernel" in machine.missing_packages:
        return _after("notebooks")
    # Folders are compared, since python and python3 in the same folder are the same. A kernel without a folder runs the
    # Python that Jupyter itself runs on.
    folders = {name: os.path.dirname(os.path.normcase(python)) for name, python in machine.kernels.items()}
    here = os.path.dirname(os.path.normcase(machine.executable))
    for name, folder in folders.items():
        if folder == here and name != "python3":
            return _ok(f'"{name}" runs this Python')
    if folders.get("python3") in (here, "") and "jupyterlab" not in machine.missing_packages:
        return _ok('"python3" runs this Python when Jupyter is started from here: jupyter lab')
    steps = ("python -m ipykernel install --user --name animegan", 'choose the kernel "animegan" in Jupyter')
    return _warn("none runs this Python", *steps)


CHECKS = {
    "Python": judge_python,
    "environment": judge_environment,
    "PyTorch": judge_torch,
    "torchvision": judge_torchvision,
    "NVIDIA driver": judge_driver,
    "GPU": judge_gpu,
    "GPU memory": judge_memory,
    "threads": judge_threads,
    "disk": judge_disk,
    "notebooks": judge_notebooks,
    "Jupyter kernel": judge_kernel,
}


def _finding(status: str, message: str, *steps: str) -> Finding:
    return Finding(status, "", message, "\n".join(steps))


_ok, _warn, _fail = (functools.partial(_finding, status) for status in ("OK", "WARN", "FAIL"))


def _after(topic: str) -> Finding:
    return _warn(f"cannot be checked before the {topic} line is OK", f"fix that first: {topic}, above")


def _build(machine: Machine) -> str:
    """The PyTorch build for this computer, as PyTorch names it; "" on a Mac, for which there is only one."""
    smi = machine.smi
    if machine.system == "macOS":
        return ""
    if smi is None or smi.trouble:
        return "cu130" if machine.nvidia_built_in else "cpu"  # a driver that is still to be installed will be a new one
    capability = smi.gpus[0].capability if smi.gpus else USUAL_CAPABILITY
    # Builds with CUDA 13 have no code for GPUs before Turing. Drivers before 510, for CUDA 11.6, do not know the
    # capability, and cu126 has code for every GPU that they can run.
    if capability < (7, 5) or (not smi.gpus and smi.cuda < (11, 6)):
        return "cu126"
    # cu126 has no code for Blackwell; and whoever must update the driver anyway can have the newest.
    return "cu126" if smi.cuda[0] == 12 and capability < (10, 0) else "cu130"


def _install(machine: Machine) -> tuple[str, ...]:
    """The steps that install a PyTorch and a torchvision that fit each other and this computer."""
    build, smi, steps = _build(machine), machine.smi, ()
    absent = machine.torch.trouble == "not installed"
    if smi and smi.driver and int(build[2:4]) > smi.cuda[0]:
        steps = _install_driver(machine)
    if machine.torch_from_conda or (absent and machine.environment[0] == "conda"):
        package = "pytorch-gpu" if build.startswith("cu") else "pytorch"
        pin = " cuda-version=12" if build == "cu126" else ""
        return *steps, f"conda install -c conda-forge --force-reinstall {package} torchvision{pin}"
    if not absent:
        steps += ("python -m pip uninstall -y torch torchvision",)
    if not build:
        return *steps, "python -m pip install torch torchvision"
    # PyTorch's own page gives the address: it has moved before, and mirrors have others.
    address = "ADDRESS is what https://pytorch.org/get-started/locally shows before /whl/, or a mirror of it"
    return *steps, f"python -m pip install torch torchvision --index-url ADDRESS/whl/{build}", address


def _install_driver(machine: Machine) -> tuple[str, ...]:
    page = "https://www.nvidia.com/drivers"
    if machine.system == "Linux":
        return ("sudo ubuntu-drivers install  # on Ubuntu; elsewhere the system's own package", "sudo reboot")
    if machine.system == "WSL":
        return (f"in Windows, not in WSL: install the driver from {page}", "then, also there: wsl --shutdown")
    return (f"install the driver from {page}, then restart the computer",)


def _carries(architectures: Iterable[str], capability: tuple[int, int]) -> bool:
    """Whether a build has code for a GPU: machine code for its generation, or PTX for that or an earlier one.

    Source: NVIDIA, "CUDA C++ Programming Guide", binary compatibility and PTX compatibility.
    """
    found = re.findall(r"(sm|compute)_(\d+)", " ".join(architectures))
    codes = [(kind, divmod(int(digits), 10)) for kind, digits in found]
    return any(code <= capability and (kind == "compute" or code[0] == capability[0]) for kind, code in codes)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.split("+")[0])))
