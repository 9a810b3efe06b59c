import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from striate.core import DataError
from striate.data.load import load


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


def digits(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 5, 4), dtype=np.uint8)
    return pixels, np.arange(count, dtype=np.uint8) % 3


def write_set(folder: Path, *, compressed: bool, separator: str = "-") -> None:
    folder.mkdir(exist_ok=True)
    for seed, (prefix, count) in enumerate((("train", 12), ("t10k", 6))):
        pixels, labels = digits(count, seed)
        for role, array, axes in (("images", pixels, 3), ("labels", labels, 1)):
            name = f"{prefix}-{role}{separator}idx{axes}-ubyte"
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("separator", ["-", "."])
def test_a_folder_of_the_official_names(tmp_path: Path, compressed: bool, separator: str) -> None:
    write_set(tmp_path / "clothes", compressed=compressed, separator=separator)
    images = load(tmp_path / "clothes")
    assert images.name == "clothes"
    assert images.classes == ("0", "1", "2")
    assert list(images.splits) == ["train", "test"]
    for seed, (split, count) in enumerate((("train", 12), ("test", 6))):
        pixels, labels = digits(count, seed)
        read = images.split(split)
        assert all(np.array_equal(read.pictures.open(i), pixels[i, :, :, None]) for i in range(count))
        assert np.array_equal(read.labels, labels)
        assert read.labels.dtype == np.int64


def test_a_plain_and_a_compressed_copy_side_by_side_count_once(tmp_path: Path) -> None:
    write_set(tmp_path, compressed=True)
    write_set(tmp_path, compressed=False)
    assert len(load(tmp_path).split("train")) == 12


def test_one_images_file_finds_its_labels(tmp_path: Path) -> None:
    write_set(tmp_path, compressed=True)
    assert list(load(tmp_path / "t10k-images-idx3-ubyte.gz").splits) == ["test"]
    pixels, labels = digits(9)
    (tmp_path / "letters-images-idx3-ubyte").write_bytes(idx(pixels))
    (tmp_path / "letters-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    assert len(load(tmp_path / "letters-images-idx3-ubyte").split("train")) == 9


def broken(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(path.parent)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "PATH doesn't begin as an IDX file does; give a file in that form"),
        (b"\1\0\x08\x03" + bytes(40), "PATH doesn't begin as an IDX file does; give a file in that form"),
        (b"\0\0\x0d\x03" + bytes(40), "PATH has IDX type 0x0d; only unsigned bytes (0x08) are read"),
        (
            b"\0\0\x08\x03" + b"\xff" * 12,
            f"PATH has a header larger than its file: it claims {'×'.join(3 * ['4294967295'])} bytes",
        ),
        (b"\0\0\x08\x03\0\0\0\1", "PATH has a header larger than its file: it claims 1 bytes"),
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 3, 2, 2) + bytes(11),
            "PATH has a header larger than its file: it claims 3×2×2 bytes and holds 11; fetch it again",
        ),
        (
            b"\0\0\x08\x03" + struct.pack(">3I", 3, 2, 2) + bytes(13),
            "PATH holds more than the 3×2×2 bytes of its header; fetch it again",
        ),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    write_set(tmp_path, compressed=False)
    path = tmp_path / "train-images-idx3-ubyte"
    told = broken(path, content)
    assert told == message.replace("PATH", str(path))


def test_compressed_files_cut_short_or_damaged_are_refused(tmp_path: Path) -> None:
    write_set(tmp_path, compressed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    message = f"{path} is cut short or damaged; fetch it again"
    assert broken(path, whole[:-20]) == message
    assert broken(path, whole[:40] + b"\xff" * 20 + whole[60:]) == message


def test_a_compressed_header_can_not_claim_more_than_its_file_could_unpack_to(tmp_path: Path) -> None:
    write_set(tmp_path, compressed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    claim = b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 2**31)
    assert "has a header larger than its file" in broken(path, gzip.compress(claim))


def test_missing_or_too_few_labels_are_told(tmp_path: Path) -> None:
    write_set(tmp_path, compressed=False)
    path = tmp_path / "train-labels-idx1-ubyte"
    told = broken(path, idx(np.zeros(5, np.uint8)))
    assert told == (
        f"{tmp_path / 'train-images-idx3-ubyte'} has 12 pictures but {path} has 5 labels; "
        "give one label to each picture"
    )
    path.unlink()
    missing = f"the labels of {tmp_path / 'train-images-idx3-ubyte'} are missing; put {path.name} beside it"
    with pytest.raises(DataError, match=re.escape(missing)):
        load(tmp_path)
