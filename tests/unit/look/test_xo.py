"""X against O: matches computed by hand, the rule, and learned filters that leave nothing behind."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from striate.core import UsageError
from striate.data import XO_CLASSES, load, xo_symbol
from striate.look import XO_FILTERS, compare_xo, match_maps, named_kernel, votes_of

CLEAN = np.stack([xo_symbol(name) for name in XO_CLASSES])


@pytest.fixture(scope="module")
def compared():
    return compare_xo()


def by_hand(picture, kernel):
    """The mean of the products of ±1, place by place."""
    signs = np.where(picture > 0, 1, -1)
    side = len(picture) - 2
    return np.array(
        [[(signs[i : i + 3, j : j + 3] * kernel).mean() for j in range(side)] for i in range(side)]
    )


def test_matches_are_mean_products_from_minus_one_to_one():
    pictures = np.concatenate([CLEAN, 255 - CLEAN, np.where(np.eye(9) > 0, 255, 0)[None]]).astype(np.uint8)
    maps = match_maps(pictures)
    assert maps.shape == (5, 3, 7, 7)
    for picture, own in zip(pictures, maps, strict=True):
        for name, found in zip(XO_FILTERS, own, strict=True):
            assert found == pytest.approx(by_hand(picture, named_kernel(name)), abs=1e-6)
    assert maps.min() >= -1 - 1e-6
    assert maps.max() <= 1 + 1e-6


def test_a_clean_x_matches_along_its_strokes_and_at_its_crossing():
    falling, rising, crossing = match_maps(CLEAN)[0]
    perfect = [np.argwhere(own > 0.999).tolist() for own in (falling, rising, crossing)]
    assert perfect == [[[1, 1], [2, 2], [4, 4], [5, 5]], [[1, 5], [2, 4], [4, 2], [5, 1]], [[3, 3]]]


def test_a_clean_o_has_no_crossing():
    assert match_maps(CLEAN)[1, 2].max() == pytest.approx(5 / 9)


def test_clean_symbols_fit_perfectly_wherever_they_stand():
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            votes = votes_of(match_maps(np.roll(CLEAN, (down, across), (1, 2))))
            assert votes.answers.tolist() == [0, 1]
            assert votes.x[0] == votes.o[1] == 1
            assert max(votes.o[0], votes.x[1]) < 0.5


def test_the_answer_is_read_from_five_or_four_matches():
    maps = match_maps(CLEAN)
    votes = votes_of(maps)
    x, o = votes.read(0), votes.read(1)
    assert x == [(0, 1, 1), (0, 5, 5), (1, 1, 5), (1, 5, 1), (2, 3, 3)]
    assert o == [(1, 1, 1), (1, 5, 5), (0, 1, 5), (0, 5, 1)]
    test = load("xo").split("test")
    maps = match_maps(test.pictures.array[:50, ..., 0])
    votes = votes_of(maps)
    for index in range(50):
        mean = np.mean([maps[index][place] for place in votes.read(index)])
        assert mean == pytest.approx(max(votes.x[index], votes.o[index]), abs=1e-4)


@pytest.mark.parametrize(
    "pictures", [np.zeros((2, 9, 9)), np.zeros((9, 9), np.uint8), np.zeros((1, 8, 9), np.uint8)]
)
def test_what_cannot_be_matched(pictures):
    with pytest.raises(
        UsageError, match=r"can't be matched; give bytes \(N, 9, 9\), 0 for -1 and 255 for \+1"
    ):
        match_maps(pictures)


def test_the_prescribed_filters_tell_most_of_the_test_pictures(compared):
    test = load("xo").split("test")
    told = votes_of(match_maps(test.pictures.array[..., 0])).answers
    assert compared.accuracy == np.mean(told == test.labels) == pytest.approx(0.96)


def test_learned_filters_tell_them_too(compared):
    assert compared.learned.filters.shape == (3, 3, 3)
    assert compared.learned.accuracy > 0.85
    right = compared.scores.argmax(axis=1) == compared.labels
    assert right[len(XO_CLASSES) :].mean() == pytest.approx(compared.learned.accuracy)


def test_learned_maps_are_those_of_the_filters(compared):
    batch = torch.from_numpy(CLEAN[:, None]).float() / 255
    module = compared.learned.module
    conv, image = module["conv1"], module.network[module.network.inputs[0]].layer
    normal = (batch - image.mean[0]) / image.deviation[0]
    expected = torch.nn.functional.conv2d(normal, conv.weight, conv.bias).detach().numpy()
    assert compared.learned_maps[:2] == pytest.approx(expected, abs=1e-4)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = torch.get_rng_state()
    threads = torch.get_num_threads()
    compare_xo(seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert list(Path(tmp_path).iterdir()) == []


def test_the_figure_shows_symbols_maps_and_mistakes(compared):
    rows = compared.rows()
    assert [row.title for row in rows][:4] == ["a clean x", "a clean o", "a hard x", "a hard o"]
    for row in rows[:4]:
        assert row.answer == row.learned_answer == row.label
    kinds = {row.title: (row.answer == row.label, row.learned_answer == row.label) for row in rows[4:]}
    assert kinds["only the rule\nis right"] == (True, False)
    assert kinds["only the learned\nare right"] == (False, True)
    figure = compared.figure()
    assert len(figure.axes) == 6 + 7 * len(rows)
    assert np.array_equal(figure.axes[7].images[0].get_array(), compared.maps[0, 0])
    texts = [text.get_text() for text in figure.texts]
    assert "prescribed filters: 96.0 % of the test pictures" in texts
    assert any(text.endswith((", is x", ", is o")) for text in texts)


def test_the_text_and_what_a_program_may_want(compared):
    text = str(compared)
    assert "a clean x: 1.00 votes for x, 0.39 for o; best matches diagonal 1.00, anti-diagonal 1.00" in text
    assert "96.0 % of 500 test pictures told right" in text
    facts = json.loads(json.dumps(compared.to_dict()))
    assert facts["prescribed"]["accuracy"] == pytest.approx(0.96)
    assert facts["prescribed"]["clean"]["x"]["maps"]["cross"][3][3] == pytest.approx(1)
    split = ("both_right", "only_prescribed_right", "only_learned_right", "neither_right")
    assert sum(facts[name] for name in split) == facts["test_pictures"] == 500
