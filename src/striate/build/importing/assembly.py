"""What every importer shares: putting a network together with its weights, refusing, and checking.

An importer walks another program's graph and calls `Assembly.input` and `Assembly.add`; `finish` gives the
module, and `verified` hands it out only when it computes what the original computes.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from striate.build.module import NetworkModule
from striate.build.weights import load_weights
from striate.core import GraphError, UsageError, quoted
from striate.graph import Identity, Input, Layer, Network, Node, Volume

_TOLERANCE = 1e-4
# Another batch than the one by which torch.export saw the module, so that what depends on it comes to light.
_ROWS = 3


def refusal(place: str, operation: str, why: str) -> UsageError:
    """The error for a node that no layer can stand for: `place` names it, `why` ends with what to do."""
    return UsageError(f"{place} uses {operation}, {why}")


class Assembly:
    """A network under construction: layers with their weights, under the names that the original gave.

    Nodes that lead to no output are left out at the end, with their weights, so an importer may add
    more than it needs.
    """

    def __init__(self) -> None:
        self._wishes: dict[str, str] = {}
        self._weights: dict[str, Mapping[str, Tensor]] = {}
        self._inputs: list[Volume] = []

    def input(self, *axes: int, name: str) -> Volume:
        """A new input of these axes, depth last."""
        volume = Input(*axes, name=self._ticket(name))
        self._inputs.append(volume)
        return volume

    def add(
        self, layer: Layer, *inputs: Volume, name: str, place: str | None = None, **weights: Tensor
    ) -> Volume:
        """The volume that `layer` makes of `inputs`.

        `name` is any text of the original, such as `layer1.0.conv1`; the node gets its legal, unique form.
        `place` is what messages call it, its name if left out. `weights` are the layer's own (`weight=`,
        `bias=`, `running_mean=`…), each of the shape that `layer.weights` and `layer.statistics` give.

        Raises UsageError, which names the place, when the layer doesn't take the inputs or the weights.
        """
        try:
            volume = layer(*inputs, name=self._ticket(name))
        except GraphError as error:
            raise UsageError(f"{place or name} can't be imported: {error}") from None
        shapes = [source.shape for source in inputs]
        wanted = layer.weights(*shapes) | layer.statistics(*shapes)
        given = {key: tuple(tensor.shape) for key, tensor in weights.items()}
        for key in wanted | given:
            if given.get(key) != wanted.get(key):
                raise UsageError(
                    f"{place or name} can't be imported: '{layer}' on {' and '.join(map(str, shapes))} takes "
                    f"{_said(key, wanted)}, not {_said(key, given)}; "
                    f"give the model weights that fit its layers"
                )
        if weights:
            self._weights[str(volume.name)] = {key: tensor.detach() for key, tensor in weights.items()}
        return volume

    def wish(self, volume: Volume) -> str:
        """The `name` that a volume's node was added with."""
        return self._wishes[str(volume.name)]

    def finish(self, *outputs: Volume) -> NetworkModule:
        """The module of the network that gives `outputs`, on the CPU, in eval mode.

        Raises UsageError when an input leads to no output.
        """
        # An output that is given twice, or is an input, gets a node of its own.
        ends: list[Volume] = []
        for volume in outputs:
            is_taken = volume in ends or volume in self._inputs
            ends.append(self.add(Identity(), volume, name="output") if is_taken else volume)
        try:
            drafted = Network(self._inputs, ends)
        except GraphError as error:
            raise UsageError(self._in_own_words(str(error))) from None
        names = self._names(drafted)
        network = drafted.rebuilt(lambda node, inputs: node.layer(*inputs, name=names[node.name]))
        with torch.random.fork_rng(devices=[]):  # the first weights are drawn only to be overwritten
            module = NetworkModule(network)
        weights = {
            f"{names[ticket]}.{key}": tensor.to("cpu", torch.float32)
            for ticket, tensors in self._weights.items()
            if ticket in names
            for key, tensor in tensors.items()
        }
        load_weights(module, weights)
        return module.eval()

    def _in_own_words(self, message: str) -> str:
        """A message with the original's names instead of tickets."""
        return re.sub("'(node[0-9]+)'", lambda match: quoted(self._wishes.get(match[1], match[1])), message)

    def _ticket(self, wish: str) -> str:
        """A name that holds until it is known which nodes stay."""
        ticket = f"node{len(self._wishes)}"
        self._wishes[ticket] = wish
        return ticket

    def _names(self, network: Network) -> dict[str, str]:
        names: dict[str, str] = {}
        taken: set[str] = set()
        for node in network:
            wish = _legal(self._wishes[node.name], node)
            name, number = wish, 1
            while name in taken:
                number += 1
                name = f"{wish}_{number}"
            taken.add(name)
            names[node.name] = name
        return names


def verified(
    module: NetworkModule, original: Callable[..., Sequence[Tensor]], *, what: str = "the module"
) -> NetworkModule:
    """`module`, once it is known to give the outputs of `original` on random numbers.

    `original` takes a tensor (3, C, *spatial) for each input and gives its outputs in order. They may
    differ by 1e-4 of the original's largest number.

    Raises UsageError when they differ by more, or the original's outputs aren't finite.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = [module.network[name].shape.tensor for name in module.network.inputs]
    inputs = [torch.randn(_ROWS, *shape, generator=generator) for shape in shapes]
    with torch.no_grad():
        wanted = original(*(one.clone() for one in inputs))  # which may compute in place
        got = module(*inputs)
    got = (got,) if isinstance(got, Tensor) else got
    for name, mine, theirs in zip(module.network.outputs, got, wanted, strict=True):
        if mine.shape != theirs.shape:
            raise UsageError(
                f"{what} gives an output of shape {tuple(theirs.shape)} where its import '{name}' gives "
                f"{tuple(mine.shape)}, so the import is withheld; please report the model"
            )
        if not torch.isfinite(theirs).all():
            raise UsageError(
                f"{what} gives numbers that aren't finite on random input, so its import can't be checked; "
                f"give it weights that do"
            )
        difference = float((mine - theirs).abs().max())
        scale = float(theirs.abs().max())
        if not difference <= _TOLERANCE * scale:
            raise UsageError(
                f"{what} and its import differ by {difference:.2g} at output '{name}', whose numbers go up "
                f"to {scale:.2g}, so the import is withheld; please report the model"
            )
    return module


def _said(key: str, axes: Mapping[str, tuple[int, ...]]) -> str:
    return f"a {key} of {'×'.join(map(str, axes[key])) or '1'}" if key in axes else f"no {key}"


def _legal(wish: str, node: Node) -> str:
    """`layer1.0.conv1` as `layer1_0_conv1`; what starts with a digit gets the layer's word before it."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", wish).strip("_")
    if not name:
        return node.layer.word
    return name if name[0].isalpha() else f"{node.layer.word}_{name}"
