"""Networks with heads, of all layers that hidden volumes pass, and modules whose weights tell them apart."""

import torch
from hypothesis import strategies as st

from striate.build import NetworkModule, build
from striate.graph import Network
from tensors import inputs_for

# Steps that keep the places; {n} is the depth they get, {d} another.
SAME = (
    "conv {d} 3 same relu",
    "conv {d} 2 same nobias",
    "conv {d} 3 stride=2 same tanh",
    "conv {d} 3 same groups=2 dilation=2",
    "depthwise 3 same multiplier=2",
    "separable {d} 3 same relu",
    "transposed {d} 3 same",
    "transposed {d} 2 same groups=2 nobias",
    "transposed {n} 3 same groups={n}",
    "local {d} 2 same",
    "local {d} 3 stride=2 same nobias",
    "batchnorm",
    "scale",
    "scale bias",
    "prelu",
    "layernorm",
    "groupnorm 1",
    "groupnorm 2",
    "groupnorm {n}",
    "lrn 3",
    "maxpool 2 same",
    "avgpool 3 stride=2 padding=1",
    "avgpool 3 stride=2 padding=1 ceil",
    "maxpool 3 stride=1 padding=1",
    "lppool 2 same",
    "add[ ; conv {n} 3 same relu ]",
    "add[ conv {d} 1 | conv {n} 3 same | batchnorm ; conv {n} 1 nobias | batchnorm ]",
    "concat[ ; conv {d} 1 relu ; maxpool 2 stride=1 same ]",
    "multiply[ ; conv {n} 1 sigmoid ]",
    "multiply[ ; conv 1 1 sigmoid ]",
    "squeeze-excite 2",
    "shuffle 2",
    "slice 1 {n}",
    "filter blur,sobel-x same",
    "filter edge sum same",
    "upsample 2 linear",
    "pad 1 replicate | crop 1",
    "dropout 0.5",
    "spatialdropout 0.5",
    "gelu",
)
HEADS = (
    "flatten | dense 6 relu | dense 4",
    "flatten | relu | dropout | dense 5 nobias | batchnorm | tanh | dense 4 | softmax",
    "flatten | batchnorm | dense 4 softmax",
    "globalavgpool | dense 4",
    "globalmaxpool | layernorm | dense 6 | prelu | dense 4",
    "globalavgpool keep | conv 6 1 relu | flatten | dense 4",
    "conv 4 1 relu | globalavgpool | softmax",
    "globalavgpool | concat[ dense 3 ; dense 5 relu ] | add[ ; dense 8 ] | shuffle 4 | slice 1 7 | dense 4",
)
INPUTS = ("7x6x4", "9x4", "5x3x4x2", "6x6x4")


@st.composite
def headed_networks(draw, steps: tuple[str, ...] = SAME, heads: tuple[str, ...] = HEADS) -> Network:
    """A body of a few steps, all of even depth where a step needs it, and a head of 4 classes."""
    text = f"{draw(st.sampled_from(INPUTS))} | conv {draw(st.sampled_from([4, 6]))} 1 relu"
    for _ in range(draw(st.integers(1, 5))):
        depth = _end(text)
        if depth % 2 or depth > 16:
            text += f" | conv {draw(st.sampled_from([4, 6]))} 1"
            depth = _end(text)
        text += " | " + draw(st.sampled_from(steps)).format(n=depth, d=draw(st.sampled_from([4, 6])))
    return Network.parse(f"{text} | {draw(st.sampled_from(heads))}")


def _end(text: str) -> int:
    return Network.parse(text).nodes[-1].shape.depth


def told_apart(network: Network, seed: int = 0) -> NetworkModule:
    """A module in double precision whose weights and statistics are all different from their first values."""
    module = build(network).double().eval()
    generator = torch.Generator().manual_seed(seed)
    for weight in module.parameters():
        weight.data.uniform_(-0.6, 0.6, generator=generator)
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=generator)
    return module


def answers(module: NetworkModule, batch: int = 2) -> list[torch.Tensor]:
    """What a module gives for random inputs that are the same for every module of such inputs, in rows."""
    torch.manual_seed(0)
    inputs = inputs_for(module.network, batch)
    with torch.no_grad():
        given = module(*(x.double() if x.is_floating_point() else x for x in inputs))
    return [output.flatten(1) for output in (given if isinstance(given, tuple) else (given,))]
