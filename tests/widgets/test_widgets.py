"""The widgets as a notebook uses them, without a browser: values are set as a slider would set them."""

import base64
import io
import itertools
import re
import shutil
import types
from dataclasses import replace
from pathlib import Path

import ipywidgets
import nbformat
import numpy as np
import pytest
from conftest import TINY
from nbclient import NotebookClient
from nbconvert.exporters.html import HTMLExporter
from PIL import Image

from animegan.config import TrainConfig
from animegan.errors import UserError
from animegan.runs import Run
from animegan.show import MAX_BYTES, overlap_counts
from animegan.training import Progress, train
from animegan.widgets import EpochComparer, ShapeExplorer, TrainingMonitor, monitor
from animegan.widgets.monitor import duration


def shown(image: ipywidgets.Image) -> Image.Image:
    return Image.open(io.BytesIO(image.value)).convert("RGB")


def epoch_shown(image: ipywidgets.Image, run: Run) -> int:
    """The epoch whose grid is nearest to the picture in an image widget; JPEG changes it a little."""
    return min(run.epochs, key=lambda epoch: apart(shown(image), run.grid(epoch)))


def apart(one: Image.Image, two: Image.Image) -> float:
    assert one.size == two.size
    return float(np.abs(np.asarray(one, dtype=int) - np.asarray(two.convert("RGB"), dtype=int)).mean())


def copied(run: Run, to: Path) -> Run:
    shutil.copytree(run.path, to)
    return Run(to)


def parts(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    return [widget, *(part for child in getattr(widget, "children", ()) for part in parts(child))]


def words(widget: ipywidgets.Widget) -> str:
    return " | ".join(part.value for part in parts(widget) if isinstance(part, ipywidgets.HTML))


def stored(bundle: dict) -> str | None:
    return bundle.get("image/png") or bundle.get("image/jpeg")


def stored_picture(bundle: dict) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(stored(bundle)))).convert("RGB")


@pytest.fixture
def boxes(finished):
    monitor = TrainingMonitor()
    monitor.update(Progress(finished, 3, finished.read_steps(), epoch_done=True))
    return [EpochComparer(finished), EpochComparer(finished, finished), monitor, TrainingMonitor(), ShapeExplorer()]


# --- all three ---------------------------------------------------------------------------------------


def test_every_widget_leaves_a_small_picture_and_a_text_without_ids(boxes):
    for box in boxes:
        bundle = box._repr_mimebundle_()
        assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == box.model_id
        assert len(base64.b64decode(stored(bundle))) <= 2 * MAX_BYTES
        assert stored_picture(bundle).width > 300
        assert box.model_id not in bundle["text/plain"] and " at 0x" not in bundle["text/plain"]
    assert len({box._repr_mimebundle_()["text/plain"] for box in boxes}) == 1


def test_the_widgets_use_nothing_that_accumulates_output(boxes):
    kinds = {type(part) for box in boxes for part in parts(box)}
    assert ipywidgets.Image in kinds and ipywidgets.Output not in kinds


def test_every_control_is_labelled_in_full(boxes):
    controls = [part for box in boxes for part in parts(box) if hasattr(part, "description")]
    named = [part for part in controls if not isinstance(part, ipywidgets.HTML | ipywidgets.Play)]
    assert len(named) > 10
    for control in named:
        width = control.style.description_width
        is_wide = width == "initial" or float(width.removesuffix("em")) > 0.5 * len(control.description)
        assert control.description and is_wide, control
    for box in boxes[:2]:
        assert "Play the right epochs" in words(box)


def test_no_image_has_a_tooltip(boxes):
    """With one, ipywidgets' view of an image fails in the browser, because an image has no description."""
    images = [part for box in boxes for part in parts(box) if isinstance(part, ipywidgets.Image)]
    assert len(images) == 9
    assert all(image.tooltip is None and image.layout.max_width == "100%" for image in images)


# --- epochs side by side -----------------------------------------------------------------------------


def test_the_comparer_begins_with_the_first_and_the_last_epoch(finished):
    comparer = EpochComparer(finished)
    assert (comparer.left.slider.value, comparer.right.slider.value) == (1, 3)
    assert epoch_shown(comparer.left.image, finished) == 1
    assert epoch_shown(comparer.right.image, finished) == 3
    assert "run, epoch 1" in comparer.left.heading.value and "run, epoch 3" in comparer.right.heading.value


def test_a_slider_changes_its_side_and_no_other(finished):
    comparer = EpochComparer(finished)
    right = comparer.right.image.value
    comparer.left.slider.value = 2
    assert epoch_shown(comparer.left.image, finished) == 2
    assert "epoch 2" in comparer.left.heading.value
    assert comparer.right.image.value == right


def test_play_moves_the_right_side_and_starts_again_at_the_end(finished):
    comparer = EpochComparer(finished)
    comparer.play.playing = True
    assert comparer.right.slider.value == 1
    seen = [comparer.right.heading.value]
    while comparer.play.value < comparer.play.max:  # what the browser does at every interval
        comparer.play.value += 1
        seen.append(comparer.right.heading.value)
    assert [f"epoch {n}" in line for n, line in enumerate(seen, 1)] == [True] * 3
    comparer.play.playing = False
    comparer.right.slider.value = 2
    comparer.play.playing = True
    assert comparer.right.slider.value == 2  # it continues from the slider's position
    assert comparer.left.slider.value == 1


@pytest.mark.parametrize(("face", "place"), [(1, "row 1, column 1"), (12, "row 2, column 4"), (64, "row 8, column 8")])
def test_one_face_is_enlarged_in_both_epochs(finished, face, place):
    comparer = EpochComparer(finished)
    comparer.enlarge.value = True
    comparer.face.value = face
    faces = {(epoch, n): picture for epoch in (1, 3) for n, picture in enumerate(finished.faces(epoch), 1)}
    for side, epoch in ((comparer.left, 1), (comparer.right, 3)):
        picture = shown(side.image)
        assert picture.size == finished.grid(1).size  # so that nothing on the page moves
        small = picture.resize((96, 96), Image.Resampling.BOX)
        assert min(faces, key=lambda found: apart(small, faces[found])) == (epoch, face)
        assert f"epoch {epoch}, face {face} ({place})" in side.heading.value
    comparer.enlarge.value = False
    assert epoch_shown(comparer.left.image, finished) == 1


def test_choosing_a_face_enlarges_it(finished):
    comparer = EpochComparer(finished)
    comparer.face.value = 5
    assert comparer.enlarge.value and "face 5" in comparer.right.heading.value


def test_two_runs_are_compared_at_their_last_epochs(finished, tmp_path):
    other = copied(finished, tmp_path / "动漫 & co")
    (other.path / "fake_samples_epoch_003.png").unlink()
    comparer = EpochComparer(finished, other)
    assert (comparer.left.slider.value, comparer.right.slider.value) == (3, 2)
    assert "run (stable), epoch 3" in comparer.left.heading.value
    assert "动漫 &amp; co (stable), epoch 2" in comparer.right.heading.value
    assert comparer.play.max == 2
    assert stored(comparer._repr_mimebundle_())


def test_a_deleted_epoch_is_skipped_or_reported(finished, tmp_path):
    run = copied(finished, tmp_path / "run")
    (run.path / "fake_samples_epoch_002.png").unlink()
    comparer = EpochComparer(run)
    comparer.right.slider.value = 2
    assert "epoch 1" in comparer.right.heading.value
    (run.path / "fake_samples_epoch_003.png").unlink()
    comparer.right.slider.value = 3
    assert "has no fake_samples_epoch_003.png" in comparer.right.heading.value


def test_a_run_without_an_epoch_cannot_be_compared(finished, tmp_path):
    new = Run.create(replace(finished.config, outf=str(tmp_path / "new")), {})
    with pytest.raises(UserError, match="has no epoch to compare yet"):
        EpochComparer(new)
    with pytest.raises(UserError, match="has no epoch to compare yet"):
        EpochComparer(finished, new)


def test_the_comparers_picture_shows_both_sides(finished):
    comparer = EpochComparer(finished)
    before = comparer.picture()
    comparer.left.slider.value = 3
    after = comparer.picture()
    half = before.width // 2
    assert before.size == after.size
    assert before.crop((half, 0, *before.size)).tobytes() == after.crop((half, 0, *before.size)).tobytes()
    assert before.crop((0, 0, half, before.height)).tobytes() != after.crop((0, 0, half, before.height)).tobytes()
    comparer.enlarge.value = True
    assert comparer.picture().height > before.height


# --- live training -----------------------------------------------------------------------------------


class Clock:
    """A time.monotonic that the test sets; drawing a figure takes `drawing` seconds."""

    def __init__(self, monkeypatch, drawing: float = 0.0):
        self.now, self.drawn = 1000.0, 0
        original = monitor.plot_steps

        def plot_steps(*arguments, **options):
            self.now, self.drawn = self.now + drawing, self.drawn + 1
            return original(*arguments, **options)

        monkeypatch.setattr(monitor, "time", types.SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(monitor, "plot_steps", plot_steps)


def progress(run: Run, count: int, epoch_done: bool = False) -> Progress:
    steps = run.read_steps()[:count]
    return Progress(run, steps[-1].epoch, steps, epoch_done)


def test_the_monitor_shows_the_progress_of_training(finished, monkeypatch):
    clock, monitor = Clock(monkeypatch), TrainingMonitor()
    assert "Waiting for the first batch" in words(monitor) and "No epoch is finished yet" in words(monitor)
    monitor.update(progress(finished, 6))
    steps = finished.read_steps()
    speed = 8 / ((steps[5].seconds - steps[0].seconds) / 5)
    assert f"Epoch 2 of 3, batch 2 of 4, {speed:.0f} images/s, about " in monitor.status.value
    assert " left" in monitor.status.value
    assert (monitor.bar.value, monitor.bar.max, monitor.bar.bar_style) == (6, 12, "")
    clock.now += 1
    monitor.update(progress(finished, 12, epoch_done=True))
    assert "Finished: 3 epochs in " in monitor.status.value
    assert (monitor.bar.value, monitor.bar.bar_style) == (12, "success")


def test_the_first_step_has_no_speed_yet(finished, monkeypatch):
    Clock(monkeypatch)
    monitor = TrainingMonitor()
    monitor.update(progress(finished, 1))
    assert "Epoch 1 of 3, batch 1 of 4</" in monitor.status.value


def test_the_monitor_shows_each_grid_once(finished, tmp_path, monkeypatch):
    clock, monitor = Clock(monkeypatch), TrainingMonitor()
    run = copied(finished, tmp_path / "run")
    (run.path / "fake_samples_epoch_003.png").unlink()
    sent, read, grid = [], [], Run.grid
    monitor.grid.observe(lambda change: sent.append(change["new"]), "value")
    monkeypatch.setattr(Run, "grid", lambda run, epoch: read.append(epoch) or grid(run, epoch))
    for count in (5, 6, 7):
        clock.now += 1
        monitor.update(progress(run, count))
    assert read == [2] and len(sent) == 1
    assert "fixed noise after epoch 2" in monitor.caption.value
    (run.path / "fake_samples_epoch_003.png").write_bytes((finished.path / "fake_samples_epoch_003.png").read_bytes())
    clock.now += 1
    monitor.update(progress(run, 12, epoch_done=True))
    assert read == [2, 3] and len(sent) == 2
    assert epoch_shown(monitor.grid, finished) == 3


def test_the_monitor_updates_text_twice_a_second_and_curves_every_two_seconds(finished, monkeypatch):
    clock, monitor = Clock(monkeypatch), TrainingMonitor()
    texts, drawn_before = [], clock.drawn
    monitor.status.observe(lambda change: texts.append(clock.now), "value")
    for n in range(101):  # ten seconds
        clock.now = 1000 + n / 10
        monitor.update(progress(finished, 1 + n % 8))
    assert 15 <= len(texts) <= 21
    assert min(later - earlier for earlier, later in itertools.pairwise(texts)) >= 0.499
    assert clock.drawn - drawn_before == 6


def test_fewer_figures_are_drawn_if_each_takes_long(finished, monkeypatch):
    clock, monitor = Clock(monkeypatch, drawing=0.5), TrainingMonitor()
    began, drawn_before = clock.now, clock.drawn
    while clock.now < began + 60:
        clock.now += 0.5
        monitor.update(progress(finished, 5))
    assert 0.03 <= (clock.drawn - drawn_before) * 0.5 / 60 <= 0.07


def test_the_last_epoch_is_shown_however_soon_it_comes(finished, monkeypatch):
    Clock(monkeypatch)
    monitor = TrainingMonitor()
    monitor.update(progress(finished, 4))
    curves = monitor.curves.value
    monitor.update(progress(finished, 12, epoch_done=True))  # no time has passed on the clock
    assert "Finished" in monitor.status.value and monitor.curves.value != curves


def test_total_epochs_overrides_the_settings(finished, monkeypatch):
    Clock(monkeypatch)
    monitor = TrainingMonitor(total_epochs=10)
    monitor.update(progress(finished, 6))
    assert "Epoch 2 of 10" in monitor.status.value and monitor.bar.max == 40


def test_the_monitor_follows_a_real_run(drawn, tmp_path):
    monitor, sentences = TrainingMonitor(), []
    monitor.status.observe(lambda change: sentences.append(change["new"]), "value")
    config = TrainConfig(data_path=str(drawn), outf=str(tmp_path / "run"), **TINY)
    run = train(config, progress=False, on_update=monitor.update)
    assert "Finished: 3 epochs" in sentences[-1] and "Epoch 1 of 3" in sentences[0]
    assert epoch_shown(monitor.grid, run) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59.6, "60 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (7300, "2.0 h"), (36000, "10.0 h")],
)
def test_durations_have_a_unit_that_fits(seconds, words):
    assert duration(seconds) == words


# --- sizes -------------------------------------------------------------------------------------------


def test_the_explorer_shows_the_formula_with_its_numbers():
    explorer = ShapeExplorer()
    assert "nn.ConvTranspose2d(..., kernel_size=5, stride=3, padding=1)" in words(explorer)
    assert "output size = (32 - 1) * 3 - 2 * 1 + 5 = 96" in words(explorer)
    assert "32x32 becomes 96x96" in words(explorer)
    before = explorer.image.value
    explorer.kernel.value, explorer.stride.value = 4, 2
    assert "(32 - 1) * 2 - 2 * 1 + 4 = 64" in words(explorer)
    assert explorer.image.value != before


def test_the_explorer_does_convolutions_too():
    explorer = ShapeExplorer(size=96, transposed=False)
    assert "nn.Conv2d(" in words(explorer) and "(96 + 2 * 1 - 5) // 3 + 1 = 32" in words(explorer)
    explorer.kind.value = True
    assert "nn.ConvTranspose2d(" in words(explorer)


def test_impossible_settings_get_one_sentence_and_no_picture():
    explorer = ShapeExplorer(kernel=5, stride=1, padding=0, size=3, transposed=False)
    line = explorer.lines[-1].value
    assert "Impossible: a kernel of 5 does not fit into an input of 3: take a smaller kernel." in line
    assert explorer.image.layout.visibility == "hidden"
    assert stored(explorer._repr_mimebundle_())
    explorer.size.value = 5
    assert "5x5 becomes 1x1" in words(explorer) and explorer.image.layout.visibility == "visible"


def test_the_explorer_answers_all_settings(monkeypatch):
    asked = []

    def no_picture(*settings):
        asked.append(settings)
        overlap_counts(*settings)  # raises as the picture would
        return Image.new("RGB", (10, 10))

    monkeypatch.setattr("animegan.widgets.shapes.overlap_picture", no_picture)
    explorer, answers = ShapeExplorer(), set()
    settings = itertools.product((True, False), (1, 5, 11), (1, 6), (0, 6), (1, 2, 128))
    for explorer.kind.value, explorer.kernel.value, explorer.stride.value, explorer.padding.value, size in settings:
        explorer.size.value = size
        answers.add("Impossible" in explorer.lines[-1].value)
        assert ("becomes" in explorer.lines[-1].value) != ("Impossible" in explorer.lines[-1].value)
    assert answers == {True, False} and len(asked) > 20


def test_impossible_initial_values_are_refused():
    with pytest.raises(UserError, match="kernel 0 is impossible"):
        ShapeExplorer(kernel=0)
    with pytest.raises(UserError, match="input size 2.5 is impossible"):
        ShapeExplorer(size=2.5)
    assert ShapeExplorer(kernel=20).kernel.value == 20


# --- in a notebook -----------------------------------------------------------------------------------


def execute(*cells: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True, store_widget_state=False)
    return client.execute()


def pictures(cell: nbformat.NotebookNode) -> list[dict]:
    return [output["data"] for output in cell.outputs if stored(output.get("data", {}))]


def test_a_notebook_stores_pictures_of_its_widgets(finished, drawn, tmp_path):
    config = {**TINY, "data_path": str(drawn)}
    notebook = execute(
        f"""
from animegan.config import TrainConfig
from animegan.runs import Run
from animegan.training import train
from animegan.widgets import EpochComparer, ShapeExplorer, TrainingMonitor
config = {config!r}
comparer = EpochComparer(Run({str(finished.path)!r}))
comparer""",
        "comparer.left.slider.value = 2\ncomparer",
        "ShapeExplorer()",
        f"""
monitor = TrainingMonitor()
display(monitor)
from animegan.show import in_notebook
(before,) = in_notebook(monitor.picture()).values()
train(TrainConfig(outf={str(tmp_path / "a")!r}, **config), progress=False, on_update=monitor.update)""",
        f"""
stopped = TrainingMonitor()
display(stopped)
def stop(progress):
    stopped.update(progress)
    if progress.epoch == 2:
        raise KeyboardInterrupt
train(TrainConfig(outf={str(tmp_path / "b")!r}, **config), progress=False, on_update=stop)""",
        f"""
broken = TrainingMonitor()
display(broken)
def fail(progress):
    broken.update(progress)
    raise ValueError
train(TrainConfig(outf={str(tmp_path / "c")!r}, **config), progress=False, on_update=fail)""",
        "print(before)",
        "for m in (monitor, stopped, broken): print(m.status.value)",
    )
    assert "widgets" not in notebook.metadata
    first, moved, shapes, trained = (pictures(cell) for cell in notebook.cells[:4])
    assert [len(found) for found in (first, moved, shapes, trained)] == [1, 1, 1, 1]
    assert stored(first[0]) != stored(moved[0])
    # The stored picture of the monitor shows the end of training, although it was displayed before the first step.
    assert stored(trained[0]) != notebook.cells[6].outputs[0]["text"].strip()
    finished_, stopped, failed = notebook.cells[7].outputs[0]["text"].splitlines()
    assert "Finished: 3 epochs" in finished_
    assert re.search(r"Stopped in epoch 2 of 3, batch \d of 4: run this cell again to resume\.", stopped)
    assert "Stopped by an error in epoch 1 of 3" in failed

    page, _ = HTMLExporter().from_notebook_node(notebook)
    for data in (first, moved, shapes, trained):
        assert stored(data[0])[:2000] in page
