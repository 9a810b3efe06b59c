"""Learning from few pictures a class: linear probes on a trained network, and new networks, side by side.

Legend: N pictures.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from striate.compare.few_shot import FewShot, ShotLine
from striate.core import DataError, RunError, UsageError
from striate.data import Images, load, with_held_out, without_rows
from striate.graph import feature_node
from striate.look import Described, describe
from striate.runs import Run, RunFolder, begun, runs_root, save_figure, write_json, write_text
from striate.train import Source, choose_compute, fit_probe, named_network, resume, source_of, train

SHOTS: tuple[int | Literal["all"], ...] = (1, 5, 10, "all")
SEEDS = 3
_LONGEST_NAME = 80


def compare_transfer(
    source: Source | str | Path,
    data: Images | str | Path,
    *,
    shots: Sequence[int | Literal["all"]] = SHOTS,
    seeds: int = SEEDS,
    scratch: bool = True,
    scratch_epochs: int | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    quiet: bool = False,
    progress: Callable[[int, int], None] | None = None,
    downloading: Callable[[str, int, int], None] | None = None,
) -> FewShot:
    """How right a linear probe on a trained network is after so many pictures a class, and a new network.

    Each seed draws its pictures of `train`, where more are the fewer and others; all are judged on `test`,
    else `val`, else on a fifth that is held out. Probes are given what the network's own head takes, computed
    once for all pictures. From `scratch` the data's default network is trained on the same pictures by its
    own recipe (`scratch_epochs` long), none of them held out, in ordinary run folders in `out`, where the
    same call goes on with what was stopped, and where `comparison.md`, `comparison.json` and `shots.png` are
    written.

    Raises UsageError when there are fewer pictures of a class than asked for, or `out` holds other runs,
    and whatever describing and training raise. KeyboardInterrupt comes after a run was stopped by Ctrl-C.
    """
    if seeds < 1:
        raise UsageError(f"a comparison draws pictures with at least 1 seed, not {seeds}")
    wished = _in_order(shots)
    source = source if isinstance(source, Source) else source_of(str(source), downloading)
    images = with_held_out(data if isinstance(data, Images) else load(data), validation=0, seed=0)
    cut = feature_node(source.module.network)
    source.module.to(choose_compute(device, "fp32").device)
    described = describe(source, images, [cut], progress=progress)
    split = described.held
    if split is None:
        raise DataError(f"{images.name} has no split to judge on, and none can be held out; add pictures")
    labels = described.labels["train"]
    _require_enough(labels, described.classes, wished)
    name = f"compare-{images.name}-transfer-{source.name}".replace("/", "-")[:_LONGEST_NAME]
    folder = runs_root() / name if out is None else Path(out)
    trained = named_network(None, images)[1] if scratch else None
    newly = _New(images, split, trained, scratch_epochs, folder, device, quiet)
    lines: list[ShotLine] = []
    for place, count in enumerate(wished):
        drawn = {seed: _drawn(labels, count, seed) for seed in range(seeds)}
        probes = {seed: _probed(described, cut, rows, seed) for seed, rows in drawn.items()}
        from_scratch: dict[int, float] = {}
        if trained is not None:
            for seed, rows in drawn.items():
                if not quiet:
                    done = place * seeds + seed + 1
                    told = f"run {done} of {len(wished) * seeds}: {trained}, {count} a class, seed {seed}"
                    print(told, file=sys.stderr)
                from_scratch[seed] = newly.accuracy(rows, f"{trained}-{count}-seed{seed}", seed)
        pictures = len(drawn[0])
        lines.append(ShotLine(None if count == "all" else count, pictures, probes, from_scratch))
    judged = len(described.labels[split])
    told = FewShot(
        source.name, cut, images.name, described.classes, split, judged, tuple(lines), trained, folder
    )
    save_figure(told.figure(), folder / "shots.png")
    write_json(
        folder / "comparison.json", {"format": "striate.compare.transfer", "version": 1} | told.to_dict()
    )
    write_text(folder / "comparison.md", told.markdown())
    return told


@dataclass(frozen=True)
class _New:
    """Networks trained from new weights, each on some pictures of `train`, tested on the split judged."""

    images: Images
    split: str
    network: str | None
    epochs: int | None
    folder: Path
    device: str
    quiet: bool

    def accuracy(self, rows: NDArray[np.int64], name: str, seed: int) -> float:
        train_split = self.images.split("train")
        others = np.setdiff1d(np.arange(len(train_split)), rows)
        some = without_rows(self.images, {"train": others.tolist()})
        # What is judged on must choose no epoch, so it is called what it is for.
        some = replace(some, splits={"train": some.split("train"), "test": some.split(self.split)})
        run = self._run(some, RunFolder(self.folder / name), seed)
        if run.manifest.state != "done":
            raise KeyboardInterrupt(f"stopped in {run.path}; the same command goes on in {self.folder}")
        accuracy = run.manifest.results.test_accuracy
        if accuracy is None:
            raise RunError(f"{run.path} has no accuracy; remove the folder, and it is trained again")
        return accuracy

    def _run(self, images: Images, folder: RunFolder, seed: int) -> Run:
        """The run in the folder: done before, gone on with, or trained anew."""
        run = begun(folder)
        if run is not None:
            digests = {name: split.digest for name, split in images.splits.items()}
            epochs = run.manifest.recipe["epochs"]
            if run.manifest.data.digests != digests or self.epochs not in (None, epochs):
                raise UsageError(
                    f"{folder.path} was trained on other pictures or for {epochs} epochs; choose another "
                    f"--out, or ask for the same"
                )
            return run if run.manifest.state == "done" else resume(run, images=images, quiet=self.quiet)
        return train(
            self.network,
            images,
            out=folder.path,
            device=self.device,
            quiet=self.quiet,
            seed=seed,
            epochs=self.epochs,
            validation=0.0,
        )


def _in_order(shots: Sequence[int | Literal["all"]]) -> list[int | Literal["all"]]:
    numbers = sorted({count for count in shots if count != "all"})
    if not shots or any(count < 1 for count in numbers):
        raise UsageError("shots are pictures a class, 1 or more each, or all; such as 1,5,10,all")
    return [*numbers, *(["all"] if "all" in shots else [])]  # pyright: ignore[reportReturnType]


def _require_enough(
    labels: NDArray[np.int64], classes: Sequence[str], shots: Sequence[int | Literal["all"]]
) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    fewest, most = int(counts.argmin()), max((count for count in shots if count != "all"), default=0)
    if counts[fewest] < most:
        raise UsageError(
            f"'{classes[fewest]}' has {counts[fewest]} pictures to learn from, not {most}; ask for fewer, or "
            f"for all"
        )


def _drawn(labels: NDArray[np.int64], shots: int | Literal["all"], seed: int) -> NDArray[np.int64]:
    """The rows that a seed draws, in order: the first so many of each class in an order of its own."""
    random = np.random.default_rng(seed)
    orders = [random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return np.sort(np.concatenate([order if shots == "all" else order[:shots] for order in orders]))


def _probed(described: Described, node: str, rows: NDArray[np.int64], seed: int) -> float:
    """The accuracy of a probe fitted to these rows of `train`."""
    split = described.held or "train"
    features, labels = described.features, described.labels
    probe = fit_probe(features["train"][node][rows], labels["train"][rows], len(described.classes), seed=seed)
    return float((probe.scores(features[split][node]).argmax(axis=1) == labels[split]).mean())
