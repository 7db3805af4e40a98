"""From which batch on OctConv pays: break-evens that differ in the batch only, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from octprobe.explore.break_even import BreakEven
from octprobe.explore.groups import Record


@dataclass(frozen=True)
class Batches:
    """One subject and variant under conditions that differ in the batch only.

    Attributes:
        subject: the network or layer.
        variant: what is not usual of it.
        conditions: what all share; the batch is absent.
        smallest: by batch, ascending, the smallest alpha that is FASTER, as a label; None where none is.
        pays_from: the smallest batch from which on every batch measured has such an alpha; None without one.
    """

    subject: str
    variant: str
    conditions: Record
    smallest: dict[int, str | None]
    pays_from: int | None

    def sentence(self) -> str:
        """Say the finding in plain words."""
        paying = [batch for batch, alpha in self.smallest.items() if alpha is not None]
        if not paying:
            return f"no alpha is FASTER at any batch measured ({_listed(list(self.smallest))})"
        if self.pays_from == next(iter(self.smallest)):
            return f"pays at every batch measured ({_listed(list(self.smallest))})"
        if self.pays_from is not None and self.pays_from == paying[0]:
            return f"pays from batch {self.pays_from} on"
        gaps = [batch for batch in self.smallest if batch not in paying]
        return f"pays at batch {_listed(paying)}, not at {_listed(gaps)}"


def across_batches(findings: Sequence[BreakEven]) -> list[Batches]:
    """Gather break-evens that differ in the batch only; those of a single batch are left out."""
    found: dict[tuple[Any, ...], list[BreakEven]] = {}
    for finding in findings:
        shared = {name: value for name, value in finding.conditions.items() if name != "batch"}
        found.setdefault((finding.subject, finding.variant, *shared.values()), []).append(finding)
    return [_batches(members) for members in found.values() if len(members) > 1]


def _batches(members: Sequence[BreakEven]) -> Batches:
    ordered = sorted(members, key=lambda finding: finding.conditions["batch"] or 0)
    smallest = {
        finding.conditions["batch"]: finding.smallest.alpha if finding.smallest else None
        for finding in ordered
    }
    first = ordered[0]
    return Batches(
        subject=first.subject,
        variant=first.variant,
        conditions={name: value for name, value in first.conditions.items() if name != "batch"},
        smallest=smallest,
        pays_from=_pays_from(smallest),
    )


def _pays_from(smallest: dict[int, str | None]) -> int | None:
    """Walk down from the largest batch as long as each pays."""
    found = None
    for batch in reversed(smallest):
        if smallest[batch] is None:
            break
        found = batch
    return found


def _listed(batches: Sequence[int]) -> str:
    return ", ".join(map(str, batches))
