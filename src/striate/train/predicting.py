"""Predicting: pictures in files, prepared as they were for the training, and what a run says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from striate.core import RunError, StriateError, UsageError
from striate.data import pictures_below, prepare_picture, read_picture
from striate.graph import InputLayer
from striate.runs import Run
from striate.train.evaluation import log_softmax
from striate.train.scoring import scores_of
from striate.train.testing import load_module

_AT_ONCE = 256


@dataclass(frozen=True)
class Prediction:
    """What a run says of one file: the likeliest class and every class's probability.

    A regression has `values` instead; `error` says why a file has neither.
    """

    path: str
    label: str | None = None
    probabilities: dict[str, float] | None = None
    values: tuple[float, ...] | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}


def predict(
    run: Run | str | Path, files: str | Path | Iterable[str | Path], *, device: str = "auto"
) -> list[Prediction]:
    """What a run's best weights say of picture files, and of every picture below folders, in order.

    A file that can't be read is told of in its place and doesn't stop the others.

    Raises UsageError when a folder holds no pictures or the run was trained on arrays of floats, which no
    picture file has, and RunError when the run has no weights.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    files = [files] if isinstance(files, (str, Path)) else list(files)
    if "" in files or not files:
        raise UsageError("there is nothing to predict; name pictures or folders after the run")
    module = load_module(run, device=device)
    network = run.network
    layer = cast("InputLayer", network[network.inputs[0]].layer)
    if layer.floats:
        raise UsageError(
            f"{run.path} was trained on arrays of floats, whose scale no picture file tells; "
            f"train on pictures or bytes to predict from files"
        )
    classes = run.manifest.data.classes
    if classes and len(classes) != network[network.outputs[0]].shape.depth:
        raise RunError(
            f"{run.folder.manifest} names {len(classes)} classes but the network tells "
            f"{network[network.outputs[0]].shape.depth} apart; restore it from a copy"
        )
    node = network.logits(network.outputs[0]) if classes else network.outputs[0]
    paths = [path for file in files for path in _expanded(Path(file))]
    told: list[Prediction] = []
    for start in range(0, len(paths), _AT_ONCE):
        chunk = paths[start : start + _AT_ONCE]
        prepared = [_prepared(path, layer) for path in chunk]
        pixels = [pixel for pixel in prepared if not isinstance(pixel, str)]
        answers = iter(scores_of(module, np.stack(pixels), node) if pixels else ())
        for path, pixel in zip(chunk, prepared, strict=True):
            if isinstance(pixel, str):
                told.append(Prediction(str(path), error=pixel))
            else:
                told.append(_prediction(path, next(answers), classes))
    return told


def _prepared(path: Path, layer: InputLayer) -> Any:
    """The picture (C, H, W), or why it can't be read."""
    try:
        return prepare_picture(read_picture(path), layer.shape, layer.fit)
    except StriateError as error:
        return str(error)


def _prediction(path: Path, scores: Any, classes: list[str]) -> Prediction:
    if not classes:
        return Prediction(str(path), values=tuple(float(value) for value in scores))
    shares = np.exp(log_softmax(scores[None])[0])
    probabilities = {name: float(share) for name, share in zip(classes, shares, strict=True)}
    return Prediction(str(path), label=classes[int(scores.argmax())], probabilities=probabilities)


def _expanded(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = pictures_below(path)
    if not found:
        raise UsageError(f"{path} holds no pictures; give a folder with some, or files")
    return found
