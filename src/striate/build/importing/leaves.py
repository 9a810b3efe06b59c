"""Modules of torch.nn that are one layer here but many operations there, so that they are taken whole."""

from collections.abc import Callable
from typing import Any

from torch import nn

from striate.graph import LRN, Layer, LpPool, Softsign


def _lrn(module: nn.LocalResponseNorm) -> Layer:
    return LRN(module.size, alpha=module.alpha, beta=module.beta, k=module.k)


def _lp_pool(module: Any) -> Layer:
    return LpPool(module.kernel_size, module.stride, ceil=module.ceil_mode, p=float(module.norm_type))


def _softsign(module: nn.Softsign) -> Layer:
    del module
    return Softsign()


LEAVES: dict[type[nn.Module], Callable[[Any], Layer]] = {
    nn.LocalResponseNorm: _lrn,
    nn.LPPool1d: _lp_pool,
    nn.LPPool2d: _lp_pool,
    nn.LPPool3d: _lp_pool,
    nn.Softsign: _softsign,
}
