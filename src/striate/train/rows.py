"""Rows of data as a run's network takes them: its own, split again as they were for training, or others."""

from dataclasses import dataclass, replace
from pathlib import Path

from striate.core import UsageError
from striate.data import Images, bind
from striate.runs import Run
from striate.train.goals import goals_of, with_kept_variances
from striate.train.inputs import Arrays, prepared_inputs, require_scale, targets_of
from striate.train.objective import Objective, objective_of
from striate.train.run_data import classes_told, images_of, listed_classes, loaded_images
from striate.train.watching import Quiet


@dataclass(frozen=True, eq=False)
class Rows:
    """One split, prepared: `inputs` and `targets` have an array for each of the network's inputs and goals.

    `images` hold this split alone, not prepared; `is_own` says that the run was trained on these data.
    """

    images: Images
    split: str
    inputs: Arrays
    targets: Arrays
    objective: Objective
    is_own: bool

    def __len__(self) -> int:
        return len(self.inputs[0])


def rows_of(run: Run, images: Images | str | Path | None = None, *, split: str | None = None) -> Rows:
    """The rows of a split; without `images`, or with the run's own, as they were split for training.

    `split` is `test` unless there is none, then `val`. Other data that have neither are taken as a whole,
    as the split `all`.

    Raises RunError when the run's own data have changed since, UsageError when the data don't fit the
    network or there is nothing but what was trained on, and DataError when they are bytes for a network of
    floats, or the other way round.
    """
    loaded, is_own = _images(run, images)
    objective = _objective(run, loaded)
    name = split or next((name for name in ("test", "val", "all") if name in loaded.splits), None)
    if name is None:
        raise UsageError(
            f"{loaded.name} has only pictures that {run.path} was trained on; give other data, or ask for "
            f"the split 'train'"
        )
    one = replace(loaded, splits={name: loaded.split(name)})
    inputs = prepared_inputs(one, run.network, objective.binding, Quiet())
    if not is_own:
        require_scale(one, run.network, inputs)
    return Rows(one, name, inputs[name], targets_of(one, name, objective), objective, is_own)


def _objective(run: Run, images: Images) -> Objective:
    """What the run's network is to tell of a data set, which must have the classes it was trained on."""
    network, goals, known = run.network, goals_of(run), run.manifest.data.inputs
    binding = bind(network, images, known=known)
    for goal, now in zip(goals, classes_told(network, binding, images), strict=True):
        if now != goal.classes:
            which = "" if len(goals) == 1 else f" of '{goal.output}'"
            raise UsageError(
                f"{images.name} has the classes{which} {listed_classes(now)} but {run.path} was trained on "
                f"{listed_classes(goal.classes)}; give data with the same classes"
            )
    return with_kept_variances(goals, objective_of(network, images, known))


def _images(run: Run, images: Images | str | Path | None) -> tuple[Images, bool]:
    """The data, and whether they are those that the run was trained on."""
    if images is None:
        return images_of(run), True
    loaded, spec = loaded_images(images)
    if spec == run.manifest.data.spec:
        return images_of(run, loaded), True
    if list(loaded.splits) == ["train"]:
        return replace(loaded, splits={"all": loaded.splits["train"]}), False
    return loaded, False
