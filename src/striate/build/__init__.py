"""From a network to a torch module that computes it, and weights in and out; networks from elsewhere."""

from striate.build.importing import from_onnx, from_torch
from striate.build.module import NetworkModule, build
from striate.build.pretrained import PUBLISHED, Published, Source, pretrained, pretrained_from
from striate.build.surgery import operate
from striate.build.weights import load_weights, weights_of

__all__ = [
    "PUBLISHED",
    "NetworkModule",
    "Published",
    "Source",
    "build",
    "from_onnx",
    "from_torch",
    "load_weights",
    "operate",
    "pretrained",
    "pretrained_from",
    "weights_of",
]
