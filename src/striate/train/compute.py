"""Where a training computes, in which precision and with which layout of memory."""

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from striate.core import TrainingError, UsageError
from striate.train.distributed import Team

_TOO_LARGE = "the memory is full; lower --batch, take a smaller network or smaller pictures"
PEAK = "peak_bytes"
"""What a manifest's facts of the hardware call the most bytes that a CUDA device held, where they have it."""
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Compute:
    """A device, a precision (`fp32`, or `bf16` under autocast) and whether channels lie innermost."""

    device: torch.device
    precision: str
    channels_last: bool

    def place(self, module: nn.Module) -> None:
        """Moves a module's weights here, laid out as its batches will be."""
        module.to(self.device)
        if self.channels_last:
            # torch.nn.Module.to leaves tensors alone that aren't of four axes.
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def laid_out(self, batch: Tensor) -> Tensor:
        """A batch with its channels innermost where that is faster, which is for pictures (N, C, H, W)."""
        is_turned = self.channels_last and batch.ndim == 4
        return batch.contiguous(memory_format=torch.channels_last) if is_turned else batch

    @contextmanager
    def autocast(self) -> Generator[None]:
        """Matrix products and convolutions in the precision; everything else keeps 32 bits."""
        enabled = self.precision == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled):
            yield

    def facts(self) -> dict[str, Any]:
        """What the run's manifest says of the hardware."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else processor()
        return {
            "device": str(self.device),
            "name": name,
            "precision": self.precision,
            "channels_last": self.channels_last,
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        }


@contextmanager
def memory_told() -> Generator[None]:
    """Turns an allocator's refusal into a TrainingError with its fix."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(_TOO_LARGE) from None


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error is an allocator's refusal."""
    # The CPU's allocator has no exception of its own.
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


@contextmanager
def peak_kept(device: torch.device, facts: dict[str, Any]) -> Generator[None]:
    """Keeps the most bytes that torch held on a CUDA device within, among a manifest's facts of the hardware.

    Of a training that goes on it is the most of all its parts. Other devices count nothing of the kind.
    """
    if device.type != "cuda":
        yield
        return
    torch.cuda.reset_peak_memory_stats(device)
    try:
        yield
    finally:
        facts[PEAK] = max(facts.get(PEAK, 0), torch.cuda.max_memory_allocated(device))


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def choose_compute(device: str = "auto", precision: str = "auto") -> Compute:
    """The fastest sound choice for this machine, unless a word says otherwise.

    bf16 autocast with channels last is chosen where the processor or GPU computes in bf16 itself.

    Raises UsageError when the device is unknown or not there.
    """
    chosen = _device(device)
    if precision == "auto":
        precision = "bf16" if _computes_in_bf16(chosen) else "fp32"
    return Compute(chosen, precision, channels_last=precision == "bf16")


def compute_of(team: Team, device: str = "auto", precision: str = "auto") -> Compute:
    """`choose_compute` for one process of a team, which takes the GPU of its place on its machine.

    Raises UsageError when there is no such GPU, or the device can't train in several processes.
    """
    if team.size == 1:
        return choose_compute(device, precision)
    kind = choose_compute(device).device.type
    if kind == "mps":
        raise UsageError("mps trains in one process; choose --device cpu, or start it without torchrun")
    if kind == "cpu":
        return choose_compute(kind, precision)
    compute = choose_compute(f"{kind}:{team.local_rank}", precision)
    torch.cuda.set_device(compute.device)
    return compute


def _device(word: str) -> torch.device:
    kind = word.partition(":")[0]
    if kind not in DEVICES:
        raise UsageError(f"the device is one of {', '.join(DEVICES)}, not '{word}'")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if word == "auto":
        return torch.device(next((name for name, is_there in there.items() if is_there), "cpu"))
    if not there.get(kind, True):
        raise UsageError(f"this machine or this PyTorch has no {kind}; choose cpu or auto")
    try:
        device = torch.device(word)
    except RuntimeError:
        raise UsageError(f"'{word}' names no device; write it as cuda or cuda:0") from None
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"this machine has {torch.cuda.device_count()} CUDA devices, counted from 0, not {word}"
        )
    return device


def _computes_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return bool(has.get("avx512_bf16") or has.get("amx_bf16"))
    return False
