"""Testing a run: scores of a split, their evaluation, and both kept in the run's folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.core import RunError
from striate.data import Images
from striate.graph import surgery
from striate.runs import Manifest, Run, write_json, write_tensors
from striate.train.evaluation import (
    Evaluation,
    OutputsEvaluation,
    RegressionEvaluation,
    evaluate,
    evaluate_regression,
    relative_error,
)
from striate.train.figures import draw_figures
from striate.train.inputs import Arrays, targets_of
from striate.train.loading import load_module
from striate.train.objective import Objective
from striate.train.rows import rows_of
from striate.train.scoring import scores_of
from striate.train.transfer.body import Body
from striate.train.views import Views, require_views

Told: TypeAlias = Evaluation | RegressionEvaluation | OutputsEvaluation


def test(
    run: Run | str | Path,
    images: Images | str | Path | None = None,
    *,
    split: str | None = None,
    views: Views = 1,
    device: str = "auto",
) -> Told:
    """Tests a run's best weights and returns what came of it.

    Without `images`, or with the run's own, the data are split again as they were for its training, so
    that nothing trained on is tested by mistake. `split` is `test` unless there is none, then `val`. Other
    data that have neither are tested as a whole, as the split `all`. Of several `views` of each picture
    (1, 2 or 6) the scores are averaged, and nothing is kept in the run's folder, which holds what one view
    told.

    Raises RunError when the run has no weights or its own data have changed since, UsageError when the
    data don't fit the network, there is nothing but what was trained on, or mirrored views are strange to
    the run, and DataError when they are bytes for a network of floats, or the other way round.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    require_views(views, run)
    rows = rows_of(run, images, split=split)
    module = load_module(run, device=device)
    told, scores = _tell(module, rows.objective, rows.inputs, rows.targets, rows.split, views)
    if rows.is_own and views == 1:
        with suppress(RunError):  # a run that can't be written to can be tested all the same
            _keep(run, rows.objective, told, scores, rows.targets)
    return told


def test_splits(
    run: Run,
    images: Images,
    inputs: dict[str, Arrays],
    objective: Objective,
    device: str,
    manifest: Manifest,
    body: Body | None = None,
) -> None:
    """Tests the best weights on the splits that weren't trained on; fills in the manifest's results.

    Of a network with a frozen `body` it takes the features, which are there already.
    """
    # Not the module that was trained: its memory may lie otherwise, which changes a score's last digits.
    if body is None:
        module = load_module(run, device=device)
    else:
        module = body.tail(load_module(run, device=device, network=surgery.lean(run.network).network))
    taken = inputs if body is None else body.features
    shown: tuple[Told, Arrays, Arrays] | None = None
    for name in ("val", "test"):
        if name not in images.splits:
            continue
        wanted = targets_of(images, name, objective)
        told, scores = _tell(module, objective, taken[name], wanted, name)
        _keep(run, objective, told, scores, wanted)
        setattr(manifest.results, f"{name}_loss", told.loss)
        if isinstance(told, Evaluation):
            setattr(manifest.results, f"{name}_accuracy", told.accuracy)
        shown = (told, scores, wanted)
    draw_figures(run, inputs, objective, shown)


def _tell(
    module: NetworkModule, objective: Objective, inputs: Arrays, wanted: Arrays, split: str, views: Views = 1
) -> tuple[Told, Arrays]:
    """What came of a split, with every goal's scores."""
    scores = tuple(scores_of(module, inputs, *objective.nodes, views=views))
    told: dict[str, Evaluation | RegressionEvaluation] = {}
    loss = 0.0
    for goal, answers, targets in zip(objective.goals, scores, wanted, strict=True):
        if goal.is_regression:
            told[goal.output] = evaluate_regression(answers, targets, split)
            loss += relative_error(answers, targets, goal.variances) if goal.variances else 0.0
        else:
            told[goal.output] = evaluate(answers, targets, goal.classes, split)
            loss += told[goal.output].loss
    if objective.only is not None:
        return told[objective.only.output], scores
    return OutputsEvaluation(split, len(wanted[0]), loss, told), scores


def _keep(
    run: Run, objective: Objective, told: Told, scores: Sequence[NDArray[Any]], wanted: Sequence[NDArray[Any]]
) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    for goal, answers, targets in zip(objective.goals, scores, wanted, strict=True):
        prefix = "" if goal is objective.only else f"{goal.output}."
        arrays |= {f"{prefix}scores": answers, f"{prefix}labels": targets}
    write_json(run.folder.evaluation(told.split), told.to_dict())
    write_tensors(run.folder.predictions(told.split), arrays)
