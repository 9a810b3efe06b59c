"""The data that a training takes, and that a run was trained on, loaded and split as they were then."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from striate.core import RunError, UsageError, units
from striate.data import NAMED_SETS, Binding, Images, bind, class_names, load, with_held_out, without_rows
from striate.graph import Network
from striate.runs import Run
from striate.train.goals import goals_of
from striate.train.recipe import Recipe, checked
from striate.train.watching import Quiet

_MOST_LISTED = 8


def loaded_images(images: Images | str | Path, watcher: Quiet | None = None) -> tuple[Images, str]:
    """The data set, and the word by which it can be loaded again from any folder."""
    if isinstance(images, Images):
        return images, images.name
    loaded, path = load(images, progress=(watcher or Quiet()).downloading), Path(images)
    is_path = images not in NAMED_SETS and path.exists()
    return loaded, str(path.resolve()) if is_path else str(images)


def followed_recipe(run: Run) -> Recipe:
    """The recipe that a run followed; raises RecipeError when its manifest's is none."""
    return checked(run.manifest.recipe, f"the recipe in {run.folder.manifest}")


def images_of(run: Run, images: Images | None = None, watcher: Quiet | None = None) -> Images:
    """The data that a run was trained on, loaded again and split as they were then.

    Raises RunError when they are other data by now: another split would mix what was trained on with
    what is tested.
    """
    manifest, recipe = run.manifest, followed_recipe(run)
    loaded, _ = loaded_images(manifest.data.spec if images is None else images, watcher)
    split = with_held_out(loaded, validation=recipe.validation, seed=recipe.split_seed)
    known, missing = manifest.data, manifest.data.left_out
    # A training that was kept from a split, such as a search's from `test`, knows nothing of it.
    split = with_splits(split, known.counts)
    counts = {name: len(part) - len(missing.get(name, ())) for name, part in split.splits.items()}
    try:
        binding = bind(run.network, split, known=known.inputs)
    except UsageError as error:
        raise RunError(
            f"{known.spec} isn't what {run.path} was trained on: {error}; restore the data"
        ) from None
    split = split.only(binding.columns)
    if counts == known.counts:
        split = without_rows(split, missing)
    if counts != known.counts:
        change = f"its splits were {listed_counts(known.counts)}, now they are {listed_counts(counts)}"
    elif change := _changed_classes(run, classes_told(run.network, binding, split)):
        pass
    elif digests_of(split) != known.digests:
        change = "some pictures or labels have changed since"
    else:
        return split
    raise RunError(f"{known.spec} isn't what {run.path} was trained on: {change}; restore the data")


def with_splits(images: Images, names: Iterable[str]) -> Images:
    """The data set with those of its splits alone."""
    return replace(images, splits={name: images.splits[name] for name in names if name in images.splits})


def classes_told(network: Network, binding: Binding, images: Images) -> list[tuple[str, ...]]:
    """For each output the classes that it tells apart; none for a regression."""
    return [
        () if task == "regression" else class_names(images, binding.outputs[node], network[node].shape.depth)
        for node, task in zip(network.outputs, network.tasks, strict=True)
    ]


def _changed_classes(run: Run, classes: list[tuple[str, ...]]) -> str | None:
    """How the classes differ from those that the run was trained on."""
    for goal, now in zip(goals_of(run), classes, strict=True):
        if now != goal.classes:
            return f"its classes were {listed_classes(goal.classes)}, now they are {listed_classes(now)}"
    return None


def digests_of(images: Images) -> dict[str, str]:
    """A digest of each split's pictures and labels."""
    return {name: split.digest for name, split in images.splits.items()}


def listed_counts(counts: dict[str, int]) -> str:
    """The splits' sizes as a message shows them."""
    return ", ".join(f"{name} {units.count(count)}" for name, count in counts.items())


def listed_classes(names: Sequence[str]) -> str:
    """The first classes as a message shows them."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return (", ".join(names[:_MOST_LISTED]) + more) or "none"
