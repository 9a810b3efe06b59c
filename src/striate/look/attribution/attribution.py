"""What a method says of each pixel's part in an answer.

Legend: C depth, H height, W width.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each number of a picture counted: `values` (C, H, W) or (H, W), as the network saw it.

    Where `is_signed`, positive values speak for the class and negative ones against it; otherwise only the
    size tells. `node` is the volume at which it was taken, the input unless the method looks deeper. `note`
    says what a reader should know of this one.
    """

    method: str
    class_name: str
    values: NDArray[np.float32]
    is_signed: bool
    node: str
    note: str = ""

    @property
    def map(self) -> NDArray[np.float32]:
        """A number a pixel, (H, W): evidence summed over the channels, or their largest size."""
        if self.values.ndim == 2:
            return self.values if self.is_signed else np.abs(self.values)
        return self.values.sum(axis=0) if self.is_signed else np.abs(self.values).max(axis=0)

    def to_dict(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "class": self.class_name,
            "signed": self.is_signed,
            "node": self.node,
            "note": self.note,
            "sum": float(self.map.sum()),
        }
