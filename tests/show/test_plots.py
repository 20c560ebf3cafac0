"""What the pictures show, and how a notebook stores them."""

import base64
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from animegan.errors import UserError
from animegan.runs import Run, Step
from animegan.show import MAX_BYTES, Picture, encoded, epochs, face_picture, font_for, history, in_notebook, overlap
from animegan.show.epochs import MAX_WIDTH, compare_epochs, faces_over_epochs
from animegan.show.figures import BLUE, ORANGE, new_figure
from animegan.show.history import PANELS as CURVES
from animegan.show.history import (
    POINTS,
    Trace,
    draw_curves,
    history_picture,
    moving_mean,
    plot_history,
    plot_steps,
    thinned,
)
from animegan.show.overlap import overlap_counts, overlap_picture, shades_of
from animegan.show.sheets import BLOCK_GAP, CAPTION, GAP, HEADING, MARGIN, faces_sheet, judging_sheets


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def pixels_of(picture: Image.Image, colour: str) -> int:
    apart = np.abs(np.asarray(picture.convert("RGB"), dtype=int) - rgb(colour)).max(axis=-1)
    return int((apart <= 1).sum())  # matplotlib rounds its colours


def holds(picture: Image.Image, part: Image.Image) -> list[tuple[int, int]]:
    """The corners (left, top) at which `part` lies in `picture`, pixel for pixel."""
    whole, small = np.asarray(picture.convert("RGB")), np.asarray(part.convert("RGB"))
    height, width = small.shape[:2]
    tops, lefts = np.nonzero((whole[: -height + 1, : -width + 1] == small[0, 0]).all(axis=-1))
    return [
        (int(left), int(top))
        for top, left in zip(tops, lefts, strict=True)
        if (whole[top : top + height, left : left + width] == small).all()
    ]


def steps(count: int, per_epoch: int = 4) -> list[Step]:
    return [
        Step(1 + n // per_epoch, 1 + n % per_epoch, 1.0 + n, 2.0 + n, 0.8, 0.2, seconds=n / 10) for n in range(count)
    ]


# --- faces -------------------------------------------------------------------------------------------


def test_compare_epochs_sets_the_same_cells_below_each_other(finished):
    picture = compare_epochs([finished], [1, 3], count=5)
    for cell in range(5):
        (first,), (last,) = (holds(picture, finished.faces(epoch)[cell]) for epoch in (1, 3))
        assert first[0] == last[0] and first[1] < last[1]
    assert not holds(picture, finished.faces(3)[5])
    assert picture.tobytes() == compare_epochs(finished, [1, 3], count=5).tobytes()


def test_compare_epochs_refuses_what_is_not_a_run(finished):
    with pytest.raises(UserError, match=r"'imgs/mine' is not a run: open its folder first"):
        compare_epochs("imgs/mine", [1])
    with pytest.raises(UserError, match="no run"):
        compare_epochs([], [1])


def test_faces_over_epochs_has_one_row_per_face_and_one_column_per_epoch(finished):
    picture = faces_over_epochs(finished, (0, 9))
    corners = [[holds(picture, finished.faces(epoch)[cell])[0] for epoch in (1, 2, 3)] for cell in (0, 9)]
    for row in corners:
        assert row[0][0] < row[1][0] < row[2][0]
        assert len({top for _, top in row}) == 1
    assert corners[0][0][1] < corners[1][0][1]
    assert [left for left, _ in corners[0]] == [left for left, _ in corners[1]]
    assert faces_over_epochs(finished, 9).tobytes() == faces_over_epochs(finished, (9,)).tobytes()


def test_faces_over_epochs_takes_the_epochs_in_the_order_asked_for(finished):
    picture = faces_over_epochs(finished, (4,), epochs=[3, 1])
    (last,), (first,) = (holds(picture, finished.faces(epoch)[4]) for epoch in (3, 1))
    assert last[0] < first[0]
    assert not holds(picture, finished.faces(2)[4])


@pytest.mark.parametrize(("count", "blocks"), [(13, 1), (14, 2), (25, 2), (27, 3)])
def test_faces_over_epochs_wraps_so_that_a_notebook_does_not_shrink_it(finished, count, blocks):
    picture = faces_over_epochs(finished, (0,), epochs=[1 + n % 3 for n in range(count)])
    one = faces_over_epochs(finished, (0,), epochs=[1 + n % 3 for n in range(-(-count // blocks))])
    assert picture.width == one.width <= MAX_WIDTH
    assert picture.height == pytest.approx(blocks * one.height, abs=10 * blocks)


def test_runs_are_labelled_by_what_differs(finished, tmp_path):
    def labels(**changes):
        other = finished.share(tmp_path / f"other-{len(list(tmp_path.iterdir()))}")
        other.save_info(replace(other.config, **changes))
        return [lines[1:] for lines in epochs.labels_by_difference([finished, other])]

    assert labels() == [["stable"], ["stable"]]
    assert labels(recipe="handout") == [["stable"], ["handout"]]
    assert labels(beta1=0.9) == [["beta1 0.5"], ["beta1 0.9"]]
    assert labels(lr=0.01, seed=3, nz=16) == [["lr 0.0002", "seed 0"], ["lr 0.01", "seed 3"]]
    assert epochs.labels_by_difference([finished]) == [[]]


def test_the_legend_reaches_from_the_smallest_to_the_largest():
    assert overlap.spread(5, 12) == [0, 1, 2, 3, 4]
    assert overlap.spread(64, 12)[0] == 0 and overlap.spread(64, 12)[-1] == 63 and len(overlap.spread(64, 12)) == 12


def test_faces_over_epochs_refuses_cells_and_epochs_that_do_not_exist(finished):
    for cells in ((64,), (-1,), 64):
        with pytest.raises(UserError, match=r"cells \[(64|-1)\] cannot be shown: .* 0 to 63"):
            faces_over_epochs(finished, cells)
    with pytest.raises(UserError, match=r"cells \[\] cannot be shown"):
        faces_over_epochs(finished, ())
    with pytest.raises(UserError, match="no epoch to show"):
        faces_over_epochs(finished, epochs=())
    with pytest.raises(UserError, match="it exists for epoch 1 to 3"):
        faces_over_epochs(finished, epochs=(4,))


# --- sheets ------------------------------------------------------------------------------------------


def test_a_sheet_has_rows_headings_labels_and_a_caption():
    red, blue = (Image.new("RGB", (20, 30), colour) for colour in ("red", "blue"))
    rows = [("top", ["1", "2", "3"]), ("row", [red, blue, red]), ("top", ["4"]), ("two\nlines", [blue])]
    sheet = faces_sheet(rows)
    first = MARGIN + HEADING + GAP
    second = first + 30 + GAP + BLOCK_GAP + HEADING + GAP
    left = sheet.width - MARGIN - 3 * 20 - 2 * GAP
    assert holds(sheet, red) == [(left, first), (left + 2 * (20 + GAP), first)]
    assert sorted(holds(sheet, blue)) == sorted([(left + 20 + GAP, first), (left, second)])
    assert sheet.height == second + 30 + MARGIN
    pixels = np.asarray(sheet)
    for top, bottom, dark in ((MARGIN, first, False), (first, first + 30, True), (second, second + 30, True)):
        label = pixels[top:bottom, : left - MARGIN // 2]
        assert (label.min() < 60) == dark and label.min() < 140, "names of rows are dark, those of headings grey"
        assert (pixels[top:bottom, left - 5 : left - 1] == 255).all() and (pixels[:, :MARGIN] == 255).all(), (
            "not clipped"
        )
    assert (pixels[MARGIN : MARGIN + HEADING, left:] < 100).any(), "the heading is written above its columns"
    captioned = faces_sheet([("", [red, blue])], margin=GAP, caption="below")
    assert captioned.size == (40 + 3 * GAP, 30 + 2 * GAP + CAPTION)
    assert np.asarray(captioned)[30 + 2 * GAP :].min() < 60


def test_a_long_row_of_a_sheet_continues_below():
    faces = [Image.new("RGB", (20, 20), (40 * n, 0, 0)) for n in range(5)]
    sheet = faces_sheet([("", faces)], columns=2, margin=GAP)
    assert sheet.size == (2 * 20 + 3 * GAP, 3 * 20 + 4 * GAP)
    corners = [holds(sheet, face) for face in faces]
    assert corners == [[(GAP + n % 2 * 22, GAP + n // 2 * 22)] for n in range(5)]
    assert faces_sheet([("", faces[:1])], columns=2, margin=GAP, size=40).size == (40 + 2 * GAP, 40 + 2 * GAP)


def test_the_faces_of_a_blind_count_are_numbered_32_to_a_sheet():
    faces = [Image.new("RGB", (96, 96), (6 * n, 0, 0)) for n in range(40)]
    first, second = judging_sheets(faces, size=50)
    assert first.width == second.width and [len(holds(first, face.resize((50, 50)))) for face in faces[:32]] == [1] * 32
    for face in faces[32:]:
        ((left, top),) = holds(second, face.resize((50, 50)))
        number = np.asarray(second)[top - HEADING - GAP : top, left : left + 50]
        assert number.min() < 100, "its number is above it"


def test_a_face_becomes_a_picture_from_floats_and_from_bytes():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 7), dtype=np.uint8)
    unit = torch.from_numpy(pixels).float() / 127.5 - 1
    for face in (pixels, torch.from_numpy(pixels), unit, unit.requires_grad_()):
        assert np.array_equal(np.asarray(face_picture(face)), pixels.transpose(1, 2, 0))
    assert np.asarray(face_picture(torch.full((3, 2, 2), 1.5))).min() == 255


# --- curves ------------------------------------------------------------------------------------------


def test_the_history_of_a_run_is_drawn_in_both_colours(finished):
    picture = plot_history(finished)
    assert picture.width > picture.height > 300
    half = picture.width // 2
    for side in (picture.crop((0, 0, half, picture.height)), picture.crop((half, 0, *picture.size))):
        assert pixels_of(side, BLUE) > 200 and pixels_of(side, ORANGE) > 200
    assert picture.tobytes() == plot_history([finished]).tobytes()


def test_the_curves_show_the_steps_over_epochs():
    _, panel = new_figure((4, 3))
    trace = Trace("run", steps(10), steps_per_epoch=4)
    draw_curves(panel, trace, "--", CURVES["loss"], width=3, faint=0.2)
    raw_D, mean_D, raw_G, mean_G = panel.lines
    assert list(raw_D.get_xdata()) == [(n + 1) / 4 for n in range(10)]
    assert list(raw_D.get_ydata()) == [1.0 + n for n in range(10)]
    assert list(raw_G.get_ydata()) == [2.0 + n for n in range(10)]
    assert mean_D.get_linestyle() == mean_G.get_linestyle() == "--"
    assert mean_D.get_ydata()[4] == pytest.approx(5.0) and mean_D.get_ydata()[0] == pytest.approx(1.5)
    assert (mean_D.get_color(), mean_G.get_color()) == (BLUE, ORANGE)


def test_runs_of_different_length_are_smoothed_over_the_same_part_of_the_axis(monkeypatch):
    widths = []
    monkeypatch.setattr(history, "draw_curves", lambda *arguments, **_: widths.append(arguments[4]))
    long, short = Trace("long", steps(400, per_epoch=20), 20), Trace("short", steps(80, per_epoch=40), 40)
    history_picture([long, short], smooth=None)
    assert widths == [10, 20, 10, 20]  # half an epoch of 20 epochs, in both panels
    widths.clear()
    history_picture([long, short], smooth=7)
    assert widths == [7] * 4


def test_a_width_of_1_leaves_one_curve_without_a_shadow():
    _, panel = new_figure((4, 3))
    draw_curves(panel, Trace("run", steps(10), 4), "-", CURVES["loss"], width=1, faint=0.2)
    assert len(panel.lines) == 2
    assert list(panel.lines[0].get_ydata()) == [1.0 + n for n in range(10)]


@pytest.mark.parametrize("width", [1, 2, 3, 7, 50])
def test_the_moving_mean_is_the_mean_of_the_neighbouring_values(width):
    values = np.random.default_rng(0).normal(size=20)
    expected = [values[max(0, n - width // 2) : n + (width + 1) // 2].mean() for n in range(20)]
    assert np.allclose(moving_mean(values, width), expected)


def test_a_long_curve_is_thinned_but_keeps_its_spikes_and_its_end():
    x, y = np.arange(100_000.0), np.random.default_rng(0).normal(size=100_000)
    y[54_321], y[99_999] = 50.0, -9.0
    thin_x, thin_y = thinned(x, y)
    assert len(thin_x) <= 2 * (POINTS + 4)
    assert 50.0 in thin_y and (thin_x[-1], thin_y[-1]) == (99_999, -9.0)
    assert (np.diff(thin_x) > 0).all() and np.array_equal(y[thin_x.astype(int)], thin_y)
    assert thinned(x[:1000], y[:1000])[0].size == 1000


def test_several_runs_are_named_below_and_differ_in_their_lines(finished, tmp_path):
    one, two = (plot_history(finished, finished.share(tmp_path / name)) for name in ("mine", "another"))
    changed = np.nonzero((np.asarray(one) != np.asarray(two)).any(axis=(1, 2)))[0]
    assert changed.size and changed.min() > 0.9 * one.height
    same = plot_history(finished)
    assert pixels_of(one, BLUE) > 200 and one.tobytes() != same.tobytes()


@pytest.mark.parametrize("has_chinese", [True, False], ids=["fonts of this machine", "no Chinese font"])
def test_a_run_whose_folder_has_a_chinese_name_is_drawn_without_a_warning(
    finished, tmp_path, recwarn, monkeypatch, has_chinese
):
    asked = []
    if not has_chinese:
        monkeypatch.setattr(history, "_families", lambda names: asked.append(names) or ["DejaVu Sans"])
    run = finished.share(tmp_path / "动漫")
    assert plot_history(run, finished).size == plot_history(finished, finished).size
    assert compare_epochs([run, finished], [1]).height > 96
    assert not [str(w.message) for w in recwarn]
    assert bool(asked) is not has_chinese
    assert font_for(20, ["动漫"]).getlength("动漫") > 0


def test_a_history_that_cannot_be_drawn_says_why(finished, tmp_path):
    with pytest.raises(UserError, match="no run"):
        plot_history()
    with pytest.raises(UserError, match="is not a run"):
        plot_history("imgs/mine")
    with pytest.raises(UserError, match="smooth 0 is out of range"):
        plot_history(finished, smooth=0)
    new = Run.create(replace(finished.config, outf=str(tmp_path / "new")), {})
    with pytest.raises(UserError, match="the run new has no step in its history yet"):
        plot_history(new)


def test_a_run_in_progress_grows_into_an_axis_of_all_its_epochs():
    early, late = (plot_steps(steps(count), 4, epochs=5, smooth=1) for count in (8, 20))
    assert early.size == late.size
    begin, end = right_end(plot_steps(steps(2), 4, epochs=5, smooth=1)), right_end(late)
    assert end > 0.95 * late.width
    # Two steps are half an epoch.
    assert (right_end(early) - begin) / (end - begin) == pytest.approx((2 - 0.5) / (5 - 0.5), abs=0.03)


def right_end(picture: Image.Image) -> int:
    """Where the orange curve of the right panel ends; the legend above it does not count."""
    orange = (np.asarray(picture)[int(picture.height * 0.2) :] == rgb(ORANGE)).all(axis=-1)
    columns = np.nonzero(orange)[1]
    return int(columns.max()) if len(columns) else 0


def test_before_the_first_step_there_are_empty_axes():
    empty = plot_steps([], epochs=25)
    assert empty.size == plot_steps(steps(4), 4, epochs=25).size


def test_steps_per_epoch_is_what_training_does(finished):
    assert finished.steps_per_epoch == max(step.iteration for step in finished.read_steps()) == 4
    with_fewer = Run(finished.path)
    with_fewer.config = replace(finished.config, hold_out=16)  # of 36 pictures, in batches of 8
    assert with_fewer.steps_per_epoch == 2


def test_figures_leave_matplotlibs_global_state_alone():
    code = (
        "import sys, animegan.show as plots\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.plot_steps([]), plots.overlap_picture(5, 3, 1)\n"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# --- overlap -----------------------------------------------------------------------------------------

LAYERS = (5, 3, 1, 8), (4, 2, 1, 8), (4, 1, 0, 1), (3, 2, 0, 5), (2, 3, 0, 4), (5, 1, 2, 6), (1, 1, 0, 3), (7, 2, 5, 9)


@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), LAYERS)
def test_overlap_counts_are_what_a_transposed_convolution_of_ones_gives(kernel, stride, padding, size):
    layer = torch.nn.ConvTranspose2d(1, 1, kernel, stride, padding, bias=False)
    torch.nn.init.ones_(layer.weight)
    with torch.no_grad():
        written = layer(torch.ones(1, 1, size, size))[0, 0].numpy()
    counts = overlap_counts(kernel, stride, padding, size)
    assert np.array_equal(np.outer(counts, counts), written)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"), [(5, 3, 1, 96), (4, 2, 1, 32), (4, 1, 0, 4), (3, 5, 0, 9)]
)
def test_read_counts_are_the_gradient_of_a_convolution_of_ones(kernel, stride, padding, size):
    layer = torch.nn.Conv2d(1, 1, kernel, stride, padding, bias=False)
    torch.nn.init.ones_(layer.weight)
    x = torch.ones(1, 1, size, size, requires_grad=True)
    layer(x).sum().backward()
    counts = overlap_counts(kernel, stride, padding, size, transposed=False)
    assert np.array_equal(np.outer(counts, counts), x.grad[0, 0].numpy())


def test_the_handouts_last_layer_prints_a_checkerboard_and_its_others_do_not():
    inside = slice(4, -4)
    assert list(overlap_counts(5, 3, 1)[3:9]) == [2, 1, 2, 2, 1, 2]
    assert set(overlap_counts(4, 2, 1)[inside]) == {2}


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "transposed"), [(5, 3, 1, True), (3, 3, 0, True), (5, 3, 1, False)]
)
def test_the_overlap_picture_has_one_shade_per_count(kernel, stride, padding, transposed):
    picture = overlap_picture(kernel, stride, padding, transposed=transposed)
    counts = overlap_counts(kernel, stride, padding, transposed=transposed)
    values, areas = np.unique(np.outer(counts, counts), return_counts=True)
    found = np.array([pixels_of(picture, _hex(shade)) for shade in shades_of(values)])
    shown = values > 0  # 0 is as white as the paper
    assert (found[shown] > 300).all()
    assert found[shown] / found[shown].sum() == pytest.approx(areas[shown] / areas[shown].sum(), abs=0.02)


def _hex(shade) -> str:
    return shade if isinstance(shade, str) else "#" + bytes(int(part * 255 + 0.5) for part in shade[:3]).hex()


@pytest.mark.parametrize("arguments", [(5, 0, 1), (0, 3, 1), (5, 3, -1), (2, 1, 5), (5, 3, 1, 0)])
def test_an_impossible_overlap_is_refused(arguments):
    with pytest.raises(UserError):
        overlap_picture(*arguments)


# --- in a notebook -----------------------------------------------------------------------------------


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_a_notebook_stores_a_picture_once_and_whole():
    for picture, kind in ((noise(1200, 400), "image/jpeg"), (noise(120, 40), "image/png")):
        data, _ = DisplayFormatter().format(Picture(picture))
        assert set(data) == {kind, "text/plain"}
        assert " at 0x" not in data["text/plain"]
        assert Image.open(io.BytesIO(base64.b64decode(data[kind]))).size == picture.size


def test_a_saved_picture_keeps_its_full_quality(tmp_path):
    original = noise(300, 200)
    for path in (tmp_path / "picture.png", tmp_path / "picture.bmp"):
        Picture(original).save(path)
        assert Image.open(path).tobytes() == original.tobytes()
    Picture(original).save(tmp_path / "picture.jpg")


def test_colours_are_kept():
    """As a PNG exactly; as a JPEG, a strand of blue hair one pixel wide stays blue."""
    few = Image.new("RGB", (200, 100), "#0072b2")
    few.paste("#d55e00", (0, 0, 20, 100))
    assert Image.open(io.BytesIO(encoded(few)[1])).tobytes() == few.tobytes()
    many = Image.new("RGB", (200, 100), "#ffe0c8")
    many.paste("#0072b2", (99, 0, 100, 100))
    kind, content = encoded(many, most=0)
    assert kind == "image/jpeg"
    shown = np.asarray(Image.open(io.BytesIO(content)), dtype=int)
    assert np.abs(shown - np.asarray(many, dtype=int)).max() <= 24


def test_a_png_that_is_too_large_becomes_a_jpeg():
    size = len(encoded(noise(50, 30))[1])
    assert encoded(noise(50, 30), most=size)[0] == "image/png"
    assert encoded(noise(50, 30), most=size - 1)[0] == "image/jpeg"


def test_the_pictures_of_a_run_are_whole_in_a_notebook(finished):
    for picture in (plot_history(finished), faces_over_epochs(finished, (0, 1)), compare_epochs([finished], [1, 3])):
        ((_, content),) = in_notebook(picture).items()
        content = base64.b64decode(content)
        assert Image.open(io.BytesIO(content)).size == picture.size
        assert len(content) <= 2 * MAX_BYTES
