"""Few patterns of an alpha map that name some convolutions and no others."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, product

from octprobe.octave.alpha_map import covers

# In place of a number: any, or any but 0, as the first block of a stage is often unlike the others.
_ANY, _ANY_BUT_0 = "*", "[!0]*"
_NUMBERED = re.compile(r"(?P<word>.*?)(?P<number>[0-9]+)")
# A name of more parts is taken whole, as each numbered part doubles its forms or more.
_MOST_PARTS = 8


def patterns_for(wanted: Sequence[str], names: Iterable[str], free: Collection[str] = ()) -> tuple[str, ...]:
    """Give patterns that cover the wanted convolutions, and of the others none but free ones.

    Patterns are an alpha map's: `layer1` covers all within it, `layer1.*.conv3` the third of each block.

    Args:
        wanted: module names; each is a pattern of its own if nothing shorter is found.
        names: the names of all convolutions of the network.
        free: names that may be covered and need not be.
    """
    others = set(names) - {*wanted, *free}

    @cache
    def is_exact(pattern: str) -> bool:
        return not any(covers(pattern, name) for name in others)

    reach = {
        pattern: frozenset(name for name in wanted if covers(pattern, name)) for pattern in _forms(wanted)
    }
    left, chosen = set(wanted), []
    while left:
        by_gain = sorted(reach, key=lambda pattern: (-len(reach[pattern] & left), *_plainness(pattern)))
        chosen.append(next(pattern for pattern in by_gain if is_exact(pattern)))
        left -= reach[chosen[-1]]
    return tuple(sorted(chosen, key=lambda pattern: min(map(wanted.index, reach[pattern]))))


def _plainness(pattern: str) -> tuple[int, int]:
    """Order patterns of one reach: few wildcards first, then what says most."""
    return pattern.count(_ANY) + pattern.count("["), -len(pattern)


def _forms(names: Iterable[str]) -> dict[str, None]:
    """Give the patterns that names are instances of: parts left off at their end, numbers replaced."""
    return dict.fromkeys(form for name in names for form in _forms_of(name))


def _forms_of(name: str) -> Iterator[str]:
    parts = name.split(".")
    if len(parts) > _MOST_PARTS:
        yield name
        return
    for choice in product(*map(_forms_of_part, parts)):
        yield from accumulate(choice, "{}.{}".format)


def _forms_of_part(part: str) -> list[str]:
    numbered = _NUMBERED.fullmatch(part)
    if numbered is None:
        return [part]
    may_exclude_0 = not numbered["word"] and int(part) > 0
    return [part, numbered["word"] + _ANY] + ([_ANY_BUT_0] if may_exclude_0 else [])
