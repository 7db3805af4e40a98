"""fvcore with handles for what it leaves out."""

import torch
from torch import nn

from octprobe.cost.fvcore_count import fvcore_count


def test_padding_same_is_counted() -> None:
    """fvcore alone counts 0 for it, as torch records another operator."""
    counted = fvcore_count(nn.Conv2d(3, 8, 3, padding="same", bias=False).eval(), torch.ones(1, 3, 6, 6))
    assert counted.macs == 3 * 8 * 9 * 36


def test_macs_and_element_wise_work_are_apart() -> None:
    """A convolution, a norm, an addition and pools: only the first and the linear layer are MACs."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.pool = (
                nn.Conv2d(4, 4, 1, bias=False),
                nn.BatchNorm2d(4),
                nn.AvgPool2d(2),
            )
            self.head = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head((self.pool(x + self.norm(self.conv(x)))).mean((2, 3)))

    counted = fvcore_count(Net().eval(), torch.ones(1, 4, 4, 4))
    assert counted.macs == 4 * 4 * 16 + 4 * 3
    # norm 2 an element (fvcore's rule in eval), add 1, pool 1 an input element, mean 1 an input element
    assert counted.elementwise_flops == 2 * 64 + 64 + 64 + 16
    assert counted.uncounted_ops == {}


def test_what_has_no_handle_is_named_and_numbered() -> None:
    """An operator without a rule is a result of its own, never a silent nothing."""

    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cumsum(torch.cumsum(x, 0), 0)

    assert fvcore_count(Odd(), torch.ones(3)).uncounted_ops == {"aten::cumsum": 2}
