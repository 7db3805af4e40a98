"""What people type on the command line, made into plain values."""

from decimal import Decimal

from octprobe.errors import UsageError
from octprobe.plan.point import AlphaMap, exact_alpha


def parse_alpha(text: str) -> Decimal | AlphaMap:
    """Read `0.5`, or ordered pairs `layer1=0.5,layer2.*=0.25` of which the last match wins.

    Raises:
        UsageError: neither a number in [0, 1] nor such pairs.
    """
    try:
        if "=" not in text:
            return exact_alpha(text)
        pairs = [pair.rpartition("=") for pair in text.split(",")]
        if any(not pattern.strip() for pattern, _, _ in pairs):
            raise ValueError("each pair is pattern=alpha")
        return tuple((pattern.strip(), exact_alpha(alpha.strip())) for pattern, _, alpha in pairs)
    except ValueError as error:
        raise UsageError(f"--alpha {text}: {error}; give 0.5, or layer1=0.5,layer2=0.25") from None


def parse_names(text: str | None) -> frozenset[str]:
    """Read a comma-separated list of names; nothing is the empty set."""
    return frozenset(name.strip() for name in (text or "").split(",") if name.strip())
