"""Answers averaged over views, against the same averages written out."""

import numpy as np
import pytest
import torch

from striate.build import build
from striate.core import UsageError
from striate.graph import Network
from striate.runs import Run
from striate.train import predict, scores_of
from striate.train import test as evaluated
from striate.train.views import seen_in


def shifted(pictures: np.ndarray, by: int) -> np.ndarray:
    """Every pixel fetched by itself from `by` places further down and right, from the edge when outside."""
    height, width = pictures.shape[2:]
    result = np.empty_like(pictures)
    for row in range(height):
        for column in range(width):
            source = min(max(row + by, 0), height - 1), min(max(column + by, 0), width - 1)
            result[:, :, row, column] = pictures[:, :, *source]
    return result


def test_scores_are_the_means_of_those_of_the_views():
    module = build(Network.parse("7x9x2 | conv 3 3 relu | flatten | dense 4"), seed=1)
    pictures = np.random.default_rng(0).integers(0, 256, (5, 2, 7, 9), dtype=np.uint8)

    def plain(array):
        return scores_of(module, np.ascontiguousarray(array), "dense1")[0]

    def both(array):
        return (plain(array) + plain(array[..., ::-1])) / 2

    own = both(pictures)
    six = own / 2 + (both(shifted(pictures, -1)) + both(shifted(pictures, 1))) / 4
    for views, wanted in ((1, plain(pictures)), (2, own), (6, six)):
        np.testing.assert_allclose(
            scores_of(module, pictures, "dense1", views=views)[0], wanted, atol=1e-5, rtol=1e-5
        )


def test_rows_of_numbers_and_tokens_are_seen_as_they_are():
    inputs = [torch.rand((2, 3)), torch.ones((2, 1, 4, 4), dtype=torch.int64), torch.rand((2, 1, 4, 4))]
    seen = []
    seen_in(6, lambda given: seen.append(given) or [given[0]], inputs)
    assert len(seen) == 6
    for row, tokens, _ in seen:
        assert torch.equal(row, inputs[0])
        assert torch.equal(tokens, inputs[1])
    assert len({tuple(picture.flatten().tolist()) for *_, picture in seen}) == 6


def test_a_run_is_tested_and_predicts_in_views_and_keeps_what_one_view_told(trained, data, tmp_path):
    run: Run = trained(flip=True)
    kept, before = run.evaluation("test"), run.predictions("test")["scores"]
    told = evaluated(run, views=6)
    assert told.count == 12
    assert told.loss != kept["loss"]
    assert run.evaluation("test") == kept
    np.testing.assert_array_equal(run.predictions("test")["scores"], before)
    from PIL import Image

    picture = tmp_path / "one.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)).save(picture)
    (one,), (six,) = predict(run, picture), predict(run, picture, views=2)
    assert one.probabilities != six.probabilities
    with pytest.raises(UsageError, match="a picture is seen in 1, 2, 6 views, not 3; give one of them"):
        evaluated(run, views=3)
    with pytest.raises(UsageError, match="not 0"):
        predict(run, picture, views=0)
    plain = trained()
    assert evaluated(plain, views=1).count == 12
    for ask in (lambda: evaluated(plain, views=6), lambda: predict(plain, picture, views=6)):
        with pytest.raises(UsageError) as caught:
            ask()
        assert str(caught.value) == (
            f"6 views show each picture mirrored as well, and {plain.path} was trained without flip, so that "
            f"mirrored pictures are strange to it; take one view"
        )
