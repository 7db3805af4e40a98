"""The running average of parameters."""

import pytest
import torch
from torch import nn

from octprobe.accuracy.average import RunningAverage


def test_early_steps_weigh_less() -> None:
    """After step n the decay is at most (1 + n) / (10 + n); by hand for two steps."""
    parameter = nn.Parameter(torch.tensor([1.0]))
    average = RunningAverage([parameter], 0.25)
    for steps, value in ((1, 2.0), (2, 3.0)):
        with torch.no_grad():
            parameter.fill_(value)
        average.update(steps)
    first = 2 / 11 * 1.0 + 9 / 11 * 2.0
    assert average.state()[0].item() == pytest.approx(0.25 * first + 0.75 * 3.0)


def test_the_means_take_the_parameters_place() -> None:
    """The parameter objects stay, as an optimiser and other forms hold them."""
    parameter = nn.Parameter(torch.tensor([1.0]))
    average = RunningAverage([parameter], 0.5)
    average.load([torch.tensor([7.0])])
    average.apply()
    assert parameter.item() == 7.0
