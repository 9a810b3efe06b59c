"""Small tensors on their way to the device that computes."""

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device; a GPU of CUDA isn't waited for.

    CUDA takes a copy of memory that isn't pinned before the call returns, so that it may be freed. Metal may
    read such memory after it was freed (pytorch/pytorch issue 189690).
    """
    return tensor.to(device, non_blocking=device.type == "cuda")
