"""What else ran while blocks were timed, and how the clock stood: seen, gathered and doubted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from octprobe.store.records import Company, Doubt

# These last as long as the load does: on a small or shared board they are how it always runs. Samples taken
# under them are kept, for nothing else can be had, and doubted. The other reasons pass, and spoil a sample.
LASTING_REASONS = frozenset({"sw_power_cap", "sync_boost"})
# Shares of the processors' time. A quiet machine shows .1 to .7 % of foreign time, its own kernel's, and no
# steal (two processors, Linux 6.18, 2026). Others that take 5 % weigh more than any verdict's band.
FOREIGN_CPU_SHARE = 0.05
# A stolen thread stops all that wait for it, so steal costs more than its share. 2 % are two ticks a second.
STEAL_SHARE = 0.02


@dataclass(frozen=True)
class Glance:
    """What was seen over one block; None where nothing tells.

    Attributes:
        foreign_cpu_seconds: processor time of all that is not this process, its threads included.
        steal_seconds: processor time that the hypervisor gave to others.
        clock_mhz: the device's clock right after the block.
        temperature_c: the device's temperature right after the block, degrees Celsius.
        throttle_reasons: what held the device's clock down; empty where nothing did.
        foreign_processes: other processes on an accelerator.
    """

    foreign_cpu_seconds: float | None = None
    steal_seconds: float | None = None
    clock_mhz: float | None = None
    temperature_c: float | None = None
    throttle_reasons: tuple[str, ...] | None = None
    foreign_processes: int | None = None


class Lookout(Protocol):
    """Looks around before and after a block."""

    def start(self) -> None:
        """Look right before a block."""

    def read(self) -> Glance:
        """Look right after it, and tell what changed since `start`."""


class NoLookout:
    """Sees nothing."""

    def start(self) -> None:
        """See `Lookout`."""

    def read(self) -> Glance:
        """See `Lookout`."""
        return Glance()


def holds_down(glance: Glance) -> bool:
    """Tell a block whose sample is spoilt, for its clock was held down by what passes."""
    return bool(set(glance.throttle_reasons or ()) - LASTING_REASONS)


def summarise_company(kept: Sequence[Glance], discarded: Sequence[Glance] = ()) -> Company:
    """Gather the glances of one point's blocks.

    Args:
        kept: of blocks whose samples were kept, in the order taken.
        discarded: of blocks whose samples were not.
    """
    glances = (*kept, *discarded)
    reasons = [glance.throttle_reasons for glance in glances if glance.throttle_reasons is not None]
    temperatures = [glance.temperature_c for glance in glances if glance.temperature_c is not None]
    processes = [glance.foreign_processes for glance in glances if glance.foreign_processes is not None]
    return Company(
        foreign_cpu_seconds=_of_every_block([glance.foreign_cpu_seconds for glance in kept]),
        steal_seconds=_of_every_block([glance.steal_seconds for glance in kept]),
        clock_mhz=_of_every_block([glance.clock_mhz for glance in kept]),
        temperature_c_max=max(temperatures, default=None),
        throttle_reasons=tuple(sorted(set().union(*reasons))) if reasons else None,
        throttled_samples=len(discarded),
        foreign_processes=max(processes, default=None),
    )


def company_doubts(company: Company, processor_seconds: float) -> tuple[Doubt, ...]:
    """List what the company makes doubtful.

    Args:
        company: of the kept samples.
        processor_seconds: what their blocks took in all, times the processors that this process may use.
    """
    raised = {
        Doubt.CONTAMINATED: _is_contaminated(company, processor_seconds),
        Doubt.THROTTLED: company.throttled_samples > 0 or bool(company.throttle_reasons),
        Doubt.UNKNOWN_CLOCK: company.clock_mhz is None and company.throttle_reasons is None,
    }
    return tuple(doubt for doubt, is_raised in raised.items() if is_raised)


def _is_contaminated(company: Company, processor_seconds: float) -> bool:
    return (
        bool(company.foreign_processes)
        or (company.foreign_cpu_share(processor_seconds) or 0.0) > FOREIGN_CPU_SHARE
        or (company.steal_share(processor_seconds) or 0.0) > STEAL_SHARE
    )


def _of_every_block(figures: list[float | None]) -> tuple[float, ...] | None:
    """Give one figure a block, or None where a block lacks it: a shorter list would not fit the samples."""
    told = tuple(figure for figure in figures if figure is not None)
    return told if told and len(told) == len(figures) else None
