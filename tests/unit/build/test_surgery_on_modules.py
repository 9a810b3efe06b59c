"""Surgery on modules: weights come along, what is new is drawn by seed, the module itself stays as it was."""

import pytest
import torch

from striate.build import build, operate, weights_of
from striate.core import GraphError, UnknownNameError
from striate.graph import Network, surgery

TEXT = "8x8x1 | conv 4 3 nobias | batchnorm | relu | maxpool 2 | flatten | dense 5"


def test_what_is_kept_comes_along_and_what_is_new_is_drawn() -> None:
    module = build(Network.parse(TEXT), seed=1)
    made = operate(module, surgery.replace_head, 3, seed=7)
    fresh = weights_of(build(made.network, seed=7))
    for name, value in weights_of(made).items():
        origin = fresh if name.startswith("dense1") else weights_of(module)
        assert torch.equal(value, origin[name])


def test_the_module_itself_stays_as_it_was() -> None:
    module = build(Network.parse(TEXT), seed=1).train()
    before = weights_of(module)
    for operation in (surgery.fold_batchnorm, surgery.freeze, surgery.dense_to_conv, surgery.pool_to_stride):
        made = operate(module, operation)
        for weight in made.parameters():
            weight.data.zero_()
    assert module.network == Network.parse(TEXT)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in weights_of(module).items())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_precision_and_mode_are_the_modules(dtype: torch.dtype, training: bool) -> None:
    module = build(Network.parse(TEXT)).to(dtype).train(training)
    for operation, arguments in (
        (surgery.widen, (2,)),
        (surgery.fold_batchnorm, ()),
        (surgery.cut, ("relu1",)),
    ):
        made = operate(module, operation, *arguments)
        assert {weight.dtype for weight in made.parameters()} == {dtype}
        assert made.training is training


def test_a_network_without_weights_can_be_operated_on() -> None:
    made = operate(build(Network.parse("4x4x1 | filter blur same | maxpool 2")), surgery.cut, "filter1")
    assert made(torch.ones(1, 1, 4, 4)).shape == (1, 1, 4, 4)


def test_options_reach_the_operation_and_its_errors_the_caller() -> None:
    module = build(Network.parse(TEXT))
    assert operate(module, surgery.pool_to_stride, maxpool="stride").network["conv1"].layer.stride == 2
    with pytest.raises(UnknownNameError, match=r"^unknown node 'con1'; did you mean 'conv1'\?$"):
        operate(module, surgery.cut, "con1")
    with pytest.raises(GraphError, match="a network is widened by a number above 0, not -1"):
        operate(module, surgery.widen, -1)
