"""Convolutions as dense layers: what they are on an input of one size, written out number by number."""

from typing import TYPE_CHECKING

from striate.core import GraphError, Shape, units
from striate.graph.layer import Layer
from striate.graph.layers import (
    Add,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Filter,
    Flatten,
    GlobalAvgPool,
    GroupNorm,
    Identity,
    InputLayer,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    SpatialDropout,
    TransposedConv,
)
from striate.graph.network import Network, Node
from striate.graph.surgery.draft import Draft, Surgery
from striate.graph.surgery.families import PER_CHANNEL, POINTWISE
from striate.graph.surgery.matrices import (
    average_matrix,
    conv_matrix,
    filter_matrix,
    local_matrix,
    transposed_matrix,
)

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Array, Weights

_Sliding = Conv | TransposedConv | Local
_Fixed = Filter | AvgPool | GlobalAvgPool
# Numbers in a matrix; 1 GiB in fp32.
_LARGEST = 2**28


def conv_to_dense(network: Network, *, weights: "Weights | None" = None) -> Surgery:
    """The network on vectors: each input is flattened and whatever slides becomes dense, written out.

    Volumes keep their numbers in the order that `flatten` gives them, outputs too:

    - `conv`, `transposed` and `local` become dense layers of the same name, most of whose weights are 0 or
      repeat each other;
    - `filter`, `avgpool` and `globalavgpool` become frozen ones without bias;
    - batch and group norms, scales and `prelu` hold their numbers for each place;
    - activations, dropout, `add`, `concat`, products of equal shapes and dense layers stay.

    Evaluation gives the same numbers. Training doesn't: nothing keeps the repeated weights equal.

    Raises GraphError for a layer that can't be said on a vector (max pooling, whatever looks along the
    depth at each place, resizing), an input of tokens, or a matrix of more than 2**28 numbers.
    """
    draft = Draft(network, weights)
    for node in network:
        shapes = network.input_shapes(node)
        if isinstance(node.layer, InputLayer):
            volume = draft.keep(node)
            if volume.is_tokens:
                raise GraphError(
                    f"'{node.name}' gives tokens, which only an embedding reads; nothing can be unrolled"
                )
            if volume.shape.spatial:
                draft.put(node, Flatten(), volume, name=draft.fresh(Flatten))
        elif isinstance(node.layer, _Sliding):
            _put_sliding(draft, node, node.layer, shapes[0])
        elif isinstance(node.layer, _Fixed):
            _put_fixed(draft, node, node.layer, shapes[0])
        elif isinstance(node.layer, Flatten):
            _drop(draft, node)
        else:
            _put_on_vector(draft, node, shapes)
    return draft.finish()


def _drop(draft: Draft, node: Node) -> None:
    (input,) = draft.inputs(node)
    if node.name in draft.source.outputs:
        draft.put(node, Identity(), input, name=node.name)
    else:
        draft.volumes[node.name] = input


def _put_sliding(draft: Draft, node: Node, layer: _Sliding, input: Shape) -> None:
    def carry() -> "Weights":
        import numpy as np

        own = draft.own(node)
        match layer:
            case Conv():
                matrix = conv_matrix(layer, input, own["weight"])
            case TransposedConv():
                matrix = transposed_matrix(layer, input, own["weight"])
            case Local():
                matrix = local_matrix(layer, input, own["weight"])
        if not layer.bias:
            return {"weight": matrix}
        bias = own["bias"].reshape(-1)
        return {"weight": matrix, "bias": np.repeat(bias, node.shape.size // bias.size)}

    _check_matrix(node, input)
    dense = Dense(node.shape.size, layer.bias, frozen=layer.frozen)
    draft.put(node, dense, *draft.inputs(node), name=node.name, carry=carry)


def _put_fixed(draft: Draft, node: Node, layer: _Fixed, input: Shape) -> None:
    def carry() -> "Weights":
        import numpy as np

        match layer:
            case Filter():
                matrix = filter_matrix(layer, input)
            case AvgPool():
                matrix = average_matrix(layer, input)
            case GlobalAvgPool():
                matrix = np.repeat(np.eye(input.depth), input.places, axis=1) / input.places
        return {"weight": matrix}

    _check_matrix(node, input)
    dense = Dense(node.shape.size, bias=False, frozen=True)
    draft.put(node, dense, *draft.inputs(node), name=draft.fresh(Dense), carry=carry)


def _check_matrix(node: Node, input: Shape) -> None:
    if input.size * node.shape.size > _LARGEST:
        raise GraphError(
            f"'{node.name}' would become a matrix of {units.count(node.shape.size)} × "
            f"{units.count(input.size)} numbers; use a smaller input"
        )


def _put_on_vector(draft: Draft, node: Node, shapes: tuple[Shape, ...]) -> None:
    """Puts a layer that says the same of a flattened volume, its weights repeated for each place."""
    layer = node.layer
    is_same = isinstance(layer, (*POINTWISE, SpatialDropout, Add, Concat, Dense)) or (
        isinstance(layer, Multiply) and len(set(shapes)) == 1
    )
    if isinstance(layer, (*PER_CHANNEL, GroupNorm)):

        def carry() -> "dict[str, Array]":
            import numpy as np

            return {name: np.repeat(value, shapes[0].places) for name, value in draft.own(node).items()}

        draft.put(node, layer, *draft.inputs(node), name=node.name, carry=carry)
    elif is_same or _takes_vectors(layer, shapes):
        draft.keep(node)
    else:
        fix = "replace it first (pool_to_stride)" if isinstance(layer, (MaxPool, LpPool)) else "leave it out"
        raise GraphError(f"'{node.name}' ({layer}) can't be said of {shapes[0]} numbers in a row; {fix}")


def _takes_vectors(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    """Whether its inputs have one place, so that it may look along their depth."""
    try:
        layer.output_shape(*(Shape((), shape.depth) for shape in shapes))
    except GraphError:
        return False
    return all(shape.places == 1 for shape in shapes)
