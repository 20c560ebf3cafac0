"""The blind count: what is shuffled can be told apart again, and the figures are those of the textbooks."""

import pytest
from PIL import Image

from animegan.errors import UserError
from animegan.measure import blind_count

RED, BLUE = ([Image.new("RGB", (96, 96), colour)] * 20 for colour in ("red", "blue"))


def test_the_key_tells_which_face_is_which():
    count = blind_count({"red": RED, "blue": BLUE}, each=20, seed=3)
    assert sorted(count.key) == ["blue"] * 20 + ["red"] * 20 and count.key[:20] != sorted(count.key)[:20]
    colours = {(255, 0, 0): "red", (0, 0, 255): "blue"}
    assert [colours[face.getpixel((48, 48))] for face in count.faces] == count.key
    assert count.key == blind_count({"red": RED, "blue": BLUE}, each=20, seed=3).key
    assert count.key != blind_count({"red": RED, "blue": BLUE}, each=20, seed=4).key


def test_another_seed_draws_other_faces():
    faces = [Image.new("RGB", (96, 96), (n, 0, 0)) for n in range(100)]
    shades = {seed: {face.getpixel((0, 0)) for face in blind_count({"a": faces}, 10, seed).faces} for seed in (0, 1)}
    assert len(shades[0]) == len(shades[1]) == 10 and shades[0] != shades[1]


def test_counts_intervals_and_agreement():
    count = blind_count({"red": RED, "blue": BLUE}, each=20)
    first = "".join("p" if source == "red" else "n" for source in count.key)
    found = count.counted(first)
    assert (found.plain("red"), found.plain("blue"), found.kappa) == (20, 0, None)
    # Wilson's interval of 20 in 20 is 83.9 % to 100 %, of 0 in 20 it is 0 to 16.1 %.
    assert found.interval("red") == pytest.approx((16.78, 20), abs=0.01)
    assert found.interval("blue") == pytest.approx((0, 3.22), abs=0.01)
    assert str(found).splitlines()[1].split() == ["red", "20", "20.0", "17", "to", "20", "0.0", "20"]
    # The second judge doubts half of the red faces: they agree on 30 of 40, by chance on (20 * 10 + 20 * 20) / 40².
    doubts = iter("pd" * 20)
    second = "".join(next(doubts) if source == "red" else "n" for source in count.key)
    both = count.counted(first, " ".join(second.upper()))
    assert both.plain("red") == 15 and both.kappa == pytest.approx((0.75 - 0.375) / (1 - 0.375))
    assert str(both).splitlines()[-1] == "agreement of the judges (Cohen's kappa): 0.60"
    assert count.counted(first, first).kappa == 1 and count.counted("n" * 40, "n" * 40).kappa == 1


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((), "no marks"),
        (("p" * 39,), "judge 1 has 39 marks for 40"),
        (("p" * 40, "x" * 40), "judge 2 has the mark 'x'"),
    ],
)
def test_marks_that_do_not_fit(marks, message):
    with pytest.raises(UserError, match=message):
        blind_count({"red": RED, "blue": BLUE}, each=20).counted(*marks)


def test_too_few_faces():
    with pytest.raises(UserError, match="red has 20 faces, and 64 are needed"):
        blind_count({"red": RED})
