"""The size of a volume: what flows between layers, without its batch."""

from dataclasses import dataclass
from math import prod

from striate.core.errors import GraphError, quoted

_MOST_SPATIAL_AXES = 3
# What 64 bits can count; doubling branches would otherwise reach numbers that nothing can print.
_MOST_NUMBERS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Shape:
    """The spatial axes of a volume and its depth, e.g. `Shape((26, 26), 32)`, printed `26×26×32`.

    `spatial` has 0 to 3 axes: vectors, signals, images (height, width), voxels. Tensors of this
    shape are (N, C, *spatial).

    Raises GraphError when an axis isn't a whole number of at least 1, there are more than three spatial
    ones, or the volume holds more numbers than 64 bits can count.
    """

    spatial: tuple[int, ...]
    depth: int

    def __post_init__(self) -> None:
        if len(self.spatial) > _MOST_SPATIAL_AXES:
            raise GraphError(f"a volume has at most 3 spatial axes, this one {len(self.spatial)}")
        for size in (*self.spatial, self.depth):
            if type(size) is not int or size < 1:
                raise GraphError(
                    f"every axis of a volume is a whole number of at least 1, not {quoted(size)}"
                )
        if self.size > _MOST_NUMBERS:
            raise GraphError("a volume holds at most 2**63 - 1 numbers; make this one smaller")

    def __str__(self) -> str:
        return "×".join(str(size) for size in (*self.spatial, self.depth))

    @property
    def places(self) -> int:
        """How many places the spatial axes have: height × width for images, 1 for vectors."""
        return prod(self.spatial)

    @property
    def size(self) -> int:
        """How many numbers a volume of this shape holds."""
        return self.places * self.depth

    @property
    def tensor(self) -> tuple[int, ...]:
        """The axes of a tensor without its batch: (C, *spatial)."""
        return (self.depth, *self.spatial)
