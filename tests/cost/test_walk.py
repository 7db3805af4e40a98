"""The walk on meta tensors: MACs, bytes, operators and the live-range peak."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from octprobe.cost.count import disagreement, full_cost
from octprobe.cost.walk import MAC_RULES, _rule, walk, walk_training
from octprobe.workload import Workload


def on_meta(module: nn.Module) -> nn.Module:
    """Move a module to the meta device."""
    return module.eval().to("meta")


def test_a_convolution_counts_macs_and_bytes_once() -> None:
    """3 -> 8 channels of 1x1 on 4x4: 384 MACs; input, weight and bias are read, the output written."""
    counted = walk(on_meta(nn.Conv2d(3, 8, 1)), torch.ones(1, 3, 4, 4, device="meta"))
    assert (counted.macs, counted.operators) == (3 * 8 * 16, 1)
    assert counted.bytes_read == 4 * (3 * 16 + 3 * 8 + 8)
    assert counted.bytes_written == 4 * 8 * 16


@pytest.mark.parametrize("groups", [1, 4])
def test_a_transposed_convolution_counts_its_inputs_positions(groups: int) -> None:
    """Each of 8 x 5 x 5 values meets 12 / groups outputs of 3x3 taps; every other count agrees."""
    layer = nn.ConvTranspose2d(8, 12, 3, 2, groups=groups)
    cost = full_cost(Workload(layer.eval(), torch.ones(1, 8, 5, 5)))
    assert cost.macs_dispatched == 8 * 25 * (12 // groups) * 9
    assert disagreement(cost) is None


def test_views_are_free_and_work_in_place_allocates_nothing() -> None:
    """A flatten is no operator; a ReLU in place writes but makes no storage."""
    model = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.ReLU(inplace=True), nn.Flatten())
    counted = walk(on_meta(model), torch.ones(1, 3, 4, 4, device="meta"))
    assert counted.operators == 2
    assert counted.bytes_written == 2 * 4 * 8 * 16
    assert counted.peak_live_bytes == 4 * 8 * 16


def test_the_peak_counts_what_is_alive_together() -> None:
    """In a chain of equal layers two outputs are alive at once, however long it is."""
    model = nn.Sequential(*[nn.Conv2d(8, 8, 1, bias=False) for _ in range(6)])
    counted = walk(on_meta(model), torch.ones(1, 8, 4, 4, device="meta"))
    assert counted.peak_live_bytes == 2 * 4 * 8 * 16


def test_a_residual_keeps_its_input_alive() -> None:
    """The shortcut, the branch's output and their sum: three tensors."""

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(8, 8, 1, bias=False), nn.Conv2d(8, 8, 1, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            return x + self.second(x)

    counted = walk(on_meta(Residual()), torch.ones(1, 8, 4, 4, device="meta"))
    assert counted.peak_live_bytes == 3 * 4 * 8 * 16


@pytest.mark.parametrize("depth", [3, 6])
def test_a_training_call_keeps_what_its_backward_reads(depth: int) -> None:
    """Every output is kept for the next layer's weight gradient, until that has been made.

    The peak is in the backward's second step: all outputs but one, which the first step was the last to read,
    the gradient going in and the one coming out, two weight gradients, the loss and its gradient.
    """
    model = nn.Sequential(*[nn.Conv2d(8, 8, 1, bias=False) for _ in range(depth)]).to("meta").train()
    counted = walk(model, torch.ones(1, 8, 4, 4, device="meta"))
    value, weight, scalar = 4 * 8 * 16, 4 * 8 * 8, 4
    assert counted.peak_live_bytes == (depth - 1 + 2) * value + 2 * weight + 2 * scalar


def test_a_training_call_counts_no_gradient_of_a_call_before() -> None:
    """Walked twice, a model gives the same counts: gradients are made anew, none is added to."""
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()).to("meta").train()
    example = torch.ones(2, 3, 6, 6, device="meta")
    assert walk(model, example) == walk(model, example)


@pytest.mark.parametrize("wants_input", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("make", [nn.Conv2d, nn.ConvTranspose2d])
def test_each_gradient_of_a_convolution_costs_its_forward(
    make: type[nn.Conv2d], groups: int, bias: bool, wants_input: bool
) -> None:
    """The weight's always, the input's where it is wanted, the bias's never."""
    layer = make(8, 12, 3, 2, groups=groups, bias=bias).to("meta")
    example = torch.ones(1, 8, 7, 7, device="meta", requires_grad=wants_input)
    forward = walk(layer.eval(), example).macs
    assert walk(layer.train(), example).macs == forward * (3 if wants_input else 2)


@settings(max_examples=20, deadline=None)
@given(batch=st.integers(1, 40), size=st.integers(1, 9))
def test_one_items_figures_are_told_from_any_batch(batch: int, size: int) -> None:
    """Two batches apart by one item give what a walk of one item gives; the peak is the batch's, shared."""
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1)).to("meta").train()
    one, told = walk(model, images(1, size)), walk_training(model, images(1, size), batch)
    assert replace(told, peak_live_bytes=0) == replace(one, peak_live_bytes=0)
    whole = walk(model, images(batch, size)).peak_live_bytes
    assert 0 <= told.peak_live_bytes * batch - whole < batch


def images(batch: int, size: int) -> torch.Tensor:
    """Give a batch of images on the meta device."""
    return torch.ones(batch, 3, size, size, device="meta")


@pytest.mark.parametrize(
    ("call", "macs"),
    [
        (lambda a, b: a @ b, 4 * 5 * 6),
        (lambda a, b: torch.bmm(a[None], b[None]), 4 * 5 * 6),
        (lambda a, b: torch.addmm(torch.ones(6, device="meta"), a, b), 4 * 5 * 6),
        (lambda a, b: torch.baddbmm(torch.ones(1, 1, 6, device="meta"), a[None], b[None]), 4 * 5 * 6),
    ],
    ids=["mm", "bmm", "addmm", "baddbmm"],
)
def test_matrix_products_count_their_inner_dimension(call: object, macs: int) -> None:
    """(4, 5) x (5, 6) is 120 MACs in every spelling."""

    class Product(nn.Module):
        def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
            return call(*pair)  # type: ignore[operator]  # a lambda from the table above

    pair = (torch.ones(4, 5, device="meta"), torch.ones(5, 6, device="meta"))
    assert walk(Product().eval(), pair).macs == macs


def test_two_rules_for_one_operator_are_refused() -> None:
    """The table cannot be overwritten by accident."""
    name = next(iter(MAC_RULES))
    with pytest.raises(ValueError, match="two MAC rules"):
        _rule(name)(lambda *_: 0)
