import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.core import DataError
from striate.data.load import load

NAMES = ["airplane", "automobile", "bird"]


def pictures(count: int, seed: int) -> tuple[np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), [i % 3 for i in range(count)]


def text(value: str) -> bytes:
    """SHORT_BINSTRING, as Python 2 wrote every text, remembered as it did."""
    return b"U" + bytes([len(value)]) + value.encode() + b"q\x09"


def integers(values: list[int]) -> bytes:
    return b"](" + b"".join(b"K" + bytes([value]) for value in values) + b"e"


def byte_array(array: np.ndarray) -> bytes:
    """A numpy array in protocol 2, instruction for instruction as Python 2's numpy wrote it."""
    rows, columns = array.shape
    shape = b"M" + struct.pack("<H", rows) + b"M" + struct.pack("<H", columns) + b"\x86"
    return (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x10cnumpy\nndarray\nq\x11K\x00\x85U\x01b\x87Rq\x12"
        b"(K\x01" + shape + b"cnumpy\ndtype\nq\x13U\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + struct.pack("<i", array.size) + array.tobytes() + b"tb"
    )


def python_batch(entries: dict[str, bytes]) -> bytes:
    content = b"".join(text(key) + value for key, value in entries.items())
    return b"\x80\x02}q\x01(" + content + b"u."


def texts(values: list[str]) -> bytes:
    return b"](" + b"".join(text(value) for value in values) + b"e"


def write_python_cifar10(folder: Path) -> None:
    for seed, name in enumerate(("data_batch_1", "data_batch_2", "test_batch")):
        pixels, labels = pictures(4, seed)
        batch = {
            "batch_label": text(f"training batch {seed} of 5"),
            "labels": integers(labels),
            "data": byte_array(pixels.reshape(4, -1)),
            "filenames": texts([f"leptodactylus_{i}.png" for i in range(4)]),
        }
        (folder / name).write_bytes(python_batch(batch))
    (folder / "batches.meta").write_bytes(python_batch({"label_names": texts(NAMES)}))


def write_binary_cifar10(folder: Path) -> None:
    for seed, name in enumerate(("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")):
        pixels, labels = pictures(4, seed)
        (folder / name).write_bytes(
            b"".join(bytes([k]) + p.tobytes() for k, p in zip(labels, pixels, strict=True))
        )
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")


def write_python_cifar100(folder: Path) -> None:
    for seed, name in ((0, "train"), (2, "test")):
        pixels, labels = pictures(4, seed)
        batch = {
            "coarse_labels": integers([0] * 4),
            "fine_labels": integers(labels),
            "data": byte_array(pixels.reshape(4, -1)),
        }
        (folder / name).write_bytes(python_batch(batch))
    (folder / "meta").write_bytes(
        python_batch({"coarse_label_names": texts(["all"]), "fine_label_names": texts(NAMES)})
    )


def write_binary_cifar100(folder: Path) -> None:
    for seed, name in ((0, "train.bin"), (2, "test.bin")):
        pixels, labels = pictures(4, seed)
        (folder / name).write_bytes(
            b"".join(bytes([7, k]) + p.tobytes() for k, p in zip(labels, pixels, strict=True))
        )
    (folder / "fine_label_names.txt").write_text("\n".join(NAMES))


@pytest.mark.parametrize(
    ("write", "seeds"),
    [
        (write_python_cifar10, [0, 1]),
        (write_binary_cifar10, [0, 1]),
        (write_python_cifar100, [0]),
        (write_binary_cifar100, [0]),
    ],
)
def test_each_official_form_reads_alike(
    tmp_path: Path, write: Callable[[Path], None], seeds: list[int]
) -> None:
    write(tmp_path)
    images = load(tmp_path)
    assert images.classes == tuple(NAMES)
    for split, parts in (("train", seeds), ("test", [2])):
        pixels = np.concatenate([pictures(4, seed)[0] for seed in parts])
        labels = [label for seed in parts for label in pictures(4, seed)[1]]
        read = images.split(split)
        assert read.labels.tolist() == labels
        for index, picture in enumerate(pixels):
            assert np.array_equal(read.pictures.open(index), np.moveaxis(picture, 0, 2))


def test_the_folder_that_the_archive_unpacks_to_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "cifar-10-batches-bin"
    inner.mkdir()
    write_binary_cifar10(inner)
    assert len(load(tmp_path).split("train")) == 8


def test_without_a_file_of_names_the_classes_are_numbers(tmp_path: Path) -> None:
    write_binary_cifar10(tmp_path)
    (tmp_path / "batches.meta.txt").unlink()
    assert load(tmp_path).classes == ("0", "1", "2")


def test_a_batch_cut_short_a_gap_and_a_wrong_label_are_told(tmp_path: Path) -> None:
    write_binary_cifar10(tmp_path)
    first, second = tmp_path / "data_batch_1.bin", tmp_path / "data_batch_2.bin"
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    told = f"{first} has 12291 bytes, which isn't a multiple of 3073"
    with pytest.raises(DataError, match=re.escape(told)):
        load(tmp_path)
    first.write_bytes(b"\x09" + whole[1:])
    told = f"label 0 of split 'train' of {tmp_path} is 9; number the classes from 0 to 2"
    with pytest.raises(DataError, match=re.escape(told)):
        load(tmp_path)
    first.rename(tmp_path / "data_batch_3.bin")
    told = f"{tmp_path} has data_batch_2.bin but no data_batch_1.bin; unpack the whole archive"
    with pytest.raises(DataError, match=re.escape(told)):
        load(tmp_path)
    assert second.exists()


def test_python_batches_with_missing_or_unfit_entries_are_told(tmp_path: Path) -> None:
    write_python_cifar10(tmp_path)
    path = tmp_path / "data_batch_1"
    path.write_bytes(python_batch({"labels": integers([0, 1])}))
    with pytest.raises(DataError, match="lacks 'data' or 'labels'; fetch CIFAR's Python batches"):
        load(tmp_path)
    data = byte_array(np.zeros((3, 3072), np.uint8))
    path.write_bytes(python_batch({"labels": integers([0, 1]), "data": data}))
    with pytest.raises(DataError, match=r"has 2 labels for data of the shape \(3, 3072\); fetch it again"):
        load(tmp_path)
    path.write_bytes(python_batch({"labels": texts(["a", "b", "c"]), "data": data}))
    with pytest.raises(DataError, match="labels that aren't whole numbers below 256; fetch it again"):
        load(tmp_path)
