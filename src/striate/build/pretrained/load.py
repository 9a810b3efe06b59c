"""From a word, or a zoo network and a file of another library's weights, to a module that holds them."""

from collections.abc import Sequence
from pathlib import Path

import torch

from striate.build.module import NetworkModule, build
from striate.build.pretrained.families import FAMILIES
from striate.build.pretrained.files import read_state
from striate.build.pretrained.matching import matched
from striate.build.pretrained.obtaining import Obtained, obtain
from striate.build.pretrained.published import PUBLISHED
from striate.build.weights import load_weights
from striate.core import DownloadProgress, UnknownNameError, UsageError
from striate.graph import Network
from striate.runs import Origin
from striate.zoo import ZOO, named


def pretrained(
    name: str,
    weights: Path | str | None = None,
    *,
    axes: Sequence[int] | None = None,
    classes: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: DownloadProgress | None = None,
) -> NetworkModule:
    """The zoo's network of that name with published weights, prepared as they expect (on ImageNet).

    `weights` is a `.safetensors`, `.pth` or `.pt` file as torchvision or timm save it; without one, an
    installed package and the caches of this machine are searched, and at last the file is downloaded. No code
    of it is run. With `classes` other than the file's, the last layer's weights are drawn from `seed`.

    Raises UnknownNameError, UsageError when no weights are known, found or to be had, GraphError when the
    network can't be made for `axes`, and RunError when the file is damaged, isn't the published one or its
    weights don't fit.
    """
    network = _prepared(name, axes, classes)
    path = Path(weights) if weights is not None else obtain(name, PUBLISHED[name].sources, progress).path
    return _filled(name, network, path, seed, may_redraw_head=classes is not None).to(device)


def pretrained_from(
    word: str,
    *,
    axes: Sequence[int] | None = None,
    progress: DownloadProgress | None = None,
) -> tuple[NetworkModule, Origin]:
    """The network that a word names with its published weights, and where these come from.

    The word is a name of the zoo, `torchvision:NAME` or `timm:NAME`. Of those packages, where they are
    installed, the network is built by their own code without weights and imported (`from_torch`); its
    preparation is what they say of its weights. `axes` (height, width, depth) stand in for the usual ones.
    The weights are this machine's, or downloaded to `$STRIATE_CACHE/weights`. They are checked against a whole
    SHA-256 that is pinned (`digests.py`) or that the Hugging Face hub states of the file, or, where only these
    are published, the 8 or 10 first digits in the file's name. The whole SHA-256 of what was read is recorded.

    Raises UnknownNameError with the nearest name, UsageError when a package is missing, no weights are known
    or to be had, or no layers compute the network, GraphError when it can't be made for `axes`, and RunError
    when a file is damaged, isn't the published one or its weights don't fit.
    """
    family, colon, name = word.partition(":")
    if colon and family not in FAMILIES:
        raise UnknownNameError("family of networks", family, FAMILIES)
    if colon:
        module, obtained = FAMILIES[family](name, axes, progress)
    else:
        network = _prepared(word, axes, None)
        obtained = obtain(word, PUBLISHED[word].sources, progress)
        module = _filled(word, network, obtained.path, 0, may_redraw_head=False)
    return module, _origin(word, obtained)


def has_weights(name: str) -> bool:
    """Whether this machine holds published weights of the zoo's network of that name, whole or not."""
    places = (path for source in PUBLISHED[name].sources for path, _ in source.places())
    return any(path is not None and path.is_file() for path in places)


def _prepared(name: str, axes: Sequence[int] | None, classes: int | None) -> Network:
    if name not in ZOO:
        raise UnknownNameError("network", name, ZOO)
    if name not in PUBLISHED:
        raise UsageError(
            f"no published weights of {name} are known; train it, or choose one of {', '.join(PUBLISHED)}"
        )
    network = named(name, axes=axes, classes=classes)
    mean, deviation = PUBLISHED[name].preparation
    depth = network.nodes[0].shape.depth
    if depth != len(mean):
        raise UsageError(
            f"the published weights of {name} take pictures of depth {len(mean)}, not {depth}; "
            f"give axes such as {ZOO[name].axes}"
        )
    return network.with_preparation(mean, deviation, fit="centre")


def _filled(name: str, network: Network, path: Path, seed: int, *, may_redraw_head: bool) -> NetworkModule:
    state = read_state(path)
    module = build(network, seed=seed)
    weights = matched(
        module,
        PUBLISHED[name],
        state,
        network=name,
        file=str(path),
        may_redraw_head=may_redraw_head,
    )
    load_weights(module, weights)
    return module


def _origin(word: str, obtained: Obtained) -> Origin:
    source = obtained.source
    return Origin(
        source=word,
        file=obtained.path.name,
        sha256=obtained.sha256,
        licence=source.licence,
        url=source.url,
        trained_on=source.trained_on,
    )
