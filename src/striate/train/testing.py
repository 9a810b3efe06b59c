"""Testing a run: scores of a split, their evaluation, and both kept in the run's folder."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.build import NetworkModule, build, load_weights
from striate.core import RunError, UsageError
from striate.data import Images
from striate.runs import Manifest, Run, write_json, write_tensors
from striate.train.compute import choose_compute
from striate.train.evaluation import Evaluation, RegressionEvaluation, evaluate, evaluate_regression
from striate.train.figures import draw_figures
from striate.train.objective import Objective, objective_of
from striate.train.scoring import scores_of
from striate.train.setup import images_of, listed_classes, loaded_images, prepared_pixels
from striate.train.watching import Quiet

Told = Evaluation | RegressionEvaluation


def load_module(run: Run, *, weights: str = "best", device: str = "cpu") -> NetworkModule:
    """The run's network with the weights of its `best` or `last` epoch, ready to answer."""
    module = build(run.network)
    arrays = run.weights(weights)
    load_weights(module, {name: torch.from_numpy(array) for name, array in arrays.items()})
    return module.to(choose_compute(device, "fp32").device).eval()


def test(
    run: Run | str | Path,
    images: Images | str | Path | None = None,
    *,
    split: str | None = None,
    device: str = "auto",
) -> Told:
    """Tests a run's best weights and returns what came of it.

    Without `images`, or with the run's own, the data are split again as they were for its training, so
    that nothing trained on is tested by mistake. `split` is `test` unless there is none, then `val`. Other
    data that have neither are tested as a whole, as the split `all`.

    Raises RunError when the run has no weights or its own data have changed since, UsageError when the
    data don't fit the network or there is nothing but what was trained on.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    manifest = run.manifest
    loaded, is_own = _tested_images(run, images)
    if list(loaded.classes) != manifest.data.classes:
        raise UsageError(
            f"{loaded.name} has the classes {listed_classes(loaded.classes)} but {run.path} was trained on "
            f"{listed_classes(manifest.data.classes)}; give data with the same classes"
        )
    name = split or next((name for name in ("test", "val", "all") if name in loaded.splits), None)
    if name is None:
        raise UsageError(
            f"{loaded.name} has only pictures that {run.path} was trained on; give other data, or ask for "
            f"the split 'train'"
        )
    one = Images(loaded.name, loaded.classes, {name: loaded.split(name)})
    objective = objective_of(run.network, one)
    pixels = prepared_pixels(one, run.network, Quiet())[name]
    told, scores = _tell(load_module(run, device=device), objective, pixels, one, name)
    if is_own:
        with suppress(RunError):  # a run that can't be written to can be tested all the same
            _keep(run, told, scores, one.split(name).labels)
    return told


def _tested_images(run: Run, images: Images | str | Path | None) -> tuple[Images, bool]:
    """The data to test on, and whether they are those that the run was trained on."""
    if images is None:
        return images_of(run), True
    loaded, spec = loaded_images(images)
    if spec == run.manifest.data.spec:
        return images_of(run, loaded), True
    if list(loaded.splits) == ["train"]:
        return replace(loaded, splits={"all": loaded.splits["train"]}), False
    return loaded, False


def test_splits(
    run: Run, images: Images, pixels: dict[str, NDArray[Any]], device: str, manifest: Manifest
) -> None:
    """Tests the best weights on the splits that weren't trained on; fills in the manifest's results."""
    # Not the module that was trained: its memory may lie otherwise, which changes a score's last digits.
    module = load_module(run, device=device)
    objective = objective_of(run.network, images)
    shown: tuple[str, Told, NDArray[np.float32]] | None = None
    for name in ("val", "test"):
        if name not in images.splits:
            continue
        told, scores = _tell(module, objective, pixels[name], images, name)
        _keep(run, told, scores, images.split(name).labels)
        setattr(manifest.results, f"{name}_loss", told.loss)
        if isinstance(told, Evaluation):
            setattr(manifest.results, f"{name}_accuracy", told.accuracy)
        shown = (name, told, scores)
    draw_figures(run, images, pixels, shown)


def _tell(
    module: NetworkModule, objective: Objective, pixels: NDArray[Any], images: Images, split: str
) -> tuple[Told, NDArray[np.float32]]:
    scores = scores_of(module, pixels, objective.node)
    labels = images.split(split).labels
    if objective.is_regression:
        return evaluate_regression(scores, labels.astype(np.float32), split), scores
    return evaluate(scores, labels.astype(np.int64), images.classes, split), scores


def _keep(run: Run, told: Told, scores: NDArray[np.float32], labels: NDArray[Any]) -> None:
    write_json(run.folder.evaluation(told.split), told.to_dict())
    write_tensors(run.folder.predictions(told.split), {"scores": scores, "labels": labels})
