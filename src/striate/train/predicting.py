"""Predicting: pictures in files or rows of data, prepared as for training, and what a run says of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import StriateError, UsageError
from striate.data import bind, load, pictures_below, prepare_picture, read_picture, wants_pictures
from striate.graph import InputLayer
from striate.runs import Run
from striate.train.evaluation import log_softmax
from striate.train.goals import goals_of
from striate.train.inputs import prepared_inputs, require_scale
from striate.train.loading import load_module
from striate.train.objective import Goal
from striate.train.scoring import scores_of
from striate.train.views import Views, require_views
from striate.train.watching import Quiet

_AT_ONCE = 256
_TABLES = (".npz", ".parquet")


@dataclass(frozen=True)
class Prediction:
    """What a run says of one file or row: the likeliest class and every class's probability.

    A regression has `values` instead, a network of several outputs `outputs` with one of them for each;
    `error` says why a file has none. `path` is a picture's file, or a file of rows and the row: `new.npz[3]`.
    """

    path: str
    label: str | None = None
    probabilities: dict[str, float] | None = None
    values: tuple[float, ...] | None = None
    outputs: "dict[str, Prediction] | None" = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        facts = {name: value for name, value in vars(self).items() if value is not None}
        if self.outputs is not None:
            told = {name: one.to_dict() for name, one in self.outputs.items()}
            facts["outputs"] = {
                name: {k: v for k, v in one.items() if k != "path"} for name, one in told.items()
            }
        return facts


def predict(
    run: Run | str | Path, files: str | Path | Iterable[str | Path], *, views: Views = 1, device: str = "auto"
) -> list[Prediction]:
    """What a run's best weights say of picture files, and of every picture below folders, in order.

    For a network that takes more or other than one picture, the files are `.npz` or Parquet with its
    columns. Of several `views` of each picture (1, 2 or 6) the scores are averaged. A picture that can't be
    read is told of in its place and doesn't stop the others.

    Raises UsageError when a folder holds no pictures or the run was trained on arrays of floats, which no
    picture file has, DataError when rows can't be what the network takes, and RunError when the run has
    no weights.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    require_views(views, run)
    files = [files] if isinstance(files, (str, Path)) else list(files)
    if "" in files or not files:
        raise UsageError("there is nothing to predict; name pictures or folders after the run")
    module = load_module(run, device=device)
    network, goals = run.network, goals_of(run)
    takes_picture = len(network.inputs) == 1 and wants_pictures(network, network.inputs[0])
    chunks = _pictures(run, files) if takes_picture else _rows(run, files)
    nodes = [goal.node for goal in goals]
    told: list[Prediction] = []
    for places, inputs, errors in chunks:
        scores = (
            zip(*scores_of(module, inputs, *nodes, views=views), strict=True) if len(inputs[0]) else iter(())
        )
        for place in places:
            error = errors.get(place)
            if error is not None:
                told.append(Prediction(place, error=error))
            else:
                told.append(_prediction(place, next(scores), goals))
    return told


_Chunk = tuple[list[str], Sequence[NDArray[Any]], dict[str, str]]


def _pictures(run: Run, files: Sequence[str | Path]) -> Iterator[_Chunk]:
    """Some picture files at a time: their paths, those prepared that can be read, and why others can't."""
    layer = cast("InputLayer", run.network[run.network.inputs[0]].layer)
    if layer.floats:
        raise UsageError(
            f"{run.path} was trained on arrays of floats, whose scale no picture file tells; "
            f"train on pictures or bytes to predict from files"
        )
    paths = [path for file in files for path in _expanded(Path(file))]
    for start in range(0, len(paths), _AT_ONCE):
        pixels: list[NDArray[Any]] = []
        errors: dict[str, str] = {}
        chunk = paths[start : start + _AT_ONCE]
        for path in chunk:
            prepared = _prepared(path, layer)
            if isinstance(prepared, str):
                errors[str(path)] = prepared
            else:
                pixels.append(prepared)
        yield [str(path) for path in chunk], [np.stack(pixels) if pixels else np.empty(0)], errors


def _rows(run: Run, files: Sequence[str | Path]) -> Iterator[_Chunk]:
    """The rows of one file after the other, as the network's inputs take them."""
    network = run.network
    for file in files:
        if Path(file).suffix not in _TABLES:
            raise UsageError(
                f"the network takes {', '.join(network.inputs)}, which no picture holds; "
                f"give an .npz or Parquet file with these columns"
            )
        images = load(file, labelled=False)
        binding = bind(network, images, answers=False, known=run.manifest.data.inputs)
        whole = images.only(binding.columns)
        prepared = prepared_inputs(whole, network, binding, Quiet())
        require_scale(whole, network, prepared)
        for split, inputs in prepared.items():
            where = f"{file}" if len(whole.splits) == 1 else f"{file}:{split}"
            yield [f"{where}[{row}]" for row in range(len(inputs[0]))], inputs, {}


def _prepared(path: Path, layer: InputLayer) -> NDArray[Any] | str:
    """The picture (C, H, W), or why it can't be read."""
    try:
        return prepare_picture(read_picture(path), layer.shape, layer.fit)
    except StriateError as error:
        return str(error)


def _prediction(place: str, scores: Sequence[NDArray[Any]], goals: Sequence[Goal]) -> Prediction:
    told = {goal.output: _told(place, one, goal.classes) for goal, one in zip(goals, scores, strict=True)}
    return told[goals[0].output] if len(goals) == 1 else Prediction(place, outputs=told)


def _told(place: str, scores: NDArray[Any], classes: Sequence[str]) -> Prediction:
    """What one output says of one row."""
    if not classes:
        return Prediction(place, values=tuple(float(value) for value in scores))
    shares = np.exp(log_softmax(scores[None])[0])
    probabilities = {name: float(share) for name, share in zip(classes, shares, strict=True)}
    return Prediction(place, label=classes[int(scores.argmax())], probabilities=probabilities)


def _expanded(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = pictures_below(path)
    if not found:
        raise UsageError(f"{path} holds no pictures; give a folder with some, or files")
    return found
