"""From a network to a torch module that computes it, and weights in and out; networks from elsewhere."""

from striate.build.importing import from_onnx, from_torch
from striate.build.module import NetworkModule, build
from striate.build.pretrained import PUBLISHED, Published, pretrained
from striate.build.surgery import operate
from striate.build.weights import load_weights, weights_of

__all__ = [
    "PUBLISHED",
    "NetworkModule",
    "Published",
    "build",
    "from_onnx",
    "from_torch",
    "load_weights",
    "operate",
    "pretrained",
    "weights_of",
]
