"""`OctaveConv2d`: four convolutions out of one weight (arXiv 1904.05049, section 3.2)."""

from fractions import Fraction
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave.frequency import Runs, Value, check_pair, half, pool2, take, upsample_to
from octprobe.octave.pack import Packing, Tensors, is_traced
from octprobe.octave.split import AlphaLike, ChannelSplit, split_channels


class PathKernels(NamedTuple):
    """The weight slices of the four paths and the bias of each output; None where there is no such path."""

    h2h: Tensor | None
    h2l: Tensor | None
    l2h: Tensor | None
    l2l: Tensor | None
    bias_high: Tensor | None
    bias_low: Tensor | None


def is_depthwise(conv: "nn.Conv2d | OctaveConv2d") -> bool:
    """Tell whether every input channel has outputs of its own."""
    return conv.groups == conv.in_channels > 1


def octave_fault(conv: nn.Conv2d) -> str | None:
    """Say why a convolution has no octave form; None where it has one.

    Octave-able are convolutions whose output is as large as their input, or half as large rounded up, so that
    the low output stays half of the high one.
    """
    if conv.stride not in {(1, 1), (2, 2)}:
        return f"stride is {conv.stride}; it must be 1 or 2, equal on both axes"
    halves = conv.stride == (2, 2)
    if isinstance(conv.padding, str):
        if conv.padding == "valid" and set(conv.kernel_size) != {1}:
            return "padding is 'valid'; it must keep the size: 2 * padding = dilation * (kernel_size - 1)"
        return None
    spans = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
    if [2 * p for p in conv.padding] != spans:
        return f"padding is {conv.padding}; 2 * padding must be dilation * (kernel_size - 1) = {tuple(spans)}"
    if halves and any(k % 2 == 0 for k in conv.kernel_size):
        return f"kernel_size is {conv.kernel_size}; it must be odd at stride 2"
    return None


class OctaveConv2d(Packing):
    """A convolution between values of two frequencies, with exactly the parameters of `nn.Conv2d`.

    `forward` takes a tensor (B, C_in, H, W) where `alpha_in` is 0, else a pair (high, low) of
    (B, C_high, H, W) and (B, C_low, ceil(H/2), ceil(W/2)); it gives a tensor where `alpha_out` is 0, else a
    pair. At alpha 1 the high part has no channels, (B, 0, H, W): it carries the size alone. `split_plain`
    makes a pair of a tensor at any alpha.

    At stride 2 the high input is average-pooled first and the paths run at stride 1, so with both alphas 0,
    where this is the plain strided convolution, it is not the limit of small alphas.

    Attributes:
        weight: (C_out, C_in / groups, k, k), in the plain convolution's channel order.
        bias: (C_out,) or None.
        split_in: channels of the input and which of them are low.
        split_out: the same for the output.

    Raises:
        ConversionError: the convolution has no octave form, or alpha is not in [0, 1].
        UnrealisableAlphaError: the groups do not divide the low channels.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(  # the arguments of nn.Conv2d, in its order
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: str | int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        alpha_in: AlphaLike,
        alpha_out: AlphaLike,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,  # type: ignore[arg-type]  # torch types it as a literal and checks it itself
            device=device,
            dtype=dtype,
        )
        partitions = 1 if is_depthwise(conv) else groups
        self._adopt(
            conv,
            split_channels(in_channels, alpha_in, partitions),
            split_channels(out_channels, alpha_out, partitions),
        )

    @classmethod
    def from_conv(cls, conv: nn.Conv2d, split_in: ChannelSplit, split_out: ChannelSplit) -> Self:
        """Make the octave form of a convolution; it holds the same Parameter objects.

        Args:
            conv: the plain convolution.
            split_in: its input's channels and which of them are low, such as `split_channels(64, 0.5)`.
            split_out: the same for its output.

        Raises:
            ConversionError: there is no octave form, or the splits do not fit the channels or groups.
        """
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module._adopt(conv, split_in, split_out)
        return module

    def _adopt(self, conv: nn.Conv2d, split_in: ChannelSplit, split_out: ChannelSplit) -> None:
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        self.kernel_size, self.stride = conv.kernel_size, conv.stride
        self.padding, self.padding_mode = conv.padding, conv.padding_mode
        self.dilation, self.groups = conv.dilation, conv.groups
        self.split_in, self.split_out = split_in, split_out
        self.training = conv.training
        self.weight, self.bias = conv.weight, conv.bias
        self._edge = list(conv._reversed_padding_repeated_twice)
        self.is_plain = split_in.is_plain and split_out.is_plain
        self.halves = conv.stride == (2, 2)
        fault = None if self.is_plain else octave_fault(conv)
        if fault is not None:
            raise ConversionError(f"this convolution has no octave form: {fault}")
        self._columns = self._columns_of_groups()
        self.drop_pack()

    @property
    def alpha_in(self) -> Fraction:
        """Give the realised share of low input channels, an exact fraction."""
        return self.split_in.alpha

    @property
    def alpha_out(self) -> Fraction:
        """Give the realised share of low output channels, an exact fraction."""
        return self.split_out.alpha

    @property
    def low_in(self) -> tuple[int, ...]:
        """Give the original numbers of the low input channels, ascending."""
        return self.split_in.low

    @property
    def low_out(self) -> tuple[int, ...]:
        """Give the original numbers of the low output channels, ascending."""
        return self.split_out.low

    def forward(self, x: Value) -> Value:
        """Convolve a tensor or a pair; see the class for shapes."""
        if self.is_plain:
            return self._plain(x)
        high, low = self._parts(x)
        kernels = PathKernels(*self.derived())
        if self.halves:
            high = self._halved(high)
        if self.split_out.is_plain:
            return self._to_high(high, low, kernels)
        return self._to_high(high, low, kernels), self._to_low(high, low, kernels)

    def extra_repr(self) -> str:
        """Describe the layer as `nn.Conv2d` does, with its alphas."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        text += f", padding={self.padding!r}, alpha_in={self.alpha_in}, alpha_out={self.alpha_out}"
        for name, usual in (("dilation", (1, 1)), ("groups", 1), ("padding_mode", "zeros")):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)!r}"
        return text if self.bias is not None else text + ", bias=False"

    def pack_sources(self) -> Tensors:
        """Give weight and bias."""
        return self.weight, self.bias

    def slices(self) -> PathKernels:
        """Give the four paths as slices of the weight, in the original channel order."""
        exchange = not is_depthwise(self)
        bias = self.bias
        ins, outs = self._columns, self.split_out
        return PathKernels(
            self._slice(outs.high_runs, ins.high_runs),
            self._slice(outs.low_runs, ins.high_runs) if exchange else None,
            self._slice(outs.high_runs, ins.low_runs) if exchange else None,
            self._slice(outs.low_runs, ins.low_runs),
            None if bias is None or not outs.high else take(bias, outs.high_runs),
            None if bias is None or not outs.low else take(bias, outs.low_runs),
        )

    def packed_slices(self) -> PathKernels:
        """Give the four paths as copies in the weight's memory format."""
        plain = self.weight.is_contiguous()
        memory_format = torch.contiguous_format if plain else torch.channels_last
        slices = self.slices()
        return PathKernels(
            *(None if k is None else k.clone(memory_format=memory_format) for k in slices[:4]),
            *(None if b is None else b.clone() for b in slices[4:]),
        )

    def _slice(self, rows: Runs, columns: Runs) -> Tensor | None:
        if is_depthwise(self):
            return take(self.weight, rows) if rows else None
        return take(take(self.weight, columns, 1), rows) if rows and columns else None

    def _columns_of_groups(self) -> ChannelSplit:
        if is_depthwise(self):
            if self.split_in.repeat_each(self.out_channels // self.in_channels) != self.split_out:
                raise ConversionError(
                    "a depthwise convolution exchanges nothing: its output must split as its input"
                )
            return self.split_in
        columns = self.split_in.within_groups(self.groups)
        if columns is None or self.split_out.within_groups(self.groups) is None:
            raise ConversionError(f"the low channels are not the same in each of the {self.groups} groups")
        return columns

    def _plain(self, x: Value) -> Tensor:
        if not isinstance(x, Tensor):
            raise ConversionError("both alphas are 0; the input must be one tensor, not a pair")
        return self._convolve(x, self.weight, self.bias, self.stride)

    def _parts(self, x: Value) -> tuple[Tensor, Tensor | None]:
        if isinstance(x, Tensor):
            if not self.split_in.is_plain:
                raise ConversionError(f"alpha_in is {self.alpha_in}; the input must be a pair (high, low)")
            return x, None
        if self.split_in.is_plain:
            raise ConversionError("alpha_in is 0; the input must be one tensor, not a pair")
        # A compiler or tracer would turn the check into guards or warnings; eager code has made it before.
        if not (torch.compiler.is_compiling() or is_traced()):
            check_pair(x, "OctaveConv2d")
        return x

    def _halved(self, high: Tensor) -> Tensor:
        if self.split_in.high:
            return pool2(high)
        return high.new_empty((high.shape[0], 0, half(high.shape[2]), half(high.shape[3])))

    def _to_high(self, high: Tensor, low: Tensor | None, kernels: PathKernels) -> Tensor:
        if not self.split_out.high:
            # No view: an in-place activation on one would be a change of the input, whose gradient is due.
            return high.new_empty((high.shape[0], 0, *high.shape[2:]))
        out = None
        if kernels.h2h is not None:
            out = self._path(high, kernels.h2h, kernels.bias_high)
        if low is not None and kernels.l2h is not None:
            exchanged = self._path(low, kernels.l2h, kernels.bias_high if out is None else None)
            # At stride 2 the low input already has the size of the high output.
            exchanged = exchanged if self.halves else upsample_to(exchanged, high)
            out = exchanged if out is None else out + exchanged
        return self._present(out)

    def _to_low(self, high: Tensor, low: Tensor | None, kernels: PathKernels) -> Tensor:
        out = None
        if kernels.h2l is not None:
            out = self._path(pool2(high), kernels.h2l, kernels.bias_low)
        if low is not None and kernels.l2l is not None:
            inside = self._path(
                pool2(low) if self.halves else low, kernels.l2l, kernels.bias_low if out is None else None
            )
            out = inside if out is None else out + inside
        return self._present(out)

    def _present(self, out: Tensor | None) -> Tensor:
        if out is None:
            raise ConversionError("no path leads to this output")
        return out

    def _path(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return self._convolve(x, weight, bias, (1, 1))

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...]) -> Tensor:
        groups = weight.shape[0] // (self.out_channels // self.groups) if is_depthwise(self) else self.groups
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = functional.pad(x, self._edge, mode=self.padding_mode), (0, 0)
        return functional.conv2d(x, weight, bias, stride, padding, self.dilation, groups)
