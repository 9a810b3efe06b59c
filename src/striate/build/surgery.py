"""Surgery on a module: an operation on its network, built again with the weights that it takes over."""

from collections.abc import Callable
from typing import Any

import torch

from striate.build.module import NetworkModule, build
from striate.build.weights import load_weights, weights_of
from striate.graph import surgery


def operate(
    module: NetworkModule,
    operation: Callable[..., surgery.Surgery],
    *arguments: Any,
    seed: int = 0,
    **options: Any,
) -> NetworkModule:
    """A new module of what an operation of `striate.graph.surgery` makes of a module's network.

    It is called with the network, `arguments`, `options` and the module's weights; weights that are new
    are drawn from `seed`. Device, precision and mode are the module's; the module itself stays as it is.

    Raises what the operation raises.
    """
    given = {
        name: (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        for name, tensor in weights_of(module).items()
    }
    result = operation(module.network, *arguments, weights=given, **options)
    made = build(result.network, seed=seed)
    for like in (*module.parameters(), *module.buffers()):
        if like.is_floating_point():
            made.to(device=like.device, dtype=like.dtype)
            break
    carried = {name: torch.from_numpy(value) for name, value in (result.weights or {}).items()}
    load_weights(made, weights_of(made) | carried)
    return made.train(module.training)
