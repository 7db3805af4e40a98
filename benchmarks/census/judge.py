"""One network judged: converted, merged or refused."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.census.field import hold_field, randomise
from benchmarks.census.row import Criterion, Findings, Refused
from octprobe.cost.walk import Walk
from octprobe.errors import OctprobeError, UnrealisableAlphaError, wants_memory
from octprobe.octave import octavize
from octprobe.octave.trace import first_line

ALPHAS = ("0.25", "0.5")
# An octave convolution takes 7/16 of the MACs at one half; a network that keeps more than this has few.
MACS_ALPHA, MACS_LIMIT = "0.5", 0.85
USUAL_SIZE = 224
# Tried in this order. Networks with branches at several strides take only some odd sizes.
ODD_SIZES = (225, 223, 221, 253, 193)
# Small, as float64 and the backward take their time.
SMALL_SIZES = (64, 96, 128, 160, USUAL_SIZE)

Convert = Callable[..., nn.Module]


def judge(vanilla: nn.Module, convert: Convert = octavize) -> Findings:
    """Convert a network at both alphas and hold the results to every criterion; the first failure is told.

    Args:
        vanilla: a network in eval mode with fresh weights; it does not keep them.
        convert: makes it octave, as `octavize` does.

    Raises:
        MemoryError: or what torch raises in its place.
    """
    case = _Case(vanilla, convert)
    try:
        case.run()
    except Refused as refusal:
        return case.findings(criterion=refusal.criterion, reason=str(refusal))
    return case.findings()


class _Case:
    """A network on its way through the criteria, and what is known of it so far."""

    def __init__(self, vanilla: nn.Module, convert: Convert) -> None:
        self._vanilla, self._convert = vanilla, convert
        self._octaves: dict[str, nn.Module] = {}
        config = getattr(vanilla, "pretrained_cfg", None) or {}
        self._is_fixed = bool(config.get("fixed_input_size"))
        self._own_size = int(config.get("input_size", (USUAL_SIZE,))[-1])
        self._figures: dict[str, Any] = {"ratios": {}}
        self._notes: list[str] = []

    def findings(self, **verdict: Any) -> Findings:
        """Give what was found so far."""
        return Findings(**self._figures, notes=tuple(self._notes), **verdict)

    def run(self) -> None:
        """Ask for every criterion; figures that do not hang on the weights come first."""
        torch.manual_seed(0)
        size = self._size()
        self._make_octave(size)
        self._keep_parameters()
        self._count(size)
        self._run_odd()
        small = size if self._is_fixed else self._first_taken(SMALL_SIZES) or size
        randomise(self._vanilla)
        self._train(small)
        hold_field(self._vanilla, self._octaves, small)
        self._save_macs()

    def _size(self) -> int:
        """Choose the size that MACs are counted at."""
        if self._is_fixed:
            self._notes.append(f"made for {self._own_size} px only")
            return self._own_size
        size = self._first_taken((USUAL_SIZE, self._own_size))
        if size is None:
            raise Refused(Criterion.VANILLA, f"vanilla does not run at {USUAL_SIZE} px")
        if size != USUAL_SIZE:
            self._notes.append(f"ran at {size} px for {USUAL_SIZE}")
        return size

    def _make_octave(self, size: int) -> None:
        example = torch.empty(1, 3, size, size)
        for alpha in ALPHAS:
            try:
                octave = self._convert(
                    self._vanilla, alpha, example, on_unknown="merge", share_parameters=True
                )
            except UnrealisableAlphaError as error:
                raise Refused(Criterion.ALPHA, first_line(error)) from error
            except Exception as error:  # whatever a conversion raises refuses the network
                raise _as_refusal(Criterion.CONVERSION, "", error) from error
            self._octaves[alpha] = octave
            conversion: Any = octave.conversion
            places = tuple(conversion.merged)
            self._figures["places"] = max(self._figures.get("places", ()), places, key=len)

    def _keep_parameters(self) -> None:
        shapes = _shapes(self._vanilla)
        for alpha, octave in self._octaves.items():
            if _shapes(octave) != shapes:
                raise Refused(Criterion.PARAMETERS, f"at {alpha} the state has other keys, order or shapes")
            try:
                octave.load_state_dict(self._vanilla.state_dict(), strict=True)
                self._vanilla.load_state_dict(octave.state_dict(), strict=True)
            except RuntimeError as error:
                raise _as_refusal(Criterion.PARAMETERS, f"loading at {alpha}: ", error) from error

    def _count(self, size: int) -> None:
        macs = self._run_at(size, self._vanilla, "vanilla")
        self._figures["macs"] = macs
        for alpha, octave in self._octaves.items():
            self._figures["ratios"][alpha] = self._run_at(size, octave, alpha) / macs

    def _run_odd(self) -> None:
        odd = None if self._is_fixed else self._first_taken(ODD_SIZES)
        if odd is None:
            self._notes.append("takes no odd size")
            return
        if odd != ODD_SIZES[0]:
            self._notes.append(f"ran at {odd} px for {ODD_SIZES[0]}")
        for alpha, octave in self._octaves.items():
            self._run_at(odd, octave, alpha)

    def _run_at(self, size: int, network: nn.Module, name: str) -> int:
        """Run one image, hold the output to shape and finiteness, and give the MACs."""
        try:
            with torch.no_grad(), Walk() as walk:
                output = network(_image(size))
        except Exception as error:  # whatever the network's own operators raise
            raise _as_refusal(Criterion.SIZES, f"{name} at {size} px: ", error) from error
        if not isinstance(output, Tensor) or not bool(output.isfinite().all()):
            raise Refused(Criterion.SIZES, f"{name} at {size} px: the output is not finite")
        return int(walk.counts.macs)

    def _train(self, size: int) -> None:
        images = torch.randn(2, 3, size, size)
        wanted = set(_trained(self._vanilla, images, "vanilla"))
        for alpha, octave in self._octaves.items():
            gradients = _trained(octave, images, alpha)
            for name in sorted(wanted):
                if name not in gradients:
                    raise Refused(Criterion.GRADIENTS, f"at {alpha} {name} gets no gradient")
                if not gradients[name]:
                    raise Refused(Criterion.GRADIENTS, f"at {alpha} the gradient of {name} is not finite")

    def _save_macs(self) -> None:
        ratio = self._figures["ratios"][MACS_ALPHA]
        if ratio > MACS_LIMIT:
            raise Refused(Criterion.MACS, f"MACs at {MACS_ALPHA} are {ratio:.3f} of vanilla's")

    def _first_taken(self, sizes: tuple[int, ...]) -> int | None:
        return next((size for size in sizes if _takes(self._vanilla, size)), None)


def _trained(network: nn.Module, images: Tensor, name: str) -> dict[str, bool]:
    """Go forward and backward in training mode; say of each gradient whether it is finite, by parameter."""
    network.zero_grad(set_to_none=True)
    try:
        output = network.train()(images)
        (output * torch.randn_like(output)).sum().backward()
    except Exception as error:  # whatever the network's own operators raise
        raise _as_refusal(Criterion.GRADIENTS, f"training at {name}: ", error) from error
    finally:
        network.eval()
    parameters = network.named_parameters()
    gradients = {name: bool(p.grad.isfinite().all()) for name, p in parameters if p.grad is not None}
    network.zero_grad(set_to_none=True)
    return gradients


def _takes(network: nn.Module, size: int) -> bool:
    try:
        with torch.no_grad():
            network(_image(size))
    except Exception as error:  # whatever the network's own operators raise
        if wants_memory(error):
            raise
        return False
    return True


def _image(size: int) -> Tensor:
    return torch.randn(1, 3, size, size)


def _shapes(model: nn.Module) -> list[tuple[str, torch.Size]]:
    return [(name, tensor.shape) for name, tensor in model.state_dict().items()]


def _as_refusal(criterion: Criterion, place: str, error: Exception) -> Refused:
    """Make an error the reason of a refusal; a want of memory passes as it was raised."""
    if wants_memory(error):
        raise error
    kind = "" if isinstance(error, OctprobeError | RuntimeError) else f"{type(error).__name__}: "
    return Refused(criterion, f"{place}{kind}{first_line(error)}")
