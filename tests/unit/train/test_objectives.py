import numpy as np
import pytest

from striate.build import build
from striate.core import DataError, UsageError
from striate.data import ArrayPictures, Images, Split, load, with_held_out
from striate.graph import Dense, Flatten, Input, Network
from striate.train import train
from striate.train.objective import objective_of
from striate.train.run_data import loaded_images

PICTURES = ArrayPictures(np.zeros((4, 8, 8, 1), np.uint8), "made")
CLASSES = Images("made", ("a", "b", "c"), {"train": Split(PICTURES, np.array([0, 1, 2, 0]))})
TARGETS = Images("made", (), {"train": Split(PICTURES, np.zeros((4, 2), np.float32))})


def refused(network, images):
    network = Network.parse(network) if isinstance(network, str) else network
    with pytest.raises(UsageError) as caught:
        objective_of(network, images)
    return str(caught.value)


def heads(count):
    image = Input(8, 8, 1)
    flat = Flatten()(image)
    return Network(image, [Dense(3)(flat) for _ in range(count)])


@pytest.mark.parametrize(
    ("network", "images", "message"),
    [
        (
            "8x8x1 | flatten | dense 4",
            CLASSES,
            "the network ends with 4 numbers but made has 3 classes; make its last layer 'dense 3'",
        ),
        (
            "8x8x1 | flatten | dense 3 | regression",
            TARGETS,
            "the network ends with 3 numbers but made has 2 targets; make its last layer 'dense 2'",
        ),
        (
            "8x8x1 | conv 3 3",
            CLASSES,
            "the network ends in a volume of 6×6×3, not a row of scores; "
            "end with globalavgpool or flatten, then dense",
        ),
        (
            "8x8x1 | flatten | dense 3 | regression",
            CLASSES,
            "made has 3 classes, but the network does regression; take its last 'regression' out",
        ),
        (
            "8x8x1 | flatten | dense 2",
            TARGETS,
            "made has numbers to predict, not classes, but the network does classification; "
            "end it with | regression",
        ),
        (
            "64 | dense 3",
            CLASSES,
            "the network's input is 64, but pictures are height×width×depth; "
            "begin with a size such as 28x28x1",
        ),
        (
            heads(2),
            CLASSES,
            "output 'dense1' has no column in made, which has image, label; "
            "give the output the name of its column",
        ),
    ],
)
def test_network_and_data_that_do_not_agree_are_refused(network, images, message):
    assert refused(network, images) == message


def test_training_refuses_before_anything_is_written(trained, tmp_path):
    with pytest.raises(UsageError, match=r"^the network's input is 64, but pictures are height×width×depth;"):
        trained("64 | dense 3")
    assert not (tmp_path / "run-1").exists()


def test_softmax_at_the_end_changes_nothing_but_what_the_network_says(trained):
    plain, ended = (
        trained("conv 4 3 relu | flatten | dense"),
        trained("conv 4 3 relu | flatten | dense | softmax"),
    )
    for name, value in plain.weights("last").items():
        np.testing.assert_array_equal(value, ended.weights("last")[name])
    assert [e["train_loss"] for e in plain.metrics] == [e["train_loss"] for e in ended.metrics]
    np.testing.assert_array_equal(plain.predictions()["scores"], ended.predictions()["scores"])


def test_regression_learns_a_planted_relation(trained, regression_data):
    run = trained(
        "flatten | dense 2 | regression",
        regression_data,
        epochs=25,
        lr=0.02,
        optimizer="adamw",
        schedule="onecycle",
    )
    assert run.manifest.data.classes == []
    assert run.manifest.results.test_accuracy is None
    assert "train_accuracy" not in run.metrics[-1]
    assert run.metrics[-1]["val_loss"] < 0.1 * run.metrics[0]["val_loss"]
    predicted = run.predictions()
    spread = predicted["labels"].var(axis=0)
    errors = ((predicted["scores"] - predicted["labels"]) ** 2).mean(axis=0)
    assert (1 - errors / spread > 0.95).all()
    assert [path.name for path in run.figures] == ["answers.png", "curves.png"]


@pytest.mark.parametrize("network", [None, "tiny"])
def test_zoo_s_networks_do_regression_where_data_ask_for_it(trained, regression_data, network):
    run = trained(network, regression_data, epochs=1, batch=64)
    assert run.network.tasks == ("regression",)
    assert run.network.nodes[-1].shape.depth == 2


def test_pictures_are_fitted_to_the_network_s_input(trained):
    run = trained("12x10x1 | conv 4 3 relu | flatten | dense 3", epochs=1)
    assert str(run.network.nodes[0].shape) == "12×10×1"
    assert run.manifest.state == "done"


def test_grey_network_trains_on_colour_pictures(trained, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "colour.npz"
    np.savez(path, x=rng.integers(0, 256, (30, 8, 8, 3), np.uint8), y=np.arange(30) % 3)
    grey = trained("8x8x1 | conv 4 3 relu | flatten | dense 3", str(path), epochs=1)
    assert len(grey.network.nodes[0].layer.mean) == 1
    colour = trained("conv 4 3 relu | flatten | dense", str(path), epochs=1)
    assert len(colour.network.nodes[0].layer.mean) == 3


def test_splits_that_come_with_the_data_are_kept(trained, tmp_path):
    x, y = np.zeros((12, 8, 8), np.uint8), np.arange(12) % 3
    path = tmp_path / "two.npz"
    np.savez(path, x_train=x, y_train=y, x_val=x[:6], y_val=y[:6])
    run = trained(images=str(path), epochs=1)
    assert run.manifest.data.counts == {"train": 12, "val": 6}
    assert run.manifest.results.test_accuracy is None
    assert run.manifest.results.val_accuracy is not None
    assert run.folder.evaluation("val").exists()
    assert not run.folder.evaluation("test").exists()


def test_without_validation_the_last_epoch_is_the_best(trained):
    run = trained(validation=0)
    assert run.manifest.data.counts == {"train": 48, "test": 12}
    assert run.manifest.results.best_epoch == 3
    assert run.manifest.results.val_accuracy is None
    assert "val_loss" not in run.metrics[0]
    for name, value in run.weights("best").items():
        np.testing.assert_array_equal(value, run.weights("last")[name])


def test_preparation_comes_from_the_training_pictures_alone(trained, data):
    run = trained(epochs=1)
    split = with_held_out(load(data), validation=0.1, seed=0).split("train")
    pixels = np.stack([split.pictures.open(index) for index in range(len(split))]) / 255
    layer = run.network.nodes[0].layer
    assert layer.mean == pytest.approx((pixels.mean(),))
    assert layer.deviation == pytest.approx((pixels.std(),))


def test_preparation_that_the_network_brings_is_kept(trained):
    image = Input(8, 8, 1, mean=(0.5,), deviation=(0.25,))
    run = trained(Network(image, Dense(3)(Flatten()(image))), epochs=1)
    assert run.network.nodes[0].layer.mean == (0.5,)
    assert run.network.nodes[0].layer.deviation == (0.25,)


def test_data_that_cannot_be_learned_from_are_refused(trained):
    with pytest.raises(DataError) as caught:
        trained(images=Images("odd", ("only",), {"train": Split(PICTURES, np.zeros(4, np.int64))}))
    assert str(caught.value) == "odd has one class, 'only'; training needs at least two"
    with pytest.raises(DataError) as caught:
        trained(images=Images("odd", ("a", "b"), {"test": Split(PICTURES, np.arange(4) % 2)}))
    assert str(caught.value) == "odd has only test, no 'train' split; training needs one"


def test_batch_norm_of_single_numbers_needs_more_than_a_picture(trained):
    with pytest.raises(UsageError) as caught:
        trained("flatten | dense 4 | batchnorm | relu | dense", batch=1)
    assert str(caught.value) == (
        "'batchnorm1' is a batch norm of single numbers, which a batch of 1 gives no deviation; "
        "give --batch 2 or more"
    )
    assert trained("conv 2 3 | batchnorm | flatten | dense", batch=1, epochs=1).manifest.state == "done"


def test_name_of_a_set_is_kept_even_beside_a_folder_of_that_name(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert loaded_images("digits")[1] == "digits"
    assert loaded_images("bars.npz")[1] == data
    images = load(data)
    assert loaded_images(images) == (images, "bars")


def test_a_module_with_weights_of_its_own_is_refused() -> None:
    module = build(Network.parse("8x8x1 | flatten | dense 10"))
    with pytest.raises(UsageError) as caught:
        train(module, "digits")  # type: ignore[arg-type]
    assert str(caught.value) == (
        "training begins with new weights, so that a module's own would be lost; give its .network to "
        "train anew, or train the module in a loop of PyTorch"
    )
