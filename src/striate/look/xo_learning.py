"""The task of `xo` with learned filters: a small network trained on it, and what its filters became.

Legend: N pictures, H height, W width; h, w the height and width of a feature map.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.core import RunError
from striate.train import load_module, train

LEARNED_NETWORK = "9x9x1 | conv 3 3 relu | maxpool 2 | flatten | dense 2"
"""As many filters as are prescribed, of the same size, and a rule that is learned too."""
_EPOCHS, _RATE = 15, 0.03


@dataclass(frozen=True, eq=False)
class LearnedXO:
    """A trained network of `LEARNED_NETWORK` and its accuracy on the test split."""

    module: NetworkModule
    accuracy: float
    seconds: float

    @property
    def filters(self) -> NDArray[np.float32]:
        """The filters (3, 3, 3): filter, H, W."""
        return self.module["conv1"].get_parameter("weight").detach().cpu().numpy()[:, 0]

    def maps(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The feature maps (N, 3, h, w), before the ReLU, and the scores (N, 2) of pictures (N, H, W)."""
        batch = torch.from_numpy(pictures[:, np.newaxis].copy())
        with torch.no_grad():
            scores, kept = self.module(batch, keep=("conv1",))
        return kept["conv1"].numpy(), scores.numpy()


def learn_xo(*, seed: int = 0, device: str = "cpu") -> LearnedXO:
    """Trains the network on `xo` in a folder that is gone afterwards.

    Raises UsageError when the device isn't there and RunError when the training was stopped.
    """
    with TemporaryDirectory(prefix="striate-xo-") as folder:
        run = train(
            LEARNED_NETWORK,
            "xo",
            "tiny",
            out=Path(folder) / "xo",
            device=device,
            quiet=True,
            seed=seed,
            epochs=_EPOCHS,
            lr=_RATE,
        )
        results = run.manifest.results
        if results.test_accuracy is None:
            raise RunError("the training of the learned filters was stopped; start it again")
        return LearnedXO(load_module(run), results.test_accuracy, results.train_seconds)
