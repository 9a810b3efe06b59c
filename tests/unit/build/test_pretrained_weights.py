"""Published weights of a file: read as numbers, matched by name and shape."""

import os
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from published_weights import AXES, NAME, foreign
from striate.build import build, weights_of
from striate.build.pretrained import PUBLISHED, pretrained
from striate.core import RunError, StriateError, UnknownNameError, UsageError
from striate.zoo import ZOO, named


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.safetensors"
    save_file(foreign(), path)
    return path


def refusal(path: Path, kind: type[StriateError] = RunError, **options: object) -> str:
    """What the error says, with the file's folder left out."""
    with pytest.raises(kind) as caught:
        pretrained(NAME, path, **({"axes": AXES} | options))
    assert type(caught.value) is kind
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(f"{path.parent}{os.sep}", "")


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_naming_names_every_node_once(name: str) -> None:
    network = named(name)
    nodes = [node for node in network if node.layer.weights(*network.input_shapes(node))]
    for naming in PUBLISHED[name].namings:
        modules = list(naming(network))
        assert len(set(modules)) == len(modules) == len(nodes)


def test_older_densenet_names_part_the_number() -> None:
    network = named("densenet121")
    newer, older = (list(naming(network)) for naming in PUBLISHED["densenet121"].namings)
    assert [re.sub(r"(denselayer.*)\.([12])$", r"\1\2", module) for module in older] == newer
    assert "features.denseblock4.denselayer16.conv.2" in older


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt"])
def test_a_files_weights_and_its_authors_preparation_are_taken(suffix: str, tmp_path: Path) -> None:
    state = foreign()
    path = tmp_path / f"theirs{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    module = pretrained(NAME, str(path), axes=AXES)
    layer = module.network.nodes[0].layer
    assert (layer.mean, layer.deviation) == PUBLISHED[NAME].preparation  # type: ignore[attr-defined]
    assert module.network.nodes[1:] == named(NAME, axes=AXES).nodes[1:]
    for ours, theirs in zip(weights_of(module).values(), state.values(), strict=True):
        assert torch.equal(ours, theirs)


def test_counts_of_batches_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(foreign() | {"features.3.num_batches_tracked": torch.tensor(9)}, path)
    pretrained(NAME, path, axes=AXES)


def test_with_other_classes_the_last_layer_is_drawn_anew(file: Path) -> None:
    module = pretrained(NAME, file, axes=AXES, classes=7, seed=3)
    ours = weights_of(module)
    fresh = weights_of(build(named(NAME, axes=AXES, classes=7), seed=3))
    head = [key for key in ours if key.startswith("conv26.")]
    assert [tuple(ours[key].shape) for key in head] == [(7, 512, 1, 1), (7,)]
    assert all(torch.equal(ours[key], fresh[key]) for key in head)
    for key, theirs in zip(list(ours)[: -len(head)], foreign().values(), strict=False):
        assert torch.equal(ours[key], theirs)


def test_a_last_layer_of_as_many_classes_is_taken(tmp_path: Path) -> None:
    path, state = tmp_path / "tuned.pth", foreign(classes=7)
    torch.save(state, path)
    module = pretrained(NAME, path, axes=AXES, classes=7)
    assert torch.equal(weights_of(module)["conv26.weight"], state["classifier.1.weight"])
    assert refusal(path) == (
        "'classifier.1.weight' of tuned.pth has the shape (7, 512, 1, 1) but conv26 of squeezenet-1.1 takes "
        "(1000, 512, 1, 1); give the axes and classes that the file was made for, or another file"
    )


def test_weights_that_do_not_fit_are_told_of(tmp_path: Path) -> None:
    path, state = tmp_path / "theirs.pth", foreign()

    def message(changed: dict[str, Tensor], **options: object) -> str:
        torch.save(changed, path)
        return refusal(path, **options)

    assert message({key: value for key, value in state.items() if key != "features.3.squeeze.bias"}) == (
        "theirs.pth lacks 'features.3.squeeze.bias' of the shape (16,), which conv2 of squeezenet-1.1 takes; "
        "it belongs to another network"
    )
    assert message(state | {"features.3.squeeze.weight": torch.zeros(16, 64, 3, 3)}, classes=7) == (
        "'features.3.squeeze.weight' of theirs.pth has the shape (16, 64, 3, 3) but conv2 of squeezenet-1.1 "
        "takes (16, 64, 1, 1); give the axes and classes that the file was made for, or another file"
    )
    assert message(state | {"extra.weight": torch.zeros(1)}) == (
        "theirs.pth has 'extra.weight', for which squeezenet-1.1 has no node; it belongs to another network"
    )
    # Other classes change the last layer's width and nothing else of it.
    assert "has the shape (1000, 512) but" in message(
        state | {"classifier.1.weight": torch.zeros(1000, 512)}, classes=7
    )


class Running:
    """What a pickle that runs code looks like: reading it would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.folder),)


def test_numbers_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save({key: value.to(torch.int8) for key, value in foreign().items()}, path)
    assert refusal(path) == (
        "'features.0.weight' of theirs.pth holds torch.int8, no real numbers; "
        "give weights that aren't quantized"
    )
    torch.save(foreign() | {"classifier.1.bias": torch.tensor(1.0)}, path)
    assert "'classifier.1.bias' of theirs.pth has the shape ()" in refusal(path, classes=3)
    torch.save(foreign() | {"red\x1b[31m": torch.zeros(1)}, path)
    assert "theirs.pth has 'red\\x1b[31m', for which" in refusal(path)


def test_an_archive_that_unpacks_to_more_than_it_holds_is_not_unpacked(tmp_path: Path) -> None:
    path, small = tmp_path / "theirs.pth", tmp_path / "small.pth"
    torch.save({"features.0.weight": torch.zeros(10**6)}, small)
    with ZipFile(small) as given, ZipFile(path, "w", ZIP_DEFLATED) as made:
        for name in given.namelist():
            made.writestr(name, given.read(name))
    assert refusal(path) == "theirs.pth is damaged, or PyTorch didn't write it; get it anew"


def test_code_in_a_file_is_refused_and_never_run(tmp_path: Path) -> None:
    path, folder = tmp_path / "theirs.pth", tmp_path / "made by code"
    torch.save({"features.0.weight": Running(folder)}, path)
    assert refusal(path) == (
        "theirs.pth wants to run posix.mkdir, and no code from a file is run; "
        "save model.state_dict() and nothing else"
    ).replace("posix", os.mkdir.__module__)
    torch.save(torch.nn.Linear(2, 2), path)
    assert refusal(path) == (
        "theirs.pth wants to run torch.nn.modules.linear.Linear, and no code from a file is run; "
        "save model.state_dict() and nothing else"
    )
    assert not folder.exists()


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("is_zip", [True, False])
def test_a_damaged_pth_is_told_of(share: float, is_zip: bool, tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(foreign(), path, _use_new_zipfile_serialization=is_zip)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert refusal(path) == "theirs.pth is damaged, or PyTorch didn't write it; get it anew"


@pytest.mark.parametrize("share", [0, 0.00001, 0.001, 0.999])
def test_a_damaged_safetensors_file_is_told_of(share: float, file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    text = refusal(file)
    assert text.startswith("theirs.safetensors is damaged: ")
    assert text.endswith("; get it anew")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([torch.zeros(1)], "holds no tensors by name"),
        ({}, "holds no tensors by name"),
        ({"epoch": 3, "state_dict": {}}, "holds 'epoch', which is no plain tensor"),
        ({3: torch.zeros(1)}, "holds 3, which is no plain tensor"),
        ({"w": torch.zeros(1, device="meta")}, "holds 'w', which is no plain tensor"),
        ({"w": torch.eye(2).to_sparse()}, "holds 'w', which is no plain tensor"),
        ({"w": torch.zeros(1, dtype=torch.complex64)}, "holds 'w', which is no plain tensor"),
    ],
)
def test_anything_but_tensors_by_name_is_refused(held: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(held, path)
    assert refusal(path) == f"theirs.pth {message}; save model.state_dict() and nothing else"


def test_paths_that_hold_no_weights_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "folder.pth").mkdir()
    for name, message in [
        ("folder.pth", "the file of weights folder.pth is no regular file; check the path"),
        ("gone.safetensors", "the file of weights gone.safetensors doesn't exist; check the path"),
        ("theirs.bin", "theirs.bin is no file of weights; name one that ends in .safetensors, .pth, .pt"),
        ("", f"{tmp_path.name} is no file of weights; name one that ends in .safetensors, .pth, .pt"),
    ]:
        assert refusal(tmp_path / name, UsageError) == message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told_of(file: Path) -> None:
    file.chmod(0)
    assert refusal(file, UsageError) == (
        "can't read the file of weights theirs.safetensors: Permission denied; check the path"
    )


def test_names_and_axes_without_published_weights_are_told_of(file: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown network 'squeezent'; did you mean 'squeezenet'\?$"):
        pretrained("squeezent")
    with pytest.raises(UsageError) as caught:
        pretrained("lecture", file)
    assert str(caught.value) == (
        f"no published weights of lecture are known; train it, or choose one of {', '.join(PUBLISHED)}"
    )
    assert refusal(file, UsageError, axes=(35, 35, 1)) == (
        "the published weights of squeezenet-1.1 take pictures of depth 3, not 1; "
        "give axes such as (224, 224, 3)"
    )
    assert set(PUBLISHED) <= set(ZOO)
