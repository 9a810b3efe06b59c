import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.core import DataError, UsageError
from striate.data import Deal, rows_of_part
from striate.data import batches as batches_module
from striate.data.augment import Augmentation
from striate.data.batches import Batches
from striate.data.threads import ahead

CPU = torch.device("cpu")
DEVICES = [CPU] + [torch.device(name) for name, there in (
    ("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if there]  # fmt: skip


def numbered(count):
    """Pictures that show their own number, and labels that tell it."""
    pixels = np.empty((count, 1, 3, 3), np.uint8)
    pixels[:] = (np.arange(count) % 256)[:, None, None, None]
    return pixels, np.arange(count)


def batches_of(count, batch=8, **options):
    pixels, labels = numbered(count)
    options = {"device": CPU, "shuffle": True, "seed": 3} | options
    return Batches(pixels, labels, batch=batch, **options)


def listed(epoch):
    return [(pixels.cpu().clone(), labels.cpu().clone()) for (pixels,), (labels,) in epoch]


def same(left, right):
    return len(left) == len(right) and all(
        torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(left, right, strict=True)
    )


@settings(max_examples=80, deadline=None)
@given(count=st.integers(1, 70), batch=st.integers(1, 40), shuffle=st.booleans(), epoch=st.integers(0, 3))
def test_every_picture_comes_once_an_epoch_with_its_label(count, batch, shuffle, epoch):
    batches = batches_of(count, batch, shuffle=shuffle)
    steps = listed(batches.epoch(epoch))
    assert len(steps) == len(batches)
    seen = []
    for pixels, labels in steps:
        assert pixels.dtype == torch.uint8
        assert (pixels == labels[:, None, None, None]).all()
        seen += labels.tolist()
    assert sorted(seen) == list(range(count))
    if not shuffle:
        assert seen == sorted(seen)
    sizes = [len(labels) for _, labels in steps]
    assert all(size == batch for size in sizes[:-1])
    # Never one picture alone, unless one is all there is or all that's asked for.
    assert 1 not in sizes or count == 1 or batch == 1


def test_lone_last_picture_joins_the_batch_before():
    assert [len(labels) for _, (labels,) in batches_of(25).epoch(0)] == [8, 8, 9]
    assert [len(labels) for _, (labels,) in batches_of(26).epoch(0)] == [8, 8, 8, 2]
    assert [len(labels) for _, (labels,) in batches_of(24).epoch(0)] == [8, 8, 8]


@pytest.mark.parametrize("device", DEVICES)
def test_going_on_within_an_epoch_shows_what_would_have_come(device):
    augmentation = Augmentation(shift=1, flip=True)
    whole = listed(batches_of(50, augmentation=augmentation).epoch(4))
    rest = listed(batches_of(50, augmentation=augmentation, device=device).epoch(4, start=3))
    assert same(whole[3:], rest)


def test_epochs_and_seeds_differ_in_order_and_in_augmentation():
    def order(seed, epoch):
        return torch.cat([labels for _, (labels,) in batches_of(50, seed=seed).epoch(epoch)]).tolist()

    orders = [order(3, 0), order(3, 1), order(4, 0), order(0, 3)]
    assert len({tuple(one) for one in orders}) == 4
    assert order(3, 1) == orders[1]
    pixels = np.random.default_rng(0).integers(0, 256, (16, 1, 6, 6), dtype=np.uint8)
    augmented = Batches(pixels, np.arange(16), batch=16, device=CPU, augmentation=Augmentation(shift=2),
                        shuffle=False, seed=0)  # fmt: skip
    first, second = (next(augmented.epoch(number))[0][0] for number in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("free", "room"), [(2 * 1024**3, 1024**3 // 2), (80 * 1024**3, batches_module.LARGEST_ON_DEVICE)]
)
def test_pictures_take_a_part_of_what_a_gpu_has_free(monkeypatch, free, room):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 2 * free))
    assert batches_module._room_on(torch.device("cuda")) == room
    assert batches_module._room_on(CPU) == batches_module.LARGEST_ON_DEVICE


@pytest.mark.parametrize("device", DEVICES)
def test_streaming_shows_the_same_as_resident_pixels(tmp_path, monkeypatch, device):
    pixels, labels = numbered(40)
    np.save(tmp_path / "pixels.npy", pixels)
    options = {"batch": 8, "device": device, "shuffle": True, "seed": 1}
    resident = listed(Batches(pixels, labels, **options).epoch(2))
    monkeypatch.setattr(batches_module, "LARGEST_ON_DEVICE", 10)
    for mode in ("r", "c"):
        mapped = np.load(tmp_path / "pixels.npy", mmap_mode=mode)
        assert same(listed(Batches(mapped, labels, **options).epoch(2)), resident)
    assert next(Batches(pixels, labels, **options).epoch(0))[0][0].device.type == device.type


def test_reading_ahead_shows_the_same_as_reading_in_turn(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (50, 3, 6, 6), np.uint8)
    numbers, labels = rng.normal(size=(50, 4)).astype(np.float32), np.arange(50)
    np.save(tmp_path / "pixels.npy", pixels)
    options = {"batch": 8, "device": CPU, "shuffle": True, "seed": 1, "augmentation": Augmentation(2, True)}
    read = []
    original = Batches._read
    monkeypatch.setattr(
        Batches, "_read", lambda self, number, rows: read.append(len(rows[0])) or original(self, number, rows)
    )

    def tensors(given, start):
        steps = Batches([given, numbers], labels, **options).epoch(3, start)
        return [[tensor.clone() for tensor in (*inputs, *targets)] for inputs, targets in steps]

    for start in (0, 4):
        in_turn = tensors(pixels, start)
        assert read == []
        mapped = tensors(np.load(tmp_path / "pixels.npy", mmap_mode="c"), start)
        assert read == [8, 8, 8, 8, 8, 8, 2][start:]
        read.clear()
        for step, other in zip(in_turn, mapped, strict=True):
            assert all(torch.equal(one, two) for one, two in zip(step, other, strict=True))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16, torch.int64])
def test_rows_of_every_type_are_gathered_as_they_are(dtype):
    given = torch.arange(10 * 12).reshape(10, 3, 2, 2).to(dtype)
    steps = Batches(given, np.arange(10), batch=4, device=CPU, shuffle=True, seed=2).epoch(0)
    for (inputs,), (labels,) in steps:
        assert inputs.dtype == dtype
        assert torch.equal(inputs, given[labels])


def test_reading_ahead_stays_two_batches_ahead_and_ends_with_the_epoch(tmp_path, monkeypatch):
    pixels, labels = numbered(80)
    np.save(tmp_path / "pixels.npy", pixels)
    read = []
    original = Batches._read
    monkeypatch.setattr(
        Batches, "_read", lambda self, number, rows: read.append(len(rows[0])) or original(self, number, rows)
    )
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="c")
    epoch = Batches(mapped, labels, batch=8, device=CPU, shuffle=True, seed=1).epoch(0)
    next(epoch)
    next(epoch)
    epoch.close()
    assert len(read) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]


def test_what_goes_wrong_while_reading_ahead_is_raised_at_its_step():
    def work(item):
        if item == 3:
            raise OSError("gone")
        return item

    results = ahead(work, range(6), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_regression_targets_and_float_pixels_pass_through():
    pixels = np.random.default_rng(0).normal(size=(10, 2, 4, 4)).astype(np.float32)
    targets = np.random.default_rng(1).normal(size=(10, 3)).astype(np.float32)
    batches = Batches(torch.from_numpy(pixels), targets, batch=4, device=CPU, shuffle=False, seed=0,
                      augmentation=Augmentation(flip=True))  # fmt: skip
    steps = listed(batches.epoch(0))
    np.testing.assert_array_equal(torch.cat([labels for _, labels in steps]), targets)
    for step, (shown, _) in enumerate(steps):
        for offset, picture in enumerate(shown):
            original = torch.from_numpy(pixels[4 * step + offset])
            assert torch.equal(picture, original) or torch.equal(picture, original.flip(2))


def test_two_epochs_show_both_sides_of_every_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (600, 1, 2, 5), dtype=np.uint8)
    batches = Batches(pixels, np.arange(600), batch=64, device=CPU, shuffle=True, seed=5,
                      augmentation=Augmentation(flip=True))  # fmt: skip

    def mirrored(epoch):
        steps = listed(batches.epoch(epoch))
        rows = torch.cat([labels for _, labels in steps])
        shown = torch.cat([pictures for pictures, _ in steps])
        original = torch.from_numpy(pixels)[rows]
        is_mirrored = (shown == original.flip(3)).all((1, 2, 3))
        assert (is_mirrored != (shown == original).all((1, 2, 3))).all()
        return is_mirrored[rows.argsort()]

    first, second, third = map(mirrored, (1, 2, 3))
    assert torch.equal(first, ~second)
    assert torch.equal(first, third)
    assert 250 < first.sum() < 350  # 600 fair coins lie so with a probability of 0.99996


@pytest.mark.parametrize(("rows", "batch", "share"), [(50, 8, 1.0), (49, 8, 1.0), (51, 6, 1.0), (64, 8, 0.4)])
def test_processes_with_parts_of_their_own_see_each_row_once_in_batches_of_the_same_sizes(rows, batch, share):
    pixels, labels = numbered(rows)
    of = 2
    whole = Batches(pixels, labels, batch=batch, device=CPU, shuffle=True, seed=1, share=share)
    parts = [rows_of_part(rows, rank, of) for rank in range(of)]
    own = [
        Batches(pixels[part.start : part.stop], labels[part.start : part.stop], batch=batch, device=CPU,
                shuffle=True, seed=1, share=share, deal=Deal(rank, of), total=rows)
        for rank, part in enumerate(parts)
    ]  # fmt: skip
    assert [len(one) for one in own] == [len(whole)] * of
    seen = []
    for rank, one in enumerate(own):
        for step, (_, (wanted,)) in enumerate(one.epoch(3)):
            mine = len(range(rank, whole.rows(step), of))
            assert len(wanted) == max(mine, 1)
            seen += wanted[:mine].tolist()
            assert one.rows_of(3, step) == [label - parts[rank].start for label in wanted.tolist()]
    assert len(seen) == len(set(seen)) == sum(whole.rows(step) for step in range(len(whole)))
    if share == 1:
        assert sorted(seen) == list(range(rows))
    orders = [[w.tolist() for _, (w,) in own[0].epoch(number)] for number in (3, 4)]
    assert orders[0] != orders[1]
    with pytest.raises(
        UsageError, match="batch of 7 rows can't be taken in equal shares from the parts of 2"
    ):
        Batches(pixels, labels, batch=7, device=CPU, shuffle=True, seed=1, deal=Deal(0, 2), total=2 * rows)


def test_what_makes_no_batches_is_told():
    pixels, labels = numbered(4)
    options = {"device": CPU, "shuffle": False, "seed": 0}
    with pytest.raises(UsageError, match="a batch has 0 pictures; give 1 or more"):
        Batches(pixels, labels, batch=0, **options)
    with pytest.raises(DataError, match="there are 4 pictures and 3 labels; give at least one picture"):
        Batches(pixels, labels[:3], batch=2, **options)
    with pytest.raises(DataError, match="there are 0 pictures and 0 labels"):
        Batches(pixels[:0], labels[:0], batch=2, **options)


def test_a_share_ends_an_epoch_early_and_is_another_in_each():
    pixels, labels = np.zeros((100, 1, 2, 2), np.uint8), np.arange(100)
    batches = Batches(pixels, labels, batch=16, device=torch.device("cpu"), shuffle=True, seed=0, share=0.35)
    assert len(batches) == 3
    first, second = (
        [row for _, targets in batches.epoch(number) for row in targets[0].tolist()] for number in (1, 2)
    )
    assert len(first) == len(set(first)) == len(second) == len(set(second)) == 35
    assert set(first) != set(second)
