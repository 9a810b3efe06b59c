"""What the zoo holds of a network: a notation, what it was made for, and where it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from striate.graph import Network


@dataclass(frozen=True)
class Entry:
    """A named network: its notation, the axes and classes it was made for, and its source.

    The notation leaves out the input and the last dense layer's width. One that can't says `{axes}` or
    `{classes}` where they belong, as a network does that ends in a convolution for each class.
    """

    notation: str
    axes: tuple[int, ...]
    classes: int
    source: str

    def network(self, *, axes: Sequence[int] | None = None, classes: int | None = None) -> Network:
        """The network for its own axes and classes unless others are given.

        Raises NotationError when it can't be made for such axes.
        """
        axes = self.axes if axes is None else tuple(axes)
        classes = self.classes if classes is None else classes
        notation = self.notation.format(axes="x".join(map(str, axes)), classes=classes)
        return Network.parse(notation, axes=axes, classes=classes)
