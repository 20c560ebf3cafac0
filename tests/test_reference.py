"""The run that comes with the course: what the notebooks say about it rests on these files."""

import pytest

from animegan.course import reference_run
from animegan.measure import REAL, Evaluation, read_evaluation
from animegan.measure.fid import FACES
from animegan.measure.references import DRAWN_UNSEEN, WORDS


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return read_evaluation(reference_run())


def test_every_epoch_is_measured_and_the_first_and_the_last_can_draw(found):
    run = reference_run()
    assert run.epochs == sorted(found.distances) == sorted(set(found.fidelities) - {REAL}) == list(range(1, 26))
    assert run.with_weights == [1, 25]
    assert (found.count, found.reference) == (2048, WORDS[DRAWN_UNSEEN])
    assert {each.features for each in found.fidelities.values()} == {FACES}


def test_faces_get_better_from_the_first_epoch_to_the_last(found):
    first, last, real = (found.fidelities[name] for name in (1, 25, REAL))
    assert found.mean(1) > 2 * found.mean(25) > 4 * found.floor[0].mean
    assert first.fid > 1.5 * last.fid > 3 * real.fid and first.kid > 2 * last.kid > 4 * real.kid
    assert first.precision < last.precision and first.recall <= last.recall < real.recall
    assert {found.best, 25} <= set(found.equals) and 1 not in found.equals
