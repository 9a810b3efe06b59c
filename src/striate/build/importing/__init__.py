"""Networks from elsewhere: a PyTorch module or an ONNX file becomes a native network with its weights."""

from striate.build.importing.onnx import from_onnx
from striate.build.importing.torch_export import from_torch

__all__ = ["from_onnx", "from_torch"]
