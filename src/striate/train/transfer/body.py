"""The frozen body of a network, whose features stand for the pictures in a training."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.graph import surgery


@dataclass(frozen=True)
class Body:
    """The part of a network whose every weight is frozen; `at` is its last node.

    `features` holds, for every split, the volume of that node: (N, C, *spatial) in 32 bits; `mirrored`
    those of the training split's mirrored pictures, where they are shown too.
    """

    at: str
    features: dict[str, tuple[NDArray[Any], ...]]
    mirrored: tuple[NDArray[Any], ...] = ()

    def tail(self, module: NetworkModule) -> NetworkModule:
        """What computes the rest, from the features on, with the module's own weights."""
        return module.shared_with(surgery.tail(module.network, self.at).network)
