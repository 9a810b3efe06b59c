"""Networks with known weights as subjects, without any training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from striate.build import build, load_weights, weights_of
from striate.data import displayed
from striate.graph import BatchNorm, Network
from striate.look import Shown, Subject

NETWORKS = {
    "plain": "12x10x1 | conv 4 3 same relu | maxpool 2 | conv 6 3 relu | globalavgpool | dense 3",
    "branches": (
        "10x12x3 | conv 4 3 same | batchnorm | relu | add[ identity ; conv 4 3 same | batchnorm | relu ] | "
        "concat[ conv 3 1 relu ; avgpool 3 stride=1 same | conv 3 1 silu ] | dropout 0.5 | flatten | dense 3"
    ),
    "gates": (
        "9x9x3 | conv 4 3 hardswish | squeeze-excite 2 | batchnorm | conv 5 3 sigmoid | avgpool 2 | "
        "flatten | dense 3"
    ),
    "softmax": (
        "8x8x1 | conv 4 3 leaky | spatialdropout 0.2 | maxpool 2 | flatten | dense 6 tanh | dense 3 softmax"
    ),
}


def subject_of(
    network: Network | str,
    weights: Mapping[str, object] | None = None,
    classes: Sequence[str] | None = None,
    seed: int = 0,
) -> Subject:
    """A network as a subject: with these weights, or drawn ones, and statistics as if it had been trained."""
    network = Network.parse(network) if isinstance(network, str) else network
    module = build(network, seed=seed).eval()
    numbers = torch.Generator().manual_seed(seed)
    for node in network:
        if isinstance(node.layer, BatchNorm):
            norm = module[node.name]
            norm.running_mean.normal_(0, 0.2, generator=numbers)
            norm.running_var.uniform_(0.5, 2, generator=numbers)
    given = {name: torch.tensor(value, dtype=torch.float32) for name, value in (weights or {}).items()}
    load_weights(module, weights_of(module) | given)
    names = classes or [f"class {i}" for i in range(network[network.outputs[0]].shape.depth)]
    run = SimpleNamespace(
        path=Path("made"),
        network=network,
        folder=SimpleNamespace(manifest=Path("made/run.json")),
        manifest=SimpleNamespace(data=SimpleNamespace(classes=list(names))),
    )
    return Subject(run, module)


def shown_of(pixels: object) -> Shown:
    """An array (C, H, W) as a picture that is shown."""
    array = np.asarray(pixels)
    array = array if array.dtype == np.uint8 else array.astype(np.float32)
    return Shown("made", array, Image.fromarray(displayed(array)))


def noise_for(subject: Subject, seed: int = 0) -> Shown:
    """Bytes drawn at random for a subject's input."""
    shape = subject.input.shape.tensor
    return shown_of(np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8))
