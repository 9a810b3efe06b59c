"""Layer-wise relevance propagation: the score handed back, node by node, to what contributed to it.

Bach et al. 2015, by the composite that Montavon et al. 2019 advise: convolutions by the z⁺ rule (αβ with
α = 1, β = 0), dense layers, means and sums by the ε rule, the larger of a maximum takes all, and activations
pass on what they get. Batch norms are folded into the layers before them first. It walks the graph with the
volumes of one forward pass, so that the module is only asked.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from striate import graph
from striate.build import NetworkModule, operate
from striate.core import UsageError
from striate.graph import Network, Node, surgery
from striate.look.attribution.asking import class_asked, evaluating, pixels_of
from striate.look.attribution.attribution import Attribution
from striate.look.subject import Shown, Subject

_POSITIVE = (graph.Conv, graph.TransposedConv, graph.Local, graph.Filter)
_EPSILON = (graph.Dense, graph.Add, graph.AvgPool, graph.GlobalAvgPool, graph.Upsample)
# What only picks or moves numbers: relevance goes the way that the gradient goes.
_MOVING = (
    graph.MaxPool,
    graph.GlobalMaxPool,
    graph.Concat,
    graph.Flatten,
    graph.Pad,
    graph.Crop,
    graph.Slice,
    graph.Shuffle,
)
_PASSING = (
    graph.Identity,
    graph.Dropout,
    graph.SpatialDropout,
    graph.BatchNorm,
    graph.Scale,
    graph.PReLU,
    *(layer for layer in graph.ACTIVATIONS.values() if layer is not graph.Softmax),
)
_GATES = (graph.Sigmoid, graph.HardSigmoid)
# Keeps quotients finite; a part of the largest number of the volume.
_SMALL = 1e-6


def relevance(subject: Subject, shown: Shown, class_name: str | None = None) -> Attribution:
    """The score of a class dealt out to the numbers of the picture (Bach et al. 2015), (C, H, W).

    What biases contributed stays with them; the note says how much of the score arrived.

    Raises UnknownNameError when there is no such class, UsageError when a layer has no rule.
    """
    reason = without_rule(subject)
    if reason is not None:
        raise UsageError(f"lrp can't serve {subject.run.path}: {reason}; use integrated or input-x-gradient")
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    module = _folded(subject.module)
    network = module.network
    with evaluating(module):
        with torch.no_grad():
            _, volumes = module(x, keep=[node.name for node in network])
        score = network.logits(network.outputs[0])
        flow = {score: torch.zeros_like(volumes[score])}
        flow[score][0, index] = volumes[score][0, index]
        for node in reversed(network.nodes):
            if node.inputs and node.name in flow:
                taken = [volumes[source] for source in node.inputs]
                shares = _shares(network, node, module[node.name], taken, flow.pop(node.name))
                for source, share in zip(node.inputs, shares, strict=True):
                    flow[source] = flow[source] + share if source in flow else share
    values = flow[network.inputs[0]][0].detach().float().cpu().numpy()
    note = f"{float(values.sum()):.4g} of a score of {float(volumes[score][0, index]):.4g} arrived"
    return Attribution("lrp", name, values, True, subject.network.inputs[0], note)


def without_rule(subject: Subject) -> str | None:
    """Which node has no rule to hand relevance back by; None where all have one."""
    network = subject.network
    asked = {subject.goal.node}
    for node in reversed(network.nodes):
        if node.name not in asked or not node.inputs:
            continue
        if isinstance(node.layer, graph.Multiply):
            signals = _signals(network, node)
            if len(signals) != 1:
                return f"'{node.name}' multiplies volumes of which none is a gate (a sigmoid)"
            asked.add(node.inputs[signals[0]])
        elif isinstance(node.layer, _POSITIVE + _EPSILON + _MOVING + _PASSING):
            asked.update(node.inputs)
        else:
            return f"'{node.name}' ({node.layer.word}) has no rule to hand relevance back by"
    return None


def _folded(module: NetworkModule) -> NetworkModule:
    has_norms = any(isinstance(node.layer, graph.BatchNorm | graph.Scale) for node in module.network)
    return operate(module, surgery.fold_batchnorm) if has_norms else module


def _signals(network: Network, node: Node) -> list[int]:
    """Which of a product's volumes carry the signal: those that aren't sigmoids, which only gate it."""
    return [i for i, name in enumerate(node.inputs) if not isinstance(network[name].layer, _GATES)]


def _shares(
    network: Network, node: Node, module: nn.Module, taken: Sequence[Tensor], relevance: Tensor
) -> Sequence[Tensor]:
    """What each volume that a node takes gets of the node's relevance."""
    if isinstance(node.layer, graph.Multiply):
        (signal,) = _signals(network, node)
        return [relevance if i == signal else torch.zeros_like(x) for i, x in enumerate(taken)]
    if isinstance(node.layer, _PASSING):
        return [relevance]
    if isinstance(node.layer, _POSITIVE):
        return [_by_positive_parts(module, taken[0], relevance)]
    sources = [x.detach().requires_grad_() for x in taken]
    made = module(*sources)
    if isinstance(node.layer, _MOVING):
        return torch.autograd.grad(made, sources, relevance)
    gradients = torch.autograd.grad(made, sources, relevance / _kept_off_zero(made.detach()))
    return [source.detach() * gradient for source, gradient in zip(sources, gradients, strict=True)]


def _by_positive_parts(module: nn.Module, taken: Tensor, relevance: Tensor) -> Tensor:
    """The z⁺ rule: relevance goes by what of each product w x is positive; a positive bias keeps its part."""
    numbers = {
        name: tensor.detach() for name, tensor in (*module.named_parameters(), *module.named_buffers())
    }
    above = {name: tensor.clamp(min=0) for name, tensor in numbers.items()}
    below = {name: torch.zeros_like(t) if name == "bias" else t.clamp(max=0) for name, t in numbers.items()}
    sources = [taken.clamp(min=0).detach().requires_grad_(), taken.clamp(max=0).detach().requires_grad_()]
    pairs = zip((above, below), sources, strict=True)
    made = sum(torch.func.functional_call(module, own, (source,)) for own, source in pairs)
    assert isinstance(made, Tensor)
    gradients = torch.autograd.grad(made, sources, relevance / _kept_off_zero(made.detach()))
    return sum(
        (source.detach() * gradient for source, gradient in zip(sources, gradients, strict=True)),
        torch.zeros_like(taken),
    )


def _kept_off_zero(numbers: Tensor) -> Tensor:
    small = _SMALL * numbers.abs().max().clamp(min=torch.finfo(numbers.dtype).tiny / _SMALL)
    return numbers + torch.where(numbers < 0, -small, small)
