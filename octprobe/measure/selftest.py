"""How often the verdict is right on this machine: equal work told apart, known differences missed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median

import torch

from octprobe.measure.company import Lookout
from octprobe.measure.device import Call, Device
from octprobe.measure.execution import in_force, make_runnable
from octprobe.measure.garbage import garbage_held
from octprobe.measure.latency import GroupTimer, LatencySettings, TimedGroup
from octprobe.plan.point import Conditions, DesignPoint, LayerSubject
from octprobe.stats import Interval, Verdict, ratio_interval, share_interval, verdict
from octprobe.workload import build_workload

# Twenty convolutions a call: one more is 5 % more work, exactly, and a call is long enough to be timed alone.
UNITS = 20
_CONDITIONS = Conditions(resolution=56)
_ANCHOR, _OTHER = "anchor", "other"


@dataclass(frozen=True)
class Experiment:
    """A kind of comparison whose truth is known.

    Attributes:
        name: what it is called.
        extra_units: convolutions that the second subject makes beyond `UNITS`.
        right: verdicts that tell the truth, or at least do not contradict it.
    """

    name: str
    extra_units: int
    right: frozenset[Verdict]

    @property
    def true_ratio(self) -> float:
        """Work of the second subject over that of the first."""
        return (UNITS + self.extra_units) / UNITS


EQUAL = Experiment("equal work", 0, frozenset({Verdict.SAME, Verdict.AMBIGUOUS}))
MORE = Experiment("5 % more work", 1, frozenset({Verdict.SLOWER}))


@dataclass(frozen=True)
class Trial:
    """One comparison."""

    experiment: Experiment
    ratio: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Tally:
    """What came of an experiment's trials."""

    experiment: Experiment
    trials: tuple[Trial, ...]

    def count(self, wanted: Verdict) -> int:
        """Count the trials with a verdict."""
        return sum(trial.verdict is wanted for trial in self.trials)

    @property
    def judged(self) -> tuple[Trial, ...]:
        """Give the trials with pairs enough for an interval; the others could not have been wrong."""
        return tuple(trial for trial in self.trials if trial.ratio.low is not None)

    @property
    def right(self) -> int:
        """Count the judged trials whose verdict is right."""
        return sum(trial.verdict in self.experiment.right for trial in self.judged)

    @property
    def ratio_median(self) -> float:
        """Give the median of the trials' ratios; the experiment's `true_ratio` is the truth."""
        return median(trial.ratio.median for trial in self.trials)

    @property
    def right_share(self) -> Interval | None:
        """Give the share of right verdicts among the judged, with its 95 % interval; None without one."""
        return share_interval(self.right, len(self.judged)) if self.judged else None


def tally_up(trials: Iterable[Trial]) -> tuple[Tally, ...]:
    """Gather trials by experiment, in the order met."""
    found: dict[Experiment, tuple[Trial, ...]] = {}
    for trial in trials:
        found[trial.experiment] = (*found.get(trial.experiment, ()), trial)
    return tuple(Tally(experiment, gathered) for experiment, gathered in found.items())


def run_trials(
    device: Device,
    lookout: Lookout,
    settings: LatencySettings,
    band: float,
    experiments: Sequence[Experiment],
    count: int,
) -> Iterator[Trial]:
    """Compare two subjects of known work again and again, the experiments taking turns.

    Args:
        device: where they run.
        lookout: tells what else ran.
        settings: as a sweep's `measure` block.
        band: half width of the band in which two times count as the same.
        experiments: what is compared.
        count: comparisons of each.

    Raises:
        MachineError: the clock was held down in every block of a subject.
    """
    for number in range(count):
        for experiment in experiments:
            with garbage_held(), in_force(_CONDITIONS):
                timed = _timed(number, experiment, GroupTimer(device, settings, _ANCHOR, lookout), device)
            device.release()
            ratio = ratio_interval(timed.latency_of(_OTHER).pair_ratios)
            yield Trial(experiment, ratio, verdict(ratio, band))


def _timed(number: int, experiment: Experiment, timer: GroupTimer, device: Device) -> TimedGroup:
    timer.add(_ANCHOR, _repeated(_layer_call(number, device), UNITS))
    timer.add(_OTHER, _repeated(_layer_call(number, device), UNITS + experiment.extra_units))
    return timer.run(lambda _: True)


def _layer_call(number: int, device: Device) -> Call:
    """Build one of four convolutions anew: plain and octave, contiguous and channels_last."""
    alpha = Decimal("0.5") if number % 2 else Decimal(0)
    layer = LayerSubject(
        in_channels=64,
        out_channels=64,
        alpha_in=alpha,
        alpha_out=alpha,
    )
    memory_format = "channels_last" if number // 2 % 2 else "contiguous"
    conditions = replace(_CONDITIONS, memory_format=memory_format)
    with torch.inference_mode(mode=False):  # weights are ordinary tensors, as a person's own are
        workload = build_workload(DesignPoint(subject=layer, conditions=conditions))
    return make_runnable(workload, conditions, device).call


def _repeated(call: Call, times: int) -> Call:
    def repeated() -> None:
        for _ in range(times):
            call()

    return repeated
