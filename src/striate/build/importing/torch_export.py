"""From a PyTorch module to a network with its weights, through torch.export's graph of ATen operations."""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from striate.build.importing.assembly import verified
from striate.build.importing.walk import BATCH_SIZE, Walk
from striate.build.module import NetworkModule
from striate.core import Shape, UsageError, quoted


def from_torch(module: nn.Module, *shapes: Shape) -> NetworkModule:
    """The network that a PyTorch module computes after training, with the module's weights.

    Takes the shape of each of the module's inputs: `from_torch(resnet18(), Shape((224, 224), 3))`. What
    doesn't depend on the input (standardised weights, joined kernels) is computed once and for all; weights
    that the module doesn't train come out frozen; a module that is called twice becomes two nodes, with
    weights of their own. Nodes have the names of the module's parts: `layer1.0.conv1` is `layer1_0_conv1`.
    The module stays as it was. On random numbers the network gives the module's outputs to 1e-4 of the
    largest.

    Raises UsageError when the module has an operation that no layer can stand for, can't be followed by
    torch.export, doesn't run on inputs of these shapes, isn't of 32-bit floats on the CPU, or gives other
    outputs than the network.
    """
    _check(module, shapes)
    inputs = _inputs(shapes)
    # With gradients, so that what is computed from a trained weight is known to be trained.
    with _evaluating(module), torch.enable_grad():
        program = _exported(module, inputs)
        network = Walk(module, program, shapes).network()
        return verified(network, lambda *given: _computed(module, given), what=type(module).__name__)


def _inputs(shapes: Sequence[Shape]) -> tuple[Tensor, ...]:
    try:
        return tuple(torch.zeros(BATCH_SIZE, *shape.tensor) for shape in shapes)
    except RuntimeError:
        raise UsageError(
            f"inputs of {' and '.join(map(str, shapes))} don't fit into the memory; give smaller shapes"
        ) from None


def _check(module: nn.Module, shapes: Sequence[Shape]) -> None:
    if not isinstance(module, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(
            f"what is imported must be a torch.nn.Module, not {quoted(module)}; give one with its weights"
        )
    if not shapes:
        raise UsageError("the shape of the input is missing; give it, such as Shape((224, 224), 3)")
    for shape in shapes:
        if not isinstance(shape, Shape):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                f"an input's shape is a Shape such as Shape((224, 224), 3), spatial sizes first, "
                f"not {quoted(shape)}; give one for each input"
            )
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise UsageError(
                f"the module's '{name}' is of {tensor.dtype}; make it 32-bit with .float() first"
            )
        if tensor.device.type != "cpu":
            raise UsageError(
                f"the module's '{name}' lies on {tensor.device}; bring it home with .cpu() first"
            )


@contextmanager
def _evaluating(module: nn.Module) -> Generator[None]:
    """The module as it is after training; every part goes back to the mode that it was in."""
    was_training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in was_training:
            part.training = True


def _exported(module: nn.Module, inputs: tuple[Tensor, ...]) -> torch.export.ExportedProgram:
    try:
        # Without gradients, else a forward that turns them off would become a graph in a graph.
        with torch.no_grad(), _quiet():
            return torch.export.export(module, inputs, strict=False)
    except Exception as error:  # noqa: BLE001 - torch.export lets through whatever the module's code raises
        _try_out(module, inputs)
        raise UsageError(
            f"torch.export can't follow {type(module).__name__} because of '{_first_line(error)}'; "
            f"take what depends on the input's numbers out of its forward"
        ) from None


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps back what torch.export prints and logs of a graph that it can't finish: its error says enough."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(disabled)


def _try_out(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Raises UsageError when the module can't even be run."""
    try:
        with torch.no_grad():
            module(*inputs)
    except Exception as error:  # noqa: BLE001 - whatever the module's own code raises
        sizes = ", ".join(str(tuple(one.shape)) for one in inputs)
        raise UsageError(
            f"{type(module).__name__} fails on inputs of {sizes} with '{_first_line(error)}'; "
            f"give the shapes that it takes"
        ) from None


def _computed(module: nn.Module, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """The module's outputs for another batch than the one that it was exported with."""
    try:
        return _outputs(module(*inputs))
    except Exception as error:  # noqa: BLE001 - whatever the module's own code raises
        raise UsageError(
            f"{type(module).__name__} fails on a batch of {len(inputs[0])} with '{_first_line(error)}'; "
            f"let its forward take batches of any size"
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _outputs(result: Any) -> list[Tensor]:
    return [leaf for leaf in pytree.tree_leaves(result) if isinstance(leaf, Tensor)]
