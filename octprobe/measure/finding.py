"""One thing that was looked at when a machine is examined."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at.
        state: what was found, in a few words.
        usable: whether it can be measured or relied on; None where it is plain information.
        reason: why not, or what to do about it.
    """

    subject: str
    state: str
    usable: bool | None = None
    reason: str | None = None

    @classmethod
    def judged(cls, subject: str, state: str, fault: str | None) -> Self:
        """Give a finding that is usable unless there is a fault, which is its reason."""
        return cls(subject, state, usable=fault is None, reason=fault)
