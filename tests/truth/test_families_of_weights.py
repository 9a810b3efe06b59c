"""Words of torchvision and timm: their own networks, filled from a file, give the same logits as ours.

Published files aren't here, so the files hold numbers drawn at random, under digests of their own.
"""

import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mirrors import mirror
from striate.build import NetworkModule, pretrained_from
from striate.build.pretrained import PUBLISHED
from striate.core import RunError, UnknownNameError, UsageError

torchvision = pytest.importorskip("torchvision", reason="torchvision isn't installed")
timm = pytest.importorskip("timm", reason="timm isn't installed")


@pytest.fixture(autouse=True)
def hubs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty caches, and no server but this machine's; the folder of PyTorch's checkpoints."""
    for name, folder in (("TORCH_HOME", "torch"), ("HF_HOME", "hf"), ("STRIATE_CACHE", "striate")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in ("HF_HUB_CACHE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def drawn(module: nn.Module) -> nn.Module:
    """Every number drawn, so that no two of them can change places unseen."""
    generator = torch.Generator().manual_seed(0)
    for name, value in module.state_dict().items():
        if value.ndim > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
        elif value.is_floating_point():
            low = 0.5 if name.endswith(("weight", "var")) else -0.1
            value.uniform_(low, low + 0.6, generator=generator)
    return module.eval()


def published_by_torchvision(
    name: str, state: dict[str, Tensor], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The state as the file that torchvision takes by default, under its own digest."""
    torch.save(state, folder / "theirs.pth")
    digest = sha256((folder / "theirs.pth").read_bytes()).hexdigest()
    path = (folder / "theirs.pth").rename(folder / f"theirs-{digest[:8]}.pth")
    default = torchvision.models.get_model_weights(name).DEFAULT
    told = SimpleNamespace(
        name=default.name, url=f"http://127.0.0.1:9/{path.name}", transforms=default.transforms
    )
    monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _: SimpleNamespace(DEFAULT=told))
    return path


def assert_equal_logits(ours: NetworkModule, theirs: nn.Module, mean: Any, deviation: Any) -> None:
    """Ours prepares bytes itself; theirs is given them prepared as its authors say."""
    pictures = torch.randint(0, 256, (2, 3, *ours.network.nodes[0].shape.spatial), dtype=torch.uint8)
    mean, deviation = (torch.tensor(side).view(3, 1, 1) for side in (mean, deviation))
    with torch.no_grad():
        expected, logits = theirs((pictures / 255 - mean) / deviation), ours.eval()(pictures)
    assert (expected[0] - expected[1]).abs().max() > 1e-4
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["squeezenet1_1", "googlenet", "densenet121"])
def test_logits_are_torchvisions(name: str, hubs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"init_weights": False, "transform_input": True} if name == "googlenet" else {}
    theirs = drawn(torchvision.models.get_model(name, **options))
    state = theirs.state_dict()
    if name == "densenet121":
        # As in its published file, whose names torchvision's own code mends.
        state = {
            key.replace("norm1", "norm.1").replace("norm2", "norm.2").replace("conv1.", "conv.1.")
            if "denselayer" in key
            else key: value
            for key, value in state.items()
        }
    path = published_by_torchvision(name, state, hubs, monkeypatch)
    before = torch.random.get_rng_state()
    ours, origin = pretrained_from(f"torchvision:{name}", axes=(64, 80, 3))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert ours.network.nodes[0].shape.tensor == (3, 64, 80)
    told = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    assert_equal_logits(ours, theirs, told.mean, told.std)
    assert origin.model_dump() == {
        "source": f"torchvision:{name}",
        "file": path.name,
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "licence": "unknown",
        "url": f"http://127.0.0.1:9/{path.name}",
        "trained_on": "ImageNet-1k",
        "cut": None,
    }


def test_logits_are_timms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = drawn(timm.create_model("test_resnet.r160_in1k"))
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    content = (tmp_path / "model.safetensors").read_bytes()
    told = theirs.pretrained_cfg
    with mirror({f"/{told['hf_hub_id']}/resolve/main/model.safetensors": content}) as served:
        served.files[f"/links/{told['hf_hub_id']}/resolve/main/model.safetensors"] = content
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        ours, origin = pretrained_from("timm:test_resnet.r160_in1k")
    assert ours.network.nodes[0].shape.tensor == told["input_size"] == (3, 160, 160)
    assert_equal_logits(ours, theirs, told["mean"], told["std"])
    assert origin.url == "https://huggingface.co/timm/test_resnet.r160_in1k"
    assert origin.sha256 == sha256(content).hexdigest()
    assert (origin.licence, origin.trained_on) == ("Apache-2.0", "what timm's tag 'r160_in1k' says")
    assert pretrained_from("timm:test_resnet")[1].file == origin.file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"classifier.1.bias": None},
            "lacks 'classifier.1.bias' of the shape (1000,), which torchvision:squeezenet1_1 takes; "
            "it belongs to another network",
        ),
        (
            {"extra.weight": torch.zeros(1)},
            "has 'extra.weight', for which torchvision:squeezenet1_1 has no place; "
            "it belongs to another network",
        ),
        (
            {"classifier.1.bias": torch.zeros(3)},
            "has 'classifier.1.bias' of the shape (3,) where torchvision:squeezenet1_1 takes (1000,); "
            "it belongs to another network",
        ),
    ],
)
def test_weights_of_another_network_are_told_of(
    change: dict[str, Tensor | None], message: str, hubs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = torchvision.models.squeezenet1_1().state_dict() | change
    kept = {key: value for key, value in state.items() if value is not None}
    path = published_by_torchvision("squeezenet1_1", kept, hubs, monkeypatch)
    with pytest.raises(RunError) as caught:
        pretrained_from("torchvision:squeezenet1_1")
    assert str(caught.value) == f"{path} {message}"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("torchvision:resnet19", "unknown network of torchvision 'resnet19'; did you mean 'resnet18'?"),
        (
            "timm:resnet18.tv_in2k",
            "unknown network of timm 'resnet18.tv_in2k'; did you mean 'resnet18.tv_in1k'?",
        ),
        ("timm:mobilenetv4", "unknown network of timm 'mobilenetv4'; did you mean "),
    ],
)
def test_the_closest_name_is_offered(word: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        pretrained_from(word)
    assert str(caught.value).startswith(message)


def test_weights_that_timm_reads_by_its_own_code_are_not_taken() -> None:
    name = next(name for name in timm.list_pretrained() if timm.get_pretrained_cfg(name).custom_load)
    with pytest.raises(UsageError) as caught:
        pretrained_from(f"timm:{name}")
    assert str(caught.value) == (
        f"timm publishes weights of {name} in a format of its own; choose another of its networks"
    )
    name = next(name for name in timm.list_models() if not timm.get_pretrained_cfg(name).has_weights)
    with pytest.raises(UsageError) as caught:
        pretrained_from(f"timm:{name}")
    assert str(caught.value) == f"timm publishes weights of {name} nowhere; choose another of its networks"


def test_a_network_that_no_layers_compute_is_refused_before_its_weights_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = torchvision.models.get_model_weights("swin_t").DEFAULT
    with mirror({"/swin-01234567.pth": b"much"}) as served:
        told = SimpleNamespace(
            name=default.name, url=f"{served.url}/swin-01234567.pth", transforms=default.transforms
        )
        monkeypatch.setattr(torchvision.models, "get_model_weights", lambda _: SimpleNamespace(DEFAULT=told))
        with pytest.raises(UsageError) as caught:
            pretrained_from("torchvision:swin_t")
    assert str(caught.value) == (
        "torchvision:swin_t can't be taken in: features.1.0.attn uses aten.pad, on a volume of 56×56×96 seen "
        "as 56×56×96, which no layer rearranges; replace it in the module and import that"
    )
    assert served.asked == []
    assert not (tmp_path / "striate").exists()


def test_axes_of_another_depth_are_told_of() -> None:
    with pytest.raises(UsageError) as caught:
        pretrained_from("torchvision:resnet18", axes=(64, 64, 1))
    assert str(caught.value) == (
        "the weights of torchvision:resnet18 take pictures of height, width and depth 3, not 64×64×1; "
        "give axes such as (224, 224, 3)"
    )


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_a_missing_package_is_told_of(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError) as caught:
        pretrained_from(f"{package}:resnet18")
    assert str(caught.value) == (
        f"{package}:resnet18 needs {package}, which isn't installed; do pip install 'striate[vision]'"
    )


def test_the_zoos_table_says_what_torchvision_and_timm_say() -> None:
    stated = {"apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause"}
    urls = {
        weights.url
        for name in torchvision.models.list_models(module=torchvision.models)
        for weights in torchvision.models.get_model_weights(name)
    }
    for published in PUBLISHED.values():
        for source in published.sources:
            if source.repository:
                told = timm.get_pretrained_cfg(source.repository.removeprefix("timm/"))
                assert told.hf_hub_id == source.repository
                assert stated[told.license] == source.licence
                assert (told.mean, told.std) == published.preparation
            elif source.url.startswith("https://download.pytorch.org"):
                assert source.url in urls
                assert source.licence == "unknown"
            elif not source.package:
                assert source.url == timm.get_pretrained_cfg("tf_efficientnet_lite0.in1k").url
