"""The training loop: one step of the GAN per batch, and after every epoch a grid, weights, history and a
checkpoint, so that a run can be interrupted at any moment and resumed."""

import math
import os
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy
import PIL
import torch
from tqdm.auto import tqdm

import animegan
from animegan.config import TrainConfig
from animegan.cpu import WaitingThreads, computes_bfloat16, computing_with, free_threads, kept_memory
from animegan.data import FaceDataset, batches, epoch_order, hold_out, load_faces, to_device, to_unit
from animegan.distributed import Team, joined
from animegan.errors import UserError
from animegan.files import START_AGAIN, WRONG_CONTENT, locked
from animegan.gan import GAN
from animegan.grids import FACES_IN_GRID, fixed_noise
from animegan.models import allocating
from animegan.recipes import get_recipe
from animegan.runs import HISTORY, LOCK, NOT_COMPARED, Run, Step, check_run_folder, differences, settings

DIVERGED_LOSS = 1e4  # losses are in nats per image; above about 20 the other network has already won
BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} images in {elapsed}, {remaining} left, {rate_fmt}{postfix}"
UPDATE_SECONDS = 0.5  # more often would slow Jupyter down and tire the eye


@dataclass(frozen=True)
class Progress:
    """What `on_update` receives: at most twice a second, and once after every epoch.

    `steps` are all training steps so far, oldest first; `epoch_done` is true when the grid and the
    weights of `epoch` have just been saved.
    """

    run: Run
    epoch: int
    steps: list[Step]
    epoch_done: bool


Watcher = Callable[[Progress], None]


def train(config: TrainConfig, resume: bool = False, progress: bool = True, on_update: Watcher | None = None) -> Run:
    """Train NetG and NetD with these settings and return the run.

    resume: continue the run in `config.outf`, bit for bit as if it had never been interrupted (on the
        same device). Of its settings only `epoch`, `device` and the paths may differ.
    progress: print what is trained on, and show progress bars.
    on_update: called with a `Progress` from time to time, for live plots.

    Ctrl-C, or the stop button in Jupyter, ends the run after the step in progress; it can be resumed. A
    second Ctrl-C does not wait. Of several processes of torchrun, all call this; the first decides and
    returns, the others do their part of each step, then exit. Raises UserError, with what to do, for
    everything that a user can fix: no images, a run folder in use, a full disk, a loss that is not finite.
    """
    get_recipe(config.recipe, config.changes)  # an unknown ingredient is an error before anything is written
    with joined() as team:
        if team.rank:
            _help(team)
            raise SystemExit(0)
        device, path = _own_device(config.device, team), Path(config.outf)
        is_new = not resume and not os.path.isdir(path)
        if resume:
            Run(path)
        elif is_new:
            check_run_folder(path)  # what stands in the way
        busy = f"a training is at work in {path}: wait until it has ended, or name another --outf."
        try:
            with locked(path / LOCK, busy):
                if not resume:
                    check_run_folder(path)
                return _train(config, device, team, resume, progress, on_update)
        finally:
            if is_new and [file.name for file in path.glob("*")] == [LOCK]:  # nothing has come into it
                shutil.rmtree(path, ignore_errors=True)


def _train(
    config: TrainConfig, device: torch.device, team: Team, resume: bool, progress: bool, on_update: Watcher | None
) -> Run:
    run = Run(config.outf) if resume else None
    if config.precision == "auto":
        config = replace(config, precision=run.config.precision if run else choose_precision(config, device))
    if run:
        _check_settings(run, config)
    faces = load_faces(config.data_path, config.imageSize, progress=progress)
    learnt, held = hold_out(len(faces), config.hold_out)
    if len(learnt) < config.batchSize:
        without = f" beyond the {len(held)} held out" if len(held) else ""
        few = f"{config.data_path} has {len(learnt)} usable images{without}, fewer than one batch of {config.batchSize}"
        raise UserError(f"{few}: add images (a few thousand give faces), or make the batch smaller with --batchSize.")
    team.from_first((replace(config, device=device.type), faces.fingerprint))
    team.meet(device)
    # No run.json before the networks exist: sizes that do not fit into memory leave the folder free for smaller ones.
    smaller = f"--batchSize {config.batchSize // 2}" if config.batchSize >= 4 else "a smaller --ngf and --ndf"
    with allocating(f"these networks (ngf {config.ngf}, ndf {config.ndf}, nz {config.nz})", "make them smaller"):
        trainer = _Trainer(config, faces, learnt, device, team)
    trainer.run = run = run or Run.create(config, _facts(faces, device))
    state = trainer.restore() if resume else None
    if not (state and state["threads"]):
        trainer.choose_threads()
    if progress:
        left_out = faces.report.total - len(faces)
        why = f" ({left_out:,} files left out; why: animegan data check {config.data_path})" if left_out else ""
        held_out = f", {len(held):,} of them held out" if len(held) else ""
        where = f"{team.size} processes, on {device.type}" if team.size > 1 else f"on {device}"
        busy = ", with one thread, since the machine is busy" if trainer.threads < torch.get_num_threads() else ""
        print(f"{len(faces):,} images{held_out}{why}, {where} in {config.precision}{busy}")
    try:
        with allocating(f"a batch of {config.batchSize} on {device}", f"try {smaller}"):
            team.from_first(state)
            trainer.run_epochs(progress, on_update)
    except UserError as error:
        if isinstance(error.__cause__, RuntimeError | MemoryError) and not resume and not trainer.steps:
            run.discard()
        raise
    return run


def _help(team: Team) -> None:
    """What all processes but the first do: their part of each step of the run that the first decides on."""
    config, fingerprint = team.from_first()
    device, problem = torch.device("cpu"), ""
    try:
        device = _own_device(config.device, team)
        faces = load_faces(config.data_path, config.imageSize, progress=False)
        if faces.fingerprint != fingerprint:
            problem = f"{config.data_path} does not hold the same images there: copy them from the first machine."
    except UserError as error:
        problem = str(error)
    team.meet(device, problem)
    with allocating(f"a batch of {config.batchSize} on {device}", "make it smaller"):
        trainer = _Trainer(config, faces, hold_out(len(faces), config.hold_out)[0], device, team)
        if state := team.from_first():
            trainer.epoch, trainer.iteration = state["epoch"], state["iteration"]
            trainer.gan.load_state_dict(state["game"])
        trainer.run_epochs(progress=False, on_update=None)


class _Trainer:
    run: Run  # of the first process: set before training begins

    def __init__(self, config: TrainConfig, faces: FaceDataset, learnt: torch.Tensor, device: torch.device, team: Team):
        self.config, self.faces, self.learnt, self.device, self.team = config, faces, learnt, device, team
        self.gan, self.threads = GAN(config, device, team), torch.get_num_threads()
        self.images = to_device(faces.images, device)
        self.reals = torch.from_numpy(faces.images[learnt[:FACES_IN_GRID].numpy()])
        self.noise = fixed_noise(config.nz).to(device)
        self.steps: list[Step] = []  # as in history.csv
        self.pending_metrics: list[tuple[int, int, float, torch.Tensor]] = []  # still on the device
        self.epoch, self.iteration, self.seconds = 1, 0, 0.0  # the epoch in progress, and how many steps of it are done
        self.steps_per_epoch = len(learnt) // config.batchSize
        self.read_after = 1  # steps until all processes read their figures together

    def restore(self) -> dict | None:
        """Continue from the checkpoint of the run, after checking that the dataset is the same; return it."""
        if self.run.fingerprint != self.faces.fingerprint:
            other = f"{self.config.data_path} does not hold the images that {self.run.path} was trained on"
            raise UserError(f"{other}: give their folder with --data_path, or start a new run in another --outf.")
        state = self.run.load_checkpoint()
        if state is None:  # interrupted before the first checkpoint: begin again
            return None
        self.epoch, self.iteration, self.seconds = state["epoch"], state["iteration"], state["seconds"]
        self.threads = min(self.threads, state["threads"] or self.threads)
        size, now = self.steps_per_epoch, self._settings()
        done = (self.epoch - 1) * size + self.iteration
        try:
            changed = [name for name, value in state["settings"].items() if value != now.get(name)]
            if changed:
                raise ValueError(f"{', '.join(changed)} has changed in run.json")
            if not (self.epoch >= 1 and 0 <= self.iteration < size and 0 <= self.seconds < 1e9 and self.threads > 0):
                raise ValueError("its counters are out of range")
            self.gan.load_state_dict(state["game"])
            if self.gan.steps != done * self.gan.parts(self.config.batchSize):
                raise ValueError("it has taken another number of steps")
        except (RuntimeError, *WRONG_CONTENT) as error:
            why = f"({' '.join(str(error).split())[:160]}); {START_AGAIN}"
            raise UserError(f"the checkpoint in {self.run.path} belongs to another run {why}") from error
        # If the process died after history.csv but before checkpoint.pth, the extra steps are trained again.
        self.steps = self.run.read_steps(done)
        for number in range(done):
            epoch, iteration = number // size + 1, number % size + 1
            if len(self.steps) <= number or self.steps[number][:2] != (epoch, iteration):
                lacks = f"{self.run.path / HISTORY} lacks epoch {epoch}, iteration {iteration} in line {number + 2}"
                raise UserError(f"{lacks}: a line is missing, doubled or moved; {START_AGAIN}")
        if self.epoch <= self.config.epoch:  # a finished run stays as it is
            self.run.save_info(self.config, diverged=None)
        return state

    def choose_threads(self) -> None:
        """One thread while the machine is busy; as the checkpoint holds it, a resumed run computes alike."""
        if self.device.type == "cpu" and self.team.size == 1:
            self.threads = free_threads(self.config.precision)

    def run_epochs(self, progress: bool, on_update: Watcher | None) -> None:
        config = self.config
        if self.epoch > config.epoch:  # finished already: only show it
            if on_update:
                on_update(Progress(self.run, self.epoch - 1, self.steps, epoch_done=True))
            return
        done = (self.epoch - 1) * self.steps_per_epoch + self.iteration
        total = config.epoch * self.steps_per_epoch
        if not done:
            self._save_checkpoint()  # one exists before the first epoch's files, whenever the run is killed
        size = config.batchSize
        bar = tqdm(
            total=total * size, initial=done * size, unit=" images", unit_scale=True, mininterval=UPDATE_SECONDS,
            disable=not progress, dynamic_ncols=True,
            bar_format=BAR,
        )  # fmt: skip
        with bar, kept_memory(), WaitingThreads(self.device) as waiting, _stop_button() as pressed:
            # Several processes stop after the same step, and clocks differ: after how many, they agree in `_agree`.
            stopped = pressed if self.team.size == 1 else threading.Event()
            while self.epoch <= config.epoch:
                with computing_with(self.threads):
                    self._train_epoch(bar, on_update, waiting, pressed, stopped)
                if self.iteration < self.steps_per_epoch:
                    self._save_checkpoint()
                    return
                if self.gan.bfloat16 and (waiting.sleeping or self.threads < torch.get_num_threads()):
                    waiting.wake()
                    self.choose_threads()
                self._end_epoch()
                if on_update:
                    on_update(Progress(self.run, self.epoch - 1, self.steps, epoch_done=True))
                if stopped.is_set():
                    return

    def _train_epoch(
        self,
        bar: tqdm,
        on_update: Watcher | None,
        waiting: WaitingThreads,
        pressed: threading.Event,
        stopped: threading.Event,
    ) -> None:
        """Take the steps that are left of the epoch, or those until training is stopped."""
        shown = time.monotonic()
        waiting.start()
        self.started = time.perf_counter() - self.seconds
        order = self.learnt[epoch_order(len(self.learnt), self.config.seed, self.epoch)]
        for real in batches(self.images, order, self.config.batchSize, self.device, self.iteration):
            figures = self.gan.step(real)
            self.iteration += 1
            self.seconds = time.perf_counter() - self.started
            self.pending_metrics.append((self.epoch, self.iteration, self.seconds, figures))
            is_due = stopped.is_set() or time.monotonic() - shown >= UPDATE_SECONDS
            if is_due if self.team.size == 1 else len(self.pending_metrics) >= self.read_after:
                seconds, shown = time.monotonic() - shown, time.monotonic()
                waiting.check()
                self._agree(pressed, stopped, seconds)
                self._read_figures(bar)
                if on_update:
                    on_update(Progress(self.run, self.epoch, self.steps, epoch_done=False))
                waiting.start()
            if stopped.is_set() and self.iteration < self.steps_per_epoch:
                return
        self._agree(pressed, stopped, time.monotonic() - shown)
        self._read_figures(bar)

    def _agree(self, pressed: threading.Event, stopped: threading.Event, seconds: float) -> None:
        """Stop all processes if one is to stop; the next figures are read after as many steps as take half a second.

        seconds: how long the steps since the last time took, by the clock of this process: that of the first counts.
        """
        if self.team.size == 1 or not self.pending_metrics:
            return
        steps = len(self.pending_metrics) * UPDATE_SECONDS / max(seconds, 1e-3)
        mine = torch.tensor([float(pressed.is_set()), 0.0 if self.team.rank else steps], device=self.device)
        presses, steps = self.team.sum(mine).tolist()
        self.read_after = max(round(steps), 1)
        if presses:
            stopped.set()

    def _read_figures(self, bar: tqdm) -> None:
        """Fetch the figures of the last steps, all at once: every fetch makes a GPU wait."""
        if not self.pending_metrics:
            return
        values = torch.stack([figures for *_, figures in self.pending_metrics]).tolist()
        self.seconds = time.perf_counter() - self.started  # only now has the device caught up
        self.pending_metrics[-1] = (*self.pending_metrics[-1][:2], self.seconds, self.pending_metrics[-1][3])
        for (epoch, iteration, seconds, _), row in zip(self.pending_metrics, values, strict=True):
            loss_D, loss_G, D_x, D_G_z = row
            if not all(map(math.isfinite, row)):
                raise self._diverged(f"the loss is not finite at epoch {epoch}, batch {iteration}")
            if max(row) > DIVERGED_LOSS:
                raise self._diverged(f"the loss is {max(row):.0e} at epoch {epoch}, batch {iteration}")
            self.steps.append(Step(epoch, iteration, loss_D, loss_G, D_x, D_G_z, seconds))
        last = self.steps[-1]
        epoch, losses = f"epoch {last.epoch}/{self.config.epoch}", f"loss D {last.loss_D:.2f} G {last.loss_G:.2f}"
        verdicts = f"D(x) {last.D_x:.2f} D(G(z)) {last.D_G_z:.2f}"
        bar.set_postfix_str(f"{epoch}, {losses}, {verdicts}", refresh=False)
        bar.update(len(self.pending_metrics) * self.config.batchSize)
        self.pending_metrics.clear()

    def _end_epoch(self) -> None:
        if not self.team.rank:
            netG = self.gan.sampling_generator()
            with torch.inference_mode():
                faces = netG(self.noise)
            if not torch.isfinite(faces).all():
                raise self._diverged(f"NetG's pictures are not finite after epoch {self.epoch}")
            self.run.save_epoch(self.epoch, faces, netG, self.gan.netD)
            if self.epoch == 1:
                self.run.save_reals(to_unit(self.reals))
        self.epoch, self.iteration = self.epoch + 1, 0
        self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        if self.team.rank:
            return
        if not Run.exists(self.run.path):
            self.run.save_info(self.run.config)  # somebody has deleted it meanwhile
        self.run.save_steps(self.steps)
        state = {"kind": "animegan checkpoint", "epoch": self.epoch, "iteration": self.iteration}
        state |= {"seconds": self.seconds, "threads": self.threads, "settings": self._settings()}
        state["game"] = self.gan.state_dict()
        self.run.save_checkpoint(state)  # written last: if it exists, all other files of the epoch are complete

    def _settings(self) -> dict:
        return {name: value for name, value in settings(self.config).items() if name not in NOT_COMPARED}

    def _diverged(self, what: str) -> UserError:
        """Save the steps that led here and why they ended, for `animegan diagnose`; return the error to raise."""
        if self.team.rank:
            return UserError(what)
        self.run.save_steps(self.steps)
        self.run.save_info(self.run.config, diverged=what)
        kept = self.epoch - 1
        return UserError(
            f"{what}: training has diverged and was stopped; "
            + (f"epoch {kept} and all before it are saved in {self.run.path}. " if kept else "no epoch was finished. ")
            + f"Start a new run with a smaller --lr than {self.config.lr:g}."
        )


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the accelerator that PyTorch finds, or else the CPU.

    Raises UserError for a name that PyTorch does not know or a device that is missing.
    """
    if name == "auto":
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return found or torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name} is not known: choose auto, cpu, cuda, cuda:1 or mps.") from error
    try:
        torch.zeros(1, device=device).item()  # the device "meta" computes nothing
    except (RuntimeError, AssertionError, ValueError, ImportError) as error:  # which one depends on the device
        fix = "leave it at auto, or see why with: animegan doctor"
        raise UserError(f"--device {name} is not available on this machine; {fix}") from error
    return device


def _own_device(name: str, team: Team) -> torch.device:
    """The device of this process: of several, each has a GPU of its own, or all compute on the CPU."""
    if team.size == 1:
        return pick_device(name)
    number, count = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if name == "cpu" or (name == "auto" and not count):
        return torch.device("cpu")
    if name not in ("auto", "cuda") or number >= count:
        few = f"--device {name}: each process needs a GPU of its own, and this machine has {count}"
        raise UserError(f"{few}; give torchrun no larger --nproc-per-node, and leave --device at auto.")
    torch.cuda.set_device(number)
    return pick_device(f"cuda:{number}")


def choose_precision(config: TrainConfig, device: torch.device) -> str:
    """What the precision "auto" stands for: bfloat16 if the device has instructions for it, else float32.

    It is float32 for the handout's recipe, too, which is there to be compared with the handout's own program.
    """
    if config.recipe == "handout":
        return "float32"
    if device.type == "cuda":  # from Ampere on
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    return "bfloat16" if device.type == "cpu" and computes_bfloat16() else "float32"


def device_name(device: torch.device) -> str:
    """The device and its hardware, e.g. "cpu (x86_64)"."""
    is_cuda = device.type == "cuda"
    hardware = torch.cuda.get_device_name(device) if is_cuda else platform.processor() or platform.machine()
    return f"{device} ({hardware})"


def _check_settings(run: Run, config: TrainConfig) -> None:
    """Raise UserError unless the run resumes with its own settings, apart from runs.NOT_COMPARED.

    Ingredients are compared one by one, since another version of animegan may define a recipe differently.
    """
    found = {**differences(run, config), "precision": (run.config.precision, config.precision)}
    changed = [f"{name} {before!r} is now {now!r}" for name, (before, now) in found.items() if before != now]
    if changed:
        other = f"{run.path} cannot resume with other settings ({'; '.join(changed)})"
        raise UserError(f"{other}: leave them out, or start a new run in another --outf.")


def _facts(faces: FaceDataset, device: torch.device) -> dict:
    versions = {"animegan": animegan.__version__, "python": platform.python_version(), "torch": torch.__version__}
    versions |= {"numpy": numpy.__version__, "pillow": PIL.__version__}
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "device": device_name(device),
        "versions": versions,
        "data": {"pictures": len(faces), "fingerprint": faces.fingerprint},
    }


@contextmanager
def _stop_button() -> Iterator[threading.Event]:
    """While open, the first Ctrl-C (or Jupyter's stop button) sets the event instead of breaking off a step.

    The step in progress can then end, which leaves both networks in a state that can be saved.
    """
    stopped = threading.Event()

    def first(_signal, _frame):
        stopped.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with interrupts_handled(first):
        yield stopped


@contextmanager
def interrupts_handled(handler: Callable | signal.Handlers) -> Iterator[None]:
    """While open, Ctrl-C calls this handler; only the main thread may change this, and only it is interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
