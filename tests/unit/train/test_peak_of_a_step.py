"""The memory of a step measured again: what the plan says within a twentieth, and nothing left behind."""

import json
import os

import pytest
import torch

from striate.core import RunError
from striate.plan import training_memory
from striate.train import peak_of_step, rows_of

NETWORK = "conv 16 3 same relu | conv 16 3 same relu | maxpool 2 | flatten | dense"


@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_the_plan_tells_what_a_step_takes(trained, optimizer: str) -> None:
    run = trained(NETWORK, epochs=1, batch=32, optimizer=optimizer)
    peak = peak_of_step(run, rows_of(run))
    planned = training_memory(run.network, batch=32, optimizer=optimizer, precision="fp32").total
    assert peak == pytest.approx(planned, rel=0.05)


def test_nothing_is_left_behind_and_nothing_is_said(trained, capfd: pytest.CaptureFixture[str]) -> None:
    run = trained(epochs=1)
    rows = rows_of(run)
    torch.manual_seed(5)
    before, environment = torch.get_rng_state(), dict(os.environ)
    capfd.readouterr()
    assert peak_of_step(run, rows) > 0
    assert torch.equal(before, torch.get_rng_state())
    assert dict(os.environ) == environment
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("device", "cuda:0", "not measured: trained on cuda, not cpu"),
        ("processes", 2, "not measured: trained by several processes"),
    ],
)
def test_a_step_that_would_not_tell_of_the_run_is_refused(trained, key: str, value, reason: str) -> None:
    run = trained(epochs=1)
    rows = rows_of(run)
    document = json.loads(run.folder.manifest.read_text())
    document.pop("sha256")
    document["hardware"][key] = value
    run.folder.manifest.write_text(json.dumps(document))
    with pytest.raises(RunError) as caught:
        peak_of_step(run, rows)
    assert str(caught.value) == reason
