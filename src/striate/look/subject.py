"""What is looked into: a trained network, ready to answer, and the pictures it is shown.

Legend: C depth, H height, W width.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from striate.build import NetworkModule
from striate.core import UnknownNameError, UsageError
from striate.data import displayed, prepare_picture, read_picture, wants_pictures
from striate.graph import InputLayer, Network
from striate.runs import Run
from striate.train import Goal, Rows, goals_of, load_module, rows_of


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as a network is shown it: `pixels` (C, H, W), and `original`, the picture before."""

    name: str
    pixels: NDArray[Any]
    original: Image.Image

    def batch(self, device: torch.device) -> Tensor:
        """The picture as a batch of one, (1, C, H, W)."""
        return torch.from_numpy(np.array(self.pixels))[None].to(device)


@dataclass(frozen=True, eq=False)
class Subject:
    """A run's network with trained weights, in evaluation mode.

    Whoever hooks into `module`, or changes a mode of it, puts everything back, also after an error.
    """

    run: Run
    module: NetworkModule

    @classmethod
    def open(
        cls, run: "Subject | Run | str | Path", *, weights: str = "best", device: str = "cpu"
    ) -> "Subject":
        """The subject of a run or its folder; a subject is handed back as it is.

        Raises UsageError when there is no such folder and RunError when it has no weights.
        """
        if isinstance(run, Subject):
            return run
        run = run if isinstance(run, Run) else Run.open(run)
        return cls(run, load_module(run, weights=weights, device=device))

    @property
    def network(self) -> Network:
        return self.module.network

    @property
    def device(self) -> torch.device:
        weights = next(self.module.parameters(), None)
        return torch.device("cpu") if weights is None else weights.device

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """What each output tells."""
        return goals_of(self.run)

    @property
    def goal(self) -> Goal:
        """What the only output tells; raises UsageError when the network has several."""
        if len(self.goals) != 1:
            raise UsageError(
                f"{self.run.path} has {len(self.goals)} outputs, and this looks at one; "
                f"cut the network at one of {', '.join(self.network.outputs)}"
            )
        return self.goals[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the only output tells apart; raises UsageError for a regression."""
        if self.goal.is_regression:
            raise UsageError(f"{self.run.path} tells numbers, not classes; this needs a classifier")
        return self.goal.classes

    def class_index(self, name: str) -> int:
        """The place of a class; raises UnknownNameError, with the nearest, when there is none."""
        if name not in self.classes:
            raise UnknownNameError("class", name, self.classes)
        return self.classes.index(name)

    @property
    def input(self) -> InputLayer:
        """The only input, which takes pictures; raises UsageError when the network takes other things."""
        network = self.network
        if len(network.inputs) != 1 or not wants_pictures(network, network.inputs[0]):
            raise UsageError(f"{self.run.path} takes {', '.join(network.inputs)}; this needs one picture")
        return cast("InputLayer", network[network.inputs[0]].layer)

    def show(self, picture: str | Path | Image.Image) -> Shown:
        """A picture prepared as for training, whatever its size and mode.

        Raises DataError when it can't be read, UsageError when the network doesn't take pictures from files.
        """
        layer = self.input
        if layer.floats:
            raise UsageError(f"{self.run.path} was trained on floats, whose scale no picture file tells")
        name = "picture" if isinstance(picture, Image.Image) else str(picture)
        image = picture if isinstance(picture, Image.Image) else read_picture(picture)
        original = ImageOps.exif_transpose(image)
        # Preparing may decode a JPEG smaller than it is, so it gets a picture of its own.
        taken = image if isinstance(picture, Image.Image) else read_picture(picture)
        return Shown(name, prepare_picture(taken, layer.shape, layer.fit), original)

    def rows(self, data: str | Path | None = None, *, split: str | None = None) -> Rows:
        """Prepared rows of a split, of the run's own data unless others are given; see `rows_of`."""
        return rows_of(self.run, data, split=split)

    def row(self, rows: Rows, index: int) -> Shown:
        """One of the rows as a picture that is shown."""
        pixels = rows.inputs[0][index]
        return Shown(
            rows.images.split(rows.split).pictures.name(index), pixels, Image.fromarray(displayed(pixels))
        )
