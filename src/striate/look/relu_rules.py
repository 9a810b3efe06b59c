"""How a gradient passes a rectifier on its way back: the rules of deconvnet and guided backpropagation."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from striate.build import NetworkModule
from striate.core import UnknownNameError
from striate.graph import Network, ReLU, ReLU6

ReluRule = Literal["deconvnet", "guided"]

_Gradients = tuple[Tensor, ...] | Tensor


def rectifiers(network: Network) -> tuple[str, ...]:
    """The nodes that a rule changes: those of `relu` and `relu6`. Without one it is the plain gradient."""
    return tuple(node.name for node in network if isinstance(node.layer, ReLU | ReLU6))


@contextmanager
def relu_rule(module: NetworkModule, rule: ReluRule) -> Generator[NetworkModule]:
    """Within it, gradients through the rectifiers of `module` follow a rule of their own.

    `deconvnet` passes on what is positive of the gradient, wherever the rectifier was (Zeiler & Fergus 2013);
    `guided` passes on what is positive of the ordinary gradient, so only where the rectifier let something
    through as well (Springenberg et al. 2014). Both the forward and the backward pass belong inside. Answers
    and all other gradients stay as they are, and nothing is left on the module.

    Raises UnknownNameError for another rule.
    """
    if rule not in _RULES:
        raise UnknownNameError("rule", rule, _RULES)
    with ExitStack() as hooks:
        for name in rectifiers(module.network):
            hooks.callback(module[name].register_full_backward_hook(_RULES[rule]).remove)
        yield module


def _deconvnet(module: nn.Module, taken: _Gradients, given: _Gradients) -> tuple[Tensor, ...]:
    del module, taken
    return (torch.relu(given[0]),)


def _guided(module: nn.Module, taken: _Gradients, given: _Gradients) -> tuple[Tensor, ...]:
    del module, given
    return (torch.relu(taken[0]),)


_RULES: dict[str, Callable[[nn.Module, _Gradients, _Gradients], tuple[Tensor, ...]]] = {
    "deconvnet": _deconvnet,
    "guided": _guided,
}
