"""Files fetched from a server of this machine: whole, broken off and resumed, wrong, out of reach."""

import socket
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

import pytest

from mirrors import Mirror, mirror
from striate.core import OtherFileError, UnreachableError, digest_of_file, fetch_file, reachable

CONTENT = bytes(range(256)) * 4000
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def served() -> Generator[Mirror]:
    with mirror({"/weights.pth": CONTENT}) as one:
        yield one


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_progress_is_told(served: Mirror, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    path = tmp_path / "weights.pth"
    fetch_file([f"{served.url}/weights.pth"], path, DIGEST, progress=lambda *one: told.append(one))
    assert path.read_bytes() == CONTENT
    assert digest_of_file(path) == DIGEST
    assert left_in(tmp_path) == ["weights.pth"]
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1] == ("weights.pth", len(CONTENT), len(CONTENT))
    assert served.asked == [("GET", "/weights.pth", None)]


@pytest.mark.parametrize("gives_parts", [True, False])
def test_what_broke_off_goes_on_at_the_next_call(served: Mirror, tmp_path: Path, gives_parts: bool) -> None:
    path, url = tmp_path / "weights.pth", f"{served.url}/weights.pth"
    served.breaks = [512_000, 102_400]
    with pytest.raises(UnreachableError) as caught:
        fetch_file([url], path, DIGEST)
    assert (
        str(caught.value) == "127.0.0.1 broke off after 500 KiB of 1000 KiB, and the next try goes on there"
    )
    assert (tmp_path / "weights.pth.partial").read_bytes() == CONTENT[:512_000]
    assert left_in(tmp_path) == ["weights.pth.partial"]
    served.gives_parts = gives_parts
    with pytest.raises(UnreachableError, match="broke off after 600 KiB" if gives_parts else "after 100 KiB"):
        fetch_file([url], path, DIGEST)
    told: list[int] = []
    fetch_file([url], path, DIGEST, progress=lambda _, done, total: told.append(done))
    assert path.read_bytes() == CONTENT
    assert left_in(tmp_path) == ["weights.pth"]
    assert (told[0] > 614_400) == gives_parts
    kept = "bytes=614400-" if gives_parts else "bytes=102400-"
    assert [wanted for _, _, wanted in served.asked] == [None, "bytes=512000-", kept]


def test_a_whole_file_that_only_lacks_its_name_gets_it(served: Mirror, tmp_path: Path) -> None:
    (tmp_path / "weights.pth.partial").write_bytes(CONTENT)
    fetch_file([f"{served.url}/weights.pth"], tmp_path / "weights.pth", DIGEST)
    assert left_in(tmp_path) == ["weights.pth"]


@pytest.mark.parametrize("partial", [b"", b"other", CONTENT + b"!"])
@pytest.mark.parametrize("length", [8, 64])
def test_another_file_is_thrown_away_and_named(
    served: Mirror, tmp_path: Path, partial: bytes, length: int
) -> None:
    if partial:
        (tmp_path / "weights.pth.partial").write_bytes(partial)
    else:
        served.files["/weights.pth"] = CONTENT[:-1] + b"?"
    found = sha256(partial + CONTENT[len(partial) :] if partial else served.files["/weights.pth"]).hexdigest()
    url = f"{served.url}/weights.pth"
    with pytest.raises(OtherFileError) as caught:
        fetch_file([url], tmp_path / "weights.pth", DIGEST[:length])
    assert str(caught.value) == (
        f"{url} isn't the official file (its SHA-256 is {found[:12]}..., not {DIGEST[:length][:12]}...) and "
        "was thrown away; try again later or fetch it by hand"
    )
    assert left_in(tmp_path) == []


def test_a_file_larger_than_expected_is_not_read_to_its_end(served: Mirror, tmp_path: Path) -> None:
    told: list[int] = []
    with pytest.raises(OtherFileError):
        fetch_file(
            [f"{served.url}/weights.pth"],
            tmp_path / "weights.pth",
            DIGEST,
            byte_count=1000,
            progress=lambda _, done, total: told.append(done),
        )
    assert told == [1001]


def test_the_next_url_gives_the_rest(served: Mirror, tmp_path: Path) -> None:
    path, url = tmp_path / "weights.pth", f"{served.url}/weights.pth"
    served.breaks = [1024]
    fetch_file([url, url], path, DIGEST)
    assert path.read_bytes() == CONTENT
    assert [wanted for _, _, wanted in served.asked] == [None, "bytes=1024-"]
    with pytest.raises(UnreachableError) as caught:
        fetch_file([f"{served.url}/gone"], tmp_path / "other", DIGEST)
    assert str(caught.value) == "127.0.0.1: HTTP Error 404: Not Found"
    with pytest.raises(UnreachableError, match="no mirror could be reached"):
        fetch_file([], tmp_path / "other", DIGEST)


def test_only_urls_whose_servers_answer_are_reachable(
    served: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
        urls = [
            f"http://{nobody}/a",
            f"{served.url}/b",
            f"{served.url.replace('http', 'https')}/c",
            "http://",
        ]
        assert reachable(urls) == urls[1:3]
        # Through a proxy it's the proxy that must answer, but not for hosts that are excepted.
        monkeypatch.setenv("http_proxy", f"http://{nobody}")
        assert reachable(urls) == urls[2:3]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert reachable(urls) == urls[1:3]
