import io
import tarfile
import time
from hashlib import sha256
from pathlib import Path

import pytest

from striate.core import DataError, UnreachableError, fetching
from striate.data import download
from striate.data.catalogue import NAMED_SETS, Remote, RemoteFile
from striate.data.download import fetch

CONTENT = b"the official bytes" * 50


def remote(folder: Path, *contents: tuple[str, bytes], members: tuple[str, ...] = ()) -> Remote:
    """A mirror in a local folder, pinned to what lies there now."""
    folder.mkdir()
    for name, content in contents:
        (folder / name).write_bytes(content)
    files = tuple(RemoteFile(name, len(content), sha256(content).hexdigest()) for name, content in contents)
    return Remote((f"{folder.as_uri()}/",), files, members)


def archive(*members: tuple[str, bytes | None]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def _mirrors_answer(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "reachable" not in request.node.name:
        monkeypatch.setattr(download, "reachable", list)


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def test_files_arrive_whole_and_progress_is_told(tmp_path: Path) -> None:
    source = remote(tmp_path / "mirror", ("a.gz", CONTENT), ("b.gz", b"b"))
    told: list[tuple[str, int, int]] = []
    fetch(source, tmp_path / "cache" / "set", lambda name, done, total: told.append((name, done, total)))
    assert left_in(tmp_path / "cache") == ["set", "set/a.gz", "set/b.gz"]
    assert (tmp_path / "cache" / "set" / "a.gz").read_bytes() == CONTENT
    assert told == [("a.gz", 900, 900), ("b.gz", 1, 1)]


@pytest.mark.parametrize("content", [b"other bytes", CONTENT + b"!", b""])
def test_a_wrong_file_is_refused_and_nothing_stays(tmp_path: Path, content: bytes) -> None:
    source = remote(tmp_path / "mirror", ("a.gz", b"a"), ("b.gz", CONTENT))
    (tmp_path / "mirror" / "b.gz").write_bytes(content)
    with pytest.raises(DataError) as caught:
        fetch(source, tmp_path / "cache" / "set")
    url = f"{source.mirrors[0]}b.gz"
    assert str(caught.value).startswith(f"{url} isn't the official file (its SHA-256 is ")
    assert str(caught.value).endswith("and was thrown away; try again later or fetch it by hand")
    assert left_in(tmp_path / "cache") == []


def test_the_second_mirror_helps_out(tmp_path: Path) -> None:
    source = remote(tmp_path / "mirror", ("a.gz", CONTENT))
    nowhere = f"{(tmp_path / 'nowhere').as_uri()}/"
    fetch(Remote((nowhere, *source.mirrors), source.files), tmp_path / "set")
    assert left_in(tmp_path / "set") == ["a.gz"]
    with pytest.raises(UnreachableError, match="No such file or directory"):
        fetch(Remote((nowhere,), source.files), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_archives_give_up_their_expected_members_only(tmp_path: Path) -> None:
    content = archive(
        ("../../escaped", b"evil"),
        ("/tmp/absolute", b"evil"),
        ("inside/train.bin", b"train"),
        ("inside/other.bin", b"unexpected"),
        ("elsewhere/test.bin", b"unexpected"),
        ("inside/test.bin", b"test"),
    )
    source = remote(
        tmp_path / "mirror", ("set.tar.gz", content), members=("inside/train.bin", "inside/test.bin")
    )
    fetch(source, tmp_path / "a" / "b" / "set")
    assert left_in(tmp_path / "a") == ["b", "b/set", "b/set/test.bin", "b/set/train.bin"]
    assert (tmp_path / "a" / "b" / "set" / "test.bin").read_bytes() == b"test"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(("train.bin", None)), "set.tar.gz lacks train.bin; fetch the official archive"),
        (b"no archive", "set.tar.gz can't be unpacked; try again"),
        (archive(("train.bin", bytes(5000)))[:-30], "set.tar.gz can't be unpacked; try again"),
    ],
)
def test_archives_without_their_members_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    source = remote(tmp_path / "mirror", ("set.tar.gz", content), members=("train.bin",))
    with pytest.raises(DataError) as caught:
        fetch(source, tmp_path / "cache" / "set")
    assert str(caught.value) == message
    assert left_in(tmp_path / "cache") == []


def test_a_cache_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    source = remote(tmp_path / "mirror", ("a.gz", CONTENT))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="make room there or set STRIATE_CACHE to another folder"):
        fetch(source, tmp_path / "file" / "set")


def test_reachable_gives_up_within_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_connect", lambda *_: time.sleep(3))
    start = time.monotonic()
    with pytest.raises(UnreachableError, match="no mirror could be reached"):
        fetch(Remote(("https://nowhere.invalid/",), ()), Path("never"))
    assert time.monotonic() - start < 2


def test_every_pinned_file_is_complete() -> None:
    for named in NAMED_SETS.values():
        if isinstance(named.source, Remote):
            assert all(
                mirror.startswith("https://") and mirror.endswith("/") for mirror in named.source.mirrors
            )
            for file in named.source.files:
                assert len(bytes.fromhex(file.sha256)) == 32
                assert bool(named.source.members) == file.name.endswith(".tar.gz")
