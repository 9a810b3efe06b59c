"""The learning-rate range test."""

import json

import numpy as np
import pytest
from PIL import Image

from striate.core import TrainingError
from striate.train import find_rate
from striate.train.rate_finder import steepest

WORDS = {"device": "cpu", "quiet": True, "precision": "fp32", "batch": 16}


def test_the_steepest_place_before_the_lowest_is_told():
    rates = np.geomspace(1e-6, 10, 120)
    # Falls along a logistic curve about 1e-2, then explodes.
    losses = 2 / (1 + np.exp(3 * (np.log10(rates) + 2))) + np.where(rates > 1, rates, 0)
    assert steepest(list(rates), list(losses)) == pytest.approx(1e-2, rel=0.2)


@pytest.mark.parametrize("smoothed", [[], [1.0] * 5, [float(x) for x in range(40)]])
def test_a_loss_that_never_falls_is_told(smoothed):
    with pytest.raises(TrainingError) as caught:
        steepest(list(np.geomspace(1e-6, 1, len(smoothed))) if smoothed else [], smoothed)
    assert str(caught.value) == (
        "the loss fell at no rate; see that the network can learn these data by 'striate train --overfit'"
    )


def test_rates_rise_exponentially_until_the_loss_explodes(data, tmp_path):
    found = find_rate("conv 4 3 relu | flatten | dense", data, optimizer="sgd", out=tmp_path / "lr", **WORDS)
    ratios = np.array(found.rates[1:]) / np.array(found.rates[:-1])
    np.testing.assert_allclose(ratios, ratios[0])
    assert found.rates[0] == 1e-6
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert found.smoothed[0] == pytest.approx(found.losses[0])
    assert 1e-5 < found.suggestion < 1
    assert sorted(path.name for path in found.folder.iterdir()) == ["rates.json", "rates.png"]
    told = json.loads((found.folder / "rates.json").read_text())
    assert (told["format"], told["suggestion"]) == ("striate.rates", found.suggestion)
    with Image.open(found.folder / "rates.png") as picture:
        assert picture.format == "PNG"


def test_it_trains_as_well_at_the_rate_that_it_finds_as_at_any(trained, data, tmp_path):
    found = find_rate("conv 4 3 relu | flatten | dense", data, optimizer="sgd", out=tmp_path / "lr", **WORDS)
    losses = [
        trained("conv 4 3 relu | flatten | dense", optimizer="sgd", lr=rate).metrics[-1]["train_loss"]
        for rate in (found.suggestion, found.suggestion / 100)
    ]
    assert losses[0] < losses[1]
