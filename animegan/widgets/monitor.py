"""TrainingMonitor: a training run, live, in the notebook that started it."""

import time
from typing import Any

import ipywidgets
from PIL import Image, ImageDraw

from animegan.show import FADED, font_for, on_picture, plot_steps
from animegan.training import Progress
from animegan.widgets.box import NAME_IN_FULL, PicturedBox, beside, image, jpeg, row, say, stacked, text

TEXT_SECONDS = 0.5  # at most twice a second
# Training waits while a figure is drawn, about 0.1 s. So a figure is drawn every two seconds at most, and on a slow
# machine so seldom that drawing takes at most this share of the time.
CURVES_SECONDS, CURVES_SHARE = 2.0, 0.05
RECENT = 100  # batches over which the speed is measured
GRID = 786  # pixels: 8 faces of 96 and their gaps
CURVES = (7.5, 3.6)  # inches: as high as the grid beside it


class TrainingMonitor(PicturedBox):
    """The losses, D's verdicts and the newest grid of a run during training. Display it, then train:

        monitor = TrainingMonitor()
        display(monitor)
        train(config, progress=False, on_update=monitor.update)

    total_epochs: how many epochs the run will have; by default as in its settings.
    """

    def __init__(self, total_epochs: int | None = None):
        self.total_epochs = total_epochs
        self._progress: Progress | None = None
        self._sentence = self.status_text()
        self.status = text(self._sentence)
        self.bar = ipywidgets.IntProgress(
            description="Training", style=NAME_IN_FULL, layout={"width": "100%", "max_width": "60em"}
        )
        self.curves, self.grid = image(), image()
        self.caption = text("No epoch is finished yet.", bold=True)
        left = ipywidgets.VBox([self.curves], layout={"flex": "5 1 26em", "min_width": "0"})
        right = ipywidgets.VBox([self.caption, self.grid], layout={"flex": "2 1 14em", "max_width": "26em"})
        super().__init__([self.status, self.bar, row(left, right)])
        self._face_grid = Image.new("RGB", (GRID, GRID), "#f1f1f4")
        sentence = on_picture("the first faces appear after epoch 1")
        pen, font = ImageDraw.Draw(self._face_grid), font_for(36, [sentence])
        pen.text((GRID / 2, GRID / 2), sentence, FADED, font, anchor="mm")
        self._epoch_shown = 0
        self._curves_picture = plot_steps([], epochs=total_epochs, inches=CURVES)
        self._next_text, self._next_curves, self._watching = 0.0, 0.0, False
        self._display: Any = None
        self.grid.value, self.curves.value = jpeg(self._face_grid), jpeg(self._curves_picture)

    def update(self, progress: Progress) -> None:
        """Show the progress of training; meant for `animegan.training.train(on_update=...)`."""
        self._progress = progress
        self._watch_cell()
        finished = progress.epoch_done and progress.epoch >= progress.run.config.epoch
        now = time.monotonic()
        if finished or now >= self._next_text:
            self._next_text = now + TEXT_SECONDS
            self._show_text("finished" if finished else "")
            self._show_grid()
        if finished or now >= self._next_curves:
            self._show_curves()

    def status_text(self, ended: str = "") -> str:
        """The progress as one sentence. ended: "finished", or how training was stopped, once it is over."""
        progress = self._progress
        if progress is None:
            return "Waiting for the first batch."
        total = self._total()
        done, per_epoch = len(progress.steps), progress.run.steps_per_epoch
        if ended == "finished":
            return f"Finished: {total} epochs in {duration(progress.steps[-1].seconds)} of training."
        parts = [f"Epoch {progress.epoch} of {total}"]
        if per_epoch:
            parts.append(f"batch {done - (progress.epoch - 1) * per_epoch} of {per_epoch}")
        if ended:
            return f"{ended.capitalize()} in {', '.join(parts).lower()}: run this cell again to resume."
        recent = progress.steps[-RECENT:]
        if len(recent) > 1 and (seconds := (recent[-1].seconds - recent[0].seconds) / (len(recent) - 1)):
            parts.append(f"{progress.run.config.batchSize / seconds:.0f} images/s")
            if per_epoch:
                parts.append(f"about {duration((total * per_epoch - done) * seconds)} left")
        return ", ".join(parts)

    def picture(self) -> Image.Image:
        """Status, curves and grid as one picture."""
        height = self._curves_picture.height
        faces = self._face_grid.resize((height, height), Image.Resampling.LANCZOS)
        return stacked(self._sentence, beside(self._curves_picture, faces))

    def _total(self) -> int:
        return self.total_epochs or self._progress.run.config.epoch

    def _show_text(self, ended: str = "") -> None:
        self._sentence = self.status_text(ended)
        say(self.status, self._sentence)
        if per_epoch := self._progress.run.steps_per_epoch:
            self.bar.max = self._total() * per_epoch
            self.bar.value = len(self._progress.steps)
        self.bar.bar_style = {"finished": "success", "": ""}.get(ended, "warning")

    def _show_grid(self) -> None:
        """The newest grid, sent once: it changes only at the end of an epoch."""
        epochs = self._progress.run.epochs
        if epochs and epochs[-1] != self._epoch_shown:
            self._epoch_shown = epochs[-1]
            self._face_grid = self._progress.run.grid(self._epoch_shown)
            say(self.caption, f"fixed noise after epoch {self._epoch_shown}", bold=True)
            self.grid.value = jpeg(self._face_grid)

    def _show_curves(self) -> None:
        started, progress = time.monotonic(), self._progress
        self._curves_picture = plot_steps(progress.steps, progress.run.steps_per_epoch, self._total(), inches=CURVES)
        self.curves.value = jpeg(self._curves_picture)
        now = time.monotonic()
        self._next_curves = now + max(CURVES_SECONDS, (now - started) / CURVES_SHARE)

    # --- the end of training ---------------------------------------------------------------------
    #
    # The box is displayed before training, so the PNG that the notebook stores with it would show "Waiting for the
    # first batch" for ever: a browser updates the widgets, but never a stored output. A display handle can
    # replace that output. It is replaced once, when the cell that trains has ended: every replacement makes the browser
    # draw the box again. Only IPython's `post_run_cell` event also comes after an interrupt or an error.

    def _ipython_display_(self, **_options: Any) -> None:
        """Display the box, and keep the handle that can replace its output."""
        from IPython.display import display

        self._display = display(self._repr_mimebundle_(), raw=True, display_id=True)

    def _watch_cell(self) -> None:
        """Call `_end` when the cell that trains has ended, however it ended."""
        from IPython import get_ipython

        shell = get_ipython()
        if shell is None or self._watching:
            return

        def on_cell_end(result: Any = None) -> None:
            shell.events.unregister("post_run_cell", on_cell_end)
            self._watching = False
            self._end(getattr(result, "error_in_exec", None))

        self._watching = True
        shell.events.register("post_run_cell", on_cell_end)

    def _end(self, error: BaseException | None = None) -> None:
        """Show the last state, which `update` may have skipped as too early, and how training ended."""
        progress = self._progress
        finished = len(progress.run.epochs) >= progress.run.config.epoch
        stopped = "stopped" if error is None or isinstance(error, KeyboardInterrupt) else "stopped by an error"
        self._show_text("finished" if finished else stopped)
        self._show_grid()
        self._show_curves()
        if self._display is not None:
            self._display.update(self._repr_mimebundle_(), raw=True)


def duration(seconds: float) -> str:
    """Seconds as a text in a unit that fits."""
    minutes, hours = round(seconds / 60), seconds / 3600
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{hours:.1f} h"
