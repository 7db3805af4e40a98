"""The rules, one small function an operator; what is not here is an error or a merge."""

from octprobe.octave.rules import (
    activations,
    arithmetic,
    channels,
    convolutions,
    exits,
    norms,
    pools,
    sizes,
)
from octprobe.octave.table import RULES

__all__ = [
    "RULES",
    "activations",
    "arithmetic",
    "channels",
    "convolutions",
    "exits",
    "norms",
    "pools",
    "sizes",
]
