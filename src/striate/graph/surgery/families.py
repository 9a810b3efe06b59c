"""Layers by what an operation may rely on: who looks at a number alone, at a channel alone, at neither."""

from typing import get_args

from striate.graph.layer import Layer
from striate.graph.layers import (
    ACTIVATIONS,
    AvgPool,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Dropout,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    Local,
    LpPool,
    MaxPool,
    Pad,
    PReLU,
    Scale,
    Softmax,
    SpatialDropout,
    TransposedConv,
    Upsample,
)

# Their outputs are weighted sums over channels.
Mixing = Conv | TransposedConv | Local | Dense
MIXING: tuple[type[Mixing], ...] = get_args(Mixing)

# Each number by itself, wherever it stands.
POINTWISE: tuple[type[Layer], ...] = (
    *(layer for layer in ACTIVATIONS.values() if layer is not Softmax),
    Dropout,
    Identity,
)

# Each channel by numbers of its own, whose first axis is the depth.
PER_CHANNEL = (BatchNorm, Scale, PReLU)

GLOBAL_POOLS = (GlobalAvgPool, GlobalMaxPool)

# Each channel by itself.
CHANNELWISE: tuple[type[Layer], ...] = (
    *POINTWISE,
    *PER_CHANNEL,
    *GLOBAL_POOLS,
    MaxPool,
    AvgPool,
    LpPool,
    SpatialDropout,
    Upsample,
    Pad,
    Crop,
)
