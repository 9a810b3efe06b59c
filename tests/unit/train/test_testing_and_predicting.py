import json

import numpy as np
import pytest
import torch
from PIL import Image

from striate.core import RunError, UnknownNameError, UsageError
from striate.data import load, with_held_out
from striate.runs import Run
from striate.train import load_module, predict, scoring
from striate.train import test as evaluated
from striate.train.evaluation import log_softmax


@pytest.fixture
def pictures_of(data, tmp_path):
    """Saves a split's pictures as PNG files and returns their folder."""

    def save(split="test"):
        folder = tmp_path / f"{split} pictures"
        folder.mkdir()
        part = with_held_out(load(data), validation=0.1, seed=0).split(split)
        for index in range(len(part)):
            Image.fromarray(part.pictures.open(index)[..., 0]).save(folder / f"{index:03}.png")
        return folder

    return save


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_own_data_give_exactly_what_the_training_wrote(trained, precision):
    run = trained("conv 4 3 relu | conv 8 3 relu | flatten | dense", precision=precision)
    results = run.manifest.results
    for split, accuracy, loss in (
        ("val", results.val_accuracy, results.val_loss),
        ("test", results.test_accuracy, results.test_loss),
    ):
        written = json.loads(run.folder.evaluation(split).read_text())
        told = evaluated(run.path, split=split, device="cpu")
        assert (told.accuracy, told.loss) == (accuracy, loss)
        assert told.to_dict() == written == json.loads(run.folder.evaluation(split).read_text())
        assert told.count == run.manifest.data.counts[split]


def test_split_is_test_unless_told_otherwise(trained):
    run = trained(epochs=1)
    assert evaluated(run, device="cpu").split == "test"
    told = evaluated(run, split="train", device="cpu")
    assert (told.split, told.count) == ("train", 42)
    with pytest.raises(UnknownNameError, match=r"^unknown split of bars 'tets'; did you mean 'test'\?$"):
        evaluated(run, split="tets", device="cpu")


def test_other_data_are_tested_without_touching_the_run(trained, data, tmp_path):
    run = trained(epochs=1)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    with np.load(data) as arrays:
        np.savez(tmp_path / "more.npz", x_train=arrays["x_train"][:9], y_train=arrays["y_train"][:9])
    told = evaluated(run, tmp_path / "more.npz", device="cpu")
    assert (told.split, told.count) == ("all", 9)
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_data_of_other_classes_are_refused(trained, data, tmp_path):
    run = trained(epochs=1)
    with np.load(data) as arrays:
        names = [f"class {i}" for i in range(3)]
        np.savez(tmp_path / "named.npz", **arrays, classes=names)
    with pytest.raises(UsageError) as caught:
        evaluated(run, tmp_path / "named.npz")
    assert str(caught.value) == (
        f"named has the classes class 0, class 1, class 2 but {run.path} was trained on 0, 1, 2; "
        "give data with the same classes"
    )


def test_loaded_module_answers_with_the_weights_asked_for(trained):
    run = trained("conv 4 3 relu | batchnorm | flatten | dropout 0.5 | dense", optimizer="sgd")
    for which in ("best", "last"):
        module = load_module(run, weights=which)
        assert not module.training
        for name, value in run.weights(which).items():
            node, _, weight = name.partition(".")
            np.testing.assert_array_equal(getattr(module[node], weight).detach(), value)
    pixels = torch.zeros((2, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(module(pixels), module(pixels))


def test_run_without_weights_is_told(trained, stopping_after):
    with stopping_after(1):
        run = trained()
    with pytest.raises(RunError) as caught:
        predict(run, ["x.png"])
    assert str(caught.value) == (
        f"{run.folder.weights('best')} is missing; the run didn't get that far, or the file was removed"
    )


@pytest.mark.parametrize("mode", [True, False])
def test_scores_leave_the_module_s_mode_as_it_was(trained, mode):
    module = load_module(trained(epochs=1)).train(mode)
    scoring.scores_of(module, np.zeros((3, 1, 8, 8), np.uint8), "dense1")
    assert module.training == mode


@pytest.mark.parametrize("split", ["val", "test"])
def test_files_are_told_what_the_split_was_told(trained, pictures_of, split):
    run = trained("conv 4 3 relu | flatten | dense | softmax")
    kept = run.predictions(split)["scores"]
    told = predict(run, [pictures_of(split)], device="cpu")
    assert [one.error for one in told] == [None] * len(kept)
    probabilities = np.array([list(one.probabilities.values()) for one in told])
    np.testing.assert_allclose(probabilities, np.exp(log_softmax(kept)), atol=1e-5)
    assert [one.label for one in told] == [str(answer) for answer in kept.argmax(axis=1)]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_one_path_many_paths_and_folders_come_in_order(trained, pictures_of, monkeypatch):
    run, folder = trained(epochs=1), pictures_of()
    (folder / "deeper").mkdir()
    (folder / "002.png").rename(folder / "deeper" / "002.PNG")
    (folder / "notes.txt").write_text("no picture")
    whole = [one.path for one in predict(run, folder, device="cpu")]
    assert len(whole) == 12
    assert str(folder / "deeper" / "002.PNG") in whole
    first = str(folder / "005.png")
    assert [one.path for one in predict(run.path, first, device="cpu")] == [first]
    assert [one.path for one in predict(run, [first, folder], device="cpu")] == [first, *whole]
    everything = predict(run, folder, device="cpu")
    monkeypatch.setattr("striate.train.predicting._AT_ONCE", 5)
    in_parts = predict(run, folder, device="cpu")
    assert [one.label for one in in_parts] == [one.label for one in everything]


def test_bad_files_are_told_in_their_place(trained, pictures_of):
    run, folder = trained(epochs=1), pictures_of()
    broken, missing = folder / "000.png", folder / "gone.png"
    broken.write_bytes(b"no picture")
    told = predict(run, [broken, folder / "001.png", missing], device="cpu")
    assert [one.error for one in told] == [
        f"can't read {broken} as a picture (its format isn't known); replace it or leave it out",
        None,
        f"{missing} is no file; give the path of a picture",
    ]
    assert told[0].to_dict() == {"path": str(broken), "error": told[0].error}
    assert told[1].label in {"0", "1", "2"}
    assert [one.error is None for one in predict(run, [broken], device="cpu")] == [False]


def test_folder_without_pictures_is_refused(trained, tmp_path):
    run = trained(epochs=1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError) as caught:
        predict(run, tmp_path / "empty")
    assert str(caught.value) == f"{tmp_path / 'empty'} holds no pictures; give a folder with some, or files"


def test_regression_tells_values(trained, regression_data, tmp_path):
    run = trained("flatten | dense 2 | regression", regression_data, epochs=1)
    split = with_held_out(load(regression_data), validation=0.1, seed=0).split("test")
    Image.fromarray(split.pictures.open(0)[..., 0]).save(tmp_path / "one.png")
    (told,) = predict(Run.open(run.path), tmp_path / "one.png", device="cpu")
    assert told.label is None
    np.testing.assert_allclose(told.values, run.predictions()["scores"][0], atol=1e-5)
    assert set(told.to_dict()) == {"path", "values"}


def test_the_run_s_own_data_by_their_path_are_split_as_then(trained, data):
    run = trained(epochs=1)
    assert evaluated(run, data, device="cpu").to_dict() == evaluated(run, device="cpu").to_dict()
    assert evaluated(run, data, device="cpu").split == "test"


def test_files_are_not_predicted_by_a_network_of_floats(trained, data, tmp_path):
    with np.load(data) as arrays:
        np.savez(tmp_path / "floats.npz", x_train=arrays["x_train"] * 1.5, y_train=arrays["y_train"])
    run = trained(images=str(tmp_path / "floats.npz"), epochs=1)
    assert run.network.nodes[0].layer.floats
    with pytest.raises(UsageError) as caught:
        predict(run, [tmp_path / "any.png"])
    assert str(caught.value) == (
        f"{run.path} was trained on arrays of floats, whose scale no picture file tells; "
        f"train on pictures or bytes to predict from files"
    )


def test_hidden_files_of_a_folder_are_not_predicted(trained, tmp_path):
    run = trained(epochs=1)
    folder = tmp_path / "new"
    folder.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a.png")
    (folder / "._a.png").write_bytes(b"left by an archiver")
    assert [one.path for one in predict(run, folder)] == [str(folder / "a.png")]
