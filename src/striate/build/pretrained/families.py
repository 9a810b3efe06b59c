"""Networks of torchvision and timm: built by their own code without weights, filled, and imported as ours."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

from striate.build.importing import from_torch
from striate.build.module import NetworkModule
from striate.build.pretrained.files import read_state
from striate.build.pretrained.obtaining import Obtained, obtain
from striate.build.pretrained.sources import IMAGENET, UNKNOWN, Source, checkpoint, repository
from striate.core import DownloadProgress, RunError, Shape, UnknownNameError, UsageError, quoted

# What torchvision's DenseNets are called in older files, as its own code renames them.
_OLDER = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
# Their weights expect the preparation of all others, which their code turns into another one.
_TORCHVISION_OPTIONS = dict.fromkeys(
    ("googlenet", "inception_v3"), {"init_weights": False, "transform_input": True}
)
_SPDX = {name.lower(): name for name in ("Apache-2.0", "BSD-3-Clause", "MIT", "CC-BY-4.0", "CC-BY-NC-4.0")}


@dataclass(frozen=True)
class _Foreign:
    """Another package's network: what builds it, its weights, and the pictures (C, H, W) they expect."""

    word: str
    make: Callable[[], nn.Module]
    source: Source
    axes: tuple[int, int, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def _torchvision(
    name: str, axes: Sequence[int] | None, progress: DownloadProgress | None
) -> tuple[NetworkModule, Obtained]:
    """A classifier of torchvision with the weights that torchvision takes by default."""
    models = _package("torchvision.models", f"torchvision:{name}")
    known = models.list_models(module=models)
    if name not in known:
        raise UnknownNameError("network of torchvision", name, known)
    weights = models.get_model_weights(name).DEFAULT
    told = weights.transforms()
    side = int(told.crop_size[0])
    # Of these alone torchvision states a licence.
    is_swag = "SWAG" in weights.name
    source = checkpoint(
        PurePosixPath(urlsplit(weights.url).path).name,
        url=weights.url,
        licence="CC-BY-NC-4.0" if is_swag else UNKNOWN,
        trained_on=IMAGENET if weights.name.startswith("IMAGENET1K_V") else f"torchvision's {weights.name}",
    )
    foreign = _Foreign(
        f"torchvision:{name}",
        lambda: models.get_model(name, weights=None, **_TORCHVISION_OPTIONS.get(name, {})),
        source,
        (3, side, side),
        tuple(told.mean),
        tuple(told.std),
    )
    return _imported(foreign, axes, progress)


def _timm(
    name: str, axes: Sequence[int] | None, progress: DownloadProgress | None
) -> tuple[NetworkModule, Obtained]:
    """A network of timm; its name may hold the weights' tag, such as `resnet18.tv_in1k`."""
    timm = _package("timm", f"timm:{name}")
    architecture, dot, _ = name.partition(".")
    if not timm.is_model(architecture) or (dot and name not in timm.list_pretrained()):
        raise UnknownNameError("network of timm", name, [*timm.list_models(), *timm.list_pretrained()])
    told = timm.get_pretrained_cfg(name)
    if told.custom_load or not (told.hf_hub_id or told.url):
        lack = "in a format of its own" if told.custom_load else "nowhere"
        raise UsageError(f"timm publishes weights of {name} {lack}; choose another of its networks")
    foreign = _Foreign(
        f"timm:{name}",
        lambda: timm.create_model(name, pretrained=False),
        _timms_source(told),
        tuple(told.input_size),
        tuple(told.mean),
        tuple(told.std),
    )
    return _imported(foreign, axes, progress)


def _timms_source(told: Any) -> Source:
    licence = (told.license or UNKNOWN).lower()
    if licence != UNKNOWN:
        licence = _SPDX.get(licence, f"LicenseRef-{licence}")
    trained_on = f"what timm's tag '{told.tag}' says" if told.tag else UNKNOWN
    if told.hf_hub_id:
        return repository(told.hf_hub_id, licence, trained_on)
    file = PurePosixPath(urlsplit(told.url).path).name
    return checkpoint(file, url=told.url, licence=licence, trained_on=trained_on)


FAMILIES: dict[
    str,
    Callable[[str, Sequence[int] | None, DownloadProgress | None], tuple[NetworkModule, Obtained]],
] = {"torchvision": _torchvision, "timm": _timm}
"""What stands before the colon of a word, and what makes the network named behind it."""


def _package(module: str, word: str) -> Any:
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError:
        raise UsageError(
            f"{word} needs {package}, which isn't installed; do pip install 'striate[vision]'"
        ) from None


def _imported(
    foreign: _Foreign, axes: Sequence[int] | None, progress: DownloadProgress | None
) -> tuple[NetworkModule, Obtained]:
    depth, *spatial = foreign.axes
    if axes is not None:
        *spatial, given = axes
        if len(spatial) != 2 or given != depth:
            raise UsageError(
                f"the weights of {foreign.word} take pictures of height, width and depth {depth}, not "
                f"{'×'.join(map(str, axes))}; give axes such as {(*foreign.axes[1:], depth)}"
            )
    shape = Shape(tuple(spatial), depth)
    # What their code draws is overwritten, so nobody's numbers should depend on it.
    with torch.random.fork_rng(devices=[]):
        module = foreign.make().eval()
    # What no layers compute is found out before its weights come.
    obtained = obtain(
        foreign.word, [foreign.source], progress, before_download=lambda: _ours(foreign, module, shape)
    )
    _fill(module, read_state(obtained.path), foreign.word, str(obtained.path))
    imported = _ours(foreign, module, shape)
    network = imported.network.with_preparation(foreign.mean, foreign.deviation)
    return imported.shared_with(network), obtained


def _ours(foreign: _Foreign, module: nn.Module, shape: Shape) -> NetworkModule:
    try:
        return from_torch(module, shape)
    except UsageError as error:
        raise UsageError(f"{foreign.word} can't be taken in: {error}") from error


def _fill(module: nn.Module, state: Mapping[str, Tensor], word: str, file: str) -> None:
    """Copies a file's tensors into a module of another package, each checked by name and shape."""
    own = module.state_dict()
    given = {_OLDER.sub(r"\1\2", key) if key not in own else key: value for key, value in state.items()}
    for key, value in own.items():
        if key not in given and not key.endswith("num_batches_tracked"):
            raise RunError(
                f"{file} lacks '{key}' of the shape {tuple(value.shape)}, which {word} takes; "
                f"it belongs to another network"
            )
        if key in given and given[key].shape != value.shape:
            raise RunError(
                f"'{key}' of {file} has the shape {tuple(given[key].shape)} but {word} takes "
                f"{tuple(value.shape)}; it belongs to another network"
            )
    for key in given:
        if key not in own:
            raise RunError(
                f"{file} has {quoted(key)}, for which {word} has no place; it belongs to another network"
            )
    module.load_state_dict(given, strict=False)
