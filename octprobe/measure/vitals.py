"""How the clocks stand and who else is there just now, as findings."""

from collections.abc import Iterator

from octprobe.measure.company import FOREIGN_CPU_SHARE, STEAL_SHARE, Glance
from octprobe.measure.finding import Finding
from octprobe.measure.nvml import Gpu
from octprobe.measure.processor import Processors


def clock_findings(processors: Processors) -> Iterator[Finding]:
    """Say how far the processors' clock can be told and trusted."""
    governor, clock = processors.governor(), _mhz(processors.clock_mhz())
    told = _listed(governor and f"governor {governor}", clock and f"{clock} now")
    fault = None
    if told is None:
        fault = "the machine hides its clock, as virtual machines do; trust ratios over times"
    elif governor != "performance":
        fault = "the clock may move while measuring; set the governor to performance"
    yield Finding.judged("processor clock", told or "unknown", fault)
    yield _throttling_finding(processors.throttle_count())


def gpu_findings(gpu: Gpu | None) -> Iterator[Finding]:
    """Say how a GPU's clock stands and who else uses it."""
    if gpu is None:
        advice = "install octprobe[nvml] to see the GPU's clock, what holds it down, and other processes"
        yield Finding.judged("NVML", "absent", advice)
    else:
        yield _gpu_clock_finding(gpu)
        yield _gpu_company_finding(gpu)


def company_findings(glance: Glance, seconds: float, processors: int) -> Iterator[Finding]:
    """Say what others took of the processors' time.

    Args:
        glance: what was seen.
        seconds: how long the look took.
        processors: how many this process may use.
    """
    given_seconds = seconds * processors
    close = "close other programs before measuring"
    yield _share_finding(
        "foreign CPU time", glance.foreign_cpu_seconds, given_seconds, FOREIGN_CPU_SHARE, close
    )
    distrust = "the hypervisor runs others on these processors; trust ratios over times"
    yield _share_finding("steal", glance.steal_seconds, given_seconds, STEAL_SHARE, distrust)


def _throttling_finding(count: int | None) -> Finding:
    if count is None:
        fault = "the machine does not count how often heat held its clock down"
        return Finding.judged("throttling", "unknown", fault)
    advice = "heat held the clock down; cool it better, or samples may be discarded"
    return Finding.judged("throttling", f"{count} times since the start", advice if count else None)


def _gpu_clock_finding(gpu: Gpu) -> Finding:
    temperature_c, reasons = gpu.temperature_c(), gpu.throttle_reasons()
    heat = None if temperature_c is None else f"{temperature_c:.0f} degrees C"
    fault = f"held down by {', '.join(reasons)}; cool it or lift its limit" if reasons else None
    if reasons is None:
        fault = "the driver does not tell what holds it down"
    return Finding.judged("GPU clock", _listed(_mhz(gpu.clock_mhz()), heat) or "unknown", fault)


def _gpu_company_finding(gpu: Gpu) -> Finding:
    others = gpu.foreign_processes()
    if others is None:
        return Finding.judged(
            "GPU company", "unknown", "the driver hides processes, as it may in a container"
        )
    advice = "end the other processes before measuring"
    return Finding.judged("GPU company", f"{others} other processes", advice if others else None)


def _share_finding(
    subject: str, taken_seconds: float | None, given_seconds: float, tolerable: float, advice: str
) -> Finding:
    if taken_seconds is None:
        return Finding.judged(subject, "unknown", "/proc/stat is absent or tells nothing")
    share = max(0.0, taken_seconds / given_seconds)  # the kernel's ticks let a figure fall below 0
    state = f"{share:.1%} of the processors' time"
    return Finding.judged(subject, state, advice if share > tolerable else None)


def _mhz(clock_mhz: float | None) -> str | None:
    return None if clock_mhz is None else f"{clock_mhz:.0f} MHz"


def _listed(*told: str | None) -> str | None:
    return ", ".join(filter(None, told)) or None
