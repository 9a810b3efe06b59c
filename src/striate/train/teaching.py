"""A run as the teacher of another: whether it can be one, and how it sees the other's pictures."""

from dataclasses import replace

from striate.core import RunError, UsageError
from striate.data import bind
from striate.runs import Run
from striate.train.compute import Compute
from striate.train.distillation import Teacher
from striate.train.goals import goals_of
from striate.train.inputs import prepared_inputs, require_scale
from striate.train.loading import load_module
from striate.train.run_data import listed_classes
from striate.train.setup import Setup
from striate.train.watching import Quiet


def teacher_of(setup: Setup, compute: Compute, watcher: Quiet) -> Teacher | None:
    """The teacher that a setup's recipe names, ready on the device; None when it names none.

    Raises UsageError when there is no such run or it tells other classes, RunError when it isn't done, and
    DataError when its inputs can't take these pictures.
    """
    recipe = setup.recipe
    if recipe.teacher is None:
        return None
    run = Run.open(recipe.teacher)
    if run.manifest.state != "done":
        raise RunError(f"{run.path} can't teach before it is done; finish it by 'striate resume {run.path}'")
    goal, *others = goals_of(run)
    only = setup.objective.only
    if only is None or only.is_regression or others:
        raise UsageError("a teacher's answers are taught for one output of classes; take the teacher out")
    if goal.classes != only.classes:
        raise UsageError(
            f"{run.path} tells apart {listed_classes(goal.classes)}, but {setup.images.name} has the "
            f"classes {listed_classes(only.classes)}; choose a teacher of the same classes"
        )
    network, images = run.network, setup.images
    train = replace(images, splits={"train": images.split("train")})
    inputs = prepared_inputs(train, network, bind(network, train, known=run.manifest.data.inputs), watcher)
    require_scale(train, network, inputs)
    module = load_module(run).requires_grad_(False)
    compute.place(module)
    return Teacher(module, goal.node, inputs["train"], recipe.temperature, recipe.teaching)
