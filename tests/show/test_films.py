"""Films: their frames, their timing, their size, and the command that makes them."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import forbid
from PIL import Image, ImageSequence

from animegan import files
from animegan.cli import main
from animegan.errors import UserError
from animegan.grids import grid_picture
from animegan.latent import slerp
from animegan.models import generate, latent_vectors
from animegan.runs import Run
from animegan.show import Film, growth, walk
from animegan.show.films import EPOCH_MILLISECONDS, HOLD_MILLISECONDS, WALK_MILLISECONDS


def frames_of(content) -> list[tuple[Image.Image, int]]:
    """The frames of a GIF and how many milliseconds each is shown."""
    film = Image.open(content)
    assert film.format == "GIF" and film.info["loop"] == 0, "it loops"
    return [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(film)]


def apart(one: Image.Image, two: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=int) - np.asarray(two, dtype=int)).mean())


def stops(count: int, faces: int, nz: int) -> torch.Tensor:
    return latent_vectors(count * faces, nz, seed=8).view(count, faces, nz, 1, 1)


def test_a_walk_passes_each_stop_and_closes(finished, tmp_path):
    netG, z = finished.generator(3), stops(3, 2, 16)
    film = walk(netG, z, steps=4)
    assert len(film.frames) == 12 and set(film.milliseconds) == {WALK_MILLISECONDS}
    for number, stop in enumerate(z):
        assert apart(film.frames[4 * number], grid_picture(generate(netG, stop))) < 1e-3
    half = torch.stack([slerp(a, b, 3)[1] for a, b in zip(z[2], z[0], strict=True)])
    assert apart(film.frames[10], grid_picture(generate(netG, half))) < 0.5, "half way back to the first"
    shown = frames_of(film.save(tmp_path / "walk.gif"))
    assert len(shown) == 12 and {milliseconds for _, milliseconds in shown} == {WALK_MILLISECONDS}
    assert all(apart(frame, film.frames[n]) < 6 for n, (frame, _) in enumerate(shown))
    with pytest.raises(UserError, match="two stops or more"):
        walk(netG, z[:1])


def test_faces_grow_up_from_the_grids_alone(finished, tmp_path):
    shared = finished.share(tmp_path / "shared")  # no weights
    film = growth(shared, cells=(0, 5, 9))
    assert film.milliseconds == (EPOCH_MILLISECONDS, EPOCH_MILLISECONDS, HOLD_MILLISECONDS)
    for epoch, frame in zip((1, 2, 3), film.frames, strict=True):
        assert apart(frame.crop((2, 2, 98, 98)), shared.faces(epoch)[0]) == 0
        assert apart(frame.crop((2, 100, 98, 196)), shared.faces(epoch)[9]) == 0
    labels = [frame.crop((0, 198, *frame.size)) for frame in film.frames]
    assert all(np.asarray(label).min() < 100 for label in labels), "something dark is written"
    assert apart(labels[0], labels[1]) > 0, "another number"
    assert [time for _, time in frames_of(io.BytesIO(film.gif()))] == list(film.milliseconds)
    assert len(growth(shared, epochs=[1, 3]).frames) == 2
    with pytest.raises(UserError, match="cells 0 to 63"):
        growth(shared, cells=(64,))
    with pytest.raises(UserError, match="has no fake_samples_epoch_007"):
        growth(shared, epochs=[7])
    with pytest.raises(UserError, match="no epoch to show yet"):
        growth(Run.create(replace(finished.config, outf=str(tmp_path / "new")), {}))


def test_a_film_is_encoded_once_per_number_of_colours(finished, monkeypatch):
    film, encoded, gif = growth(finished), [], Film.gif
    monkeypatch.setattr(Film, "gif", lambda film, colours: encoded.append(colours) or gif(film, colours))
    film._repr_mimebundle_()
    assert encoded == [256]
    encoded.clear()
    monkeypatch.setattr("animegan.show.films.MAX_BYTES", 3000)
    html = film._repr_mimebundle_()["text/html"]
    assert encoded == [256, 128, 64] and base64.b64encode(gif(film, 64)).decode() in html, "the smallest, if none fits"


def test_a_notebook_plays_it_and_stores_a_still_strip_of_frames(finished):
    film = growth(finished)
    bundle = film._repr_mimebundle_()
    assert base64.b64encode(film.gif()).decode() in bundle["text/html"] and 'alt="a film of 3' in bundle["text/html"]
    still = base64.b64decode(bundle.get("image/png") or bundle["image/jpeg"])
    assert Image.open(io.BytesIO(still)).size == film.picture().size
    width = film.frames[0].width
    assert film.picture().width == 3 * (width + 2) + 2 and film.picture(count=2).width == 2 * (width + 2) + 2


def test_rare_colours_and_a_small_size():
    """A few violet pixels stay violet, and a still film costs hardly more than one frame."""
    frame = Image.new("RGB", (96, 96), "white")
    frame.paste("#8a2be2", (0, 0, 6, 6))
    film = Film((frame,) * 5 + (frame.transpose(Image.Transpose.ROTATE_180),), (50,) * 6)
    shown = frames_of(io.BytesIO(film.gif()))
    assert apart(shown[0][0].crop((0, 0, 6, 6)), frame.crop((0, 0, 6, 6))) < 5
    assert sum(milliseconds for _, milliseconds in shown) == 300 and len(film.gif()) < 5000


def test_a_single_face_has_a_frame_too(finished):
    z = stops(2, 1, 16)
    frame = walk(finished.generator(3), z, steps=2).frames[0]
    assert frame.size == (100, 100) and frame.getpixel((0, 50)) == frame.getpixel((99, 50)) == (255, 255, 255)
    face = generate(finished.generator(3), z[0])[0].add(1).mul(127.5).round().permute(1, 2, 0).byte().numpy()
    assert np.array_equal(np.asarray(frame.crop((2, 2, 98, 98))), face)


def test_a_film_is_written_atomically(finished, tmp_path, monkeypatch):
    film, path = growth(finished), tmp_path / "film.gif"
    for name in ("film.png", "film"):
        with pytest.raises(UserError, match=r"let it end in \.gif"):
            film.save(tmp_path / name)
    path.write_bytes(b"the one before")
    forbid(monkeypatch, files.os, "replace")
    with pytest.raises(UserError, match="could not be saved"):
        film.save(path)
    assert path.read_bytes() == b"the one before" and [p.name for p in tmp_path.iterdir()] == ["film.gif"]


# --- animegan film -----------------------------------------------------------------------------------


def test_the_command_makes_both_kinds(finished, tmp_path, capsys):
    walk_options = ["film", str(finished.path), "--stops", "2", "--count", "1", "--out"]
    first, again = tmp_path / "w.gif", tmp_path / "again.gif"
    assert main([*walk_options, str(first)]) == 0
    out = capsys.readouterr().out
    assert "a walk through 2 faces of epoch 3" in out and "w.gif (0." in out
    assert len(frames_of(first)) == 24
    assert main([*walk_options, str(again), "--seed", "1"]) == 0
    assert again.read_bytes() != first.read_bytes()
    grown = tmp_path / "g.gif"
    assert main(["film", str(finished.path), "--grow", "--epoch", "2", "--out", str(grown)]) == 0
    assert "epochs 1 to 2: " in capsys.readouterr().out.splitlines()[-1]
    (frame, _), (_, held) = frames_of(grown)
    assert frame.size == (198, 224) and held == HOLD_MILLISECONDS


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--count", "65"], "--count: 65 is out of range: give 1 to 64"),
        (["--stops", "1"], "--stops: 1 is out of range: give 2 to 100"),
        (["--epoch", "9"], "has no netG_009.pth"),
        (["--grow", "--epoch", "9"], "has no fake_samples_epoch_009.png"),
        (["--grow", "--out", "x.mp4"], "let it end in .gif"),
        (["--grow", "--out", "no/x.gif"], "make the folder first"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(finished, options, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["film", str(finished.path.resolve()), *options]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.splitlines()) == 1
    assert main(["film", "nowhere"]) == 2 and "there is no run in nowhere" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
