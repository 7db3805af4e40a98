"""Which block is timed next: seeded random rounds of adjacent pairs."""

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """One block of a subject, with a block of its neighbour right before or after it.

    Attributes:
        subject: whose sample this is.
        neighbour: the anchor, or None for a subject timed alone.
        neighbour_first: whether the neighbour's block comes first.
    """

    subject: str
    neighbour: str | None = None
    neighbour_first: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        """Give the blocks in the order they are timed."""
        if self.neighbour is None:
            return (self.subject,)
        pair = (self.subject, self.neighbour)
        return pair[::-1] if self.neighbour_first else pair


def plan_round(counts: Mapping[str, int], anchor: str | None, generator: random.Random) -> list[Visit]:
    """Shuffle the visits of one round.

    Args:
        counts: blocks wanted of each subject.
        anchor: the subject that every other is paired with; its own blocks, and all where there is no anchor,
            are timed alone.
        generator: seeded source of the order; which of a pair comes first is random too, so that neither
            profits from a clock that climbs or falls.
    """
    visits = []
    for subject, count in counts.items():
        neighbour = None if subject == anchor else anchor
        visits += [
            Visit(subject, neighbour, neighbour is not None and generator.random() < 0.5)
            for _ in range(count)
        ]
    generator.shuffle(visits)
    return visits
