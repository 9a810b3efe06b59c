"""The rules of the deconvnet and of guided backpropagation, by hand and against captum."""

import pytest
import torch
from captum.attr import Deconvolution, GuidedBackprop

from striate import Network
from striate.build import build
from striate.core import UnknownNameError, UsageError
from striate.look import rectifiers, relu_rule

BRANCHY = (
    "7x6x2 | conv 3 3 same relu | concat[ conv 2 1 relu ; conv 2 3 same relu | maxpool 3 stride=1 same ] | "
    "maxpool 2 | flatten | dense 4 relu | dense 3"
)


def module_with(text: str, **weights: list):
    module = build(Network.parse(text), seed=3).eval()
    for name, numbers in weights.items():
        module.get_parameter(f"nodes.{name.replace('_', '.')}").data = torch.tensor(numbers)
    return module


def input_gradient(module, x, rule, unit):
    x = x.clone().requires_grad_()
    with relu_rule(module, rule):
        answer = module(x)[0, unit]
        (gradient,) = torch.autograd.grad(answer, x)
    return gradient


def test_both_rules_by_hand() -> None:
    # One input a; relu of (a, -a, 2a), then 1, 1 and -1 times them.
    module = module_with(
        "1x1x1 | conv 3 1 nobias | relu | conv 1 1 nobias | flatten",
        conv1_weight=[[[[1.0]]], [[[-1.0]]], [[[2.0]]]],
        conv2_weight=[[[[1.0]], [[1.0]], [[-1.0]]]],
    )
    x = torch.ones(1, 1, 1, 1)
    # The deconvnet lets 1 and 1 through both and holds -1 back: 1·1 + 1·(-1).
    assert input_gradient(module, x, "deconvnet", 0).item() == 0
    # Guided, the second unit, which is off, holds back as well: 1·1.
    assert input_gradient(module, x, "guided", 0).item() == 1
    x.requires_grad_()
    (plain,) = torch.autograd.grad(module(x)[0, 0], x)
    assert plain.item() == 1 - 2


@pytest.mark.parametrize(("rule", "method"), [("deconvnet", Deconvolution), ("guided", GuidedBackprop)])
@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")
def test_they_are_what_captum_computes(rule, method) -> None:
    module = build(Network.parse(BRANCHY), seed=5).eval()
    x = torch.randn(1, 2, 7, 6, generator=torch.Generator().manual_seed(1))
    for unit in range(3):
        expected = method(module).attribute(x.clone().requires_grad_(), target=unit)
        torch.testing.assert_close(input_gradient(module, x, rule, unit), expected)


def test_the_answer_stays_and_nothing_is_left_behind_after_an_error() -> None:
    module = build(Network.parse(BRANCHY), seed=5).eval()
    x = torch.randn(2, 2, 7, 6)
    before = module(x)
    plain = torch.autograd.grad(module(x.requires_grad_())[:, 0].sum(), x)[0]
    with relu_rule(module, "guided"):
        torch.testing.assert_close(module(x), before)
    with pytest.raises(UsageError, match="takes 1 inputs, not 2"), relu_rule(module, "guided"):
        module(x, x)
    assert all(not part._backward_hooks and not part._forward_hooks for part in module.modules())
    torch.testing.assert_close(torch.autograd.grad(module(x)[:, 0].sum(), x)[0], plain)
    assert all(weight.grad is None and weight.requires_grad for weight in module.parameters())


def test_an_unknown_rule_is_named_with_the_nearest() -> None:
    module = build(Network.parse(BRANCHY))
    with (
        pytest.raises(UnknownNameError, match="unknown rule 'guide'; did you mean 'guided'"),
        relu_rule(module, "guide"),
    ):
        pass


def test_which_nodes_a_rule_changes() -> None:
    assert rectifiers(Network.parse("4x4x1 | conv 1 3 relu | relu6 | tanh | leaky")) == ("relu1", "relu61")
