import numpy as np
import pytest
from PIL import Image

from striate.train import evaluate
from striate.train.figures import answers, confusion, curves, mistakes, save_figure

METRICS = [
    {"epoch": n, "train_loss": 1 / n, "val_loss": 2 / n, "train_accuracy": 1 - 1 / n, "val_accuracy": 0.5}
    for n in range(1, 4)
]


def judged(names, count=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(names), count)
    scores = rng.normal(size=(count, len(names))).astype(np.float32)
    return scores, labels, evaluate(scores, labels, names, "test")


def drawn(figure, tmp_path):
    """The figure as it is saved: (height, width, 3)."""
    save_figure(figure, tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        return np.asarray(picture.convert("RGB"))


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_curves_show_loss_and_accuracy_of_both_splits(tmp_path):
    figure = curves(METRICS)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert loss.lines[1].get_ydata().tolist() == [2, 1, 2 / 3]
    assert accuracy.get_ylabel() == "accuracy (%)"
    assert accuracy.lines[1].get_ydata().tolist() == [50, 50, 50]
    height, width, _ = drawn(figure, tmp_path).shape
    assert 400 < height < 600
    assert 1000 < width < 1500


def test_curves_of_a_regression_without_validation_are_one_line():
    figure = curves([{"epoch": 1, "train_loss": 0.5}])
    (loss,) = figure.axes
    assert len(loss.lines) == 1
    figure.draw_without_rendering()
    inside = [tick for tick in loss.get_xticks() if loss.get_xlim()[0] <= tick <= loss.get_xlim()[1]]
    assert inside == [1]


def test_curves_before_the_first_epoch_are_empty(tmp_path):
    assert drawn(curves([]), tmp_path).size


def test_confusion_matrix_numbers_what_happened():
    names = ("ant", "bee", "wasp")
    scores = np.eye(3, dtype=np.float32)[[0, 0, 1, 2]]
    labels = np.array([0, 1, 1, 2])
    axes = confusion(evaluate(scores, labels, names, "val"), names).axes[0]
    assert axes.get_title() == "val: 75.00 % of 4 right"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(names)
    assert texts(axes) == ["1", "1", "1", "1"]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])


@pytest.mark.parametrize("count", [2, 25, 26, 300])
def test_confusion_matrix_stays_a_picture_of_sane_size(tmp_path, count):
    names = tuple(f"a class of number {i}" for i in range(count))
    figure = confusion(judged(names)[2], names)
    assert bool(texts(figure.axes[0])) == (count <= 25)
    height, width, _ = drawn(figure, tmp_path).shape
    assert 400 < height <= width < 1600


def test_mistakes_come_worst_first():
    scores = np.array([[3, 0], [1, 0], [0, 1], [9, 0]], np.float32)
    labels = np.array([1, 1, 1, 1])
    pixels = np.zeros((4, 1, 5, 5), np.uint8)
    pixels[:] = np.array([10, 20, 30, 40])[:, None, None, None]
    figure = mistakes(scores, labels, pixels, ("no", "yes"))
    assert [axes.get_title() for axes in figure.axes] == [
        "is yes\nsaid no, 100%",
        "is yes\nsaid no, 95%",
        "is yes\nsaid no, 73%",
    ]
    assert [int(axes.images[0].get_array()[0, 0]) for axes in figure.axes] == [40, 10, 20]
    # A pale picture isn't stretched to look like a strong one.
    assert figure.axes[0].images[0].get_clim() == (0, 255)


def test_no_mistakes_no_figure():
    scores = np.eye(3, dtype=np.float32)
    assert mistakes(scores, np.arange(3), np.zeros((3, 1, 5, 5), np.uint8), ("a", "b", "c")) is None


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_mistakes_are_drawn_of_any_depth_and_type(tmp_path, depth, dtype):
    names = ("a", "b")
    scores, labels, _ = judged(names)
    pixels = np.random.default_rng(0).integers(0, 256, (200, depth, 6, 7)).astype(dtype)
    figure = mistakes(scores, labels, pixels, names)
    assert len(figure.axes) == 24
    height, width, _ = drawn(figure, tmp_path).shape
    assert 500 < height < 800
    assert 1200 < width < 1600


def test_names_are_drawn_as_they_are_written(tmp_path):
    names = ("$\\frac$ $", "猫 x_1^2", "a very long name of a class that goes on")
    scores, labels, told = judged(names, 40)
    drawn(confusion(told, names), tmp_path)
    figure = mistakes(scores, labels, np.zeros((40, 1, 5, 5), np.uint8), names)
    drawn(figure, tmp_path)
    assert any("is a very long n…" in axes.get_title() for axes in figure.axes)


@pytest.mark.parametrize(("width", "panels"), [(1, 1), (5, 5), (60, 12)])
def test_answers_have_a_panel_for_each_of_the_first_targets(tmp_path, width, panels):
    targets = np.random.default_rng(0).normal(size=(50, width)).astype(np.float32)
    figure = answers(targets + 1, targets, "test")
    assert len(figure.axes) == panels
    assert figure.axes[0].get_xlabel() == "target 0 (test)"
    height, wide, _ = drawn(figure, tmp_path).shape
    assert max(height, wide) < 2200


def test_training_draws_what_there_is_to_draw(trained, tmp_path):
    run = trained("flatten | dense", epochs=1)
    assert [path.name for path in run.figures] == ["confusion.png", "curves.png", "mistakes.png"]
    labels = np.arange(60) % 2
    pictures = np.zeros((60, 8, 8), np.uint8)
    pictures[labels == 1] = 255
    np.savez(tmp_path / "easy.npz", x=pictures, y=labels)
    perfect = trained("flatten | dense", str(tmp_path / "easy.npz"), epochs=5, lr=0.05)
    assert perfect.manifest.results.test_accuracy == 1
    assert [path.name for path in perfect.figures] == ["confusion.png", "curves.png"]
