"""Octave convolutions: four convolutions out of one weight (arXiv 1904.05049, section 3.2)."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from octprobe.errors import ConversionError
from octprobe.octave.fault import is_depthwise, octave_fault
from octprobe.octave.frequency import Value, check_pair, downsampled, half, upsample_to
from octprobe.octave.pack import Packing, Tensors, is_traced
from octprobe.octave.paths import PathKernels, Paths
from octprobe.octave.split import AlphaLike, ChannelSplit, split_channels
from octprobe.octave.words import Downsample, Exchange, one_of

_CONVOLVE: dict[int, Callable[..., Any]] = {
    1: functional.conv1d,
    2: functional.conv2d,
    3: functional.conv3d,
}
_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
_Size = int | tuple[int, ...]


class OctaveConv(Packing):
    """A convolution between values of two frequencies, with exactly the parameters of torch's.

    `forward` takes a tensor (B, C_in, H, W) where `alpha_in` is 0, else a pair (high, low) of
    (B, C_high, H, W) and (B, C_low, ceil(H/2), ceil(W/2)); it gives a tensor where `alpha_out` is 0, else a
    pair. At alpha 1 the high part has no channels, (B, 0, H, W): it carries the size alone. `split_plain`
    makes a pair of a tensor at any alpha. In (B, C, T, H, W) time is halved nowhere, and keeps its stride.

    At stride 2 the high input is down-sampled first and the paths run at stride 1, so with both alphas 0,
    where this is the plain strided convolution, it is not the limit of small alphas. With `downsample`
    strided no path pools: those to a smaller size are strided convolutions.

    Attributes:
        weight: (C_out, C_in / groups, k, k), in the plain convolution's channel order.
        bias: (C_out,) or None.
        split_in: channels of the input and which of them are low.
        split_out: the same for the output.
        exchange: which of the paths between the frequencies there are: both, h2l, l2h or none; at a border,
            where input or output has one frequency only, all are there.
        downsample: how a high value becomes low: average, strided or max.

    Raises:
        ConversionError: the convolution has no octave form, or an argument is not what it may be.
        UnrealisableAlphaError: the groups do not divide the low channels.
    """

    plain_class: ClassVar[type[nn.modules.conv._ConvNd]]
    weight: Tensor
    bias: Tensor | None

    def __init__(  # the arguments of nn.Conv2d, in its order
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Size,
        stride: _Size = 1,
        padding: str | _Size = 0,
        dilation: _Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        alpha_in: AlphaLike,
        alpha_out: AlphaLike,
        exchange: Exchange = "both",
        downsample: Downsample = "average",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        make: Callable[..., nn.modules.conv._ConvNd] = self.plain_class
        conv = make(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device=device,
            dtype=dtype,
        )
        partitions = 1 if is_depthwise(conv) else groups
        self._adopt(
            conv,
            split_channels(in_channels, alpha_in, partitions),
            split_channels(out_channels, alpha_out, partitions),
            exchange,
            downsample,
        )

    @classmethod
    def from_conv(
        cls,
        conv: nn.modules.conv._ConvNd,
        split_in: ChannelSplit,
        split_out: ChannelSplit,
        *,
        exchange: Exchange = "both",
        downsample: Downsample = "average",
    ) -> Self:
        """Make the octave form of a convolution; it holds the same Parameter objects.

        Args:
            conv: the plain convolution.
            split_in: its input's channels and which of them are low, such as `split_channels(64, 0.5)`.
            split_out: the same for its output.
            exchange: which paths between the frequencies there are.
            downsample: how a high value becomes low.

        Raises:
            ConversionError: there is no octave form, or the splits do not fit the channels or groups.
        """
        module = cls.__new__(cls)
        nn.Module.__init__(module)
        module._adopt(conv, split_in, split_out, exchange, downsample)
        return module

    def _adopt(
        self,
        conv: nn.modules.conv._ConvNd,
        split_in: ChannelSplit,
        split_out: ChannelSplit,
        exchange: Exchange,
        downsample: Downsample,
    ) -> None:
        self.in_channels, self.out_channels = conv.in_channels, conv.out_channels
        self.kernel_size, self.stride = conv.kernel_size, conv.stride
        self.padding, self.padding_mode = conv.padding, conv.padding_mode
        self.dilation, self.groups = conv.dilation, conv.groups
        self.split_in, self.split_out = split_in, split_out
        self.exchange = one_of("exchange", exchange, Exchange)
        self.downsample = one_of("downsample", downsample, Downsample)
        self.training = conv.training
        self.weight, self.bias = conv.weight, conv.bias
        self._edge = list(conv._reversed_padding_repeated_twice)
        self.is_plain = split_in.is_plain and split_out.is_plain
        self.halves = conv.stride[-1] == 2
        fault = None if self.is_plain else octave_fault(conv)
        if fault is not None:
            raise ConversionError(f"this convolution has no octave form: {fault}")
        columns = self._columns_of_groups()
        self.paths = Paths(split_in, split_out, columns, exchange, is_depthwise(conv))
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

    def has_path(self, source: str, target: str) -> bool:
        """Tell whether there is a path from one frequency, `h` or `l`, to another."""
        return self.paths.has(source, target)

    def forward(self, x: Value) -> Value:
        """Convolve a tensor or a pair; see the class for shapes."""
        if self.is_plain:
            return self._plain(x)
        high, low = self._parts(x)
        kernels = PathKernels(*self.derived())
        halvings = 1 if self.halves else 0
        if self.halves and self.downsample != "strided":
            high, halvings = self._halved(high), 0
        if self.split_out.is_plain:
            return self._to_high(high, low, kernels, halvings)
        return self._to_high(high, low, kernels, halvings), self._to_low(high, low, kernels, halvings)

    def extra_repr(self) -> str:
        """Describe the layer as torch's convolutions do, with its alphas."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        )
        text += f", padding={self.padding!r}, alpha_in={self.alpha_in}, alpha_out={self.alpha_out}"
        ones = (1,) * len(self.kernel_size)
        usual = {
            "dilation": ones,
            "groups": 1,
            "padding_mode": "zeros",
            "exchange": "both",
            "downsample": "average",
        }
        for name, value in usual.items():
            if getattr(self, name) != value:
                text += f", {name}={getattr(self, name)!r}"
        return text if self.bias is not None else text + ", bias=False"

    def pack_sources(self) -> Tensors:
        """Give weight and bias."""
        return self.weight, self.bias

    def full_weight(self) -> Tensor:
        """Give the weight that the paths are slices of; it derives from `pack_sources` alone."""
        return self.weight

    def slices(self) -> PathKernels:
        """Give the four paths as slices of the weight, in the original channel order."""
        return self.paths.slices(self.full_weight(), self.bias)

    def packed_slices(self) -> PathKernels:
        """Give the four paths as copies in the weight's memory format."""
        plain = self.weight.is_contiguous()
        last = _CHANNELS_LAST.get(self.weight.dim(), torch.contiguous_format)
        memory_format = torch.contiguous_format if plain else last
        slices = self.slices()
        return PathKernels(
            *(None if k is None else k.clone(memory_format=memory_format) for k in slices[:4]),
            *(None if b is None else b.clone() for b in slices[4:]),
        )

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
        return self._convolve(x, self.full_weight(), self.bias, self.stride)

    def _parts(self, x: Value) -> tuple[Tensor, Tensor | None]:
        if isinstance(x, Tensor):
            if not self.split_in.is_plain:
                raise ConversionError(f"alpha_in is {self.alpha_in}; the input must be a pair (high, low)")
            return x, None
        if self.split_in.is_plain:
            raise ConversionError("alpha_in is 0; the input must be one tensor, not a pair")
        # A compiler or tracer would turn the check into guards or warnings; eager code has made it before.
        if not (torch.compiler.is_compiling() or is_traced()):
            check_pair(x, type(self).__name__)
        return x

    def _halved(self, high: Tensor) -> Tensor:
        if self.split_in.high:
            return downsampled(high, self.downsample)
        return high.new_empty((high.shape[0], 0, *high.shape[2:-2], *map(half, high.shape[2:][-2:])))

    def _to_high(self, high: Tensor, low: Tensor | None, kernels: PathKernels, halvings: int) -> Tensor:
        if not self.split_out.high:
            return self._no_channels(high, halvings)
        out = None
        if kernels.h2h is not None:
            out = self._path(high, kernels.h2h, kernels.bias_high, halvings)
        if low is not None and kernels.l2h is not None:
            exchanged = self._path(low, kernels.l2h, kernels.bias_high if out is None else None, 0)
            # At stride 2 the low input already has the size of the high output.
            exchanged = exchanged if self.halves else upsample_to(exchanged, high)
            out = exchanged if out is None else out + exchanged
        return self._present(out)

    def _to_low(self, high: Tensor, low: Tensor | None, kernels: PathKernels, halvings: int) -> Tensor:
        out = None
        if kernels.h2l is not None:
            out = self._smaller(high, kernels.h2l, kernels.bias_low, halvings + 1)
        if low is not None and kernels.l2l is not None:
            bias = kernels.bias_low if out is None else None
            inside = self._smaller(low, kernels.l2l, bias, 1 if self.halves else 0)
            out = inside if out is None else out + inside
        return self._present(out)

    def _no_channels(self, high: Tensor, halvings: int) -> Tensor:
        size = high.shape[2:]
        space = map(half, size[-2:]) if halvings else size[-2:]
        # No view: an in-place activation on one would be a change of the input, whose gradient is due.
        return high.new_empty((high.shape[0], 0, *self._time_out(size[:-2]), *space))

    def _time_out(self, time: Sequence[int]) -> tuple[int, ...]:
        if self.padding == "same":
            return tuple(time)
        padding = 0 if isinstance(self.padding, str) else self.padding[0]
        reach = self.dilation[0] * (self.kernel_size[0] - 1) + 1
        return tuple((t + 2 * padding - reach) // self.stride[0] + 1 for t in time)

    def _present(self, out: Tensor | None) -> Tensor:
        if out is None:
            raise ConversionError("no path leads to this output")
        return out

    def _smaller(self, x: Tensor, weight: Tensor, bias: Tensor | None, halvings: int) -> Tensor:
        if halvings and self.downsample != "strided":
            return self._path(downsampled(x, self.downsample), weight, bias, 0)
        return self._path(x, weight, bias, halvings)

    def _path(self, x: Tensor, weight: Tensor, bias: Tensor | None, halvings: int) -> Tensor:
        """Convolve at stride 1, or so that space is halved so often; time keeps its stride."""
        space = min(len(self.stride), 2)
        stride = (*self.stride[:-space], *(2**halvings,) * space)
        return self._convolve(x, weight, bias, stride)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, ...]) -> Tensor:
        groups = weight.shape[0] // (self.out_channels // self.groups) if is_depthwise(self) else self.groups
        padding: str | tuple[int, ...] = self.padding
        if self.padding_mode != "zeros":
            x, padding = functional.pad(x, self._edge, mode=self.padding_mode), (0,) * len(stride)
        elif isinstance(padding, str) and max(stride) > 1:
            x, padding = functional.pad(x, self._edge), (0,) * len(stride)
        out: Tensor = _CONVOLVE[len(stride)](x, weight, bias, stride, padding, self.dilation, groups)
        return out


class OctaveConv1d(OctaveConv):
    """An octave `nn.Conv1d`, on (B, C, L): the low part is half as long."""

    plain_class = nn.Conv1d


class OctaveConv2d(OctaveConv):
    """An octave `nn.Conv2d`, on (B, C, H, W)."""

    plain_class = nn.Conv2d


class OctaveConv3d(OctaveConv):
    """An octave `nn.Conv3d`, on (B, C, T, H, W): the low part is half as high and wide, not half as long."""

    plain_class = nn.Conv3d
