"""From an ONNX file to a native network with its weights."""

from pathlib import Path

from striate.build.importing.onnx.model import load_proto, opened
from striate.build.importing.onnx.reader import module_of
from striate.build.module import NetworkModule
from striate.core import Shape, UsageError, quoted

__all__ = ["from_onnx"]


def from_onnx(file: str | Path, shape: Shape | None = None) -> NetworkModule:
    """The module of the network in an ONNX file, with its weights, in eval mode.

    It takes and gives tensors (N, C, *spatial), also where the file's have their depth last. `shape`
    gives the sizes that the file leaves open: `Shape((224, 224), 3)`. Numbers that the file keeps in others
    are read from its own folder alone, and nothing in it is ever executed.

    Raises UsageError when the extra `onnx` isn't installed, the file is no ONNX model of opset 7 to 28 or
    breaks a rule of ONNX, or a node does what no layer does; the message names the node.
    """
    if shape is not None and not isinstance(shape, Shape):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(f"the shape is a Shape such as Shape((224, 224), 3), not {quoted(shape)}; give one")
    path = Path(file)
    return module_of(opened(load_proto(path), path.parent, {}), shape)
