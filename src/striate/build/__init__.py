"""From a network to a torch module that computes it, and weights in and out; networks from elsewhere."""

from striate.build.importing import from_onnx, from_torch
from striate.build.module import NetworkModule, build
from striate.build.pretrained import PUBLISHED, Published, Source, has_weights, pretrained, pretrained_from
from striate.build.surgery import operate
from striate.build.weights import load_weights, weight_shapes, weights_of

__all__ = [
    "PUBLISHED",
    "NetworkModule",
    "Published",
    "Source",
    "build",
    "from_onnx",
    "from_torch",
    "has_weights",
    "load_weights",
    "operate",
    "pretrained",
    "pretrained_from",
    "weight_shapes",
    "weights_of",
]
