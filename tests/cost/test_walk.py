"""The walk on meta tensors: MACs, bytes, operators and the live-range peak."""

import pytest
import torch
from torch import nn

from octprobe.cost.count import disagreement, full_cost
from octprobe.cost.walk import MAC_RULES, _rule, walk
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
    assert walk(Product(), pair).macs == macs


def test_two_rules_for_one_operator_are_refused() -> None:
    """The table cannot be overwritten by accident."""
    name = next(iter(MAC_RULES))
    with pytest.raises(ValueError, match="two MAC rules"):
        _rule(name)(lambda *_: 0)
