"""The torch module of a network: one module a node, never in place, never shared."""

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor, nn

from striate.build.builders import module_of
from striate.build.initial import initialize
from striate.core import UsageError
from striate.graph import InputLayer, Network, Node, Weighted


class NetworkModule(nn.Module):
    """What `build` returns: a network that computes.

    Takes a tensor (N, C, *spatial) for each input, bytes (0 to 255), floats or tokens; gives the output,
    or a tuple where the network has several. Every node's module stands in `nodes` under the node's name.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.nodes = nn.ModuleDict(
            {module_key(node.name): module_of(node.layer, *network.input_shapes(node)) for node in network}
        )
        self._spent = _spent_after(network)
        self._frozen = [
            self[node.name] for node in network if isinstance(node.layer, Weighted) and node.layer.frozen
        ]
        for frozen in self._frozen:
            frozen.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> "NetworkModule":
        """Turns training on or off everywhere but in frozen nodes, whose statistics stay as they are."""
        super().train(mode)
        for frozen in self._frozen:
            frozen.eval()
        return self

    def shared_with(self, network: Network) -> "NetworkModule":
        """The module of another network, whose nodes with weights or numbers are this one's of their name.

        Raises UnknownNameError when this network lacks one of these nodes.
        """
        with torch.device("meta"):
            made = NetworkModule(network)
        for node in network:
            if made[node.name].state_dict() or list(made[node.name].buffers()):
                made.nodes[module_key(node.name)] = self[node.name]
        made._frozen = self._frozen
        return made.train(self.training)

    def __getitem__(self, name: str) -> nn.Module:
        """The module of the node of that name; raises UnknownNameError when there is none."""
        return self.nodes[module_key(self.network[name].name)]

    @overload
    def forward(self, *inputs: Tensor, keep: None = None) -> Tensor | tuple[Tensor, ...]: ...
    @overload
    def forward(
        self, *inputs: Tensor, keep: Sequence[str]
    ) -> tuple[Tensor | tuple[Tensor, ...], dict[str, Tensor]]: ...
    def forward(
        self, *inputs: Tensor, keep: Sequence[str] | None = None
    ) -> Tensor | tuple[Tensor, ...] | tuple[Tensor | tuple[Tensor, ...], dict[str, Tensor]]:
        """The outputs; with `keep`, also a dictionary of the volumes of the nodes it names.

        Raises UsageError when an input hasn't the shape or type that its node wants, and
        UnknownNameError when `keep` names no node.
        """
        volumes = dict(zip(self.network.inputs, self._checked(inputs), strict=True))
        wanted = {self.network[name].name for name in keep or ()} | set(self.network.outputs)
        for node in self.network:
            taken = [volumes[name] for name in node.inputs] or [volumes[node.name]]
            volumes[node.name] = self.nodes[module_key(node.name)](*taken)
            for name in self._spent[node.name]:
                if name not in wanted:
                    del volumes[name]
        outputs = tuple(volumes[name] for name in self.network.outputs)
        result = outputs[0] if len(outputs) == 1 else outputs
        return result if keep is None else (result, {name: volumes[name] for name in keep})

    def _checked(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if len(inputs) != len(self.network.inputs):
            raise UsageError(f"the network takes {len(self.network.inputs)} inputs, not {len(inputs)}")
        for name, tensor in zip(self.network.inputs, inputs, strict=True):
            wanted = self.network[name].shape.tensor
            if tuple(tensor.shape[1:]) != wanted:
                sizes = ", ".join(map(str, wanted))
                raise UsageError(f"input '{name}' takes tensors (N, {sizes}), not {tuple(tensor.shape)}")
            layer = self.network[name].layer
            if isinstance(layer, InputLayer) and layer.tokens:
                if tensor.is_floating_point() or tensor.is_complex():
                    raise UsageError(
                        f"input '{name}' takes tokens (torch.int64), not {tensor.dtype}; convert it"
                    )
            elif tensor.dtype != torch.uint8 and not tensor.is_floating_point():
                raise UsageError(
                    f"input '{name}' takes bytes (torch.uint8) or floats, not {tensor.dtype}; convert it"
                )
        return inputs


def build(network: Network, *, seed: int = 0, device: torch.device | str = "cpu") -> NetworkModule:
    """The torch module of a network, its weights drawn from `seed` alone.

    The same seed gives the same weights on every device. On the `meta` device there are shapes but
    no numbers.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta" if str(device) == "meta" else "cpu"):
        module = NetworkModule(network)
    if str(device) != "meta":
        initialize(module, seed)
    return module.to(device)


def module_key(name: str) -> str:
    """The key of a node's module: its name, unless torch's container has an attribute of that name."""
    return f"{name}_" if hasattr(nn.ModuleDict, name) or name == "training" else name


def _spent_after(network: Network) -> dict[str, list[str]]:
    """For each node the volumes that nobody takes any more once it is computed."""
    last: dict[str, Node] = {}
    for node in network:
        for name in node.inputs:
            last[name] = node
    spent: dict[str, list[str]] = {node.name: [] for node in network}
    for name, node in last.items():
        spent[node.name].append(name)
    return spent
