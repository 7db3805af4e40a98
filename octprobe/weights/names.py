"""The names of a checkpoint turned into the network's own, where only its maker's habits lie between them."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

_Value = TypeVar("_Value")

# What DistributedDataParallel, torch.compile and the classes of training programs put before every name.
_PREFIXES = ("module.", "_orig_mod.", "model.")

# efficientnet_pytorch numbers its blocks through; timm counts within a stage and names parts by place.
_TRUNK = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_GATE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
} | _GATE
_SEPARABLE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"} | _GATE
_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")
_TIMM_BLOCK = re.compile(r"blocks\.\d+\.\d+")


def in_names_of(network: Sequence[str], state: Mapping[str, _Value]) -> dict[str, _Value]:
    """Give a state dict under the names that a network uses; what cannot be told keeps its name.

    Prefixes of wrappers go, and EfficientNets of efficientnet_pytorch get timm's names.

    Args:
        network: the names of the network's own state dict, in order.
        state: the checkpoint's tensors by name.
    """
    renamed = dict(state)
    foreign = [prefix for prefix in _PREFIXES if not _any_starts(network, prefix)]
    while prefix := next((p for p in foreign if _all_start(renamed, p)), None):
        renamed = {name.removeprefix(prefix): value for name, value in renamed.items()}
    if _any_starts(renamed, "_blocks.") and not _any_starts(network, "_blocks."):
        renamed = _in_timm_names(network, renamed)
    return renamed


def _all_start(names: Mapping[str, object], prefix: str) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)


def _any_starts(names: Sequence[str] | Mapping[str, object], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def _in_timm_names(network: Sequence[str], state: Mapping[str, _Value]) -> dict[str, _Value]:
    blocks = list(dict.fromkeys(found[0] for found in map(_TIMM_BLOCK.match, network) if found))
    parts = filter(None, map(_BLOCK.fullmatch, state))
    expanding = {number for number, part, _ in (found.groups() for found in parts) if part == "_expand_conv"}
    return {_timm_name(name, blocks, expanding): value for name, value in state.items()}


def _timm_name(name: str, blocks: Sequence[str], expanding: set[str]) -> str:
    if block := _BLOCK.fullmatch(name):
        number, part, leaf = block.groups()
        parts = _EXPANDING if number in expanding else _SEPARABLE
        known = part in parts and int(number) < len(blocks)
        return f"{blocks[int(number)]}.{parts[part]}.{leaf}" if known else name
    part, _, leaf = name.rpartition(".")
    return f"{_TRUNK[part]}.{leaf}" if part in _TRUNK else name
