import pytest
import torch

from striate.core import UsageError
from striate.train import choose_compute, train


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CUDA devices, or Apple's GPU, and what its processor computes in."""

    def of(cuda=0, mps=False, cuda_bf16=True, **cpu):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: cuda_bf16)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: cpu)

    return of


@pytest.mark.parametrize(
    ("has", "device", "precision"),
    [
        ({}, "cpu", "fp32"),
        ({"avx512_bf16": True}, "cpu", "bf16"),
        ({"amx_bf16": True}, "cpu", "bf16"),
        ({"avx512_f": True}, "cpu", "fp32"),
        ({"cuda": 2}, "cuda", "bf16"),
        ({"cuda": 1, "cuda_bf16": False}, "cuda", "fp32"),
        ({"mps": True, "avx512_bf16": True}, "mps", "fp32"),
    ],
)
def test_auto_takes_the_gpu_and_bf16_where_it_is_computed_itself(machine, has, device, precision):
    machine(**has)
    compute = choose_compute()
    assert (str(compute.device), compute.precision) == (device, precision)
    assert compute.channels_last == (precision == "bf16")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_word_beats_what_the_machine_would_choose(machine, precision):
    machine(cuda=1, avx512_bf16=precision == "fp32")
    compute = choose_compute("cpu", precision)
    assert (str(compute.device), compute.precision) == ("cpu", precision)


@pytest.mark.parametrize(
    ("word", "has", "message"),
    [
        ("gpu", {}, "the device is one of auto, cpu, cuda, mps, not 'gpu'"),
        ("", {}, "the device is one of auto, cpu, cuda, mps, not ''"),
        ("cuda", {}, "this machine or this PyTorch has no cuda; choose cpu or auto"),
        ("cuda:1", {}, "this machine or this PyTorch has no cuda; choose cpu or auto"),
        ("mps", {}, "this machine or this PyTorch has no mps; choose cpu or auto"),
        ("cuda:2", {"cuda": 2}, "this machine has 2 CUDA devices, counted from 0, not cuda:2"),
        ("cuda:one", {"cuda": 2}, "'cuda:one' names no device; write it as cuda or cuda:0"),
        ("cuda:-1", {"cuda": 2}, "'cuda:-1' names no device; write it as cuda or cuda:0"),
        ("auto:1", {}, "'auto:1' names no device; write it as cuda or cuda:0"),
    ],
)
def test_device_that_is_not_there_is_told(machine, word, has, message):
    machine(**has)
    with pytest.raises(UsageError) as caught:
        choose_compute(word)
    assert str(caught.value) == message


def test_device_with_a_number(machine):
    machine(cuda=2)
    assert str(choose_compute("cuda:1").device) == "cuda:1"


def test_wrong_device_is_told_before_anything_is_read():
    with pytest.raises(UsageError, match=r"^the device is one of auto, cpu, cuda, mps, not 'tpu'"):
        train(None, "no-such-data", device="tpu", quiet=True)


def test_both_precisions_train_alike(trained):
    runs = [trained(precision=precision, epochs=4) for precision in ("fp32", "bf16")]
    losses = [[entry["train_loss"] for entry in run.metrics] for run in runs]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    for run, precision in zip(runs, ("fp32", "bf16"), strict=True):
        assert run.manifest.hardware["precision"] == precision
        assert run.manifest.hardware["device"] == "cpu"
        assert {str(value.dtype) for value in run.weights().values()} == {"float32"}
