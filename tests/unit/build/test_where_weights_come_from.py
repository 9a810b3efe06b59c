"""Published weights: found where hubs and packages keep them, else downloaded, checked and told of."""

import re
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mirrors import LINKS, Mirror, mirror
from published_weights import AXES, NAME, foreign
from striate.build import weights_of
from striate.build.pretrained import PUBLISHED, Source, pretrained, pretrained_from
from striate.build.pretrained.digests import PINNED
from striate.build.pretrained.sources import checkpoint, repository
from striate.core import RunError, UnknownNameError, UsageError
from striate.runs import Origin

REPOSITORY = "somebody/theirs"
RESOLVED = f"/{REPOSITORY}/resolve/main/model.safetensors"


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    """Empty caches: PyTorch's folder of checkpoints, Hugging Face's and Striate's folder of weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "striate"))
    for name in ("HF_HUB_CACHE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # Nothing but this machine is ever asked.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return (
        tmp_path / "torch" / "hub" / "checkpoints",
        tmp_path / "hf" / "hub",
        tmp_path / "striate" / "weights",
    )


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("published") / "theirs.safetensors"
    save_file(foreign(), path)
    return path.read_bytes()


@pytest.fixture
def served(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Generator[Mirror]:
    """A server that has the file as PyTorch's hub and as Hugging Face's, under the names of both."""
    file = f"/theirs-{sha256(content).hexdigest()[:8]}.safetensors"
    with mirror({file: content, RESOLVED: content, LINKS + RESOLVED: content}) as one:
        monkeypatch.setenv("HF_ENDPOINT", f"{one.url}/")
        yield one


def known(monkeypatch: pytest.MonkeyPatch, *sources: Source) -> None:
    """These sources for `NAME`, for as long as the test lasts."""
    monkeypatch.setitem(PUBLISHED, NAME, replace(PUBLISHED[NAME], sources=sources))


def on_torchs_hub(served: Mirror) -> Source:
    file = next(iter(served.files)).removeprefix("/")
    return checkpoint(file, url=f"{served.url}/{file}")


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def refusal(kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        pretrained_from(NAME, axes=AXES)
    assert type(caught.value) is kind
    return str(caught.value)


def test_without_any_file_and_offline_every_place_is_named_at_once(caches: tuple[Path, Path, Path]) -> None:
    torch_hub, hugging_face, _ = caches
    began = time.monotonic()
    with pytest.raises(UsageError) as caught:
        pretrained_from("resnet18")
    assert time.monotonic() - began < 2.5
    assert str(caught.value) == (
        f"no weights of resnet18 are on this machine (looked for resnet18-f37072fd.pth in {torch_hub}; "
        f"model.safetensors in {hugging_face / 'models--timm--resnet18.tv_in1k'}) and none could be "
        "downloaded (no connection to download.pytorch.org or 127.0.0.1); "
        "go online, or put one of these files there"
    )


def test_a_hubs_file_of_the_published_hash_is_taken(
    caches: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch_hub, *_ = caches
    torch_hub.mkdir(parents=True)
    torch.save(foreign(), torch_hub / "theirs.pth")
    digest = sha256((torch_hub / "theirs.pth").read_bytes()).hexdigest()
    path = (torch_hub / "theirs.pth").rename(torch_hub / f"theirs-{digest[:8]}.pth")
    known(monkeypatch, checkpoint(path.name))
    _, origin = pretrained_from(NAME, axes=AXES)
    assert origin == Origin(
        source=NAME,
        file=path.name,
        sha256=digest,
        licence="unknown",
        url=f"https://download.pytorch.org/models/{path.name}",
        trained_on="ImageNet-1k",
    )
    # A pinned digest is checked to its end.
    monkeypatch.setitem(PINNED, path.name, digest[:8] + "0" * 56)
    known(monkeypatch, checkpoint(path.name))
    assert refusal(RunError) == (
        f"{path} isn't what was published: its SHA-256 begins with {digest[:12]}, not with {digest[:8]}0000; "
        "remove it and get it anew"
    )
    monkeypatch.delitem(PINNED, path.name)
    known(monkeypatch, checkpoint(path.name))
    with path.open("ab") as file:
        file.write(b"\0")
    assert re.fullmatch(
        rf"{re.escape(str(path))} isn't what was published: its SHA-256 begins with "
        rf"[0-9a-f]{{8}}, not with {digest[:8]}; remove it and get it anew",
        refusal(RunError),
    )


def test_hugging_faces_cache_is_searched(
    caches: tuple[Path, Path, Path], content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, hugging_face, _ = caches
    known(monkeypatch, repository(REPOSITORY, "MIT"))
    folder = hugging_face / "models--somebody--theirs"
    (folder / "blobs").mkdir(parents=True)
    (folder / "snapshots" / "0123").mkdir(parents=True)
    file = folder / "snapshots" / "0123" / "model.safetensors"
    blob = folder / "blobs" / sha256(content).hexdigest()
    file.write_bytes(content)
    _, origin = pretrained_from(NAME, axes=AXES)
    assert (origin.file, origin.licence) == ("model.safetensors", "MIT")
    assert origin.url == f"https://huggingface.co/{REPOSITORY}"
    # What the cache links to is called by the digest that the hub stated.
    file.unlink()
    blob.write_bytes(content)
    file.symlink_to(blob)
    pretrained_from(NAME, axes=AXES)
    blob.write_bytes(content + b"!")
    assert refusal(RunError).startswith(f"{file} isn't what was published: its SHA-256 begins with ")
    monkeypatch.setenv("HF_HUB_CACHE", str(hugging_face / "elsewhere"))
    assert re.search(
        r"elsewhere.models--somebody--theirs\) and none could be downloaded", refusal(UsageError)
    )


def test_a_package_is_searched_and_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, Source("models/theirs.pth", "https://example.org", package="weights_of_somebody"))
    assert refusal(UsageError) == (
        f"no weights of {NAME} are on this machine (looked for the Python package weights-of-somebody) and "
        "none could be downloaded (no server has them); go online, or put one of these files there"
    )
    package = tmp_path / "site" / "weights_of_somebody"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    torch.save(foreign(), package / "models" / "theirs.pth")
    monkeypatch.syspath_prepend(str(package.parent))
    pretrained(NAME, axes=AXES)
    assert "weights_of_somebody" not in sys.modules


@pytest.mark.parametrize("kind", ["checkpoint", "repository"])
def test_what_is_nowhere_is_downloaded_once(
    kind: str,
    caches: tuple[Path, Path, Path],
    served: Mirror,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest, told = sha256(content).hexdigest(), []
    known(monkeypatch, on_torchs_hub(served) if kind == "checkpoint" else repository(REPOSITORY, "MIT"))
    name = (
        f"theirs-{digest[:8]}.safetensors"
        if kind == "checkpoint"
        else f"somebody--theirs-{digest}.safetensors"
    )
    module, origin = pretrained_from(NAME, axes=AXES, progress=lambda *one: told.append(one))
    assert left_in(caches[2]) == [name]
    assert told[-1] == (name, len(content), len(content))
    assert (origin.file, origin.sha256) == (name, digest)
    for ours, theirs in zip(weights_of(module).values(), foreign().values(), strict=True):
        assert torch.equal(ours, theirs)
    asked = len(served.asked)
    assert pretrained_from(NAME, axes=AXES)[1] == origin
    pretrained(NAME, axes=AXES)
    assert len(served.asked) == asked
    # What the cache holds is checked anew each time.
    (caches[2] / name).write_bytes(content + b"!")
    assert refusal(RunError).startswith(f"{caches[2] / name} isn't what was published: ")


def test_a_download_that_breaks_off_goes_on_at_the_next_call(
    caches: tuple[Path, Path, Path], served: Mirror, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, on_torchs_hub(served))
    served.breaks = [102_400]
    assert refusal(UsageError).endswith(
        f"and none could be downloaded (127.0.0.1 broke off after 100 KiB of "
        f"{len(content) / 1024**2:.2f} MiB, and the next try goes on there); "
        "go online, or put one of these files there"
    )
    (partial,) = left_in(caches[2])
    assert partial.endswith(".safetensors.partial")
    pretrained_from(NAME, axes=AXES)
    assert left_in(caches[2]) == [partial.removesuffix(".partial")]
    assert [wanted for _, _, wanted in served.asked] == [None, "bytes=102400-"]


def test_another_file_is_thrown_away_and_named(
    caches: tuple[Path, Path, Path], served: Mirror, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = on_torchs_hub(served)
    known(monkeypatch, source)
    served.files[f"/{source.file}"] = content + b"!"
    found = sha256(content + b"!").hexdigest()
    assert refusal(RunError) == (
        f"{source.url} isn't the official file (its SHA-256 is {found[:12]}..., not {source.sha256}...) and "
        "was thrown away; try again later or fetch it by hand"
    )
    assert left_in(caches[2]) == []


def test_a_hub_that_states_no_digest_is_not_believed(served: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, repository(REPOSITORY, "MIT"))
    served.states_digests = False
    assert (
        f"none could be downloaded (127.0.0.1 doesn't state the SHA-256 of {served.url}{RESOLVED}); go online"
        in refusal(UsageError)
    )
    del served.files[RESOLVED]
    assert "none could be downloaded (127.0.0.1: HTTP Error 404: Not Found); go online" in refusal(UsageError)
    known(monkeypatch, Source("theirs.pth", f"{served.url}/theirs.pth"))
    assert f"(nobody states the SHA-256 of {served.url}/theirs.pth); go online" in refusal(UsageError)


def test_the_next_source_helps_out(
    caches: tuple[Path, Path, Path], served: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = checkpoint("gone-01234567.pth", url=f"{served.url}/gone-01234567.pth")
    known(monkeypatch, gone, repository(REPOSITORY, "MIT"))
    assert pretrained_from(NAME, axes=AXES)[1].licence == "MIT"
    assert len(left_in(caches[2])) == 1


def test_two_at_once_fetch_it_once(
    caches: tuple[Path, Path, Path], served: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, on_torchs_hub(served))
    with ThreadPoolExecutor(4) as pool:
        origins = list(pool.map(lambda _: pretrained_from(NAME, axes=AXES)[1], range(4)))
    assert len(set(origins)) == 1
    assert [method for method, *_ in served.asked] == ["GET"]
    assert len(left_in(caches[2])) == 1


def test_a_cache_that_can_not_be_written_is_told(
    caches: tuple[Path, Path, Path], served: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, on_torchs_hub(served))
    caches[2].parent.write_bytes(b"")
    assert refusal(RunError) == (
        f"{caches[2]} can't be written (Not a directory); "
        "make room there or set STRIATE_CACHE to another folder"
    )


def test_words_that_name_nothing_are_told_of() -> None:
    for word, message in {
        "resnet19": "unknown network 'resnet19'; did you mean 'resnet18'?",
        "keras:resnet50": "unknown family of networks 'keras'; choose one of timm, torchvision",
    }.items():
        with pytest.raises(UnknownNameError) as caught:
            pretrained_from(word)
        assert str(caught.value) == message
    with pytest.raises(UsageError, match=r"^no published weights of lecture are known; train it"):
        pretrained_from("lecture")


def test_every_source_states_what_is_known_of_it() -> None:
    for name, published in PUBLISHED.items():
        for source in published.sources:
            assert source.url.startswith("https://"), name
            assert source.licence in ("unknown", "Apache-2.0", "BSD-3-Clause")
            assert bool(source.sha256) != bool(source.repository)
            if source.repository:
                continue
            assert re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{64}", source.sha256)
            assert re.search(rf"-{source.sha256[:8]}\.pth$", source.file)
    files = {source.file for published in PUBLISHED.values() for source in published.sources}
    assert set(PINNED) <= files
