"""From a network to a torch module that computes it, and weights in and out."""

from striate.build.module import NetworkModule, build
from striate.build.surgery import operate
from striate.build.weights import load_weights, weights_of

__all__ = ["NetworkModule", "build", "load_weights", "operate", "weights_of"]
