"""Every format and mode that Pillow reads becomes the same upright RGB square."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import load, picture
from PIL import Image, ImageOps

pytestmark = pytest.mark.filterwarnings("error")


def only(folder: Path) -> np.ndarray:
    """The one picture of the folder as [S, S, 3], in whole numbers."""
    faces = load(folder)
    assert len(faces) == 1, str(faces.report)
    return faces.images[0].transpose(1, 2, 0).astype(int)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".gif", ".webp", ".jpg", ".jp2", ".ppm", ".JPEG"])
def test_every_format_shows_the_same_picture(tmp_path, suffix):
    original = picture()
    options = {".jpg": {"quality": 98}, ".webp": {"lossless": True}}.get(suffix, {})
    (original.quantize(256) if suffix == ".gif" else original).save(tmp_path / f"a{suffix}", **options)
    tolerance = {".gif": 12, ".jpg": 3, ".JPEG": 5}.get(suffix, 0.01)
    assert np.abs(only(tmp_path) - pixels(original)).mean() < tolerance
    report = load(tmp_path).report
    assert report.misnamed == report.animated == report.odd_shapes == []


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_simple_modes(tmp_path, mode):
    image = picture().convert(mode)
    image.save(tmp_path / "a.png")
    assert np.array_equal(only(tmp_path), pixels(image.convert("RGB")))


def test_rgba_and_grey_alpha_lie_on_white(tmp_path):
    for mode, colour in (("RGBA", (200, 0, 0)), ("LA", (40,))):
        folder = tmp_path / mode
        folder.mkdir()
        image = Image.new(mode, (96, 96), (*colour, 0))  # transparent, with a hidden colour
        image.paste((*colour, 255), (0, 0, 48, 96))
        image.paste((*colour, 128), (0, 48, 48, 96))
        image.save(folder / "a.png")
        found = only(folder)
        solid = np.broadcast_to(colour, 3)
        assert np.array_equal(found[10, 80], [255, 255, 255])
        assert np.array_equal(found[10, 10], solid)
        assert np.abs(found[80, 10] - (solid * 128 + 255 * 127) / 255).max() <= 1


def test_transparent_palette_lies_on_white(tmp_path):
    image = Image.new("P", (96, 96), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(0, (0, 0, 48, 96))
    image.save(tmp_path / "a.png", transparency=0)
    found = only(tmp_path)
    assert np.array_equal(found[5, 5], [255, 255, 255])
    assert np.array_equal(found[5, 90], [200, 100, 50])


def test_cmyk(tmp_path):
    Image.new("CMYK", (96, 96), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=98)
    assert np.abs(only(tmp_path)[48, 48] - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, suffix):
    values = np.arange(96, dtype=np.uint16)[None, :].repeat(96, 0) * 600
    Image.fromarray(values).save(tmp_path / f"a{suffix}")
    assert np.array_equal(only(tmp_path)[7, :, 1], np.rint(values[7] / 257))


@pytest.mark.parametrize("peak", [1, 255, 65535, 1e6])
def test_float_grey_takes_the_range_that_holds_it(tmp_path, peak):
    values = np.linspace(0, peak, 96, dtype=np.float32)[None, :].repeat(96, 0)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert np.abs(only(tmp_path)[0, :, 2] - np.linspace(0, 255, 96)).max() <= 0.51


@pytest.mark.parametrize("peak", [1, 255, 1023, 4095, 65535])
@pytest.mark.parametrize(("dtype", "suffix"), [(np.uint16, "png"), (np.uint16, "tif"), (np.int32, "tif")])
def test_grey_of_fewer_bits_than_its_file_is_not_black(tmp_path, peak, dtype, suffix):
    """Scanners and cameras store 10 or 12 bits in 16, NumPy stores 8 bits in 32."""
    values = np.linspace(0, peak, 96)[None, :].repeat(96, 0).round().astype(dtype)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    found = only(tmp_path)[5, :, 1]
    assert np.abs(found - values[5] * 255.0 / peak).max() <= 0.51 and found.max() == 255


def test_32_bit_grey_holds_16_bits(tmp_path):
    Image.fromarray(np.full((96, 96), 100 * 257, np.int32)).save(tmp_path / "a.tif")
    assert np.all(only(tmp_path) == 100)


def test_exif_rotation_is_honoured(tmp_path):
    upright = picture(width=200, height=300)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side: to be turned by 90 degrees clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", quality=98, exif=exif)
    expected = pixels(upright.crop((0, 50, 200, 250)).resize((96, 96), Image.Resampling.BICUBIC))
    assert np.abs(only(tmp_path) - expected).mean() < 2


def test_broken_exif_does_not_spoil_a_picture(tmp_path, monkeypatch):
    picture().save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff\x12\x01")
    assert np.abs(only(tmp_path) - pixels(picture())).mean() < 5

    def broken(*args, **options):
        raise ValueError("what some versions of Pillow do with some blocks")

    monkeypatch.setattr(ImageOps, "exif_transpose", broken)
    (tmp_path / "a.jpg").rename(tmp_path / "b.jpg")  # so that it is decoded again
    assert np.abs(only(tmp_path) - pixels(picture())).mean() < 5


def test_first_frame_of_an_animation(tmp_path):
    red, blue = (Image.new("RGB", (96, 96), colour) for colour in ("red", "blue"))
    red.save(tmp_path / "a.gif", save_all=True, append_images=[blue])
    red.save(tmp_path / "b.webp", save_all=True, append_images=[blue], lossless=True)
    red.save(tmp_path / "c.png", save_all=True, append_images=[blue])
    red.save(tmp_path / "d.mpo", save_all=True, append_images=[blue])
    shutil.copy(tmp_path / "d.mpo", tmp_path / "e.jpg")
    faces = load(tmp_path)
    assert np.all(faces.images[:3] == np.array([255, 0, 0])[None, :, None, None])
    assert np.abs(faces.images[3:].astype(int) - np.array([254, 0, 0])[None, :, None, None]).max() < 3
    assert faces.report.animated == ["a.gif", "b.webp", "c.png"]
    assert faces.report.misnamed == []


@pytest.mark.parametrize("shape", [(96, 96), (64, 64), (120, 130), (300, 200), (333, 777), (1400, 1000)])
def test_agrees_with_torchvision(tmp_path, shape):
    transforms = pytest.importorskip("torchvision.transforms")
    for suffix in (".png", ".jpg"):
        folder = tmp_path / suffix[1:]
        folder.mkdir()
        picture(3, *shape).save(folder / f"a{suffix}")
        prepare = transforms.Compose([transforms.Resize(96), transforms.CenterCrop(96)])
        expected = pixels(prepare(Image.open(folder / f"a{suffix}").convert("RGB")))
        assert np.abs(only(folder) - expected).mean() < 2


def test_image_size(tmp_path):
    picture(width=200, height=100).save(tmp_path / "a.png")
    assert load(tmp_path, image_size=32).images.shape == (1, 3, 32, 32)
    assert load(tmp_path).images.shape == (1, 3, 96, 96)  # each size has a cache of its own
    assert len(list(tmp_path.glob(".animegan-*"))) == 4


# --- a JPEG that lacks its end ----------------------------------------------------------------------------------------


def jpeg(side: int = 200, **options) -> bytes:
    buffer = io.BytesIO()
    picture(3, side, side).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


KINDS_OF_JPEG = [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 0}, {"optimize": True}]


@pytest.mark.parametrize("options", KINDS_OF_JPEG, ids=str)
@pytest.mark.parametrize("side", [200, 900])
def test_a_jpeg_that_lacks_only_its_end_marker_is_used(tmp_path, options, side):
    """Every pixel is there, and every browser shows it."""
    whole = jpeg(side, **options)
    for missing in (1, 2):
        folder = tmp_path / str(missing)
        folder.mkdir()
        (folder / "a.jpg").write_bytes(whole[:-missing])
        (tmp_path / "whole").mkdir(exist_ok=True)
        (tmp_path / "whole" / "a.jpg").write_bytes(whole)
        assert np.array_equal(only(folder), only(tmp_path / "whole"))


@pytest.mark.parametrize("options", KINDS_OF_JPEG, ids=str)
def test_a_jpeg_that_lacks_more_is_corrupt(tmp_path, options):
    """Not grey below the cut, without a word."""
    whole = jpeg(**options)
    start = whole.index(b"\xff\xda") + 20
    cuts = {len(whole) - 40, *np.linspace(start, len(whole) - 40, 12).astype(int)}
    if "restart_marker_rows" in options:  # cut exactly between two rows, too
        cuts |= {whole.index(bytes([0xFF, 0xD0 + n])) + more for n in range(4) for more in (0, 2)}
    if "progressive" in options:  # complete scans are the whole picture, only coarser
        cuts = {cut for cut in cuts if cut < whole.index(b"\xff\xda", start)}
    for cut in cuts:
        (tmp_path / f"{cut}.jpg").write_bytes(whole[:cut])
    from animegan.data import check_folder

    report = check_folder(tmp_path, progress=False)
    assert report.usable == 0 and len(report.corrupt) == len(cuts)


def test_heic_is_used_where_pillow_heif_is_installed(tmp_path):
    """A stand-in for that package: it registers a reader with Pillow, as the real one does."""
    (tmp_path / "pillow_heif.py").write_text(
        "from PIL import Image, PngImagePlugin\n"
        "class Heif(PngImagePlugin.PngImageFile):\n"
        "    format = 'HEIF'\n"
        "def register_heif_opener():\n"
        "    Image.register_open('HEIF', Heif, lambda start: start.startswith(b'\\x89PNG'))\n"
        "    Image.register_extensions('HEIF', ['.heic', '.heif'])\n"
    )
    (tmp_path / "faces").mkdir()
    picture().save(tmp_path / "faces" / "a.png")
    (tmp_path / "faces" / "a.png").rename(tmp_path / "faces" / "a.heic")
    code = (
        "import sys; from animegan.data import pictures as p; print(p.decode_picture(open(sys.argv[1], 'rb').read(), "
    )
    code += "'a.heic', 32)[0], 'HEIF' in p.FORMATS, p.SUFFIXES['.heic'])"
    command = [sys.executable, "-c", code, str(tmp_path / "faces" / "a.heic")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    out = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2])
    assert out.stdout.split() == ["['misnamed']", "True", "HEIF"], out.stderr  # a PNG, as far as Pillow is concerned
