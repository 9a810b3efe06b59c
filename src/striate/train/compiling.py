"""torch.compile for the steps of a training, where the machine has what it needs."""

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch

from striate.build import NetworkModule
from striate.core import TrainingError, UsageError
from striate.train.compute import Compute

_COMPILERS = ("c++", "g++", "clang++", "cl")


def require_compiler(compute: Compute) -> None:
    """Raises UsageError when torch.compile couldn't make code for the device on this machine."""
    if compute.device.type == "cuda":
        if find_spec("triton") is None:
            raise UsageError(
                "torch.compile needs the package triton for CUDA; install it or leave compile out"
            )
    elif not any(map(shutil.which, (os.environ.get("CXX") or "c++", *_COMPILERS))):
        raise UsageError(
            "torch.compile needs a C++ compiler, and this machine has none; install g++ or clang, or leave "
            "compile out"
        )


def compiled(module: NetworkModule) -> Callable[..., Any]:
    """The module's forward computation, compiled when it is first called for inputs of a shape.

    It raises TrainingError when the compiler fails.
    """
    # Imported here, since it takes longer than all the rest of torch.

    from torch._dynamo.exc import TorchDynamoException  # importing it takes more than a second

    made = torch.compile(module)

    def forward(*inputs: Any, **more: Any) -> Any:
        try:
            return made(*inputs, **more)
        except TorchDynamoException as error:
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise TrainingError(
                f"torch.compile can't compile the network: {first}; train without compile"
            ) from None

    return forward
