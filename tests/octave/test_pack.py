"""Packed kernels are dropped when what they derive from changes, counted by torch or not."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from octprobe.octave import OctaveConv2d
from octprobe.octave.norm import OctaveBatchNorm
from octprobe.octave.pack import hold_packs
from octprobe.octave.split import split_channels

PAIR = (torch.ones(1, 4, 6, 6), torch.ones(1, 4, 3, 3))


def layer() -> OctaveConv2d:
    """Give an octave layer in eval."""
    torch.manual_seed(0)
    return OctaveConv2d(8, 8, 3, padding=1, alpha_in=0.5, alpha_out=0.5).eval()


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_a_fused_optimisers_step_is_seen(optimizer: Callable[..., torch.optim.Optimizer]) -> None:
    """Such a step writes without counting a version; the call that gave the gradients dropped the pack."""
    conv = layer()
    step = optimizer(conv.parameters(), lr=0.1, fused=True)
    with torch.no_grad():
        before = conv(PAIR)
    conv(PAIR)[0].sum().backward()
    step.step()
    with torch.no_grad():
        after, expected = conv(PAIR), conv._to_high(*PAIR, conv.slices(), 0)
    assert not torch.allclose(before[0], after[0])
    torch.testing.assert_close(after[0], expected)


def test_a_held_pack_outlives_a_call_with_gradients() -> None:
    """What a compiler was promised stays."""
    conv = layer()
    hold_packs(conv)
    packed = conv._cache.packed
    conv(PAIR)
    assert packed is not None
    assert conv._cache.packed is packed


@pytest.mark.parametrize("grad", [True, False])
def test_vmap_over_parameters_slices(grad: bool) -> None:  # parametrised
    """Under a transform of torch.func a parameter has no data to pack, with gradients or without."""
    conv = layer()
    stacked = {name: torch.stack([p, 2 * p]).detach() for name, p in conv.named_parameters()}

    def high(parameters: dict[str, torch.Tensor]) -> torch.Tensor:
        out: torch.Tensor = torch.func.functional_call(conv, parameters, (PAIR,))[0]
        return out

    with torch.set_grad_enabled(grad):
        both = torch.func.vmap(high)(stacked)
        torch.testing.assert_close(both, torch.stack([conv(PAIR)[0], 2 * conv(PAIR)[0]]))


def test_a_shallow_copy_packs_for_itself() -> None:
    """It shares the parameters, as any module's does, but not the cache."""
    norm = OctaveBatchNorm.from_norm(nn.BatchNorm2d(8), split_channels(8, 0.5))
    for module in (layer(), norm):
        other = copy.copy(module)
        assert next(other.parameters()) is next(module.parameters())
        assert other._cache is not module._cache
