"""Trainings that begin with what another network has learned."""

import json

import numpy as np
import pytest
import torch

from striate.build import build, load_weights
from striate.core import GraphError, RecipeError, RunError, UnknownNameError, UsageError
from striate.data import Augmentation, Batches
from striate.graph import BatchNorm, Network, Weighted, surgery
from striate.runs import Run, read_tensors, write_tensors
from striate.train import resume, train
from striate.train import test as evaluated
from striate.train.transfer import features as room
from striate.train.transfer.features import frozen_end
from striate.train.transfer.source import source_of
from striate.train.transfer.start import Transfer

from .conftest import RECIPE, squares

SOURCE = (
    "8x8x1 | conv 4 3 same nobias | batchnorm | relu | maxpool 2 | conv 8 3 same nobias | batchnorm | relu"
    " | globalavgpool | dropout 0.2 | dense 3"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def learned(trained) -> Run:
    return trained(SOURCE, epochs=4)


@pytest.fixture
def other_data(tmp_path) -> str:
    """Pictures of four classes, where the source knew three."""
    pictures, labels = squares(80, classes=4, seed=3)
    np.savez(tmp_path / "four.npz", x_train=pictures, y_train=labels)
    return str(tmp_path / "four.npz")


@pytest.fixture
def begun(learned, other_data, tmp_path):
    """Trains on the other data, beginning with the learned network."""
    count = 0

    def go(**changes):
        nonlocal count
        count += 1
        out = tmp_path / f"transfer-{count}"
        settings = {"source": str(learned.path), "precision": "fp32", "device": "cpu"} | changes
        return train(None, other_data, out=out, quiet=True, **settings)

    return go


def moved(run: Run, before: Run) -> set[str]:
    """The nodes whose numbers differ from those that the training began with."""
    first = before.weights()
    return {
        name.rpartition(".")[0]
        for name, value in run.weights().items()
        if name not in first or not np.array_equal(value, first[name])
    }


def test_the_head_alone_is_trained(begun, learned):
    run = begun()
    assert moved(run, learned) == {"dense1"}
    assert run.weights()["dense1.weight"].shape == (4, 8)
    assert run.manifest.recipe["initial"] == "probe"
    assert run.manifest.results.epochs_done == run.manifest.results.best_epoch == 0
    assert [entry["epoch"] for entry in run.metrics] == [0]
    trainable = [n.name for n in run.network if isinstance(n.layer, Weighted) and not n.layer.frozen]
    assert trainable == ["dense1"]
    origin = run.manifest.origin
    assert origin is not None
    assert (origin.source, origin.file) == (str(learned.path.resolve()), "best.safetensors")
    assert (origin.trained_on, origin.cut) == ("bars", "globalavgpool1")
    # What the features stood for in training is what the whole network says.
    kept = run.predictions("test")["scores"]
    assert evaluated(run, device="cpu").accuracy == run.manifest.results.test_accuracy
    np.testing.assert_allclose(run.predictions("test")["scores"], kept, atol=1e-5)


@pytest.mark.parametrize(
    ("tune", "nodes"),
    [
        ("last 1", {"conv2", "batchnorm2", "dense1"}),
        ("all", {"conv1", "batchnorm1", "conv2", "batchnorm2", "dense1"}),
    ],
)
def test_more_is_trained_where_it_is_asked_for(begun, learned, tune, nodes):
    run = begun(tune=tune, epochs=2, lr=0.01, flip=False, crop=1.0)
    assert [entry["epoch"] for entry in run.metrics] == [0, 1, 2]
    last = {
        name.rpartition(".")[0]
        for name, value in run.weights("last").items()
        if name not in learned.weights() or not np.array_equal(value, learned.weights()[name])
    }
    assert last == nodes
    assert run.manifest.recipe["epochs"] == 2


def test_features_are_those_of_the_network(begun, learned, other_data):
    """Against the whole network, picture by picture."""
    run = begun(tune="last 1", epochs=1, flip=False, crop=1.0)
    (entry, *_) = sorted((run.path.parent / "cache" / "features").glob("*.npy"))
    module = build(learned.network)
    load_weights(module, {k: torch.from_numpy(v) for k, v in learned.weights().items()})
    module.eval()
    pictures = torch.from_numpy(squares(80, classes=4, seed=3)[0]).permute(0, 3, 1, 2)
    kept = [np.load(path) for path in entry.parent.glob("*.npy")]
    with torch.no_grad():
        for at in ("maxpool1", "globalavgpool1"):
            whole = torch.cat([module(one[None], keep=[at])[1][at] for one in pictures]).numpy()
            matching = [one for one in kept if one.shape[1:] == whole.shape[1:]]
            assert sum(len(one) for one in matching) == len(whole)
            for row in np.concatenate(matching):
                assert np.abs(whole - row).reshape(len(whole), -1).max(axis=1).min() < 1e-5


def test_features_are_computed_once(begun, monkeypatch):
    begun()
    monkeypatch.setattr(room, "_fill", lambda *_: pytest.fail("they are computed again"))
    again = begun(seed=5)
    assert again.manifest.state == "done"


def test_damaged_features_are_computed_again(begun):
    first = begun()
    for entry in (first.path.parent / "cache" / "features").glob("*.npy"):
        entry.write_bytes(entry.read_bytes()[:-20])
    second = begun()
    np.testing.assert_array_equal(first.weights()["dense1.weight"], second.weights()["dense1.weight"])


def test_a_cut_leaves_the_rest_out(begun, learned):
    run = begun(cut="relu1")
    assert "conv2" not in [node.name for node in run.network]
    assert run.network.notation().endswith("| globalavgpool | dense 4")
    assert moved(run, learned) == {"dense1"}
    assert run.manifest.origin.cut == "relu1"


def test_what_is_trained_goes_on_in_a_run_of_its_own(begun):
    first = begun()
    second = begun(source=str(first.path), tune="all", epochs=1)
    assert second.manifest.origin.source == str(first.path.resolve())
    assert not any(node.layer.frozen for node in second.network if isinstance(node.layer, Weighted))


@pytest.mark.parametrize("steps", [0, 1, 4])
@pytest.mark.parametrize("tune", ["head", "last 1"])
def test_a_stopped_training_goes_on_exactly(begun, stopping_after, steps, tune):
    settings = {"tune": tune, "epochs": 2, "batch": 16, "flip": False, "crop": 1.0}
    whole = begun(**settings)
    with stopping_after(steps):
        stopped = begun(**settings)
    assert stopped.manifest.state == "stopped"
    gone_on = resume(stopped, device="cpu", quiet=True)
    for which in ("best", "last"):
        for name, value in whole.weights(which).items():
            np.testing.assert_array_equal(gone_on.weights(which)[name], value, err_msg=name)
    np.testing.assert_array_equal(gone_on.predictions()["scores"], whole.predictions()["scores"])


def without_states(run: Run) -> None:
    """Leaves a run as it lies there when it is killed before its first state."""
    for path in (*(run.path / "state").iterdir(), *(run.path / "weights").iterdir(), run.folder.metrics):
        path.unlink()
    document = json.loads(run.folder.manifest.read_text())
    document.pop("sha256", None)
    document["state"] = "running"
    document["files"].pop("metrics.jsonl", None)
    run.folder.manifest.write_text(json.dumps(document))


def test_one_killed_before_its_first_state_begins_anew(begun):
    run = begun(epochs=1, batch=16)
    whole = run.weights("last")
    without_states(run)
    gone_on = resume(run, device="cpu", quiet=True)
    for name, value in whole.items():
        np.testing.assert_array_equal(gone_on.weights("last")[name], value, err_msg=name)


def test_it_isnt_begun_anew_with_other_weights(begun, learned):
    run = begun()
    without_states(run)
    path = learned.folder.weights("best")
    arrays, facts = read_tensors(path)
    write_tensors(path, {name: value + 1 for name, value in arrays.items()}, facts)
    with pytest.raises(
        RunError, match=r"isn't what .+ began with: its SHA-256 begins with .{12}, not with .{12}; b"
    ):
        resume(run, device="cpu", quiet=True)


def test_frozen_norms_keep_their_statistics(begun, learned):
    run = begun(tune="last 1", epochs=2, flip=True)
    for name in ("running_mean", "running_var", "weight", "bias"):
        key = f"batchnorm1.{name}"
        np.testing.assert_array_equal(run.weights("last")[key], learned.weights()[key])
    assert not np.array_equal(
        run.weights("last")["batchnorm2.running_mean"], learned.weights()["batchnorm2.running_mean"]
    )
    assert sum(isinstance(node.layer, BatchNorm) for node in run.network) == 2


def test_within_a_time_the_last_stage_follows_the_head(begun):
    run = begun(time=3.0)
    names = [n.name for n in run.network if isinstance(n.layer, Weighted) and not n.layer.frozen]
    assert names == ["conv2", "batchnorm2", "dense1"]
    assert run.metrics[0]["epoch"] == 0
    assert run.manifest.results.epochs_done >= 1


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"tune": "tail"},
            UsageError,
            "what is trained is head, last N (such as last 1) or all, not 'tail'; choose one of them",
        ),
        (
            {"tune": "last 2"},
            UsageError,
            "the network has 2 stages before its head, so 'last 2' leaves none frozen; say all, or fewer",
        ),
        ({"cut": "relu9"}, UnknownNameError, "'relu9'"),
        (
            {"cut": "input1"},
            GraphError,
            "'input1' is an input, on which no head can stand; name a node behind it",
        ),
        (
            {"source": None, "cut": "relu1"},
            UsageError,
            "cut is of a network that has learned already; name it",
        ),
        (
            {"source": None, "recipe": "head"},
            UsageError,
            "initial 'probe' needs a network that has learned already; name one with --from, or choose "
            "another initial",
        ),
        (
            {"initial": "whitening", "epochs": 1},
            UsageError,
            "initial 'whitening' is for new weights, and these have learned already; choose probe or glorot",
        ),
    ],
)
def test_what_cant_be(begun, tmp_path, changes, error, message):
    with pytest.raises(error) as caught:
        begun(**changes)
    assert message in str(caught.value)
    assert not (tmp_path / "transfer-1").exists()


def test_amounts_are_refused(learned, regression_data):
    with pytest.raises(UsageError, match="has no pictures with classes, which --from is for; train from new"):
        train(None, regression_data, source=str(learned.path), quiet=True, **RECIPE)


def test_no_epochs_train_nothing(trained):
    with pytest.raises(RecipeError, match="0 epochs train nothing, unless the head begins as a probe"):
        trained(epochs=0)


@pytest.mark.parametrize(
    ("notation", "end"),
    [
        ("8x8x1 | conv 4 3 frozen | relu | conv 4 3 | flatten | dense 3", "relu1"),
        ("8x8x1 | conv 4 3 | relu | conv 4 3 frozen | flatten | dense 3", None),
        ("8x8x1 | conv 4 3 frozen | dropout 0.5 | flatten | dense 3", "conv1"),
        ("8x8x1 | maxpool 2 | conv 4 3 | flatten | dense 3", None),
        ("8x8x1 | conv 4 3 frozen | batchnorm | relu | flatten | dense 3", "conv1"),
        ("8x8x1 | conv 4 3 frozen | batchnorm frozen | relu | flatten | dense 3", "flatten1"),
        ("8x8x1 | conv 4 3 same frozen | add[ ; conv 4 3 same ] | flatten | dense 3", "conv1"),
        (
            "8x8x1 | conv 4 3 same frozen | add[ ; conv 4 3 same frozen ] | relu | flatten | dense 3",
            "flatten1",
        ),
    ],
)
def test_where_what_is_frozen_ends(notation, end):
    assert frozen_end(Network.parse(notation)) == end


def test_a_run_is_a_source(learned):
    source = source_of(str(learned.path))
    assert source.name == learned.manifest.network
    assert surgery.with_head(source.module.network, "relu2", 5).new == ("dense1",)
    assert Transfer("x", tune="last 3").recipe == "finetune"


def test_other_sizes_and_depths(begun, learned, tmp_path, capsys):
    pictures, labels = squares(60, side=10, depth=3, seed=7)
    np.savez(tmp_path / "colour.npz", x_train=pictures, y_train=labels)
    settings = {"source": str(learned.path), "size": "10", "precision": "fp32", "device": "cpu"}
    run = train(None, str(tmp_path / "colour.npz"), out=tmp_path / "sized", **settings)
    assert "one channel is shared out among 3; pictures of 10×10 instead of 8×8" in capsys.readouterr().err
    assert run.network[run.network.inputs[0]].layer.axes == (10, 10, 3)
    assert moved(run, learned) == {"conv1", "dense1"}
    without_states(run)
    gone_on = resume(run, device="cpu", quiet=True)
    np.testing.assert_array_equal(gone_on.weights()["conv1.weight"], run.weights()["conv1.weight"])


def test_a_size_that_is_none(begun):
    with pytest.raises(
        UsageError, match=r"^a size is a height and a width such as 160 or 120x160, not '10x'$"
    ):
        begun(size="10x")


def test_mirrored_pictures_have_features_of_their_own(begun, learned):
    plain, both = begun(), begun(flip=True, epochs=2, batch=16)
    folder = plain.path.parent / "cache" / "features"
    assert len(list(folder.glob("*.npy"))) == 4  # train, val and test, and train mirrored
    assert moved(both, learned) == {"dense1"}
    assert not np.array_equal(plain.weights()["dense1.weight"], both.weights()["dense1.weight"])


@pytest.mark.parametrize("flipped", [1, 2])
def test_batches_show_each_side_in_turn(flipped):
    """As flipping the pictures themselves does."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 1, 4, 6)).astype(np.float32)
    settings = {"batch": 8, "device": torch.device("cpu"), "shuffle": True, "seed": 4}
    labels = np.arange(20)
    usual = Batches(pixels, labels, augmentation=Augmentation(flip=True), **settings)
    ours = Batches(pixels, labels, mirrored=(np.ascontiguousarray(pixels[..., ::-1]),), **settings)
    for (one, _), (other, _) in zip(usual.epoch(flipped), ours.epoch(flipped), strict=True):
        assert torch.equal(one[0], other[0])
