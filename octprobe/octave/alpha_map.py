"""Alpha maps: which convolutions a pattern over module names speaks of, and which alpha it gives them."""

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from fractions import Fraction

from octprobe.errors import ConversionError
from octprobe.octave.split import AlphaLike, exact_alpha


def covers(pattern: str, name: str) -> bool:
    """Tell whether a pattern matches a module's name, or the name of a module that it lies in."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def alphas_of_map(
    alpha_map: Mapping[str, AlphaLike], convs: Iterable[str], kinds: Mapping[str, str] | None = None
) -> dict[str, Fraction]:
    """Give the alpha of every convolution that an alpha map speaks of; the last match wins.

    Args:
        alpha_map: alpha by pattern, in order.
        convs: names of the network's convolutions.
        kinds: class names of all its modules by module name, for the message about what is no convolution.

    Raises:
        ConversionError: an alpha is not in [0, 1], or a pattern is no string or matches no convolution.
    """
    names = list(convs)
    alphas: dict[str, Fraction] = {}
    for pattern, alpha in alpha_map.items():
        if not isinstance(pattern, str):
            raise ConversionError(f"alpha map: {pattern!r} is no pattern; it must be a string")
        share = _alpha_at(pattern, alpha)
        matched = [name for name in names if covers(pattern, name)]
        if not matched:
            kind = (kinds or {}).get(pattern) if pattern else None
            hint = f"; it is a {kind}" if kind else did_you_mean(pattern, names)
            raise ConversionError(f"alpha map: {pattern!r} matches no convolution{hint}")
        alphas |= dict.fromkeys(matched, share)
    return alphas


def _alpha_at(pattern: str, alpha: AlphaLike) -> Fraction:
    try:
        return exact_alpha(alpha)
    except ConversionError as error:
        raise ConversionError(f"alpha map: {pattern!r}: {error}") from None


def did_you_mean(pattern: str, names: list[str]) -> str:
    """Give the module name nearest to a pattern that matches none, as a hint; empty where none is near."""
    prefixes = dict.fromkeys(".".join(name.split(".")[:depth]) for name in names for depth in range(1, 9))
    near = difflib.get_close_matches(pattern, prefixes, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
