"""The four paths of an octave convolution: which there are, and which slice of the one weight each takes."""

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from octprobe.octave.frequency import Runs, take
from octprobe.octave.split import ChannelSplit
from octprobe.octave.words import Exchange


class PathKernels(NamedTuple):
    """The weight slices of the four paths and the bias of each output; None where there is no such path."""

    h2h: Tensor | None
    h2l: Tensor | None
    l2h: Tensor | None
    l2l: Tensor | None
    bias_high: Tensor | None
    bias_low: Tensor | None


@dataclass(frozen=True)
class Paths:
    """The paths between the frequencies of a convolution's input and output.

    Attributes:
        split_in: channels of the input and which of them are low.
        split_out: the same for the output.
        columns: the same for the weight's second dimension: the input's channels within one group.
        exchange: which of the paths between the frequencies there are; at a border, where input or output has
            one frequency only, all are there.
        is_depthwise: whether channels do not mix at all.
    """

    split_in: ChannelSplit
    split_out: ChannelSplit
    columns: ChannelSplit
    exchange: Exchange
    is_depthwise: bool

    def has(self, source: str, target: str) -> bool:
        """Tell whether there is a path from one frequency, `h` or `l`, to another."""
        if not _runs(self.split_in, source) or not _runs(self.split_out, target):
            return False
        if source == target:
            return True
        if self.is_depthwise:
            return False
        # At a border it is the only way in or out of the low channels: it stays, whatever is asked.
        is_border = not all(_runs(split, f) for split in (self.split_in, self.split_out) for f in "hl")
        return is_border or self.exchange in {"both", f"{source}2{target}"}

    def slices(self, weight: Tensor, bias: Tensor | None) -> PathKernels:
        """Give the four paths as differentiable slices, in the original channel order.

        Args:
            weight: (C_out, C_in / groups, k, k).
            bias: (C_out,) or None.
        """
        return PathKernels(
            self._slice(weight, "h", "h"),
            self._slice(weight, "h", "l"),
            self._slice(weight, "l", "h"),
            self._slice(weight, "l", "l"),
            *(self._bias(bias, frequency) for frequency in "hl"),
        )

    def _slice(self, weight: Tensor, source: str, target: str) -> Tensor | None:
        if not self.has(source, target):
            return None
        rows = _runs(self.split_out, target)
        if self.is_depthwise:
            return take(weight, rows)
        return take(take(weight, _runs(self.columns, source), 1), rows)

    def _bias(self, bias: Tensor | None, frequency: str) -> Tensor | None:
        runs = _runs(self.split_out, frequency)
        return take(bias, runs) if bias is not None and runs else None


def _runs(split: ChannelSplit, frequency: str) -> Runs:
    return split.low_runs if frequency == "l" else split.high_runs
