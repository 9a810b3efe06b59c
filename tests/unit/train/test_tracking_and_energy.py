"""What is written and measured beside a training."""

import logging
import signal
import socket

import pytest

from striate.core import UsageError
from striate.train import energy, resume, testing, tracking


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def scalars(run):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    told = event_accumulator.EventAccumulator(str(run.path / "events"))
    told.Reload()
    return {tag: [(event.step, event.value) for event in told.Scalars(tag)] for tag in told.Tags()["scalars"]}


def test_tensorboard_reads_what_was_measured(trained):
    pytest.importorskip("tensorboard")
    run = trained(track="tensorboard")
    told = scalars(run)
    wanted = [(entry["epoch"], pytest.approx(entry["val_loss"])) for entry in run.metrics]
    assert told["epoch/val_loss"] == wanted
    assert told["last/val_loss"] == [(0, wanted[-1][1])]
    assert [step for step, _ in told["step/loss"]] == [3, 6, 9]
    assert told["step/rate"][0][1] == pytest.approx(0.01)
    assert run.manifest.options == {"track": "tensorboard"}


def test_tracking_goes_on_when_a_run_does(trained, stopping_after):
    pytest.importorskip("tensorboard")
    with stopping_after(4):
        run = trained(track="tensorboard")
    resume(run, device="cpu", quiet=True)
    assert [step for step, _ in scalars(run)["epoch/train_loss"]] == [1, 2, 3]


def test_tracking_changes_nothing(trained):
    pytest.importorskip("tensorboard")
    losses = [[e["train_loss"] for e in trained(track=track).metrics] for track in (None, "tensorboard")]
    assert losses[0] == losses[1]


def test_what_is_no_tracker_or_not_installed_is_told(trained, monkeypatch):
    with pytest.raises(UsageError) as caught:
        trained(track="wandb")
    assert str(caught.value) == "the tracker is one of tensorboard, not 'wandb'"
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        trained(track="tensorboard")
    assert str(caught.value) == (
        "tensorboard isn't installed; pip install 'striate[track]', or leave --track out"
    )


def test_energy_is_measured_in_silence(trained, stopping_after, monkeypatch, capfd, tmp_path):
    pytest.importorskip("codecarbon")
    monkeypatch.chdir(tmp_path)

    def refused(*_):
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    handler = signal.getsignal(signal.SIGTERM)
    with stopping_after(4):
        run = trained(energy=True, country="DEU")
    first = run.results.energy
    assert first.kwh > 0
    assert first.country == "DEU"
    assert first.method.startswith("codecarbon ")
    # Germany's mix: some hundred grams a kWh.
    assert 0.1 < first.kg_co2eq / first.kwh < 0.8
    resume(run, device="cpu", quiet=True)
    assert run.results.energy.kwh > first.kwh
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.npz", "run-1"]
    assert signal.getsignal(signal.SIGTERM) is handler
    assert not logging.getLogger("codecarbon").disabled


def test_country_that_is_none_or_a_missing_package_is_told(trained, monkeypatch):
    pytest.importorskip("codecarbon")
    with pytest.raises(UsageError) as caught:
        trained(energy=True, country="Germany")
    assert str(caught.value) == (
        "codecarbon knows no country 'Germany'; give its code of three letters (ISO 3166), such as DEU"
    )
    monkeypatch.setattr(energy, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        trained(energy=True)
    assert str(caught.value) == (
        "codecarbon isn't installed; pip install 'striate[energy]', or leave --energy out"
    )


def test_a_machine_that_cannot_be_measured_is_told_and_trained_on(trained, monkeypatch, capsys):
    codecarbon = pytest.importorskip("codecarbon")

    class Broken:
        def __init__(self, **_): ...
        def start(self): ...
        def stop(self): ...

    monkeypatch.setattr(codecarbon, "OfflineEmissionsTracker", Broken)
    run = trained(epochs=1, energy=True, quiet=False)
    assert (run.manifest.state, run.results.energy) == ("done", None)
    assert (
        "codecarbon couldn't measure the energy on this machine, so none is told"
        in capsys.readouterr().err.splitlines()
    )
