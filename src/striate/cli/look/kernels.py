"""`striate look kernels`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import Json, print_json

_KERNEL = Parameter(
    help="A kernel's name or numbers (1,0,-1/2,0,-2/1,0,-1), as often as wished. Default: every name.",
    allow_leading_hyphen=True,
)

# Where windows of three places are drawn smaller than a pixel, nothing is seen of them.
_LONGEST = 1000


def kernels_command(
    *,
    image: Annotated[Path, Parameter(help=f"A picture's file, shrunk where a side is above {_LONGEST}.")],
    kernel: Annotated[list[str] | None, _KERNEL] = None,
    out: Annotated[
        Path | None, Parameter(help="Where the figure goes, a .png. Default: NAME-kernels.png.")
    ] = None,
    json: Json = False,
) -> None:
    """Blur, sharpen, emboss, edges and the other named kernels on a picture, side by side."""
    from striate.graph import KERNEL_NAMES
    from striate.look import apply_kernels, read_pixels
    from striate.runs import save_figure

    told = apply_kernels(read_pixels(image, depth=3, longest=_LONGEST), kernel or KERNEL_NAMES)
    path = out or Path(f"{image.stem}-kernels.png")
    save_figure(told.figure(), path)
    if json:
        print_json("look.kernels", told.to_dict() | {"figure": str(path)})
    else:
        print(f"{told}\n\nfigure: {path}")
