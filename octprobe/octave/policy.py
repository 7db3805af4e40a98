"""The policy: which convolutions a uniform alpha makes octave, as in the networks of the paper."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import fx, nn
from torch.nn.modules.conv import _ConvNd

from octprobe.errors import ConversionError
from octprobe.octave.alpha_map import covers, did_you_mean
from octprobe.octave.fault import is_depthwise, octave_fault
from octprobe.octave.words import OctaveKernels

# The words of `return_at`; anything else is a module's name.
BY_POLICY, AT_THE_END = "policy", "end"

# Blocks that expand their channels, work on the expanded ones, and project them: of timm and torchvision.
_INVERTED = frozenset(
    {
        "InvertedResidual",
        "EdgeResidual",
        "CondConvResidual",
        "UniversalInvertedResidual",
        "MBConv",
        "FusedMBConv",
    }
)
_SEPARABLE = "DepthwiseSeparableConv"


@dataclass(frozen=True)
class Convs:
    """The convolutions of a network that could have octave outputs, in the order of the graph.

    Attributes:
        model: the network.
        positions: number of output positions, by module name.
    """

    model: nn.Module
    positions: Mapping[str, int]

    @property
    def smallest(self) -> int:
        """Give the fewest positions that a convolution which still has space gives."""
        return min((n for n in self.positions.values() if n > 1), default=0)

    def larger(self, names: Sequence[str]) -> list[str]:
        """Give those before the last down-sampling; all of them where there is none after the first."""
        found = [name for name in names if self.positions[name] > self.smallest]
        return found or [name for name in names if self.positions[name] > 1]


@dataclass(frozen=True)
class Policy:
    """What is made octave in one family of networks.

    Attributes:
        family: its name.
        fits: whether a network is one of it.
        candidates: the convolutions that may be octave if the network never returns to alpha 0.
        default: those of the candidates that are octave by the paper's choice.
    """

    family: str
    fits: Callable[[nn.Module], bool]
    candidates: Callable[[Convs], list[str]]
    default: Callable[[Convs, Sequence[str]], list[str]]


def octave_convs(
    model: nn.Module,
    graph: fx.Graph,
    shapes: Mapping[str, Any],
    *,
    octave_kernels: OctaveKernels = "all",
    return_at: str = BY_POLICY,
) -> list[str]:
    """Name the convolutions whose outputs a uniform alpha makes octave.

    Args:
        model: the network.
        graph: its graph.
        shapes: shape of each node's value, by node name.
        octave_kernels: `spatial` leaves the outputs of 1x1 convolutions plain.
        return_at: where the network returns to alpha 0: `policy`, as in the paper; `end`, not before its
            global pooling; or a module's name, from whose first convolution on all is plain.

    Raises:
        ConversionError: the policy finds none, or `return_at` names no module with a convolution.
    """
    convs = _convs(model, graph, shapes)
    policy = policy_of(model)
    candidates = policy.candidates(convs)
    if return_at == BY_POLICY:
        chosen = policy.default(convs, candidates)
    else:
        chosen = _before(model, graph, candidates, return_at)
    if octave_kernels == "spatial":
        chosen = [name for name in chosen if _is_spatial(model, name)]
    if not chosen:
        raise ConversionError(
            f"{type(model).__name__}: the {policy.family} policy finds no convolution between stem and last "
            "down-sampling; name the convolutions in an alpha map"
        )
    return chosen


def policy_of(model: nn.Module) -> Policy:
    """Give the first policy that fits a network; the generic one fits all."""
    return next(policy for policy in POLICIES if policy.fits(model))


def _convs(model: nn.Module, graph: fx.Graph, shapes: Mapping[str, Any]) -> Convs:
    """Gather the convolutions that are no depthwise ones and have an octave form."""
    rank = next((len(shapes.get(node.name, ())) for node in graph.nodes if node.op == "placeholder"), 0)
    positions: dict[str, int] = {}
    for node in graph.nodes:
        module = model.get_submodule(str(node.target)) if node.op == "call_module" else None
        shape = shapes.get(node.name, ())
        if isinstance(module, _ConvNd) and len(shape) == rank and not module.transposed:
            positions.setdefault(str(node.target), _positions(shape))
    return Convs(model, positions)


def _positions(shape: Sequence[int]) -> int:
    space = shape[2:][-2:]
    return int(space[0] * space[-1]) if len(space) > 1 else int(space[0])


def _is_source(convs: Convs, name: str) -> bool:
    conv = convs.model.get_submodule(name)
    return isinstance(conv, _ConvNd) and _is_dense(conv) and octave_fault(conv) is None


def _is_spatial(model: nn.Module, name: str) -> bool:
    conv = model.get_submodule(name)
    return isinstance(conv, _ConvNd) and set(conv.kernel_size) != {1}


def _before(model: nn.Module, graph: fx.Graph, candidates: Sequence[str], return_at: str) -> list[str]:
    """Give the candidates before the first convolution of a module; all of them before the end."""
    if return_at == AT_THE_END:
        return list(candidates)
    if not isinstance(return_at, str):
        raise ConversionError(
            f"return_at is {return_at!r}; write {BY_POLICY}, {AT_THE_END} or a module's name"
        )
    order = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    called = [name for name in order if isinstance(model.get_submodule(name), _ConvNd)]
    first = next((i for i, name in enumerate(called) if covers(return_at, name)), None)
    if first is None:
        hint = did_you_mean(return_at, [*called, BY_POLICY, AT_THE_END])
        raise ConversionError(
            f"return_at is {return_at!r}, which covers no convolution of {type(model).__name__}; "
            f"write {BY_POLICY}, {AT_THE_END} or a module's name{hint}"
        )
    earlier = set(called[:first])
    return [name for name in candidates if name in earlier]


def _has(*parts: str) -> Callable[[nn.Module], bool]:
    def fits(model: nn.Module) -> bool:
        names = {name for name, _ in model.named_modules()}
        return all(part in names for part in parts)

    return fits


def _within(*patterns: str) -> Callable[[Convs], list[str]]:
    """Take the convolutions of some stages."""

    def candidates(convs: Convs) -> list[str]:
        sources = [name for name in convs.positions if _is_source(convs, name)]
        return [name for name in sources if any(covers(pattern, name) for pattern in patterns)]

    return candidates


def _without(*patterns: str) -> Callable[[Convs, Sequence[str]], list[str]]:
    """Leave some stages as they are."""
    return lambda convs, names: [n for n in names if not any(covers(pattern, n) for pattern in patterns)]


def _after_stem(convs: Convs) -> list[str]:
    """Take all but the first convolution of the network."""
    return [name for name in list(convs.positions)[1:] if _is_source(convs, name)]


def _until_last_downsampling(convs: Convs, names: Sequence[str]) -> list[str]:
    return convs.larger(names)


def _all_but_the_last(convs: Convs, names: Sequence[str]) -> list[str]:
    """Return to alpha 0 in the last convolution before the last down-sampling."""
    return convs.larger(names)[:-1]


def _returning_in_the_last(convs: Convs, names: Sequence[str]) -> list[str]:
    return list(names[:-1])


def _blocks(model: nn.Module) -> list[str]:
    # ShuffleNet's blocks of two branches share the name and expand nothing.
    return [
        name
        for name, module in model.named_modules()
        if type(module).__name__ in _INVERTED and not hasattr(module, "branch2")
    ]


def _expansions(convs: Convs) -> list[str]:
    """Take the convolutions that expand the channels of an inverted residual block, as for MobileNetV2."""
    return [name for names in _expansions_of_blocks(convs).values() for name in names]


def _expansions_of_blocks(convs: Convs) -> dict[str, list[str]]:
    """Give each block's first dense convolution, and what shares a module with it, as parts of it do."""
    expansions = {}
    for block in _blocks(convs.model):
        inside = [n for n in convs.positions if n.startswith(f"{block}.") and _is_source(convs, n)]
        if not inside or not _widens(convs.model.get_submodule(inside[0])):
            continue
        module = inside[0].rpartition(".")[0]
        shared = [n for n in inside if n.rpartition(".")[0] == module != block]
        expansions[block] = shared or inside[:1]
    return expansions


def _widens(conv: nn.Module) -> bool:
    return isinstance(conv, _ConvNd) and conv.out_channels > conv.in_channels


def _in_blocks_before_last_downsampling(convs: Convs, names: Sequence[str]) -> list[str]:
    """Leave the block that down-samples last as it is, although it expands its channels before it does."""
    sizes: dict[str, int] = {}
    for block, expansions in _expansions_of_blocks(convs).items():
        inside = [n for name, n in convs.positions.items() if name.startswith(f"{block}.") and n > 1]
        sizes |= dict.fromkeys(expansions, min(inside, default=0))
    kept = [name for name in names if sizes[name] > convs.smallest]
    return kept or list(names)


def _has_expansions(model: nn.Module) -> bool:
    """Tell whether a network has blocks that widen their channels first; other blocks share their names."""
    blocks = (model.get_submodule(block) for block in _blocks(model))
    first = (next((m for m in block.modules() if _is_dense(m)), None) for block in blocks)
    return any(conv is not None and _widens(conv) for conv in first)


def _is_dense(module: nn.Module) -> bool:
    return isinstance(module, _ConvNd) and not is_depthwise(module)


def _is_separable(model: nn.Module) -> bool:
    kinds = {type(module).__name__ for module in model.modules()}
    return _SEPARABLE in kinds and not kinds & _INVERTED


POLICIES: Sequence[Policy] = (
    # The paper (section 4.1) leaves the stem and the last stage of a ResNet as they are.
    Policy(
        "ResNet",
        _has("layer1", "layer2", "layer3", "layer4"),
        _within("layer1", "layer2", "layer3", "layer4"),
        _without("layer4"),
    ),
    # The authors' symbol code: the last transition returns to alpha 0 before it pools.
    Policy(
        "DenseNet",
        _has("features.denseblock4", "features.transition3"),
        _within("features.denseblock?", "features.transition?"),
        _without("features.denseblock4", "features.transition3"),
    ),
    Policy("RegNet", _has("s1", "s2", "s3", "s4"), _within("s1", "s2", "s3", "s4"), _without("s4")),
    Policy(
        "MobileNetV2",
        _has_expansions,
        _expansions,
        _in_blocks_before_last_downsampling,
    ),
    Policy("MobileNetV1", _is_separable, _after_stem, _all_but_the_last),
    Policy(
        "VGG",
        lambda model: type(model).__name__ == "VGG",
        lambda convs: [name for name in _after_stem(convs) if covers("features", name)],
        _returning_in_the_last,
    ),
    Policy("generic", lambda model: True, _after_stem, _until_last_downsampling),
)
