"""The words of a conversion's options, and how one that is none is refused."""

from typing import Any, Literal, get_args

from octprobe.errors import ConversionError

Exchange = Literal["both", "h2l", "l2h", "none"]
Downsample = Literal["average", "strided", "max"]
OctaveKernels = Literal["all", "spatial"]
OnUnknown = Literal["error", "merge"]


def one_of(name: str, value: str, allowed: Any) -> Any:
    """Give a word if it is among those of a literal type.

    Raises:
        ConversionError: it is not.
    """
    words = get_args(allowed)
    if value not in words:
        raise ConversionError(f"{name} is {value!r}; it must be one of {', '.join(words)}")
    return value
