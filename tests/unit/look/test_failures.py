"""Faults planted in a made data set are found, and numbers agree with independent calculations."""

import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import binomtest

from planted import FLIPPED, TWINS, bars, judged, planted
from striate.core import UsageError
from striate.look import failures
from striate.look.failing import judge, wilson
from striate.look.failing.confusions import confusions_of
from striate.look.failing.duplicates import correlation, duplicates_of, thumbnails
from striate.look.failing.labels import doubtful_labels
from striate.look.subject import Subject
from striate.runs import write_tensors
from striate.train import evaluate, train


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def told(made):
    return failures(made.run)


def test_the_network_is_good_enough_to_judge(told):
    # Five in a hundred labels are wrong, so that no network can be righter.
    assert 0.92 <= told.judged.accuracy <= 0.95


def test_flipped_labels_are_found(made, told):
    found = {label.index for label in told.labels.listed}
    assert len(found & made.flipped) / FLIPPED >= 0.95
    assert len(found & made.flipped) / len(found) >= 0.9
    quality = [label.quality for label in told.labels.listed]
    assert quality == sorted(quality)
    assert told.labels.is_out_of_sample
    truth = [f"{index % 4}" for index in range(400)]
    right = [label.suggested == truth[label.index] for label in told.labels.listed]
    assert np.mean(right) > 0.9


def test_near_duplicates_across_splits_are_found_and_nothing_else(made, told):
    pairs = {twin.index: (twin.split, twin.other_index) for twin in told.duplicates.listed}
    assert pairs == {index: ("train", source) for index, source in made.twins.items()}
    assert len(pairs) == TWINS
    assert told.duplicates.splits == ("train", "val")
    assert not any(twin.is_same for twin in told.duplicates.listed)
    assert all(0.99 <= twin.similarity <= 1 for twin in told.duplicates.listed)


def test_mistakes_come_worst_first_and_are_complete(made, told):
    listed = told.mistakes.listed
    wrong = np.flatnonzero(told.judged.scores.argmax(1) != told.judged.labels)
    assert {mistake.index for mistake in listed} == set(wrong.tolist())
    assert made.flipped <= set(wrong.tolist())
    probabilities = torch.from_numpy(told.judged.scores).double().softmax(1)
    own = [float(probabilities[m.index, told.judged.labels[m.index]]) for m in listed]
    assert own == sorted(own)
    assert [m.label_probability for m in listed] == pytest.approx(own)
    assert listed[0].answer_probability == pytest.approx(float(probabilities[listed[0].index].max()))
    assert listed[0].name == f"bars.npz[{listed[0].index}]" or str(listed[0].index) in listed[0].name


def test_confused_pairs_count_both_ways():
    answers, labels = [1, 1, 0, 2, 2, 0], [0, 0, 1, 2, 1, 0]
    scores = np.eye(3)[answers] * np.array([1, 3, 2, 1, 1, 1])[:, None]
    told = confusions_of(judged(scores, labels))
    first, second = told.pairs
    assert (first.first, first.second, first.first_as_second, first.second_as_first) == ("a", "b", 2, 1)
    assert first.rows == (1, 2, 0)
    assert str(first) == "a and b: 2 × a called b, 1 × b called a"
    assert (str(second), second.rows) == ("b and c: 1 × b called c", (4,))
    assert sum(pair.count for pair in told.pairs) == 4


def test_pairs_and_classes_agree_with_the_confusion_matrix(told):
    matrix = evaluate(told.judged.scores, told.judged.labels, told.judged.classes, "test").confusion
    for pair in told.confusions.pairs:
        one, other = (told.judged.classes.index(name) for name in (pair.first, pair.second))
        assert (pair.first_as_second, pair.second_as_first) == (matrix[one, other], matrix[other, one])
    assert sum(pair.count for pair in told.confusions.pairs) == matrix.sum() - np.trace(matrix)
    assert [g.right for g in told.groups.classes] == np.diag(matrix).tolist()
    assert [g.count for g in told.groups.classes] == matrix.sum(axis=1).tolist()


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (3, 7), (0, 40), (981, 1000), (40, 40)])
def test_intervals_are_wilsons(right, count):
    wanted = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right, count) == pytest.approx((wanted.low, wanted.high))


def test_nothing_tells_nothing():
    assert wilson(0, 0) == (0, 1)


def test_correlation_forgives_brightness_and_contrast():
    pictures = np.random.default_rng(0).integers(0, 200, (5, 3, 9, 11))
    other = np.random.default_rng(1).integers(0, 200, (5, 3, 9, 11))
    assert correlation(pictures, 0.5 * pictures + 20.0) == pytest.approx(np.ones(5))
    wanted = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(pictures, other, strict=True)]
    assert correlation(pictures, other) == pytest.approx(wanted, abs=1e-6)
    flat = np.full((1, 3, 9, 11), 7)
    assert correlation(flat, flat).tolist() == [0]
    assert thumbnails(flat).abs().max() == 0
    pictures.flags.writeable = False
    assert thumbnails(pictures).norm(dim=1).tolist() == pytest.approx([1] * 5)


def test_equal_pictures_are_called_so_with_their_labels(made):
    subject = Subject.open(made.run)
    train = subject.rows(split="train")
    looked_at = judge(subject, subject.rows(split="test"))
    pixels = looked_at.rows.inputs[0]
    assert not np.shares_memory(pixels, train.inputs[0])
    pixels[7] = train.inputs[0][6]
    (twin,) = (t for t in duplicates_of(looked_at, {"train": train}).listed if t.index == 7)
    assert (twin.is_same, twin.other_index, twin.similarity) == (True, 6, pytest.approx(1))
    assert (twin.other_label, twin.split) == ("2", "train")


def test_what_was_kept_is_used_when_it_is_of_these_rows(made):
    subject = Subject.open(made.run)
    rows = subject.rows(split="val")
    kept = subject.run.predictions("val")
    path = subject.run.folder.predictions("val")
    before = path.read_bytes()
    try:
        other = -kept["scores"]
        write_tensors(path, {"scores": other, "labels": kept["labels"]})
        assert np.array_equal(judge(subject, rows).scores, other)
        write_tensors(path, {"scores": other, "labels": (kept["labels"] + 1) % 4})
        np.testing.assert_allclose(judge(subject, rows).scores, kept["scores"], rtol=1e-5, atol=1e-5)
        path.write_bytes(b"no tensors")
        np.testing.assert_allclose(judge(subject, rows).scores, kept["scores"], rtol=1e-5, atol=1e-5)
        path.unlink()
        np.testing.assert_allclose(judge(subject, rows).scores, kept["scores"], rtol=1e-5, atol=1e-5)
    finally:
        path.write_bytes(before)


def test_the_training_split_is_no_fair_judge_and_says_so(made):
    told = failures(made.run, split="train")
    assert not told.judged.is_out_of_sample
    assert "; it was trained on these" in str(told)
    assert "the network was trained on them, so many are missed" in str(told)
    # The copies that were put into `test` are found from the other side.
    found = {(twin.index, twin.split, twin.other_index) for twin in told.duplicates.listed}
    assert found == {(source, "test", index) for index, source in made.twins.items()}


@pytest.mark.parametrize("labels", [[0, 2], [0, 1, 0, 1, 1]])
def test_labels_of_small_splits_that_lack_a_class_are_looked_at(labels):
    scores = 5 * np.eye(3)[labels]
    told = doubtful_labels(judged(scores, labels))
    assert (told.listed, str(told)) == ((), f"likely wrong labels: 0 of {len(labels)}")


def test_labels_of_one_class_cannot_be_told_apart():
    with pytest.raises(UsageError, match="all rows are of class b; judge rows of at least two classes"):
        doubtful_labels(judged(np.eye(3)[[1, 1]], [1, 1]))


def test_without_cleanlab_labels_are_left_out_with_the_remedy(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    told = failures(made.run)
    remedy = "likely wrong labels need cleanlab; pip install 'striate[quality]'"
    assert told.left_out == {"labels": remedy}
    assert f"labels left out: {remedy}" in str(told)
    assert "labels" not in told.figures()
    assert told.to_dict()["labels"] is None


def test_other_data_are_held_against_the_runs_own(made, tmp_path):
    pictures, labels = bars(40, seed=77)
    own = Subject.open(made.run).rows(split="train").inputs[0]
    pictures[5] = own[17, 0]
    np.savez(tmp_path / "other.npz", x=pictures, y=labels)
    told = failures(made.run, tmp_path / "other.npz")
    assert (told.judged.rows.split, told.judged.is_out_of_sample) == ("all", True)
    assert [(t.index, t.split, t.other_index, t.is_same) for t in told.duplicates.listed] == [
        (5, "train", 17, True)
    ]
    assert told.calibration.fitted_on == "val"


def test_everything_is_json_and_one_screen(made, told):
    document = json.loads(json.dumps(told.to_dict()))
    assert document["count"] == 400
    assert document["labels"]["count"] == len(told.labels.listed)
    assert len(document["mistakes"]["mistakes"]) == len(told.mistakes.listed)
    assert document["calibration"]["fitted_on"] == "val"
    lines = str(told).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 140


def test_a_picture_for_every_topic(told):
    figures = told.figures()
    assert list(figures) == ["mistakes", "pairs", "groups", "calibration", "labels", "duplicates"]
    for figure in figures.values():
        figure.draw_without_rendering()
    drawn = figures["duplicates"].axes[0]
    assert len(drawn.images) == 2 * TWINS
    assert len(figures["mistakes"].axes[0].images) == min(32, len(told.mistakes.listed))
    assert told._repr_html_().count("<img ") == 6


def test_pictures_of_several_sizes_are_told_by_size(tmp_path):
    numbers = np.random.default_rng(0)
    sides = []
    for split, count in (("train", 30), ("test", 24)):
        for name, brightness in (("dark", 60), ("light", 190)):
            (tmp_path / "set" / split / name).mkdir(parents=True)
            for index in range(count):
                side = 10 + 2 * index
                pixels = np.clip(numbers.normal(brightness, 20, (side, 2 * side)), 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(
                    tmp_path / "set" / split / name / f"{index}.png"
                )
                sides += [side * 2**0.5] * (split == "test")
    run = train(
        "8x8x1 | flatten | dense",
        str(tmp_path / "set"),
        epochs=2,
        device="cpu",
        quiet=True,
        out=tmp_path / "run",
    )
    told = failures(run)
    groups = told.groups.sizes
    assert len(groups) == 5
    assert sum(group.count for group in groups) == 48
    assert groups[0].name.startswith(f"{min(sides):.0f} to ")
    assert groups[-1].name.endswith(f" to {max(sides):.0f} px")
    assert sum(group.right for group in groups) == round(48 * told.judged.accuracy)
    assert "by original size" in str(told)
    assert len(told.figures()["groups"].axes) == 2


def test_pictures_of_one_size_are_not(told):
    assert told.groups.sizes == ()
    assert len(told.figures()["groups"].axes) == 1


def test_a_regression_is_refused(tmp_path):
    pictures, _ = bars(60, 0)
    np.savez(tmp_path / "numbers.npz", x=pictures, y=pictures.mean(axis=(1, 2), dtype=np.float32)[:, None])
    run = train(
        "flatten | dense | regression",
        str(tmp_path / "numbers.npz"),
        epochs=1,
        device="cpu",
        quiet=True,
        out=tmp_path / "r",
    )
    with pytest.raises(UsageError, match="tells numbers, not classes; this needs a classifier"):
        failures(run)
