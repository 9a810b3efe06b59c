"""Training what is compared: seed by seed, every design in turn; a second start goes on."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from striate.compare.comparison import Comparison, judge
from striate.compare.design import Design, Group, Settled, designs_of, identity, settled
from striate.compare.matching import TOLERANCE, Match, matched, require_match
from striate.core import DamageError, UsageError, read_small_file
from striate.data import load
from striate.runs import Run, RunFolder, begun, runs_root, save_figure, write_json, write_text
from striate.train import Recipe, resume, train

SEEDS = 5
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Training:
    """How the runs of a comparison are trained beside their recipes."""

    data: str
    folder: Path
    device: str = "auto"
    energy: bool = False
    country: str = "USA"
    quiet: bool = False


def compare(
    designs: Sequence[str | Path | Design | Run],
    data: str | Path | None = None,
    *,
    seeds: int = SEEDS,
    match: Match | None = None,
    tolerance: float = TOLERANCE,
    recipe: Recipe | str | None = None,
    out: str | Path | None = None,
    target: float | None = None,
    question: str | None = None,
    name: str | None = None,
    device: str = "auto",
    energy: bool = False,
    country: str = "USA",
    quiet: bool = False,
    **changes: Any,
) -> Comparison:
    """Trains designs alike, `seeds` times each, and judges them; runs that are done are taken as they are.

    Designs are networks (a zoo name, a notation, a file; ` @ shift=2` after it changes the recipe),
    `Design`s, or runs and their folders. `changes` go over every recipe. Designs train in turn, seed by
    seed, and another begins each round, so that whatever changes on the machine meanwhile meets all of them.
    The runs lie in `out` (by default a folder named by data and designs), where a comparison that was
    stopped goes on, and where `comparison.md`, `comparison.json`, `curves.png` and `dots.png` are written.
    `match` changes the widths of all but the first; see `matched`. `target` is the accuracy whose time is
    asked for.

    Raises UsageError when designs, data and options don't go together or `out` holds other runs, and whatever
    training raises. KeyboardInterrupt comes after a run was stopped by Ctrl-C; the same call goes on.
    """
    require_match(match)
    if seeds < 1:
        raise UsageError(f"a comparison trains with at least 1 seed, not {seeds}")
    found = designs_of(designs)
    if len(found) < 2:
        raise UsageError("a comparison needs at least two designs; name another network or run")
    wished = [one for one in found if isinstance(one, Design)]
    if not wished:
        groups = [one for one in found if isinstance(one, Group)]
        if match is not None:
            raise UsageError(
                "runs that are done can't be matched any more; name their networks, or leave --match out"
            )
        return _written(judge(groups, target=target, question=question), None if out is None else Path(out))
    if data is None:
        raise UsageError("networks are trained to be compared; name the data with --data")
    if match is not None and len(wished) < len(found):
        raise UsageError(
            "runs that are done can't be matched any more; name networks alone, or leave --match out"
        )
    images = load(data)
    ready = [settled(one, images, recipe, changes) for one in wished]
    if target is not None and any(not one.recipe.validation and "val" not in images.splits for one in ready):
        raise UsageError(
            "the time to an accuracy is told by the validation split, and a recipe holds none out; give "
            "--validation 0.1, or leave --target-accuracy out"
        )
    if match is not None:
        ready = matched(ready, match, tolerance)
    stem = name or "-vs-".join(one.slug for one in ready)
    place = runs_root() / f"compare-{images.name}-{stem}"[:_LONGEST_NAME] if out is None else Path(out)
    training = Training(str(data), place, device, energy, country, quiet)
    _keep(training, ready)
    runs = _trained(training, ready, seeds)
    made = {one.name: Group(one.name, tuple(runs[one.name]), one.note) for one in ready}
    groups = [one if isinstance(one, Group) else made[one.name] for one in found]
    return _written(judge(groups, target=target, question=question), place)


def rounds(count: int, seeds: int) -> Iterator[tuple[int, int]]:
    """Which design (from 0) trains with which seed: all in turn, another first in each round.

    The first training after a pause may be slower or faster than the next; so it isn't always the same one's.
    """
    for seed in range(seeds):
        for place in range(count):
            yield (seed + place) % count, seed


def _trained(training: Training, designs: Sequence[Settled], seeds: int) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {one.name: [] for one in designs}
    for number, (index, seed) in enumerate(rounds(len(designs), seeds), 1):
        design = designs[index]
        design = replace(design, recipe=design.recipe.changed(seed=design.recipe.seed + seed))
        if not training.quiet:
            told = f"run {number} of {len(designs) * seeds}: {design.name}, seed {design.recipe.seed}"
            print(told, file=sys.stderr)
        run = _one(training, design)
        if run.manifest.state != "done":
            raise KeyboardInterrupt(
                f"stopped in {run.path}; the same command goes on with the comparison in {training.folder}"
            )
        runs[design.name].append(run)
    return runs


def _one(training: Training, design: Settled) -> Run:
    """The run of a design and seed: done before, gone on with, or trained anew."""
    folder = RunFolder(training.folder / f"{design.slug}-seed{design.recipe.seed}")
    run = begun(folder)
    if run is not None:
        return run if run.manifest.state == "done" else resume(run, quiet=training.quiet)
    return train(
        design.word or design.network,
        training.data,
        design.recipe,
        out=folder.path,
        device=training.device,
        energy=training.energy,
        country=training.country,
        quiet=training.quiet,
    )


def _keep(training: Training, designs: Sequence[Settled]) -> None:
    """Writes what each name stands for; raises UsageError when the folder's runs are of something else."""
    path = training.folder / "designs.json"
    known: dict[str, Any] = {"data": training.data, "designs": {}}
    try:
        known = json.loads(read_small_file(path))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise DamageError(path, error) from None
    if known["data"] != training.data:
        raise UsageError(
            f"{training.folder} compares on {known['data']}, not {training.data}; choose another --out"
        )
    for design in designs:
        wished = {
            "network": json.loads(design.network.to_json()),
            "recipe": json.loads(design.recipe.model_dump_json()),
        }
        before = known["designs"].setdefault(design.slug, wished)
        if before != wished:
            raise UsageError(
                f"{training.folder} holds other runs of {design.name}: {_differing(before, wished)}; choose "
                f"another --out, or ask for the same"
            )
    write_json(path, known)


def _differing(before: dict[str, Any], wished: dict[str, Any]) -> str:
    if before["network"] != wished["network"]:
        return "their network is another"
    recipes = identity(before["recipe"]), identity(wished["recipe"])
    names = [name for name in recipes[1] if recipes[0].get(name) != recipes[1][name]]
    return (
        ", ".join(f"their {name} is {recipes[0].get(name)}" for name in names)
        or "their first seed is another"
    )


def _written(comparison: Comparison, folder: Path | None) -> Comparison:
    """Writes the comparison as text, JSON and pictures; without a folder nothing."""
    if folder is None:
        return comparison
    comparison = replace(comparison, folder=folder)
    save_figure(comparison.figure(), folder / "curves.png")
    save_figure(comparison.dots(), folder / "dots.png")
    write_json(folder / "comparison.json", {"format": "striate.compare", "version": 1} | comparison.to_dict())
    write_text(folder / "comparison.md", comparison.markdown())
    return comparison
