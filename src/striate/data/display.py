"""What an array of pixels looks like: any depth and any range of numbers, as bytes to draw.

Legend: C depth, H height, W width.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def displayed(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """One picture (C, H, W) to look at: grey (H, W), or RGB (H, W, 3) where it has three channels.

    Floats run from black, their least, to white, their greatest; of other depths the first channel is shown.
    """
    if pixels.dtype != np.uint8:
        least, greatest = float(pixels.min()), float(pixels.max())
        pixels = ((pixels - least) * (255 / ((greatest - least) or 1))).astype(np.uint8)
    return pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]
