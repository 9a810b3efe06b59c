"""The deterministic mode: its settings, its threads, and what breaks its promise."""

import pytest
import torch

from striate.core import TrainingError
from striate.train import resume, testing
from striate.train.determinism import exact


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def test_torch_is_exact_within_and_as_it_was_after():
    with exact(True, threads=2):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1
    with exact(False, threads=2):
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 1


def test_operation_without_an_exact_way_is_told():
    message = (
        "put_ can't be computed with the same bits every time; train without --deterministic, or on the CPU"
    )
    with pytest.raises(TrainingError) as caught, exact(True):
        torch.zeros(3).put_(torch.tensor([0]), torch.tensor([1.0]), accumulate=False)
    assert str(caught.value) == message
    with pytest.raises(RuntimeError, match=r"^other$"), exact(True):
        raise RuntimeError("other")


def test_run_goes_on_with_its_own_threads(trained, stopping_after, capsys):
    torch.set_num_threads(2)
    with stopping_after(4):
        run = trained(deterministic=True)
    torch.set_num_threads(1)
    resume(run, device="cpu")
    assert run.manifest.hardware["threads"] == 2
    assert torch.get_num_threads() == 1
    assert capsys.readouterr().err.startswith("going on with")
    assert "changed" not in run.manifest.hardware


@pytest.mark.parametrize("is_deterministic", [True, False])
def test_other_versions_and_processors_are_told(trained, stopping_after, capsys, is_deterministic):
    with stopping_after(4):
        run = trained(deterministic=is_deterministic)
    manifest = run.manifest
    now = manifest.versions["numpy"]
    manifest.versions["numpy"] = "1.0"
    manifest.save(run.folder.manifest)
    resume(run, device="cpu")
    said = f"numpy was 1.0 and is {now}: from here on bits may differ from those of a training never stopped"
    assert (said in capsys.readouterr().err.splitlines()) == is_deterministic
    assert run.manifest.hardware.get("changed") == (
        [f"numpy was 1.0 and is {now}"] if is_deterministic else None
    )
