"""MACs as fvcore counts them, with handles for what it leaves out."""

import logging
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

with warnings.catch_warnings():
    # fvcore still decorates with torch.jit.script, which newer torch warns about at import.
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import FlopCountAnalysis
    from fvcore.nn.jit_handles import elementwise_flop_counter, get_shape

# fvcore's names of the operators that are MACs; every other one that it counts is element-wise work.
MAC_OPERATORS = frozenset({"conv", "linear", "addmm", "mm", "bmm", "matmul", "einsum"})


@dataclass(frozen=True)
class FvcoreCount:
    """What fvcore found in one forward call."""

    macs: int
    elementwise_flops: int
    uncounted_ops: dict[str, int]


def _convolution_mode_macs(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    weight_shape, output_shape = get_shape(inputs[1]), get_shape(outputs[0])
    return Counter({"conv": prod(output_shape) * prod(weight_shape[1:])})


def _max_pool_flops(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    return Counter({"max_pool2d": prod(get_shape(inputs[0]))})


# The operators of convolution networks that fvcore has no handle for, an element read or added counted once.
EXTRA_HANDLES: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "aten::_convolution_mode": _convolution_mode_macs,
    "aten::add": elementwise_flop_counter(0, 1),
    "aten::add_": elementwise_flop_counter(0, 1),
    "aten::mul": elementwise_flop_counter(0, 1),
    "aten::avg_pool2d": elementwise_flop_counter(1, 0),
    "aten::max_pool2d": _max_pool_flops,
    "aten::mean": elementwise_flop_counter(1, 0),
}


def fvcore_count(model: nn.Module, example: Tensor | tuple[Tensor, ...]) -> FvcoreCount:
    """Count one forward call.

    Args:
        model: a module in eval mode, on a real device (fvcore traces it).
        example: what its forward takes: a tensor (B, C, H, W) or a (high, low) pair.
    """
    analysis = FlopCountAnalysis(model, (example,))
    analysis.set_op_handle(**EXTRA_HANDLES)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("fvcore").setLevel(logging.ERROR)
        by_operator = analysis.by_operator()
        uncounted = analysis.unsupported_ops()
    macs = sum(count for name, count in by_operator.items() if name in MAC_OPERATORS)
    elementwise = sum(by_operator.values()) - macs
    return FvcoreCount(int(macs), int(elementwise), {name: int(n) for name, n in sorted(uncounted.items())})
