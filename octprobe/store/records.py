"""What measuring one point gave: plain frozen values over raw samples, shared by both wings."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

_ID_HEX_DIGITS = 16


class Status(StrEnum):
    """How a point ended; every point ends as exactly one row."""

    MEASURED = "measured"
    SKIPPED = "skipped"
    OUT_OF_MEMORY = "out_of_memory"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"


class Doubt(StrEnum):
    """A reason to trust a measured figure less; doubts never change an exit code."""

    NOT_CONVERGED = "not_converged"
    UNSTABLE = "unstable"
    BIMODAL = "bimodal"
    CONTAMINATED = "contaminated"
    THROTTLED = "throttled"
    SLOW_FIRST_CALL = "slow_first_call"
    PROFILER_EMPTY = "profiler_empty"
    UNKNOWN_CLOCK = "unknown_clock"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The machine and software that a figure holds for; `env_id` names the whole."""

    device_kind: str
    device_name: str
    driver: str | None
    torch: str
    cuda: str | None
    cudnn: str | None
    deterministic: bool
    cpu_model: str
    cpu_count: int
    default_threads: int
    governor: str | None
    os: str

    @cached_property
    def env_id(self) -> str:
        """Identity of the environment: the device's model, never its index, the host's name or its kernel."""
        figures_depend_on = {name: value for name, value in asdict(self).items() if name != "os"}
        text = json.dumps(figures_depend_on, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_HEX_DIGITS]


@dataclass(frozen=True, kw_only=True)
class PathMacs:
    """MACs by octave path, an item of the batch; plain convolutions and linear layers apart."""

    h2h: int = 0
    h2l: int = 0
    l2h: int = 0
    l2l: int = 0
    plain: int = 0

    @property
    def total(self) -> int:
        """All MACs, an item of the batch."""
        return self.h2h + self.h2l + self.l2h + self.l2l + self.plain


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Work that was counted, no clock read. Figures are for one item of the batch.

    `macs` is fvcore's count, `macs_dispatched` the meta walk's, `path_macs` the closed form; the three agree
    and are the forward's work in the form of four convolutions. `macs_executed` is what a call really runs:
    in training the backward's too. `feature_map_bytes` is a layer's input and output by closed form; None for
    a network. `fvcore_fault` says in one line why fvcore, where it was asked, gave no figures. `octave_exits`
    is the number of places amid an octave network where both frequencies are joined by up-sampling; None at
    alpha 0 and for a layer.
    """

    macs: int | None
    macs_dispatched: int
    macs_executed: int
    path_macs: PathMacs
    elementwise_flops: int | None
    parameters: int
    uncounted_ops: dict[str, int] | None
    bytes_read: int
    bytes_written: int
    operators: int
    weights_bytes: int
    input_bytes: int
    peak_live_bytes: int
    feature_map_bytes: int | None = None
    fvcore_fault: str | None = None
    octave_exits: int | None = None


@dataclass(frozen=True, kw_only=True)
class Company:
    """What else ran while a point's blocks were timed, and how the clock stood; None where nothing tells.

    Attributes:
        foreign_cpu_seconds: processor time of other processes during each kept sample's block.
        steal_seconds: time that the hypervisor gave to others, the same way.
        clock_mhz: the device's clock right after each kept sample's block.
        temperature_c_max: the device's highest temperature after any block, degrees Celsius.
        throttle_reasons: why the clock was held down, of any block.
        throttled_samples: timed blocks discarded because the clock was held down meanwhile.
        foreign_processes: most other processes seen on an accelerator.
    """

    foreign_cpu_seconds: tuple[float, ...] | None = None
    steal_seconds: tuple[float, ...] | None = None
    clock_mhz: tuple[float, ...] | None = None
    temperature_c_max: float | None = None
    throttle_reasons: tuple[str, ...] | None = None
    throttled_samples: int = 0
    foreign_processes: int | None = None

    def foreign_cpu_share(self, processor_seconds: float) -> float | None:
        """Give other processes' share of so many seconds of processors; a sum of ticks below 0 is 0."""
        return _share_of(self.foreign_cpu_seconds, processor_seconds)

    def steal_share(self, processor_seconds: float) -> float | None:
        """Give the hypervisor's share of so many seconds of processors."""
        return _share_of(self.steal_seconds, processor_seconds)


def _share_of(seconds: tuple[float, ...] | None, processor_seconds: float) -> float | None:
    return None if seconds is None or not processor_seconds else max(0.0, sum(seconds)) / processor_seconds


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Times of synchronized calls, milliseconds a call, and of calls back to back.

    `pair_ratios` are the times of this point over those of its anchor, one an adjacent pair. A call is one
    forward, or in training a forward and a backward.
    """

    samples_ms: tuple[float, ...]
    calls_per_sample: int
    pair_ratios: tuple[float, ...]
    rounds: int
    first_call_ms: float | None
    warmup_calls: int
    compile_seconds: float | None = None
    period_samples_ms: tuple[float, ...] = ()
    calls_per_period_sample: int | None = None
    timed_together: int = 1
    company: Company = Company()

    @property
    def block_seconds(self) -> float:
        """Seconds in the blocks whose samples were kept."""
        return sum(self.samples_ms) * self.calls_per_sample / 1e3


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Peak bytes while one call ran; None where nothing was read.

    Attributes:
        peak_allocator_bytes: what was held above the start.
        peak_reserved_bytes: the caching allocator's whole pool, weights and input included.
    """

    peak_allocator_bytes: int | None
    peak_reserved_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class PartTime:
    """Device time of one part of a network in one call.

    Attributes:
        layer: the module's name; empty for what belongs to none.
        path: an octave path or a kind of glue, one of `PATHS`.
        time_ms: busy time of the device, ms a call.
        kernels: kernels a call; None on a processor.
    """

    layer: str
    path: str
    time_ms: float
    kernels: int | None


# The parts of a call: octave paths, plain convolutions and linear layers, glue, and the backward pass.
PATHS = ("h2h", "h2l", "l2h", "l2l", "plain", "pool", "upsample", "norm", "add", "other", "backward")


@dataclass(frozen=True, kw_only=True)
class OperatorTime:
    """Device time of one operator, or of one kernel where no operator is known, in one call.

    Attributes:
        name: `aten::conv2d`, or the kernel's own name.
        time_ms: busy time of the device, ms a call.
        kernels: kernels a call; None on a processor.
        calls: calls of the operator in one call of the network.
    """

    name: str
    time_ms: float
    kernels: float | None
    calls: float


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """What torch.profiler saw, one call.

    Attributes:
        device_time_ms: busy time of the device.
        kernels: kernels a call; None on a processor.
        host_bound: whether the device waits for the host; None on a processor.
        layout_conversion_share: share of the kernels' time that converts memory formats; None on a processor.
        parts: by layer and octave path; None where the form that runs has no such parts.
        parts_reason: why `parts` is None.
        operators: by operator, the longest first.
    """

    device_time_ms: float | None
    kernels: int | None
    host_bound: bool | None
    layout_conversion_share: float | None = None
    parts: tuple[PartTime, ...] | None = None
    parts_reason: str | None = None
    operators: tuple[OperatorTime, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class PassSeconds:
    """Wall time that one point took in each pass, seconds; None for a pass that was not run.

    Attributes:
        build: building and converting the model, once for each worker.
        warm_up: calls before the first sample.
        latency: timed blocks of the point, those that serve as another's neighbour included.
    """

    build: float | None = None
    warm_up: float | None = None
    latency: float | None = None
    cost: float | None = None
    memory: float | None = None
    breakdown: float | None = None
    check: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """All that is known of one point after its passes; what was not reached is None.

    `output_error` is the output's distance from that of eager float32, as a share of the latter's norm.
    """

    status: Status
    reason: str | None = None
    doubts: tuple[Doubt, ...] = ()
    cost: Cost | None = None
    latency: Latency | None = None
    memory: Memory | None = None
    breakdown: Breakdown | None = None
    output_error: float | None = None
    log_tail: str | None = None
    seconds: PassSeconds = PassSeconds()
