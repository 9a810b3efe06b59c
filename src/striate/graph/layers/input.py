"""The input of a network: its size, and how a picture is prepared for it."""

from dataclasses import dataclass, field

from striate.core import GraphError, Shape
from striate.graph.kinds import Axes, Choice, Flag, Real, Reals, kind
from striate.graph.layer import Layer, Volume

FITS = ("crop", "centre", "pad", "stretch")


@dataclass(frozen=True)
class InputLayer(Layer):
    """Where data enter: `axes` are the spatial sizes and, last, the depth.

    `fit` says how a picture of another size is made to fit: `crop` scales the shorter side and cuts
    the centre, `centre` does so with the middle seven eighths, as ImageNet's networks are
    tested, `pad` shows the whole picture between black borders, `stretch` ignores its proportions.
    `mean` and `deviation` hold a number for each channel, in units of 0…1 for bytes; they are taken
    from the training set and the network's first act is (x - mean) / deviation. `floats` marks a network
    that was trained on numbers as they came; without it, bytes become 0…1 first. `tokens` marks whole
    numbers that name things, which an embedding reads.
    """

    word = "input"
    positional = ("axes",)
    fewest_inputs = 0
    most_inputs = 0
    axes: tuple[int, ...] = field(metadata=kind(Axes()))
    fit: str = field(default="crop", metadata=kind(Choice(FITS)))
    mean: tuple[float, ...] | None = field(default=None, metadata=kind(Reals()))
    deviation: tuple[float, ...] | None = field(
        default=None, metadata=kind(Reals(Real(least=0, open_least=True)))
    )
    floats: bool = field(default=False, metadata=kind(Flag()))
    tokens: bool = field(default=False, metadata=kind(Flag()))

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("mean", "deviation"):
            numbers = getattr(self, name)
            if numbers is not None and len(numbers) != self.axes[-1]:
                raise GraphError(
                    f"{name} of input: {self.axes[-1]} channels need as many numbers, not {len(numbers)}"
                )
            if numbers is not None and self.tokens:
                raise GraphError(f"{name} of input: tokens are names, not amounts; leave it out")

    @property
    def shape(self) -> Shape:
        return Shape(self.axes[:-1], self.axes[-1])

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.shape


def Input(  # noqa: N802 - it stands where a layer's name would, and reads like one
    *axes: int,
    name: str | None = None,
    fit: str = "crop",
    mean: tuple[float, ...] | None = None,
    deviation: tuple[float, ...] | None = None,
    tokens: bool = False,
) -> Volume:
    """The volume of an input of these axes, depth last: `Input(28, 28, 1)` for grey pictures.

    Raises GraphError when the axes, the fit or the numbers of the preparation aren't legal.
    """
    return InputLayer(axes, fit, mean, deviation, tokens=tokens)(name=name)
