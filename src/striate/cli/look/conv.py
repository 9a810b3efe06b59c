"""`striate look conv`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import Json, print_json
from striate.core import UsageError

_MATRIX = Parameter(
    help="Numbers instead: 11100/01110, or '1,2,3;4,5,6', // between channels, or a text file of them.",
    allow_leading_hyphen=True,
)
_KERNEL = Parameter(
    help="The kernel's name (blur, sharpen, emboss, edge, sobel-x…) or its numbers, as in --matrix.",
    allow_leading_hyphen=True,
)
_GIF = Parameter(help="Where the animation goes. Default: beside the .png, of small matrices alone.")


def conv_command(
    *,
    kernel: Annotated[str, _KERNEL],
    image: Annotated[Path | None, Parameter(help="A picture's file.")] = None,
    matrix: Annotated[str | None, _MATRIX] = None,
    stride: Annotated[str, Parameter(help="Places from window to window: 2, or 2x1 (down × across).")] = "1",
    padding: Annotated[str, Parameter(help="valid, same, full, or a number of places: 1, 1x2.")] = "valid",
    fill: Annotated[str, Parameter(help="What fills it: zero, replicate, reflect or circular.")] = "zero",
    channels: Annotated[
        bool, Parameter(negative="", help="Keep a picture's red, green and blue apart, then sum them.")
    ] = False,
    out: Annotated[
        Path | None, Parameter(help="Where the figure goes, a .png. Default: NAME-conv.png.")
    ] = None,
    gif: Annotated[Path | None, _GIF] = None,
    json: Json = False,
) -> None:
    """A convolution's arithmetic: every product and sum of a small matrix, a figure, an animation."""
    from striate.look import (
        MOST_WRITTEN,
        convolve,
        read_kernel,
        read_matrix,
        read_pixels,
    )
    from striate.runs import save_figure, write_bytes

    if (image is None) == (matrix is None):
        raise UsageError("give either a picture's file with --image or numbers with --matrix")
    if channels and image is None:
        raise UsageError(
            "--channels is for pictures; a matrix has a channel for each of its planes, which // parts"
        )
    pixels = (
        read_matrix(matrix) if matrix is not None else read_pixels(str(image), depth=3 if channels else 1)
    )
    told = convolve(pixels, read_kernel(kernel), stride=stride, padding=padding, fill=fill)
    path = out or Path(f"{image.stem if image else 'matrix'}-conv.png")
    if gif is None and matrix is not None and told.map.size <= MOST_WRITTEN:
        gif = path.with_suffix(".gif")
    animation = None if gif is None else told.gif()
    save_figure(told.figure(), path)
    if gif is not None and animation is not None:
        write_bytes(gif, animation)
    if json:
        files = {"figure": str(path), "animation": None if gif is None else str(gif)}
        print_json("look.conv", told.to_dict() | files)
        return
    print(f"{told}\n\nfigure: {path}")
    if gif is not None:
        print(f"animation: {gif}")
